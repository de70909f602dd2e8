"""The tests of one suite that nobody has yet, in the order to hand them out in."""

from collections import deque
from collections.abc import Collection, Iterator, Sequence

from whotests.runner.items import Item
from whotests.runner.running.speed import FLOOR, Speed

__all__ = ["Queue", "Unit", "units_of"]

Unit = Sequence[Item]
"""Tests that go to one worker together: those of a group, or one that has none."""


class Queue:
    """The tests of one suite, in the order to hand them out in."""

    def __init__(self, items: list[Item]) -> None:
        self.all = items
        self._place = 0
        """All before were handed out once."""
        self._back: deque[Unit] = deque()
        """What waits again."""
        self.waiting = len(items)
        self._known = sum(max(i.seconds, FLOOR) for i in items if i.seconds is not None)
        self._unknown = sum(item.seconds is None for item in items)

    def __iter__(self) -> Iterator[Item]:
        for unit in self._back:
            yield from unit
        for place in range(self._place, len(self.all)):
            yield self.all[place]

    def seconds(self, speed: Speed) -> float:
        """How long what waits presumably takes."""
        return max(self._known, 0.0) + self._unknown * max(speed.unknown, FLOOR)

    def take(self, share: float, speed: Speed, *, lacking: Collection[str]) -> list[Item]:
        """Whole units that take about that many seconds; none if all that wait have tests that
        are lacking."""
        if share == float("inf") and not lacking:
            return self.take_all()
        taken: list[Item] = []
        seconds = 0.0
        aside: list[Unit] = []
        while seconds < share and (unit := self._following()):
            needed = speed.of_all(unit)
            if taken and seconds + needed / 2 > share:
                break
            self._advance(unit)
            if lacking and any(item.key.test_id in lacking for item in unit):
                aside.append(unit)
                continue
            taken.extend(unit)
            seconds += needed
        self._back.extendleft(reversed(aside))
        self._count(taken, -1)
        return taken

    def take_all(self) -> list[Item]:
        """All that waits."""
        taken = list(self)
        self._back.clear()
        self._place = len(self.all)
        self._count(taken, -1)
        return taken

    def _following(self) -> Unit:
        if self._back:
            return self._back[0]
        first = self._place
        if first == len(self.all):
            return ()
        group, end = self.all[first].group, first + 1
        while group and end < len(self.all) and self.all[end].group == group:
            end += 1
        return self.all[first:end]

    def _advance(self, unit: Unit) -> None:
        if self._back:
            self._back.popleft()
        else:
            self._place += len(unit)

    def put_back(self, unit: Unit) -> None:
        """Let these wait again, before all others."""
        self._back.appendleft(unit)
        self._count(unit, 1)

    def _count(self, items: Sequence[Item], sign: int) -> None:
        known = [item.seconds for item in items if item.seconds is not None]
        self.waiting += sign * len(items)
        self._unknown += sign * (len(items) - len(known))
        self._known += sign * sum(max(each, FLOOR) for each in known)


def units_of(items: Sequence[Item]) -> Iterator[Unit]:
    """Neighbours of one suite and group together."""
    first = 0
    for place in range(1, len(items) + 1):
        if place == len(items) or not _belong_together(items[first], items[place]):
            yield items[first:place]
            first = place


def _belong_together(item: Item, other: Item) -> bool:
    return bool(item.group) and item.group == other.group and item.key.suite == other.key.suite
