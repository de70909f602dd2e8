"""A callback for each test that has ended."""

import unittest
from datetime import datetime
from typing import Protocol

from whotests.testing.details.content import Details, text_content
from whotests.testing.details.reported import unique_name
from whotests.testing.details.traceback_content import OptExcInfo, TracebackContent
from whotests.testing.results.result import TestResult

__all__ = ["OnTest", "TestByTestResult"]


_BADNESS = {"failure": 1, "error": 2}
"""What no other outcome of the same test takes the place of."""


class OnTest(Protocol):
    """What is called with all that there is about a test."""

    def __call__(
        self,
        *,
        test: unittest.TestCase,
        status: str | None,
        start_time: datetime,
        stop_time: datetime | None,
        tags: set[str],
        details: Details | None,
    ) -> object: ...


class TestByTestResult(TestResult):
    """Calls `on_test` when a test has stopped; of what never starts, as a class's setUp, at once.

    `status` is 'success' (an unexpected one, too), 'failure', 'error', 'skip' or 'xfail'; None
    where no outcome was told. Of several outcomes an error counts, else a failure, else the last.
    """

    def __init__(self, on_test: OnTest) -> None:
        super().__init__()
        self._on_test = on_test
        self._start_time: datetime | None = None
        self._status: str | None = None
        self._details: Details | None = None

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._start_time = self._now()
        self._status = self._details = None

    def stopTest(self, test: unittest.TestCase) -> None:
        stopped = self._now()
        tags = self.current_tags
        super().stopTest(test)
        started = stopped if self._start_time is None else self._start_time
        self._call(test, started, stopped, tags)

    def _call(
        self, test: unittest.TestCase, started: datetime, stopped: datetime, tags: set[str]
    ) -> None:
        status, details = self._status, self._details
        self._start_time = self._status = self._details = None
        self._on_test(
            test=test,
            status=status,
            start_time=started,
            stop_time=stopped,
            tags=tags,
            details=details,
        )

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        super().addSuccess(test)
        self._end(test, "success", details)

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addError(test, err, details)
        self._end(test, "error", self._with_traceback(test, err, details))

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addFailure(test, err, details)
        self._end(test, "failure", self._with_traceback(test, err, details))

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addExpectedFailure(test, err, details)
        self._end(test, "xfail", self._with_traceback(test, err, details))

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        super().addUnexpectedSuccess(test)
        self._end(test, "success", details)

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        super().addSkip(test, reason, details)
        if reason is not None:
            details = {**(details or {}), "reason": text_content(reason)}
        self._end(test, "skip", details)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        super().addSubTest(test, subtest, err)
        if err is None or err[0] is None:
            return
        content = TracebackContent(err, subtest, capture_locals=self.tb_locals)
        failed = issubclass(err[0], test.failureException)
        details: Details = {f"traceback {subtest.id()}": content}
        self._end(test, "failure" if failed else "error", details)

    def _end(self, test: unittest.TestCase, status: str, details: Details | None) -> None:
        if self._details and details:
            merged = dict(self._details)
            for name, content in details.items():
                merged[unique_name(name, merged)] = content
            self._details = merged
        else:
            self._details = self._details or details
        if _BADNESS.get(status, 0) >= _BADNESS.get(self._status or "", 0):
            self._status = status
        if self._start_time is None:
            now = self._now()
            self._call(test, now, now, self.current_tags)

    def _with_traceback(
        self, test: unittest.TestCase, err: OptExcInfo | None, details: Details | None
    ) -> Details:
        if details or err is None:
            return details or {}
        return {"traceback": TracebackContent(err, test, capture_locals=self.tb_locals)}
