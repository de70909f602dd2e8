"""Which worker runs which tests next: decisions only, no clock and no process."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from whotests.runner.items import Item, Key

__all__ = ["Scheduler"]

_GUESS = 0.02
"""Seconds that a test takes of which nothing is known, as long as none of those was seen."""

_FLOOR = 0.000_2
"""Seconds that handing on any test takes, beside its own."""

_LEAST = 0.02
"""Seconds of tests below which it costs more to hand them out than a worker might wait at the
end."""

_MOST = 1.0
"""Seconds of tests beyond which it saves next to nothing to hand out more of them at once."""

_MANY = 200
"""With more workers than that, more is handed out at once, so that the runner keeps up."""

_LONG = 1000
"""What takes more than one part in so many of what each worker has to do is run first, longest
first; all else stays in its order, so that tests of a module stay near each other."""

_SHORT = 0.05
"""Seconds of what is never long."""


_Unit = Sequence[Item]
"""Tests that go to one worker together: those of a group, or one that has none."""


class Scheduler:
    """Hands out tests until each is done. Every test is in one place: waiting, with a worker, or
    done.

    With one worker all tests of a suite are handed out at once, in their order. With several, each
    gets as much as takes a part of the time that is left: less and less, so that all end together
    (guided self-scheduling, Polychronopoulos and Kuck 1987), and what takes longest comes first
    (Graham 1969), unless `keep_order` says that the order is the user's own. What waits again,
    because its worker was lost, comes before all else.
    """

    def __init__(
        self,
        items: Iterable[Item],
        *,
        workers: int,
        keep_order: bool = False,
        ordered: Collection[int] = (),
    ) -> None:
        """`ordered` are suites whose order is kept, too."""
        self.workers = workers
        """How many there are; may change."""
        items = list(items)
        self._speed = _Speed(items)
        suites: dict[int, list[Item]] = {}
        for item in items:
            suites.setdefault(item.key.suite, []).append(item)
        if workers > 1:
            for suite, each in suites.items():
                suites[suite] = self._ordered(each, keep_order=keep_order or suite in ordered)
        self._lines = {suite: _Line(each) for suite, each in suites.items()}
        self._with: dict[str, _Load] = {}
        self.start_seconds: dict[int, float] = {}
        """How long it takes until a new host of a suite runs its first test, where that is known:
        no worker changes to a suite that will be done before."""

    def _ordered(self, items: list[Item], *, keep_order: bool) -> list[Item]:
        """The tests of a suite in the order to hand them out in."""
        together: dict[str, list[Item]] = {}
        units: list[_Unit] = []
        for item in items:
            if not item.group:
                units.append((item,))
            elif item.group in together:
                together[item.group].append(item)
            else:
                units.append(together.setdefault(item.group, [item]))
        if not keep_order:
            seconds = [self._speed.of_all(unit) for unit in units]
            long = max(sum(seconds) / (_LONG * self.workers), _SHORT)
            first = sorted(
                (place for place, each in enumerate(seconds) if each > long),
                key=lambda place: -seconds[place],
            )
            rest = (unit for unit, each in zip(units, seconds, strict=True) if each <= long)
            units = [*(units[place] for place in first), *rest]
        return [item for unit in units for item in unit]

    # -- what is where -----------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many tests no worker has."""
        return sum(line.waiting for line in self._lines.values())

    def waiting_in(self, suite: int) -> int:
        """How many tests of the suite no worker has."""
        line = self._lines.get(suite)
        return line.waiting if line else 0

    def is_short(self, worker: str) -> bool:
        """Whether the worker presumably needs less time for what it has than for what it would
        get now: then it had better be told at once what comes next."""
        load = self._with.get(worker)
        return load is None or load.seconds < self._share()

    # -- handing out -------------------------------------------------------------------------

    def next_for(
        self, worker: str, *, suite: int, lacking: Collection[str] = ()
    ) -> tuple[Item, ...]:
        """What this worker runs next, all of the suite of its host, in that order; none: nothing
        waits for it now, but some may come back. `lacking` are tests that its host does not
        have."""
        line = self._lines.get(suite)
        items = line.take(self._share(), self._speed, lacking=lacking) if line else ()
        if items:
            seconds_of = self._speed.of
            load = self._with.setdefault(worker, _Load())
            load.add({item.key: (item, seconds_of(item)) for item in items})
        return tuple(items)

    def suite_for(self, *, at: Mapping[int, int], refused: Collection[int] = ()) -> int | None:
        """The suite that a worker without a host had better start one of; None: it is of no use.
        `at` says how many workers are at each suite; of `refused` suites it starts none."""
        best, most = None, -1.0
        for suite, line in self._lines.items():
            if suite in refused or not line.waiting:
                continue
            there = at.get(suite, 0)
            seconds = line.seconds(self._speed)
            if there and seconds / there < self.start_seconds.get(suite, 0.0):
                continue
            if seconds / (there + 1) > most:
                best, most = suite, seconds / (there + 1)
        return best

    def _share(self) -> float:
        """Seconds of tests to hand out at once."""
        if self.workers == 1:
            return float("inf")
        left = sum(line.seconds(self._speed) for line in self._lines.values())
        parts = 2 if self._speed.all_known else 4
        most = _MOST * max(1.0, self.workers / _MANY)
        return min(max(left / (parts * self.workers), _LEAST), most)

    # -- what became of it -------------------------------------------------------------------

    def finished(self, worker: str, key: Key, *, seconds: float | None = None) -> None:
        """The worker has run this test, in so many seconds."""
        load = self._with.get(worker)
        item = load.remove(key) if load else None
        if item is not None and item.seconds is None and seconds is not None:
            self._speed.learn(max(seconds, 0.0))  # clocks may go back

    def done(self, worker: str, *, held: Iterable[str] = ()) -> tuple[Key, ...]:
        """The worker is through with the oldest of what it was handed out, but for the held ones.
        The tests that it neither held nor said to have finished: they are not handed out again."""
        load = self._with.get(worker)
        return load.close(frozenset(held)) if load else ()

    def lost(self, worker: str) -> None:
        """The worker does not run the oldest of what it was handed out any more, nor what it
        held; what is not finished waits again."""
        load = self._with.get(worker)
        if load is not None:
            self._return(load.drop())

    def gone(self, worker: str) -> None:
        """The worker runs nothing any more; what it had and is not finished waits again."""
        load = self._with.pop(worker, None)
        while load:
            self._return(load.drop())

    def again(self, keys: Collection[Key]) -> None:
        """Let these wait once more, though they are done; what waits or is with a worker does
        so once."""
        if not keys:
            return
        there = {item.key for line in self._lines.values() for item in line}
        there.update(key for load in self._with.values() for key in load)
        wanted = set(keys) - there
        self._return(
            [item for line in self._lines.values() for item in line.all if item.key in wanted]
        )

    def give_up(self, suite: int) -> tuple[Key, ...]:
        """No test of the suite waits any more; those that did."""
        line = self._lines.get(suite)
        return tuple(item.key for item in line.take_all()) if line else ()

    def _return(self, items: list[Item]) -> None:
        for unit in reversed(list(_units(items))):
            self._lines[unit[0].key.suite].put_back(unit)


