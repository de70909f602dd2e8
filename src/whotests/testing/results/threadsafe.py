"""One result that several threads tell of their tests."""

import unittest
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from whotests.testing.details.content import Details, text_content
from whotests.testing.details.tags import TagChange, merge_tags
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.results.any_result import ExtendedToOriginalDecorator
from whotests.testing.results.result import TestResult

__all__ = ["Gate", "ThreadsafeForwardingResult"]


_NO_END = "it began and no end was seen"


class Gate(Protocol):
    """Lets one thread through at a time: a `threading.Semaphore(1)` or `Lock`."""

    def __enter__(self) -> Any: ...

    def __exit__(self, kind: Any, error: Any, traceback: Any, /) -> Any: ...


class ThreadsafeForwardingResult(TestResult):
    """The result of one thread, which tells `target` of one whole test at a time.

    Each thread has its own, all with the same target and semaphore. A test is told with its
    outcome; tags of the run become tags of each of its tests, since the target has other
    threads' tests, too. `startTestRun` and `stopTestRun` are passed on each time. A test that has
    no outcome when another one starts is an error.
    """

    def __init__(self, target: Any, semaphore: Gate) -> None:
        self.result = ExtendedToOriginalDecorator(target)
        self.semaphore = semaphore
        self._run_tags: TagChange = set(), set()
        self._test_tags: TagChange = set(), set()
        self._begun: datetime | None = None
        self._test: unittest.TestCase | None = None
        self._parts: list[Callable[[], None]] = []
        self._duration: float | None = None
        super().__init__()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.result!r}>"

    def startTestRun(self) -> None:
        super().startTestRun()
        with self.semaphore:
            self.result.startTestRun()

    def stopTestRun(self) -> None:
        with self.semaphore:
            self.result.stopTestRun()

    def done(self) -> None:
        with self.semaphore:
            self.result.done()

    def startTest(self, test: unittest.TestCase) -> None:
        if self._test is not None and self._begun is not None:  # what ran it has died
            self.addError(self._test, details={"reason": text_content(_NO_END)})
        self._begun = self._now()
        self._test = test
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        if self._parts:  # unittest tells nothing else of a test whose parts failed
            self._tell(test, _nothing)
        elif self._duration is not None:
            with self.semaphore:
                self._tell_duration(test)
        self._begun = self._test = None
        self._test_tags = set(), set()
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self._tell(test, partial(self.result.addSuccess, test, details=details))

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell(test, partial(self.result.addError, test, err, details=details))

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell(test, partial(self.result.addFailure, test, err, details=details))

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell(test, partial(self.result.addExpectedFailure, test, err, details=details))

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self._tell(test, partial(self.result.addUnexpectedSuccess, test, details=details))

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        self._tell(test, partial(self.result.addSkip, test, reason, details=details))

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        self._parts.append(partial(self.result.addSubTest, test, subtest, err))

    def addDuration(self, test: unittest.TestCase, duration: float) -> None:
        self._duration = duration

    def progress(self, offset: int, whence: int) -> None:
        """Nothing: the progress of one thread is not that of the run."""

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        super().tags(new_tags, gone_tags)
        change = set(new_tags), set(gone_tags)
        if self._begun is None:
            self._run_tags = merge_tags(self._run_tags, change)
        else:
            self._test_tags = merge_tags(self._test_tags, change)

    def wasSuccessful(self) -> bool:
        return self.result.wasSuccessful()

    def stop(self) -> None:
        with self.semaphore:
            self.result.stop()

    @property
    def shouldStop(self) -> bool:
        with self.semaphore:
            return self.result.shouldStop

    @shouldStop.setter
    def shouldStop(self, value: bool) -> None:
        """Nothing: unittest's result begins with False, and the target knows better."""

    def _tell(self, test: unittest.TestCase, outcome: Callable[[], None]) -> None:
        if self._test is not None and getattr(test, "test_case", None) is self._test:
            self._parts.append(outcome)  # a part of the test was skipped
            return
        now = self._now()
        with self.semaphore:
            self.result.time(self._begun)
            self.result.startTest(test)
            self.result.time(now)
            for new, gone in (self._run_tags, self._test_tags):
                if new or gone:
                    self.result.tags(new, gone)
            self._test_tags = set(), set()
            parts, self._parts = self._parts, []
            try:
                for part in parts:
                    part()
                self._tell_duration(test)
                outcome()
            finally:
                self.result.stopTest(test)
        self._begun = None

    def _tell_duration(self, test: unittest.TestCase) -> None:
        duration, self._duration = self._duration, None
        if duration is not None:
            self.result.addDuration(test, duration)


def _nothing() -> None:
    """There is no outcome to tell."""
