"""A callback for each test that has ended."""

import unittest
from datetime import datetime
from typing import Protocol

from whotests.testing.content import Details, text_content
from whotests.testing.results import TestResult
from whotests.testing.traceback_content import OptExcInfo, TracebackContent

__all__ = ["OnTest", "TestByTestResult"]


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
    """Calls `on_test` when a test has stopped.

    `status` is 'success' (an unexpected one, too), 'failure', 'error', 'skip' or 'xfail'; None
    where no outcome was told.
    """

    def __init__(self, on_test: OnTest) -> None:
        super().__init__()
        self._on_test = on_test

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._start_time = self._now()
        self._status: str | None = None
        self._details: Details | None = None

    def stopTest(self, test: unittest.TestCase) -> None:
        stopped = self._now()
        tags = self.current_tags
        super().stopTest(test)
        self._on_test(
            test=test,
            status=self._status,
            start_time=self._start_time,
            stop_time=stopped,
            tags=tags,
            details=self._details,
        )

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        super().addSuccess(test)
        self._end("success", details)

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addError(test, err, details)
        self._end("error", self._with_traceback(test, err, details))

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addFailure(test, err, details)
        self._end("failure", self._with_traceback(test, err, details))

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addExpectedFailure(test, err, details)
        self._end("xfail", self._with_traceback(test, err, details))

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        super().addUnexpectedSuccess(test)
        self._end("success", details)

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        super().addSkip(test, reason, details)
        if reason is not None:
            details = {**(details or {}), "reason": text_content(reason)}
        self._end("skip", details)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        super().addSubTest(test, subtest, err)
        if err is None or err[0] is None:
            return
        details = dict(self._details or {})
        details[f"traceback {subtest.id()}"] = TracebackContent(
            err, subtest, capture_locals=self.tb_locals
        )
        failed = issubclass(err[0], test.failureException) and self._status != "error"
        self._end("failure" if failed else "error", details)

    def _end(self, status: str, details: Details | None) -> None:
        self._status = status
        self._details = details

    def _with_traceback(
        self, test: unittest.TestCase, err: OptExcInfo | None, details: Details | None
    ) -> Details:
        if details or err is None:
            return details or {}
        return {"traceback": TracebackContent(err, test, capture_locals=self.tb_locals)}
