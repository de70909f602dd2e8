"""How tests ended that run in other processes, heard from the events of a run."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final, NamedTuple

from whotests.records import TestRecord
from whotests.stream.event import Event, Status
from whotests.types import Outcome, Runner

__all__ = ["Verdict", "Verdicts"]

_OUTCOMES: Final = {
    Status.SUCCESS: Outcome.PASSED,
    Status.FAIL: Outcome.FAILED,
    Status.SKIP: Outcome.SKIPPED,
    Status.XFAIL: Outcome.EXPECTED_FAILURE,
    Status.UXSUCCESS: Outcome.UNEXPECTED_SUCCESS,
    Status.UNKNOWN: Outcome.UNKNOWN,
}

_INPROGRESS = Status.INPROGRESS  # CPython 3.11 looks members of enumerations up slowly
_make_tuple = tuple.__new__  # takes a fifth of the time of Verdict(...)


class Verdict(NamedTuple):
    """How one test ended."""

    outcome: Outcome
    duration: float | None
    """Seconds from its beginning to its end, or None where no beginning was told."""


class Verdicts:
    """A sink that keeps how each test ended; of one that ends several times, the last end.

    The stream does not tell failures from errors. What failed for a reason and without a
    traceback is an error here, as that of a test whose process died; all else is a failure.
    What failed so and never began, as all workers were lost before, has not ended: that tells
    nothing of the test.
    """

    def __init__(self) -> None:
        self.of: dict[str, Verdict] = {}
        """By test id, in the order of their ends."""
        self._began: dict[str, datetime] = {}
        self._attached: dict[str, set[str]] = {}
        """Test id -> what its attachments are called, of those that have not ended."""

    def start_run(self) -> None:
        """Nothing: it keeps what it has."""

    def stop_run(self) -> None:
        """Nothing: what has not ended has no verdict."""

    def handle(self, event: Event, /) -> None:
        """Note when a test begins, and how it ends."""
        test_id, status, _, runnable, chunk, _, time = event
        if test_id is None or not runnable:
            return
        if chunk is not None:
            self._attached.setdefault(test_id, set()).add(chunk.name.partition(" ")[0])
        if status is None:
            return
        if status is _INPROGRESS:
            if time is not None:
                self._began[test_id] = time
            return
        outcome = _OUTCOMES.get(status)
        if outcome is None:
            return
        began = self._began.pop(test_id, None)
        seconds = None if began is None or time is None else (time - began).total_seconds()
        if self._attached:
            attached = self._attached.pop(test_id, ())
            if outcome is Outcome.FAILED and "reason" in attached and "traceback" not in attached:
                outcome = Outcome.UNKNOWN if began is None else Outcome.ERROR
        if seconds is not None and seconds < 0.0:
            seconds = 0.0  # clocks may go back
        self.of[test_id] = _make_tuple(Verdict, (outcome, seconds))

    def records(self, but: AbstractSet[str] = frozenset()) -> tuple[TestRecord, ...]:
        """All that ended, as the store takes them, but for these ids."""
        pytest, unittest = Runner.PYTEST, Runner.UNITTEST
        return tuple(
            # Which host ran it, its id tells: only pytest's have '::'.
            _make_tuple(TestRecord, (test_id, pytest if "::" in test_id else unittest, *verdict))
            for test_id, verdict in self.of.items()
            if test_id not in but
        )
