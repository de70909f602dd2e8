"""What a test logs with `logging`, wherever that goes."""

import logging
from collections.abc import Iterable
from typing import Any

from whotests.hosts.output import KEPT, PIECE, TEXT
from whotests.stream.event import Chunk

__all__ = ["LogWatch"]


class LogWatch:
    """Listens to the records that loggers hand to their handlers, of whom it is none.

    A handler more would change what the code under test does: `basicConfig` would see one, and
    a warning that has none would not reach stderr.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0
        self._left_out = 0
        self._formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s")

    def install(self) -> None:
        """Listen from now on, for as long as the process lives."""
        watch = self
        ordinary = logging.Logger.callHandlers

        def callHandlers(self: Any, record: logging.LogRecord) -> None:  # noqa: N802
            watch._note(record)
            ordinary(self, record)

        logging.Logger.callHandlers = callHandlers  # type: ignore[method-assign]

    def begin(self) -> None:
        """What comes from now on counts."""
        if self._lines:
            self._lines, self._size, self._left_out = [], 0, 0

    def chunks(self, name: str = "log") -> Iterable[Chunk]:
        """What was logged since `begin`, as an attachment; none if nothing was."""
        if not self._lines:
            return ()
        text = "\n".join(self._lines)
        if self._left_out:
            text += f"\n[{self._left_out} more records were logged]"
        octets = (text + "\n").encode("utf-8", "backslashreplace")
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
        try:
            line = self._formatter.format(record)
        except Exception as error:  # the handlers will meet and tell it
            line = f"{record.levelname} {record.name}: {record.msg!r} ({error!r})"
        self._lines.append(line)
        self._size += len(line)
