"""`python -m benchmarks.scheduling`: what handing out costs, and how near to the best end it comes.

The runner is the real one, its workers only let virtual time pass. Each line is measured in a
process of its own. A run with options prints only; a whole one replaces the section in
docs/benchmarks.md.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from benchmarks.page import write_between_markers
from benchmarks.table import table
from whotests.hosts.task import Suite
from whotests.runner.assignment import Brief
from whotests.runner.items import Item, Key
from whotests.runner.running.run import Found, Run
from whotests.runner.running.scheduler import Scheduler
from whotests.runner.running.simulation import Losses, SimulatedSlot, SimulatedTest, World
from whotests.stream.control import RunControl
from whotests.stream.event import FINAL, Event

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"

START = 2.0
"""Seconds until a host has found its tests."""

MEAN = 0.1
"""Seconds that a test takes on the average: lognormal, so that some take a hundred times that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One suite on so many workers."""

    tests: int
    workers: int
    known: bool = True
    """Whether it is known how long the tests take."""
    lossy: bool = False
    """One host in 5,000 tests dies, and one machine in 50,000; another one comes for it."""

    @property
    def name(self) -> str:
        return f"{self.tests}:{self.workers}:{self.known:d}:{self.lossy:d}"

    @classmethod
    def named(cls, name: str) -> "Line":
        tests, workers, known, lossy = (int(each) for each in name.split(":"))
        return cls(tests=tests, workers=workers, known=bool(known), lossy=bool(lossy))


LINES = (
    Line(tests=10_000, workers=2),
    Line(tests=10_000, workers=2, known=False),
    Line(tests=100_000, workers=16),
    Line(tests=100_000, workers=16, known=False),
    Line(tests=100_000, workers=16, lossy=True),
    Line(tests=1_000_000, workers=100),
    Line(tests=1_000_000, workers=1_000),
    Line(tests=1_000_000, workers=1_000, known=False),
    Line(tests=1_000_000, workers=1_000, lossy=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of a line."""

    scheduler: float
    """Microseconds of the scheduler alone, per test."""
    runner: float
    """Microseconds of all that the runner does, reading what workers say included, per test."""
    memory: int
    """Bytes of the runner, per test."""
    assignments: int
    seconds: float
    """When the last worker was done, in virtual time."""
    ideal: float
    """When it could have been, without any losses."""
    lost_hosts: int
    lost_machines: int
    twice: int
    """How many tests were run more than once, since a machine went with what it knew."""


def main() -> int:
    """Exit status 0, or 1 when a test did not get exactly one verdict; 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduling", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="TESTS:WORKERS:KNOWN:LOSSY")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(measured(Line.named(options.one)))))
        return 0
    lines = [Line.named(name) for name in options.only] or LINES
    rows = []
    for line in lines:
        command = [sys.executable, "-m", "benchmarks.scheduling", "--one", line.name]
        output = subprocess.check_output(command, cwd=ROOT, text=True)
        rows.append((line, Figures(**json.loads(output))))
        print(line.name, rows[-1][1], flush=True)
    passage = render(rows)
    print(passage)
    if not options.only:
        write_between_markers(PAGE, "scheduling", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    return 0


def tests_of(line: Line) -> list[SimulatedTest]:
    """The tests, in the order of their files: 20 share a module, one in ten modules a fixture."""
    random = Random(line.tests)
    sigma = 1.5
    mu = math.log(MEAN) - sigma**2 / 2
    return [
        SimulatedTest(
            f"tests/test_module_{number // 20}.py::TestSomething::test_number_{number}",
            random.lognormvariate(mu, sigma),
            f"module {number // 20}" if number // 20 % 10 == 0 else "",
        )
        for number in range(line.tests)
    ]


class Verdicts:
    """A sink that counts the verdicts of each test."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def start_run(self) -> None:
        self.counts.clear()

    def handle(self, event: Event, /) -> None:
        if event.test_id is not None and event.status in FINAL:
            self.counts[event.test_id] += 1

    def stop_run(self) -> None:
        """Nothing is held."""


