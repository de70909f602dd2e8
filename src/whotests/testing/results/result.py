"""A test result with details, tags and a clock that can be set."""

import unittest
from collections.abc import Iterable
from datetime import UTC, datetime

from whotests.testing.details.content import Details
from whotests.testing.details.detail_text import details_text, readable
from whotests.testing.details.tags import TagContext
from whotests.testing.details.traceback_content import OptExcInfo, TracebackContent

__all__ = ["NO_REASON", "TestControl", "TestResult", "reason_of"]

NO_REASON = "No reason given"


class TestResult(unittest.TestResult):
    """unittest's result, to which outcomes may be told with details instead of an exception.

    Where `details` are given, `err` or `reason` must not be. `startTestRun` begins anew. An
    unexpected success counts as a failure.
    """

    __test__ = False

    def __init__(self, failfast: bool = False, tb_locals: bool = False) -> None:
        self.failfast = failfast
        self.tb_locals = tb_locals
        self.buffer = False
        TestResult.startTestRun(self)

    def startTestRun(self) -> None:
        """Forget all that an earlier run told, and its tags and time."""
        kept = self.failfast, self.tb_locals, self.buffer
        super().__init__()
        self.failfast, self.tb_locals, self.buffer = kept
        self.skip_reasons: dict[str, list[unittest.TestCase]] = {}
        """The tests that were skipped, by the reason."""
        self.collectedDurations: list[tuple[unittest.TestCase, float]] = []
        self._tags = TagContext()
        self._time: datetime | None = None

    def stopTestRun(self) -> None:
        """Nothing more comes."""

    def done(self) -> None:
        """What `stopTestRun` was called once."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._tags = TagContext(self._tags)

    def stopTest(self, test: unittest.TestCase) -> None:
        # Tests that are skipped may end without having been started.
        self._tags = self._tags.parent or self._tags
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        """The test passed."""

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        """The test erred."""
        self.errors.append((test, self._error_text(test, err, details)))
        self._note_failure()

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        """The test failed."""
        self.failures.append((test, self._error_text(test, err, details)))
        self._note_failure()

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        """The test failed, as was expected."""
        self.expectedFailures.append((test, self._error_text(test, err, details)))

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        """The test passed and should not have."""
        self.unexpectedSuccesses.append(test)
        self._stop_if_failfast()

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        """The test was skipped; the detail 'reason' may say why."""
        why = reason_of(reason, details)
        self.skipped.append((test, why))
        self.skip_reasons.setdefault(why, []).append(test)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        """A part of the test ended, without an error if there is none."""
        if err is None or err[0] is None:
            return
        failed = issubclass(err[0], test.failureException)
        found = self.failures if failed else self.errors
        found.append((subtest, self._error_text(subtest, err, None)))
        self._note_failure()

    def addDuration(self, test: unittest.TestCase, duration: float) -> None:
        """The test took so many seconds."""
        self.collectedDurations.append((test, duration))

    def wasSuccessful(self) -> bool:
        """Whether nothing failed, erred or passed unexpectedly so far."""
        return not (self.errors or self.failures or self.unexpectedSuccesses)

    @property
    def current_tags(self) -> set[str]:
        """The tags of the test that runs, or of the run between two tests."""
        return self._tags.get_current_tags()

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        """Add and remove tags: of the test that runs, until it ends, else of the run."""
        self._tags.change_tags(new_tags, gone_tags)

    def time(self, a_datetime: datetime | None) -> None:
        """It is this time, with a time zone, until told otherwise; None for the system's clock."""
        self._time = a_datetime

    def _now(self) -> datetime:
        return datetime.now(UTC) if self._time is None else self._time

    def _error_text(
        self, test: unittest.TestCase, err: OptExcInfo | None, details: Details | None
    ) -> str:
        if err is not None and err[0] is not None:
            return TracebackContent(err, test, capture_locals=self.tb_locals).as_text()
        if details is None:
            raise ValueError(f"neither an exception nor details say what happened to {test!r}")
        return details_text(details, special="traceback")

    def _exc_info_to_unicode(self, err: OptExcInfo, test: unittest.TestCase) -> str:
        """What python-subunit calls."""
        return TracebackContent(err, test).as_text()

    def _note_failure(self) -> None:
        self._mirrorOutput = True  # unittest shows what the test wrote, if that was buffered
        self._stop_if_failfast()

    def _stop_if_failfast(self) -> None:
        if self.failfast:
            self.stop()


class TestControl:
    """A control with the names of testtools: `stop()` and `shouldStop`."""

    __test__ = False

    def __init__(self) -> None:
        self.shouldStop = False

    def stop(self) -> None:
        """Ask the run to stop after the tests that are in progress."""
        self.shouldStop = True

    @property
    def should_stop(self) -> bool:
        """The same as `shouldStop`, as controls of the stream call it."""
        return self.shouldStop


def reason_of(reason: str | None, details: Details | None) -> str:
    """Why a test was skipped."""
    if reason is not None:
        return reason
    told = (details or {}).get("reason")
    return NO_REASON if told is None else readable(told)
