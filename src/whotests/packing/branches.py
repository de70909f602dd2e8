"""The branches of one version of a file: packed, and their places in its patterns' bitmaps.

Places stay what they were: no branch is ever forgotten.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from whotests.packing.steps import (
    LAST_LINE,
    numbers_of,
    several_bytes,
    signed,
    steps_of,
    tagged,
    unsigned,
)

__all__ = ["Branch", "BranchList", "pack_branches", "unpack_branches"]

Branch = tuple[int, int]
"""A line, and the first line of what runs next, or minus the first line of the unit left."""


class BranchList:
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

    def with_all(self, others: Sequence[Branch]) -> "tuple[BranchList, Sequence[int] | None]":
        """These and those of `others` that are new, which come last.

        And for each of `others` its place there; None when it is the same as in `others`.
        """
        if self.all == tuple(others):
            return self, None
        places = {branch: place for place, branch in enumerate(self.all)}
        for branch in others:
            places.setdefault(branch, len(places))
        if len(places) == len(others) and not self.all:
            return BranchList(others), None
        known = self if len(places) == len(self.all) else BranchList(tuple(places))
        return known, [places[branch] for branch in others]


def pack_branches(branches: Iterable[tuple[int, int]]) -> bytes:
    """Pairs of a line and the line that follows, or minus a line: in the order given, deflated.

    One byte for most of them. For each line: the distance from the line before, doubled, and odd
    unless two pairs begin there; then how many do; then for each pair 0 for the same minus as the
    last one, 1 and the distance for another minus, or the distance plus 2. Distances that may be
    negative are doubled, less one if they are. A zero: lines count from the file's start again.
    """
    numbers: list[int] = []
    last = left = 0
    for line, group in groupby(branches, key=itemgetter(0)):
        ends = [end for _, end in group]
        if line < last:
            numbers.append(0)
            last = 0
        if len(ends) == 2:
            numbers.append((line - last) * 2)
        else:
            numbers += ((line - last) * 2 + 1, len(ends))
        last = line
        for end in ends:
            if end > 0:
                numbers.append(unsigned(end - line) + 2)
            elif end == left:
                numbers.append(0)
            else:
                left = end
                numbers += (1, unsigned(line + end))
    return tagged(several_bytes(numbers)) if numbers else b""


def unpack_branches(blob: bytes) -> tuple[tuple[int, int], ...]:
    """What `pack_branches` was given. Raises ValueError for bytes that it never made."""
    if not blob:
        return ()
    numbers = numbers_of(steps_of(blob))
    branches = []
    line = left = 0
    try:
        for number in numbers:
            if not number:
                line = 0
                continue
            line += number >> 1
            if line > LAST_LINE:
                raise ValueError("packed branches have lines that no file has")
            for _ in range(next(numbers) if number & 1 else 2):
                way = next(numbers)
                if way > 1:
                    branches.append((line, line + signed(way - 2)))
                    continue
                if way:
                    left = signed(next(numbers)) - line
                branches.append((line, left))
    except StopIteration:
        raise ValueError("packed branches are cut short") from None
    ends = [end for _, end in branches]
    if ends and not -LAST_LINE <= min(ends) <= max(ends) <= LAST_LINE:
        raise ValueError("packed branches have lines that no file has")
    return tuple(branches)