def measured(line: Line) -> Figures:
    """Simulate it; raises AssertionError if a test did not get exactly one verdict."""
    tests = tests_of(line)
    scheduler = scheduler_alone(tests, line)
    random = Random(7)
    world = TimedWorld([tests])
    losses = Losses(host=2e-4, machine=2e-5, forgets=0.1) if line.lossy else Losses()
    slots: list[SimulatedSlot] = []

    def joined() -> SimulatedSlot:
        slots.append(
            SimulatedSlot(
                f"w{len(slots)}",
                world,
                start=START,
                delay=0.005,
                look=0.5,
                losses=losses,
                random=random,
                on_lost=lambda: run.join(joined()),
            )
        )
        return slots[-1]

    def select(found: Sequence[Found]) -> Iterable[Item]:
        seconds = {test.test_id: test.seconds for test in tests} if line.known else {}
        return (Item(key, group, seconds.get(key.test_id)) for key, group in found)

    verdicts = Verdicts()
    before = memory_now()
    with tempfile.TemporaryDirectory() as folder:
        brief = Brief(
            run="simulated",
            root=Path(folder),
            cwd=Path(folder),
            folder=Path(folder),
            suites=(Suite("pytest"),),
            workers=line.workers,
        )
        run = Run(
            brief,
            [joined() for _ in range(line.workers)],
            sink=verdicts,
            select=select,
            control=RunControl(),
            patience=60.0,
            inbox=world.inbox,
            clock=world.clock,
        )
        began = time.process_time()
        run.run()
        spent = time.process_time() - began - world.spent
    memory = memory_now() - before
    assert verdicts.counts.keys() == {test.test_id for test in tests}
    assert set(verdicts.counts.values()) == {1}
    times = Counter(key for slot in slots for key in slot.ran)
    total = math.fsum(test.seconds for test in tests)
    longest = max(test.seconds for test in tests)
    return Figures(
        scheduler=scheduler * 1e6 / line.tests,
        runner=spent * 1e6 / line.tests,
        memory=memory // line.tests,
        assignments=sum(slot.assignments for slot in slots),
        seconds=world.now,
        ideal=START + max(total / line.workers, longest),
        lost_hosts=sum(slot.hosts - 1 for slot in slots),
        lost_machines=len(slots) - line.workers,
        twice=sum(each > 1 for each in times.values()),
    )


def scheduler_alone(tests: Sequence[SimulatedTest], line: Line) -> float:
    """Seconds of processor time for handing all out, and for hearing that they are done."""
    items = [
        Item(Key(0, test.test_id), test.group, test.seconds if line.known else None)
        for test in tests
    ]
    began = time.process_time()
    scheduler = Scheduler(items, workers=line.workers)
    while batch := scheduler.next_for("w0", suite=0):
        for item in batch:
            scheduler.finished("w0", item.key, seconds=MEAN)
        scheduler.done("w0")
    return time.process_time() - began


class TimedWorld(World):
    """Knows how much of the processor's time the simulation itself takes."""

    def __init__(self, suites: Sequence[Sequence[SimulatedTest]]) -> None:
        super().__init__(suites)
        self.spent = 0.0

    def go_on(self) -> bool:
        began = time.process_time()
        went_on = super().go_on()
        self.spent += time.process_time() - began
        return went_on


def memory_now() -> int:
    """The peak resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def render(rows: Sequence[tuple[Line, Figures]]) -> str:
    """The table."""
    headers = [
        "tests",
        "workers",
        "durations",
        "lost meanwhile",
        "scheduler, per test",
        "runner, per test",
        "memory, per test",
        "assignments",
        "ends after",
        "at best",
        "",
    ]
    cells = []
    for line, figures in rows:
        lost = f"{figures.lost_hosts:,} hosts, {figures.lost_machines:,} machines"
        lost += f"; {figures.twice:,} tests run again"
        cells.append(
            [
                f"{line.tests:,}",
                f"{line.workers:,}",
                "known" if line.known else "unknown",
                lost if line.lossy else "nothing",
                f"{figures.scheduler:.1f} µs",
                f"{figures.runner:.1f} µs",
                f"{figures.memory:,} B",
                f"{figures.assignments:,}",
                f"{figures.seconds:,.1f} s",
                f"{figures.ideal:,.1f} s",
                f"{figures.seconds / figures.ideal:.3f}x",
            ]
        )
    return table(headers, cells)


if __name__ == "__main__":
    sys.exit(main())
