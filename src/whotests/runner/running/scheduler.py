"""Which worker runs which tests next: decisions only, no clock and no process."""

from collections.abc import Collection, Iterable, Mapping

from whotests.runner.items import Item, Key
from whotests.runner.running.load import Load
from whotests.runner.running.queue import Queue, Unit, units_of
from whotests.runner.running.speed import Speed

__all__ = ["Scheduler"]

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
        self._speed = Speed(items)
        suites: dict[int, list[Item]] = {}
        for item in items:
            suites.setdefault(item.key.suite, []).append(item)
        if workers > 1:
            for suite, each in suites.items():
                suites[suite] = self._ordered(each, keep_order=keep_order or suite in ordered)
        self._queues = {suite: Queue(each) for suite, each in suites.items()}
        self._with: dict[str, Load] = {}
        self.start_seconds: dict[int, float] = {}
        """How long it takes until a new host of a suite runs its first test, where that is known:
        no worker changes to a suite that will be done before."""

    def _ordered(self, items: list[Item], *, keep_order: bool) -> list[Item]:
        """The tests of a suite in the order to hand them out in."""
        together: dict[str, list[Item]] = {}
        units: list[Unit] = []
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
        return sum(queue.waiting for queue in self._queues.values())

    def waiting_in(self, suite: int) -> int:
        """How many tests of the suite no worker has."""
        queue = self._queues.get(suite)
        return queue.waiting if queue else 0

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
        queue = self._queues.get(suite)
        items = queue.take(self._share(), self._speed, lacking=lacking) if queue else ()
        if items:
            seconds_of = self._speed.of
            load = self._with.setdefault(worker, Load())
            load.add({item.key: (item, seconds_of(item)) for item in items})
        return tuple(items)

    def suite_for(self, *, at: Mapping[int, int], refused: Collection[int] = ()) -> int | None:
        """The suite that a worker without a host had better start one of; None: it is of no use.
        `at` says how many workers are at each suite; of `refused` suites it starts none."""
        best, most = None, -1.0
        for suite, queue in self._queues.items():
            if suite in refused or not queue.waiting:
                continue
            there = at.get(suite, 0)
            seconds = queue.seconds(self._speed)
            if there and seconds / there < self.start_seconds.get(suite, 0.0):
                continue
            if seconds / (there + 1) > most:
                best, most = suite, seconds / (there + 1)
        return best

    def _share(self) -> float:
        """Seconds of tests to hand out at once."""
        if self.workers == 1:
            return float("inf")
        left = sum(queue.seconds(self._speed) for queue in self._queues.values())
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
        there = {item.key for queue in self._queues.values() for item in queue}
        there.update(key for load in self._with.values() for key in load)
        wanted = set(keys) - there
        self._return(
            [item for queue in self._queues.values() for item in queue.all if item.key in wanted]
        )

    def give_up(self, suite: int) -> tuple[Key, ...]:
        """No test of the suite waits any more; those that did."""
        queue = self._queues.get(suite)
        return tuple(item.key for item in queue.take_all()) if queue else ()

    def _return(self, items: list[Item]) -> None:
        for unit in reversed(list(units_of(items))):
            self._queues[unit[0].key.suite].put_back(unit)
