"""The branches of one version of a file, and their places in its patterns' bitmaps.

May import the standard library only. Refuses to forget a branch: places stay what they were.
"""

from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["Branch", "Branches"]

Branch = tuple[int, int]
"""A line, and the first line of what runs next, or minus the first line of the unit left."""


class Branches:
    """Branches in the order in which they are stored.

    They ascend, but for those that were added because another Python has other ones.
    """

    __slots__ = ("_ascending", "all")

    def __init__(self, branches: Sequence[Branch] = ()) -> None:
        self.all = tuple(branches)
        self._ascending = 0
        """How many ascend, once somebody asks."""

    def first_within(self, first_line: int, last_line: int) -> int:
        """The lowest place of a branch that begins on these lines, 0 when there is none.

        Bit 0 of the bitmaps of a unit on these lines; branches that are added do not change it.
        """
        self._ascending = self._ascending or self._count_ascending()
        place = bisect_left(self.all, (first_line,), 0, self._ascending)
        if place < self._ascending and self.all[place][0] <= last_line:
            return place
        for later in range(self._ascending, len(self.all)):
            if first_line <= self.all[later][0] <= last_line:
                return later
        return 0

    def _count_ascending(self) -> int:
        places = range(1, len(self.all))
        ends = (place for place in places if self.all[place] < self.all[place - 1])
        return next(ends, len(self.all))

    def with_all(self, others: Sequence[Branch]) -> "tuple[Branches, Sequence[int] | None]":
        """These and those of `others` that are new, which come last.

        And for each of `others` its place there; None when it is the same as in `others`.
        """
        if self.all == tuple(others):
            return self, None
        places = {branch: place for place, branch in enumerate(self.all)}
        for branch in others:
            places.setdefault(branch, len(places))
        if len(places) == len(others) and not self.all:
            return Branches(others), None
        known = self if len(places) == len(self.all) else Branches(tuple(places))
        return known, [places[branch] for branch in others]
