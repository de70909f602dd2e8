"""Errors that were logged during a test, and fail it unless they are flushed.

Seen are: records of `logging` of level ERROR and above that carry an exception; what an asyncio
loop hands to its exception handler, as "Task exception was never retrieved"; failures in
Twisted's log; coroutines that were never awaited. What is expected is taken out by
`flush_logged_errors`, or was made under `assertLogs`.
"""

import contextlib
import gc
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any, NamedTuple

from whotests.testing.details.frames import users_caller
from whotests.testing.supervision.timeouts import Expired

__all__ = ["LoggedError", "LoggedErrors", "LoggedErrorsError", "unheard"]

__unittest = True

ExceptionType = type[BaseException]

ERROR = 40
"""As of `logging`, which is not imported before something logs."""


class LoggedError(NamedTuple):
    """One error that was logged."""

    value: BaseException
    source: str
    """What it was logged through: "logger 'its name'", "asyncio", "Twisted", "Python"."""
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

    __module__ = "whotests.testing"

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

    Threads that a test started cannot be told from those of other tests that run meanwhile:
    what they log counts for all of these.
    """

    __slots__ = ("_found", "_ident", "_outer")

    def __init__(self) -> None:
        self._found: list[LoggedError] = []
        self._ident = 0
        self._outer: LoggedErrors | None = None
        """Those of the test that runs this one, in the same thread."""

    def begin(self) -> None:
        """Listen from now on."""
        self._ident = get_ident()
        with _changing:
            if not _listening:
                listen()
            self._outer = _listening.get(self._ident)
            _listening[self._ident] = self

    def end(self) -> list[LoggedError]:
        """What was logged and not flushed; nothing is listened to any more."""
        if "twisted.internet.defer" in sys.modules:
            # A Deferred tells of its failure when it is collected. Frames of the traceback hold
            # it, so that without this some later test would be told.
            gc.collect(1)
        with _changing:
            if self._outer is not None:
                _listening[self._ident] = self._outer
            else:
                _listening.pop(self._ident, None)
            if not _listening:
                unlisten()
        take_from_trial()
        return self._found

    def note(self, error: LoggedError) -> None:
        """Take one more, unless this very exception was taken already."""
        kind = type(error.value)
        if kind is Expired:
            return  # the time of the test was up, of which it is told anyway
        if kind.__name__ == "CancelledError" and kind.__module__.startswith("asyncio"):
            return  # Python 3.11 reports it of the streams of tasks that were cancelled
        if all(error.value is not other.value for other in self._found):
            self._found.append(error)

    def note_of_loop(self, context: dict[str, Any]) -> None:
        """Take what an asyncio loop hands to its exception handler."""
        message = context.get("message") or "Unhandled error in the event loop"
        about = "".join(
            f"\n{name}: {context[name]!r}"
            for name in ("task", "future", "handle", "transport", "protocol", "asyncgen")
            if name in context
        )
        value = context.get("exception") or RuntimeError(message)
        self.note(LoggedError(value, "asyncio", message + about))

    def flush(self, *types: ExceptionType) -> list[LoggedError]:
        """Take out the errors of these types, of any without types; oldest first."""
        taken = [error for error in self._found if not types or error.check(*types)]
        self._found = [error for error in self._found if error not in taken]
        return taken


_listening: dict[int, LoggedErrors] = {}
"""By thread: whose test runs there."""

_changing = threading.Lock()
"""Else the last test of one thread would make the first one of another deaf."""

_unheard = threading.local()

TRIAL = "twisted.trial._synctest"
"""Where trial keeps what is logged during its runs."""

_heard: list[Any] = []
"""Twisted's failures that were logged since a test ended."""


