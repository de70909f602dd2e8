"""testtools' results that make a stream of what they are told."""

import unittest
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from whotests.stream.from_result import ResultToStream
from whotests.testing.details.content import Details
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.results.result import TestControl
from whotests.testing.streams.stream_results import CopyStreamResult, SinkOf, StreamFailFast
from whotests.testing.streams.stream_summaries import StreamSummary

__all__ = ["ExtendedToStreamDecorator", "ResourcedToStreamDecorator"]


class ExtendedToStreamDecorator(CopyStreamResult, StreamSummary, TestControl):
    """A result that tells `decorated`, which takes a stream, and takes one itself.

    The worst of what is reported of a test is its status; a subtest that failed counts for its
    test. Its lists, and whether all was successful, are those of a `StreamSummary`. It starts
    the run by itself where nobody did.
    """

    def __init__(self, decorated: Any) -> None:
        super().__init__([decorated])
        self._fail_fast: StreamFailFast | None = None
        own = SinkOf(super().startTestRun, self.handle, super().stopTestRun)
        self._reporter = ResultToStream(own, control=self)

    def startTestRun(self) -> None:
        self.shouldStop = False
        self._reporter.startTestRun()

    def stopTestRun(self) -> None:
        self._reporter.stopTestRun()

    def startTest(self, test: unittest.TestCase) -> None:
        self._reporter.startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        self._reporter.stopTest(test)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self._reporter.addSuccess(test, details=details)

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        _check_one(err, details)
        self._reporter.addError(test, err, details=details)

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        _check_one(err, details)
        self._reporter.addFailure(test, err, details=details)

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        _check_one(err, details)
        self._reporter.addExpectedFailure(test, err, details=details)

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        self._reporter.addUnexpectedSuccess(test, details=details)

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        self._reporter.addSkip(test, reason, details=details)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        self._reporter.addSubTest(test, subtest, err)

    def addDuration(self, test: unittest.TestCase, duration: float) -> None:
        self._reporter.addDuration(test, duration)

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        """Add and remove tags: of the test that runs, until it ends, else of the run."""
        self._reporter.tags(new_tags, gone_tags)

    @property
    def current_tags(self) -> set[str]:
        """The tags of the test that runs, or of the run between two tests."""
        return self._reporter.current_tags

    def time(self, a_datetime: datetime | None) -> None:
        """It is this time, with a time zone, until told otherwise; None for the system's clock."""
        self._reporter.time(a_datetime)

    @property
    def failfast(self) -> bool:
        """Whether the run is asked to stop at the first failure."""
        return self._fail_fast is not None

    @failfast.setter
    def failfast(self, value: bool) -> None:
        if value and self._fail_fast is None:
            self._fail_fast = StreamFailFast(self.stop)
            self.targets.append(self._fail_fast)
        elif not value and self._fail_fast is not None:
            self.targets.remove(self._fail_fast)
            self._fail_fast = None

    def _now(self) -> datetime:
        return self._reporter._now()


class ResourcedToStreamDecorator(ExtendedToStreamDecorator):
    """Tells of testresources' resources, too, when they are made and cleaned.

    A resource is told like a test that cannot be run: its id, or its class's name, with '.make'
    or '.clean' behind it.
    """

    def startMakeResource(self, resource: object) -> None:
        self._tell(resource, "make", "inprogress")

    def stopMakeResource(self, resource: object) -> None:
        self._tell(resource, "make", "success")

    def startCleanResource(self, resource: object) -> None:
        self._tell(resource, "clean", "inprogress")

    def stopCleanResource(self, resource: object) -> None:
        self._tell(resource, "clean", "success")

    def _tell(self, resource: object, what: str, status: str) -> None:
        named = getattr(resource, "id", None)
        kind = type(resource)
        name = f"{kind.__module__}.{kind.__name__}" if named is None else named()
        self.status(
            test_id=f"{name}.{what}", test_status=status, runnable=False, timestamp=self._now()
        )


def _check_one(err: object, details: object) -> None:
    if (err is None) == (details is None):
        raise ValueError(f"give either an error or details: {err!r}, {details!r}")