class _Speed:
    """How long tests presumably take."""

    def __init__(self, items: Sequence[Item]) -> None:
        known = [item.seconds for item in items if item.seconds is not None]
        self.all_known = len(known) == len(items)
        self.unknown = sum(known) / len(known) if known else _GUESS
        """Seconds of a test that no run has seen."""
        self._seen = 0

    def of(self, item: Item) -> float:
        seconds = item.seconds
        if seconds is None:
            seconds = self.unknown
        return seconds if seconds > _FLOOR else _FLOOR

    def of_all(self, unit: _Unit) -> float:
        if len(unit) == 1:
            return self.of(unit[0])
        return sum(map(self.of, unit))

    def learn(self, seconds: float) -> None:
        """One of those that no run had seen took so long."""
        self._seen += 1
        self.unknown += (seconds - self.unknown) / self._seen


class _Line:
    """The tests of one suite, in the order to hand them out in."""

    def __init__(self, items: list[Item]) -> None:
        self.all = items
        self._place = 0
        """All before were handed out once."""
        self._back: deque[_Unit] = deque()
        """What waits again."""
        self.waiting = len(items)
        self._known = sum(max(i.seconds, _FLOOR) for i in items if i.seconds is not None)
        self._unknown = sum(item.seconds is None for item in items)

    def __iter__(self) -> Iterator[Item]:
        for unit in self._back:
            yield from unit
        for place in range(self._place, len(self.all)):
            yield self.all[place]

    def seconds(self, speed: _Speed) -> float:
        """How long what waits presumably takes."""
        return max(self._known, 0.0) + self._unknown * max(speed.unknown, _FLOOR)

    def take(self, share: float, speed: _Speed, *, lacking: Collection[str]) -> list[Item]:
        """Whole units that take about that many seconds; none if all that wait have tests that
        are lacking."""
        if share == float("inf") and not lacking:
            return self.take_all()
        taken: list[Item] = []
        seconds = 0.0
        aside: list[_Unit] = []
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

    def _following(self) -> _Unit:
        if self._back:
            return self._back[0]
        first = self._place
        if first == len(self.all):
            return ()
        group, end = self.all[first].group, first + 1
        while group and end < len(self.all) and self.all[end].group == group:
            end += 1
        return self.all[first:end]

    def _advance(self, unit: _Unit) -> None:
        if self._back:
            self._back.popleft()
        else:
            self._place += len(unit)

    def put_back(self, unit: _Unit) -> None:
        """Let these wait again, before all others."""
        self._back.appendleft(unit)
        self._count(unit, 1)

    def _count(self, items: Sequence[Item], sign: int) -> None:
        known = [item.seconds for item in items if item.seconds is not None]
        self.waiting += sign * len(items)
        self._unknown += sign * (len(items) - len(known))
        self._known += sign * sum(max(each, _FLOOR) for each in known)