def hear(error: LoggedError) -> None:
    """Hand an error to the test that runs in this thread; in a thread of its own, to all."""
    if getattr(_unheard, "now", False):
        return
    mine = _listening.get(get_ident())
    for each in (mine,) if mine is not None else tuple(_listening.values()):
        each.note(error)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """What is logged here, by this thread, belongs to no test."""
    _unheard.now = True
    try:
        yield
    finally:
        _unheard.now = False


def listen() -> None:
    """Put our own in front of what makes log records, and of what tells of coroutines."""
    import logging

    making = logging.getLogRecordFactory()
    if making is not make_record:
        _before.make_record = making
        logging.setLogRecordFactory(make_record)
    telling = getattr(warnings, "_warn_unawaited_coroutine", None)
    if telling is not None and telling is not warn_unawaited:
        _before.warn_unawaited = telling
        warnings._warn_unawaited_coroutine = warn_unawaited  # type: ignore[attr-defined]
    publisher = getattr(sys.modules.get("twisted.logger"), "globalLogPublisher", None)
    if publisher is not None:
        _before.publisher = publisher
        publisher.addObserver(observe)


def unlisten() -> None:
    """Take our own away again, where nothing else was put in front of it."""
    import logging

    if logging.getLogRecordFactory() is make_record:
        logging.setLogRecordFactory(_before.make_record)
    if getattr(warnings, "_warn_unawaited_coroutine", None) is warn_unawaited:
        warnings._warn_unawaited_coroutine = _before.warn_unawaited  # type: ignore[attr-defined]
    if _before.publisher is not None:
        _before.publisher.removeObserver(observe)
        _before.publisher = None


class _Before:
    """What stood where ours stands now."""

    make_record: Callable[..., Any]
    warn_unawaited: Callable[[Any], None]
    publisher: Any = None


_before = _Before()


def make_record(*args: Any, **kwargs: Any) -> Any:
    """A log record, as it would be made without us."""
    record = _before.make_record(*args, **kwargs)
    if record.levelno >= ERROR and record.exc_info:
        value = record.exc_info[1]
        if isinstance(value, BaseException) and not is_asserted(record.name):
            with contextlib.suppress(Exception):
                said = record.getMessage()
                hear(LoggedError(value, f"logger {record.name!r}", said))
    return record


def is_asserted(name: str) -> bool:
    """Whether what this logger gets goes to an `assertLogs` of the test."""
    import logging

    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        for handler in logger.handlers:
            if type(handler).__module__ == "unittest._log":
                return True
        logger = logger.parent if logger.propagate else None
    return False


def warn_unawaited(coroutine: Any) -> None:
    """Python's warning; the coroutine counts as an error of the test as well."""
    message = f"coroutine {coroutine.__qualname__!r} was never awaited"
    place = users_caller()
    said = "" if place is None else f"it was dropped at {place}"
    hear(LoggedError(RuntimeWarning(message), "Python", said))
    if coroutine.cr_origin is None:
        # What Python says, and about the line of which it says so: that below ours.
        warnings.warn(message, RuntimeWarning, stacklevel=2, source=coroutine)
    else:
        _before.warn_unawaited(coroutine)


def observe(event: dict[str, Any]) -> None:
    """A failure in Twisted's log."""
    failure = event.get("log_failure")
    text = event.get("log_format") or ""
    if failure is None and event.get("isError"):  # by twisted.python.log.err
        failure = event.get("failure")
        text = event.get("why") or ""
    if failure is not None and isinstance(failure.value, BaseException):
        with contextlib.suppress(Exception):
            text = text.format(**event)
        hear(LoggedError(failure.value, "Twisted", text))
        if TRIAL in sys.modules:
            _heard.append(failure)


def take_from_trial() -> None:
    """What tests answer for is no error "not in test", as trial's runner takes it to be."""
    observer = getattr(sys.modules.get(TRIAL), "_logObserver", None)
    if _heard and observer is not None:
        observer._errors = [
            failure
            for failure in observer.getErrors()
            if all(failure is not heard for heard in _heard)
        ]
    _heard.clear()
