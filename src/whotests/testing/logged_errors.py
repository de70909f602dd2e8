"""Errors that were logged during a test, and fail it unless they are flushed.

Seen are: records of `logging` of level ERROR and above that carry an exception; what an asyncio
loop hands to its exception handler, as "Task exception was never retrieved"; failures in
Twisted's log; coroutines that were never awaited. What is expected is taken out by
`flush_logged_errors`, or was made under `assertLogs`.
"""

import threading
import traceback
from typing import Any, NamedTuple

__all__ = ["LoggedError", "LoggedErrors", "LoggedErrorsError"]

__unittest = True

ExceptionType = type[BaseException]

ERROR = 40
"""As of `logging`, which is not imported before something logs."""


class LoggedError(NamedTuple):
    """One error that was logged."""

    value: BaseException
    source: str
    """What it was logged through: the name of the logger, "asyncio", "Twisted", "coroutine"."""
    message: str = ""
    """What was said of it; empty where nothing was."""

    @property
    def type(self) -> ExceptionType:
        """The class of the exception."""
        return type(self.value)

    def check(self, *types: ExceptionType) -> ExceptionType | None:
        """The first of the types that the exception is an instance of; None if it is of none."""
        return next((each for each in types if isinstance(self.value, each)), None)

    def __str__(self) -> str:
        said = f": {self.message}" if self.message else ""
        text = "".join(traceback.format_exception(self.value)).rstrip()
        return f"{self.source}{said}\n{text}"


class LoggedErrorsError(AssertionError):
    """Errors were logged during the test, and nobody flushed them."""

    def __init__(self, errors: list[LoggedError]) -> None:
        self.errors = tuple(errors)
        texts = "\n".join(str(error) for error in errors)
        noun = "an error was" if len(errors) == 1 else f"{len(errors)} errors were"
        super().__init__(
            f"{noun} logged during the test:\n"
            + "\n".join("  " + line for line in texts.splitlines())
            + "\nWhere that is expected, take it out by self.flush_logged_errors("
            f"{errors[0].type.__name__}), or log it under self.assertLogs."
        )


class LoggedErrors:
    """The errors that are logged between `begin` and `end`. One per test and thread.

    Threads that the test started cannot be told from those of other tests that run meanwhile:
    what they log counts for all of these.
    """

    __slots__ = ("_found", "_ident", "_publisher")

    def __init__(self) -> None:
        self._found: list[LoggedError] | None = None
        self._ident = 0
        self._publisher: Any = None

    def begin(self) -> None:
        """Listen from now on."""
        self._ident = threading.get_ident()
        _listening[self._ident] = self

    def end(self) -> list[LoggedError]:
        """What was logged and not flushed; nothing is listened to any more."""
        _listening.pop(self._ident, None)
        found, self._found = self._found, None
        return found or []

    def note(self, error: LoggedError) -> None:
        """Take one more, unless this very exception was the last to be taken."""
        if self._found is None:
            self._found = []
        elif self._found and self._found[-1].value is error.value:
            return
        self._found.append(error)

    def flush(self, *types: ExceptionType) -> list[LoggedError]:
        """Take out the errors of these types, of any without types; oldest first."""
        found = self._found or []
        taken = [error for error in found if not types or error.check(*types)]
        self._found = [error for error in found if types and not error.check(*types)]
        return taken


_listening: dict[int, LoggedErrors] = {}
