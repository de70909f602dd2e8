"""From when to when a run went."""

from datetime import datetime, timedelta

from whotests.stream.collection import TestRecord

__all__ = ["TimeSpan"]


class TimeSpan:
    """The time from the earliest beginning of a test to the latest end, of those added so far.

    Times without a zone are left out: nobody can say when they were.
    """

    def __init__(self) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None

    def add(self, record: TestRecord) -> None:
        """Stretch as far as this test goes."""
        for moment in (record.started, record.stopped):
            if moment is not None and moment.tzinfo is not None:
                if self.first is None or moment < self.first:
                    self.first = moment
                if self.last is None or moment > self.last:
                    self.last = moment

    @property
    def length(self) -> timedelta | None:
        """None where no test had a time."""
        if self.first is None or self.last is None:
            return None
        return self.last - self.first
