"""How far a run of tests is: what is done, what runs now, how long the rest will take.

May import the stream. Refuses to read a clock, and to know how it is shown.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from whotests.stream.collection import TestRecord
from whotests.stream.event import FAILED, Status

__all__ = ["Expected", "Progress", "Running"]

_ENOUGH = 20
"""After so many tests, those that nobody knows can be judged by those that ran."""

_EXISTS = Status.EXISTS  # CPython 3.11 looks members of enumerations up slowly
_make_tuple = tuple.__new__  # takes a fifth of the time of Running(...)


class Expected(NamedTuple):
    """A test that was chosen to be run."""

    test_id: str
    seconds: float | None = None
    """How long it took before, if that is known."""


class Running(NamedTuple):
    """A test that is in progress."""

    test_id: str
    worker: str
    """The first step of its route code: 'w0'."""
    since: float


class Progress:
    """Counts what is told; times are seconds by any clock that goes forward only.

    What is told may come from one thread and be asked by another one.
    """

    def __init__(self) -> None:
        self.counts: Counter[Status] = Counter()
        """Tests that can be selected, by how they ended."""
        self.outside: Counter[Status] = Counter()
        """So for what is reported like a test: fixtures of modules, files that do not load."""
        self.tags: Counter[str] = Counter()
        """Tests by the tags that they had at their end."""
        self.chosen: int | None = None
        """How many tests are to be run; None: that is not known yet."""
        self.workers = 1
        """As many as were spoken of, or more where more have come."""
        self._seen: set[str] = set()
        self._running: dict[str, Running] = {}
        self._seconds: dict[str, float] = {}
        """What is expected of tests that are not done."""
        self._left = 0.0
        """The sum of that."""
        self._unknown = 0
        """How many tests are not done of which nothing is known."""
        self._took = 0.0
        self._took_known = 0.0
        self._expected_known = 0.0
        self._known = 0
        self._between = 0.0
        """Seconds between the end of a test and the beginning of that worker's next one."""
        self._gaps = 0
        self._stopped: dict[str, datetime] = {}
        """When each worker's last test ended, by the clock of its machine."""

    def choose(self, tests: Iterable[Expected], *, workers: int) -> None:
        """These tests are to be run, besides what was chosen before."""
        self.workers = max(workers, len(self._seen))
        number = 0
        for test_id, seconds in tests:
            number += 1
            if seconds is None:
                self._unknown += 1
            else:
                self._left += seconds - self._seconds.get(test_id, 0.0)
                self._seconds[test_id] = seconds
        self.chosen = (self.chosen or 0) + number

    def began(self, test_id: str, *, worker: str, now: float) -> None:
        """A test is in progress."""
        if worker not in self._seen:
            self._seen.add(worker)
            self.workers = max(self.workers, len(self._seen))
        self._running[worker] = _make_tuple(Running, (test_id, worker, now))

    def ended(self, record: TestRecord, *, worker: str) -> float | None:
        """A test has its verdict; how many seconds it took, if that is known."""
        test_id, _, status, tags, runnable, _, started, stopped, _, _ = record
        running = self._running.get(worker)
        if running is not None and running.test_id == test_id:
            del self._running[worker]
        duration = record.duration
        seconds = None if duration is None else duration.total_seconds()
        if status is _EXISTS:
            return seconds
        if not runnable:
            self.outside[status] += 1
            return seconds
        self.counts[status] += 1
        if tags:
            self.tags.update(tags)
        took = 0.0
        if seconds is not None and started is not None:
            took = seconds if seconds > 0.0 else 0.0
            self._count_gap(started, stopped, worker)
        self._took += took
        expected = self._seconds.pop(test_id, None)
        if expected is not None:
            self._left -= expected
            self._expected_known += expected
            self._took_known += took
            self._known += 1
        elif self._unknown:
            self._unknown -= 1
        return seconds

    def _count_gap(self, started: datetime, stopped: datetime | None, worker: str) -> None:
        if started.tzinfo is None:
            return  # nobody can say when that was
        before = self._stopped.get(worker)
        if before is not None and (gap := (started - before).total_seconds()) >= 0.0:
            self._between += gap
            self._gaps += 1
        if stopped is not None and stopped.tzinfo is not None:
            self._stopped[worker] = stopped

    @property
    def done(self) -> int:
        """How many tests have a verdict."""
        return self.counts.total()

    @property
    def failed(self) -> int:
        """How many tests, and other things, failed."""
        return sum(self.counts[status] + self.outside[status] for status in FAILED)

    @property
    def not_run(self) -> int:
        """How many of the chosen tests have no verdict."""
        return max(0, (self.chosen or 0) - self.done)

    def running(self) -> list[Running]:
        """What is in progress, the longest first."""
        return sorted(self._running.copy().values(), key=lambda test: test.since)

    def seconds_left(self, *, now: float) -> float | None:
        """How long the rest will take by what is known of its tests and by how long those took
        that are done; None where that would be a guess.

        A test takes what it took before, longer or shorter as the others did so far; besides,
        each takes the time that passes between tests. The rest takes no less than what is still
        expected of a test in progress.
        """
        done, left = self.done, self.not_run
        if not left or (self._unknown and done < _ENOUGH):
            return None
        slower = self._took_known / self._expected_known if self._expected_known else 1.0
        ran_unknown = done - self._known
        if ran_unknown:
            mean = (self._took - self._took_known) / ran_unknown
        else:
            mean = self._took / done if done else 0.0
        work = self._left * slower + self._unknown * mean
        between = self._between / self._gaps if self._gaps else 0.0
        longest = 0.0
        for test in self.running():
            expected = self._seconds.get(test.test_id, 0.0) * slower
            spent = min(now - test.since, expected)
            work -= spent
            longest = max(longest, expected - spent)
        return max(longest, (max(0.0, work) + between * left) / self.workers)
