"""Results that keep what they were told, for tests of what tells results.

Each has the protocol of one kind of result and no more. What was told is in `events`, each a
tuple of the method's name and what it was called with.
"""

import unittest
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from whotests.testing.details.content import Details
from whotests.testing.details.tags import TagContext
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.streams.stream_results import StreamResult as BaseStreamResult

__all__ = [
    "ExtendedTestResult",
    "LoggingBase",
    "Python3TestResult",
    "StatusCall",
    "StreamResult",
    "TwistedTestResult",
]


class StatusCall(NamedTuple):
    """One call of `status`, with all it might have been given."""

    name: str
    test_id: str | None = None
    test_status: str | None = None
    test_tags: set[str] | None = None
    runnable: bool = True
    file_name: str | None = None
    file_bytes: bytes | None = None
    eof: bool = False
    mime_type: str | None = None
    route_code: str | None = None
    timestamp: datetime | None = None


class LoggingBase:
    """Keeps events, in a list of the caller's if one is given."""

    def __init__(self, event_log: list[tuple[Any, ...]] | None = None) -> None:
        self._events: list[tuple[Any, ...]] = [] if event_log is None else event_log

    @property
    def events(self) -> list[tuple[Any, ...]]:
        """What was told, in order."""
        return self._events


class Python3TestResult(LoggingBase):
    """The protocol of unittest's result.

    It counts an unexpected success as a success.
    """

    def __init__(self, event_log: list[tuple[Any, ...]] | None = None) -> None:
        super().__init__(event_log)
        self.shouldStop = False
        self.failfast = False
        self.testsRun = 0
        self.collectedDurations: list[tuple[unittest.TestCase, float]] = []
        self._successful = True

    def startTestRun(self) -> None:
        self._events.append(("startTestRun",))

    def stopTestRun(self) -> None:
        self._events.append(("stopTestRun",))

    def startTest(self, test: unittest.TestCase) -> None:
        self._events.append(("startTest", test))
        self.testsRun += 1

    def stopTest(self, test: unittest.TestCase) -> None:
        self._events.append(("stopTest", test))

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._events.append(("addSuccess", test))

    def addError(self, test: unittest.TestCase, err: OptExcInfo) -> None:
        self._fail("addError", test, err)
        self._stop_if_failfast()

    def addFailure(self, test: unittest.TestCase, err: OptExcInfo) -> None:
        self._fail("addFailure", test, err)
        self._stop_if_failfast()

    def addExpectedFailure(self, test: unittest.TestCase, err: OptExcInfo) -> None:
        self._events.append(("addExpectedFailure", test, err))

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._events.append(("addUnexpectedSuccess", test))
        self._stop_if_failfast()

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._events.append(("addSkip", test, reason))

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        self._events.append(("addSubTest", test, subtest, err))
        if err is not None:
            self._successful = False
            self._stop_if_failfast()

    def addDuration(self, test: unittest.TestCase, duration: float) -> None:
        self._events.append(("addDuration", test, duration))
        self.collectedDurations.append((test, duration))

    def stop(self) -> None:
        self.shouldStop = True

    def wasSuccessful(self) -> bool:
        return self._successful

    def _fail(self, *event: object) -> None:
        self._successful = False
        self._events.append(event)

    def _stop_if_failfast(self) -> None:
        if self.failfast:
            self.stop()


class ExtendedTestResult(Python3TestResult):
    """The extended protocol: details, tags and times. An unexpected success is a failure."""

    def __init__(self, event_log: list[tuple[Any, ...]] | None = None) -> None:
        super().__init__(event_log)
        self._tags = TagContext()

    def startTestRun(self) -> None:
        super().startTestRun()
        self._successful = True
        self._tags = TagContext()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._tags = TagContext(self._tags)

    def stopTest(self, test: unittest.TestCase) -> None:
        # Tests that are skipped may end without having been started.
        self._tags = self._tags.parent or self._tags
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self._events.append(("addSuccess", test, details) if details else ("addSuccess", test))

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._fail("addError", test, err or details)
        self._stop_if_failfast()

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._fail("addFailure", test, err or details)
        self._stop_if_failfast()

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._events.append(("addExpectedFailure", test, err or details))

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        if details is None:
            self._fail("addUnexpectedSuccess", test)
        else:
            self._fail("addUnexpectedSuccess", test, details)
        self._stop_if_failfast()

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        self._events.append(("addSkip", test, reason or details))

    def progress(self, offset: int, whence: int) -> None:
        self._events.append(("progress", offset, whence))

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        self._tags.change_tags(new_tags, gone_tags)
        self._events.append(("tags", new_tags, gone_tags))

    @property
    def current_tags(self) -> set[str]:
        return self._tags.get_current_tags()

    def time(self, time: datetime | None) -> None:
        self._events.append(("time", time))


class TwistedTestResult(LoggingBase):
    """The protocol of trial's reporters: no `startTestRun`, no `stop`, no details."""

    def __init__(self, event_log: list[tuple[Any, ...]] | None = None) -> None:
        super().__init__(event_log)
        self.testsRun = 0
        self._successful = True

    def startTest(self, test: unittest.TestCase) -> None:
        self.testsRun += 1
        self._events.append(("startTest", test))

    def stopTest(self, test: unittest.TestCase) -> None:
        self._events.append(("stopTest", test))

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._events.append(("addSuccess", test))

    def addError(self, test: unittest.TestCase, error: object) -> None:
        self._successful = False
        self._events.append(("addError", test, error))

    def addFailure(self, test: unittest.TestCase, error: object) -> None:
        self._successful = False
        self._events.append(("addFailure", test, error))

    def addExpectedFailure(
        self, test: unittest.TestCase, failure: object, todo: object = None
    ) -> None:
        self._events.append(("addExpectedFailure", test, failure))

    def addUnexpectedSuccess(self, test: unittest.TestCase, todo: object = None) -> None:
        self._events.append(("addUnexpectedSuccess", test))

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._events.append(("addSkip", test, reason))

    def wasSuccessful(self) -> bool:
        return self._successful

    def done(self) -> None:
        """No test comes any more."""


class StreamResult(LoggingBase, BaseStreamResult):
    """Takes a stream: `startTestRun`, `stopTestRun` and calls of `status`, as `StatusCall`."""

    def startTestRun(self) -> None:
        self._events.append(("startTestRun",))

    def stopTestRun(self) -> None:
        self._events.append(("stopTestRun",))

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        test_tags: Iterable[str] | None = None,
        runnable: bool = True,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        eof: bool = False,
        mime_type: str | None = None,
        route_code: str | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        self._events.append(
            StatusCall(
                "status",
                test_id,
                test_status,
                None if test_tags is None else set(test_tags),
                runnable,
                file_name,
                file_bytes,
                eof,
                mime_type,
                route_code,
                timestamp,
            )
        )