_Batch = dict[Key, tuple[Item, float]]
"""Tests that were handed out at once, and how long each presumably takes."""


class _Load:
    """What a worker has: all of one suite, the oldest first."""

    def __init__(self) -> None:
        self.batches: deque[_Batch] = deque()
        self.held: _Batch = {}
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Key]:
        yield from self.held
        for batch in self.batches:
            yield from batch

    def __bool__(self) -> bool:
        return bool(self.held or self.batches)

    def add(self, batch: _Batch) -> None:
        self.batches.append(batch)
        self.seconds += sum(seconds for _, seconds in batch.values())

    def remove(self, key: Key) -> Item | None:
        found = self.batches[0].pop(key, None) if self.batches else None
        if found is None:
            for batch in (self.held, *self.batches):
                if (found := batch.pop(key, None)) is not None:
                    break
            else:
                return None
        item, seconds = found
        self.seconds -= seconds
        return item

    def close(self, held: frozenset[str]) -> tuple[Key, ...]:
        batch = self._oldest()
        self.held = {key: found for key, found in batch.items() if key.test_id in held}
        silent = tuple(key for key in batch if key not in self.held)
        self.seconds -= sum(batch[key][1] for key in silent)
        return silent

    def drop(self) -> list[Item]:
        batch = self._oldest()
        self.seconds -= sum(seconds for _, seconds in batch.values())
        return [item for item, _ in batch.values()]

    def _oldest(self) -> _Batch:
        """Take away what is held and the oldest batch."""
        batch = self.held | (self.batches.popleft() if self.batches else {})
        self.held = {}
        return batch


def _units(items: Sequence[Item]) -> Iterator[_Unit]:
    """Neighbours of one suite and group together."""
    first = 0
    for place in range(1, len(items) + 1):
        if place == len(items) or not _belong_together(items[first], items[place]):
            yield items[first:place]
            first = place


def _belong_together(item: Item, other: Item) -> bool:
    return bool(item.group) and item.group == other.group and item.key.suite == other.key.suite
