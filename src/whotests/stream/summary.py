"""What came of a run, in counts."""

from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet

from whotests.stream.collection import Collector, TestRecord
from whotests.stream.event import FAILED, Event, Status

__all__ = ["Summary"]


class Summary:
    """Counts a run's tests by their status and keeps the records of those that need a look.

    A sink; whoever collects anyway may give records to `add` instead.
    """

    KEPT = FAILED | {Status.SKIP, Status.XFAIL}

    def __init__(self, *, keep: AbstractSet[Status] = KEPT) -> None:
        self._keep = keep
        self._collector = Collector(self.add)
        self.counts: Counter[Status] = Counter()
        """How many tests ended with each status."""
        self.records: defaultdict[Status, list[TestRecord]] = defaultdict(list)
        """By status, in the order of their ends; of the statuses to be kept only."""

    def start_run(self) -> None:
        self.counts = Counter()
        self.records = defaultdict(list)
        self._collector.start_run()

    def stop_run(self) -> None:
        self._collector.stop_run()

    def handle(self, event: Event, /) -> None:
        self._collector.handle(event)

    def add(self, record: TestRecord) -> None:
        """Count one test."""
        status = record.status
        self.counts[status] += 1
        if status in self._keep:
            self.records[status].append(record)

    @property
    def tests_run(self) -> int:
        """How many ran, whatever came of it: all but those that only exist."""
        return self.counts.total() - self.counts[Status.EXISTS]

    @property
    def successful(self) -> bool:
        """Whether nothing failed, passed unexpectedly or did not end.

        Known when the run has stopped; before that, it tells of the tests that have ended.
        """
        return not any(self.counts[status] for status in FAILED)
