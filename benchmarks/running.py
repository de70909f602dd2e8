"""`python -m benchmarks.running`: what it costs to run tests, beside other runners, into the docs.

The same suites by unittest, trial, pytest, pytest-xdist, stestr and whotests, in turn, several
rounds, the least counts. A run with options prints only; a whole one replaces the section in
docs/benchmarks.md.
"""

import argparse
import datetime
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.made_suites import BOUND, TRIVIAL, make_suite
from benchmarks.page import write_between_markers
from benchmarks.suites import SUITES, Suite
from benchmarks.table import table
from benchmarks.timing import Cost, RunError, measure
from benchmarks.workplaces import Workplace, install_wheel, prepare

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"

TOOLS = (
    "pytest==9.2.0",
    "pytest-xdist==3.8.0",
    "stestr==4.2.1",
    "twisted==26.10.0",
)

OVERHEAD = 50.0
"""Microseconds per test over unittest's own that running serially may cost."""

SPEEDUP = 1.7
"""How many times faster two workers must be than one, where tests are bound by the processor."""

PER_TEST = 2048
"""Octets of the largest process that each test more may take, the test itself included."""

FEW = "20,000 trivial tests"
MANY = "100,000 trivial tests"
PROCESSOR = "2,000 tests bound by the processor"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a suite."""

    name: str
    command: tuple[str, ...]


UNITTEST = Way("unittest", ("-m", "unittest", "discover", "-q", "-s", "tests", "-t", "."))
PYTEST = Way("pytest", ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"))
XDIST = Way("pytest -n 2", (*PYTEST.command, "-n", "2"))
ON_UNITTEST = (
    UNITTEST,
    Way("trial", ("-m", "twisted.trial", "--reporter=text", "tests")),
    Way("trial -j 2", ("-m", "twisted.trial", "--reporter=text", "-j2", "tests")),
    Way("stestr, serial", ("-m", "stestr.cli", "-q", "run", "--serial")),
    Way("stestr, 2 workers", ("-m", "stestr.cli", "-q", "run", "--concurrency", "2")),
)


def ours(host: str, *options: str) -> Way:
    """whotests, with that host."""
    words = " ".join(("whotests test", *options, f"{host}:tests"))
    return Way(words, ("-m", "whotests", "test", "-q", *options, f"{host}:tests"))


OURS_ON_UNITTEST = (
    ours("unittest", "--no-measure"),
    ours("unittest", "--no-measure", "-j2"),
    ours("unittest"),
    ours("unittest", "-j2"),
)
OURS_ON_PYTEST = (
    ours("pytest", "--no-measure"),
    ours("pytest", "--no-measure", "-j2"),
    ours("pytest"),
    ours("pytest", "-j2"),
)


@dataclass(slots=True)
class Job:
    """One suite, who runs it, and what that cost."""

    name: str
    tests: int
    """How many; 0: as many as there are."""
    body: str
    """Of each test of a suite that is made, or ''."""
    ways: tuple[Way, ...]
    costs: dict[str, list[Cost]] = field(default_factory=dict)

    def cpu(self, way: Way) -> float | None:
        """Seconds of processor time, the least."""
        costs = self.costs.get(way.name)
        return min(cost.cpu for cost in costs) if costs else None

    def memory(self, way: Way) -> float | None:
        """Octets of the largest process, the least."""
        costs = self.costs.get(way.name)
        return min(cost.memory for cost in costs) if costs else None

    def wall(self, way: Way) -> float | None:
        """Seconds until it was over, the least."""
        costs = self.costs.get(way.name)
        return min(cost.wall for cost in costs) if costs else None


def jobs() -> list[Job]:
    """All that is measured."""
    pytests = (PYTEST, XDIST)
    return [
        Job(
            FEW,
            20_000,
            TRIVIAL,
            (*ON_UNITTEST, *pytests, *OURS_ON_UNITTEST, *OURS_ON_PYTEST),
        ),
        Job(MANY, 100_000, TRIVIAL, (UNITTEST, *OURS_ON_UNITTEST)),
        Job(
            PROCESSOR,
            2_000,
            BOUND,
            (*ON_UNITTEST, *pytests, *OURS_ON_UNITTEST, *OURS_ON_PYTEST),
        ),
        Job("jinja2", 0, "", (*pytests, *OURS_ON_PYTEST)),
    ]


def main() -> int:
    """Exit status 0 when the bars are met, 1 when one is missed or a run failed, 2 for a wrong
    option."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.running", description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="whotests' wheel")
    parser.add_argument("--rounds", type=int, default=3, help="the least counts (%(default)s)")
    parser.add_argument("--only", action="append", default=[], help="suites with this in the name")
    parser.add_argument("--way", action="append", default=[], help="ways with this in the name")
    options = parser.parse_args()
    place = workplace(options.wheel.resolve())
    measured = [
        job for job in jobs() if not options.only or any(each in job.name for each in options.only)
    ]
    for job in measured:
        folder = place.folder
        if job.body:
            folder = place.folder.parent / "made"
            make_suite(folder, tests=job.tests, body=job.body)
            subprocess.check_call([place.python, "-m", "compileall", "-q", "tests"], cwd=folder)
        ways = [w for w in job.ways if not options.way or any(e in w.name for e in options.way)]
        for _ in range(options.rounds):
            for way in ways:
                try:
                    job.costs.setdefault(way.name, []).append(one_run(way, place, folder))
                except RunError as error:
                    print(error, file=sys.stderr)
                    return 1
        for way in ways:
            cost = min(job.costs[way.name], key=lambda each: each.cpu)
            print(f"{job.name}: {way.name}: {cost.cpu:.2f} s, {cost.wall:.2f} s", flush=True)
    found = bars(measured)
    passage = render(measured, found, rounds=options.rounds)
    print(passage)
    if not (options.only or options.way):
        write_between_markers(PAGE, "running", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    return 1 if any(bar.met is False for bar in found) else 0


def workplace(wheel: Path) -> Workplace[Suite]:
    """jinja2's tests, and an environment with all runners."""
    suite = next(suite for suite in SUITES if suite.name == "jinja2")
    place = prepare(suite, python=sys.executable, under=ROOT / ".bench" / "running", tools=TOOLS)
    install_wheel(place, wheel)
    return place


def one_run(way: Way, place: Workplace[Suite], folder: Path) -> Cost:
    """Run it once, as somebody does who has run it before."""
    if "stestr" in way.name:
        shutil.rmtree(folder / ".stestr", ignore_errors=True)
    environment = place.environment() | {"PYTHONDONTWRITEBYTECODE": ""}
    return measure([str(place.python), *way.command], folder=folder, environment=environment)


class Bar(NamedTuple):
    """What is promised, or told beside that."""

    promise: str
    measured: str
    met: bool | None
    """None: nothing is promised."""


def bars(measured: Sequence[Job]) -> list[Bar]:
    """All that can be told of what was measured."""
    jobs = {job.name: job for job in measured}
    found: list[Bar] = []
    if MANY in jobs:
        found += overheads(jobs[MANY])
    if FEW in jobs and MANY in jobs:
        found += memory(jobs[FEW], jobs[MANY])
    if PROCESSOR in jobs:
        found += speedups(jobs[PROCESSOR])
    return [*found, *(bar for job in measured for bar in beside_xdist(job))]


def overheads(many: Job) -> Iterator[Bar]:
    """What a test costs serially, beside what it costs by unittest."""
    unmeasured, _, recorded, _ = OURS_ON_UNITTEST
    what = "serial, over unittest's own, per test"
    for way in (unmeasured, recorded):
        own, base = many.cpu(way), many.cpu(UNITTEST)
        if own is None or base is None:
            continue
        extra = (own - base) * 1e6 / many.tests
        told = f"{extra:.1f} µs"
        if way is unmeasured:
            yield Bar(f"{what}: under {OVERHEAD:.0f} µs", told, extra < OVERHEAD)
        else:
            yield Bar(f"{what}, recording", told, None)


def memory(few: Job, many: Job) -> Iterator[Bar]:
    """What the largest process takes for each test more."""
    tests = growth(few, many, UNITTEST)
    beside = "" if tests is None else f", by unittest {tests:,.0f}"
    for way in OURS_ON_UNITTEST[:2]:
        grows, large = growth(few, many, way), many.memory(way)
        if grows is not None and large is not None:
            told = f"{large / 2**20:.0f} MiB, {grows:,.0f} B per test{beside}"
            promise = f"memory of the largest process, {way.name}: under {PER_TEST:,} B per test"
            yield Bar(promise, told, grows < PER_TEST)


def growth(few: Job, many: Job, way: Way) -> float | None:
    """Octets of memory for each test more."""
    small, large = few.memory(way), many.memory(way)
    if small is None or large is None:
        return None
    return (large - small) / (many.tests - few.tests)


def speedups(job: Job) -> Iterator[Bar]:
    """How much sooner two workers are done than one."""
    unmeasured, two, _, _ = OURS_ON_UNITTEST
    for serial in (UNITTEST, unmeasured):
        one, both = job.wall(serial), job.wall(two)
        if one is not None and both is not None:
            promise = f"-j2 at least {SPEEDUP} times as fast as {serial.name}"
            yield Bar(promise, f"{one / both:.2f} times", one / both >= SPEEDUP)


def beside_xdist(job: Job) -> Iterator[Bar]:
    """Two workers of ours and of pytest-xdist."""
    own, theirs = job.wall(OURS_ON_PYTEST[1]), job.wall(XDIST)
    if own is not None and theirs is not None:
        promise = f"{job.name}: -j2 not slower than pytest -n 2"
        yield Bar(promise, f"{own:.2f} s and {theirs:.2f} s", own <= theirs)


def render(measured: Sequence[Job], found: Sequence[Bar], *, rounds: int) -> str:
    """The section: when and on what, a table per suite, the bars."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    parts = [
        f"Measured on {day}: CPython {platform.python_version()} on {platform.system()} "
        f"{platform.machine()} with {os.cpu_count()} cores; whotests {version('whotests')}, "
        f"{', '.join(TOOLS)}; least of {rounds} interleaved runs. Processor time is that of all "
        "processes together, memory the peak of the largest one."
    ]
    for job in measured:
        base = job.costs.get(job.ways[0].name)
        rows = []
        for way in job.ways:
            costs = job.costs.get(way.name)
            if not costs or not base:
                continue
            wall = min(cost.wall for cost in costs)
            rows.append(
                [
                    way.name,
                    f"{min(cost.cpu for cost in costs):.2f} s",
                    f"{wall:.2f} s",
                    f"{min(cost.wall for cost in base) / wall:.2f}x",
                    f"{min(cost.memory for cost in costs) / 2**20:.0f} MiB",
                ]
            )
        headers = [job.name, "processor time", "time", f"as fast as {job.ways[0].name}", "memory"]
        parts.append(table(headers, rows))
    said = {True: "met", False: "**missed**", None: ""}
    rows = [[bar.promise, bar.measured, said[bar.met]] for bar in found]
    parts.append(table(["bar", "measured", ""], rows))
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
