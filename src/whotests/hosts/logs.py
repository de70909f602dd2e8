"""What a test logs with `logging`, wherever that goes."""

import logging
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, Final

from whotests.hosts.output import KEPT, PIECE
from whotests.stream.attached_text import TEXT, encoded
from whotests.stream.event import Chunk

__all__ = ["LogWatch"]

_PLAIN: Final = frozenset({str, bytes, int, float, bool, type(None)})
"""Types of arguments that nobody notices being written."""


class LogWatch:
    """Listens to the records that loggers hand to their handlers, of whom it is none.

    A handler more would change what the code under test does: `basicConfig` would see one, and
    a warning that has none would not reach stderr. So would it to write a record before they do,
    or arguments that none of them writes: records keep what was written, mocks note it.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0
        self._left_out = 0

    def install(self) -> None:
        """Listen from now on, for as long as the process lives."""
        watch = self
        ordinary = logging.Logger.callHandlers

        def callHandlers(self: Any, record: logging.LogRecord) -> None:  # noqa: N802
            try:
                ordinary(self, record)
            finally:
                watch._note(record)

        logging.Logger.callHandlers = callHandlers  # type: ignore[method-assign]

    def begin(self) -> None:
        """What comes from now on counts."""
        if self._lines:
            self._lines, self._size, self._left_out = [], 0, 0

    def noticed(self) -> bool:
        """Whether anything was logged since then."""
        return bool(self._lines)

    def chunks(self, name: str = "log") -> Iterable[Chunk]:
        """What was logged since `begin`, as an attachment; none if nothing was."""
        if not self._lines:
            return ()
        text = "\n".join(self._lines)
        if self._left_out:
            text += f"\n[{self._left_out} more records were logged]"
        octets = encoded(text + "\n")
        self.begin()
        pieces = range(0, len(octets), PIECE)
        return [
            *(Chunk(name, octets[place : place + PIECE], TEXT) for place in pieces),
            Chunk(name, b"", TEXT, eof=True),
        ]

    def _note(self, record: logging.LogRecord) -> None:
        if self._size > 2 * KEPT:
            self._left_out += 1
            return
        line = _line_of(record)
        self._lines.append(line)
        self._size += len(line)


def _line_of(record: logging.LogRecord) -> str:
    try:
        parts = [f"{record.levelname} {record.name}: {_message_of(record)}"]
        if record.exc_info and record.exc_info[1] is not None:
            parts.append("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        if record.stack_info:
            parts.append(record.stack_info)
    except Exception as error:  # the handlers have met and told it
        return f"{record.levelname} {record.name}: {record.msg!r} ({error!r})"
    return "\n".join(parts)


def _message_of(record: logging.LogRecord) -> str:
    """The message as a handler has written it; where none has, as far as it can be told without
    asking objects of the user's."""
    written = vars(record).get("message")
    if isinstance(written, str):
        return written
    if type(record.msg) is not str:
        return f"<{type(record.msg).__qualname__}>"
    args = record.args
    values = args.values() if isinstance(args, Mapping) else args or ()
    if all(type(value) in _PLAIN for value in values):
        return record.getMessage()
    return record.msg
