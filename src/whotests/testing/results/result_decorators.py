"""Results that pass on what they are told, to one or to several others."""

import unittest
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from whotests.testing.details.content import Details
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.results.any_result import ExtendedToOriginalDecorator
from whotests.testing.results.result import TestResult
from whotests.testing.results.telling import tell_duration, tell_subtest

__all__ = ["MultiTestResult", "Tagger", "TestResultDecorator"]


class TestResultDecorator:
    """Passes all on to `decorated`, which takes details; to be subclassed."""

    __test__ = False

    def __init__(self, decorated: Any) -> None:
        self.decorated = decorated

    def startTestRun(self) -> None:
        self.decorated.startTestRun()

    def stopTestRun(self) -> Any:
        return self.decorated.stopTestRun()

    def startTest(self, test: unittest.TestCase) -> None:
        self.decorated.startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        self.decorated.stopTest(test)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self.decorated.addSuccess(test, details=details)

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self.decorated.addError(test, err, details=details)

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self.decorated.addFailure(test, err, details=details)

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self.decorated.addExpectedFailure(test, err, details=details)

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self.decorated.addUnexpectedSuccess(test, details=details)

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        self.decorated.addSkip(test, reason, details=details)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        tell_subtest(self.decorated, test, subtest, err)

    def addDuration(self, test: unittest.TestCase, duration: float) -> None:
        tell_duration(self.decorated, test, duration)

    def progress(self, offset: int, whence: int) -> None:
        self.decorated.progress(offset, whence)

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        self.decorated.tags(new_tags, gone_tags)

    def time(self, a_datetime: datetime | None) -> None:
        self.decorated.time(a_datetime)

    @property
    def current_tags(self) -> set[str]:
        found: set[str] = self.decorated.current_tags
        return found

    def wasSuccessful(self) -> bool:
        return bool(self.decorated.wasSuccessful())

    def stop(self) -> None:
        self.decorated.stop()

    @property
    def shouldStop(self) -> bool:
        return bool(self.decorated.shouldStop)

    @property
    def failfast(self) -> bool:
        return bool(getattr(self.decorated, "failfast", False))

    @failfast.setter
    def failfast(self, value: bool) -> None:
        self.decorated.failfast = value

    @property
    def testsRun(self) -> int:
        return int(self.decorated.testsRun)


class Tagger(TestResultDecorator):
    """Adds and removes tags at the beginning of each test."""

    def __init__(self, decorated: Any, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        super().__init__(decorated)
        self._new_tags = set(new_tags)
        self._gone_tags = set(gone_tags)

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.tags(set(self._new_tags), set(self._gone_tags))


class MultiTestResult(TestResult):
    """Tells several results, of whatever protocol, what it is told.

    It was successful if all were, and should stop if one should.
    """

    def __init__(self, *results: Any) -> None:
        self._results = [ExtendedToOriginalDecorator(result) for result in results]
        self._without_changing_failfast(super().__init__)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} ({', '.join(map(repr, self._results))})>"

    def startTestRun(self) -> None:
        self._without_changing_failfast(super().startTestRun)
        self._tell("startTestRun")

    def stopTestRun(self) -> tuple[Any, ...]:  # type: ignore[override]
        """What each of the results returns."""
        return self._tell("stopTestRun")

    def done(self) -> None:
        self._tell("done")

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._tell("startTest", test)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self._tell("stopTest", test)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self._tell("addSuccess", test, details=details)

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell("addError", test, err, details=details)

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell("addFailure", test, err, details=details)

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell("addExpectedFailure", test, err, details=details)

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self._tell("addUnexpectedSuccess", test, details=details)

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        self._tell("addSkip", test, reason, details=details)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        self._tell("addSubTest", test, subtest, err)

    def addDuration(self, test: unittest.TestCase, duration: float) -> None:
        self._tell("addDuration", test, duration)

    def progress(self, offset: int, whence: int) -> None:
        self._tell("progress", offset, whence)

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        super().tags(new_tags, gone_tags)
        self._tell("tags", new_tags, gone_tags)

    def time(self, a_datetime: datetime | None) -> None:
        self._tell("time", a_datetime)

    def wasSuccessful(self) -> bool:
        return all(self._tell("wasSuccessful"))

    def stop(self) -> None:
        self._tell("stop")

    @property
    def shouldStop(self) -> bool:
        return any(result.shouldStop for result in self._results)

    @shouldStop.setter
    def shouldStop(self, value: bool) -> None:
        """Nothing: unittest's result begins with False, and the results know better."""

    @property
    def failfast(self) -> bool:
        """That of the first; setting it sets all."""
        return bool(self._results) and self._results[0].failfast

    @failfast.setter
    def failfast(self, value: bool) -> None:
        for result in self._results:
            result.failfast = value

    def _tell(self, name: str, *args: object, **options: object) -> tuple[Any, ...]:
        return tuple(getattr(result, name)(*args, **options) for result in self._results)

    def _without_changing_failfast(self, reset: Callable[[], None]) -> None:
        before = [result.failfast for result in self._results]
        reset()
        for result, failfast in zip(self._results, before, strict=True):
            if result.failfast is not failfast:
                result.failfast = failfast
