"""Runs with simulated workers, and what came of each test."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from whotests.hosts.task import Suite
from whotests.runner.assignment import Brief
from whotests.runner.items import Item, Key
from whotests.runner.running.run import Found, Run
from whotests.runner.running.simulation import Losses, SimulatedSlot, SimulatedTest, World
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.control import RunControl
from whotests.stream.event import Status
from whotests.stream.sink import Sink

__all__ = ["Simulated", "simulated"]


@dataclass
class Simulated:
    """A run that is over."""

    run: Run
    slots: list[SimulatedSlot]
    seconds: float
    records: list[TestRecord] = field(default_factory=list)

    @property
    def verdicts(self) -> dict[str, Status]:
        """Of each test, the only one."""
        counts = Counter(record.test_id for record in self.records)
        assert not [each for each, times in counts.items() if times > 1]
        return {record.test_id: record.status for record in self.records}

    @property
    def times_run(self) -> Counter[str]:
        """How often each test was run to an end."""
        return Counter(key.test_id for slot in self.slots for key in slot.ran)


def simulated(
    folder: Path,
    suites: Sequence[Sequence[SimulatedTest]],
    *,
    workers: int,
    seed: int = 0,
    losses: Losses | None = None,
    holds: bool = False,
    known: bool = True,
    keep_order: bool = False,
    start: float = 1.0,
    replaced: bool = False,
    lacks: Callable[[str, int, str], bool] = lambda worker, host, test_id: False,
    select: Callable[[Sequence[Found]], Iterable[Item]] | None = None,
    max_failures: int = 0,
    sink: Callable[[Collector], Sink] = lambda collector: collector,
) -> Simulated:
    """Run the suites to the end. `known`: the run knows how long tests take; `replaced`: for a
    machine that goes another one comes; `lacks` whether the n-th host of a worker finds no such
    test."""
    world = World(suites)
    random = Random(seed)
    slots: list[SimulatedSlot] = []

    def slot() -> SimulatedSlot:
        name = f"w{len(slots)}"
        slots.append(
            SimulatedSlot(
                name,
                world,
                start=start,
                losses=losses or Losses(),
                holds=holds,
                lacks=partial(lacks, name),
                random=random,
                on_lost=(lambda: run.join(slot())) if replaced else None,
            )
        )
        return slots[-1]

    took = {
        Key(number, test.test_id): test.seconds
        for number, suite in enumerate(suites)
        for test in suite
    }

    def all_of_them(found: Sequence[Found]) -> list[Item]:
        return [Item(each.key, each.group, took[each.key] if known else None) for each in found]

    brief = Brief(
        run="simulated",
        root=folder,
        cwd=folder,
        folder=folder,
        suites=tuple(Suite("unittest") for _ in suites),
        workers=workers,
        max_failures=max_failures,
    )
    records: list[TestRecord] = []
    collector = Collector(records.append)
    first = [slot() for _ in range(workers)]
    run = Run(
        brief,
        first,
        sink=sink(collector),
        select=select or all_of_them,
        control=RunControl(),
        patience=60.0 if replaced else 0.0,
        keep_order=keep_order,
        inbox=world.inbox,
        clock=world.clock,
    )
    collector.start_run()
    run.run()
    collector.stop_run()
    return Simulated(run, slots, world.now, records)
