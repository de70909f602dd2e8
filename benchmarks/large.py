"""`python -m benchmarks.large`: a large made data set, what it takes to write and to ask it.

With options that make it smaller it prints only; a whole run replaces the section in the page.
"""

import argparse
import datetime
import os
import platform
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.large_data import CORE, FUNCTIONS, Made, Scale, line_of, make, path_of
from benchmarks.page import write_between_markers
from benchmarks.table import Bar, table
from benchmarks.timing import measure
from whotests.store.reader import Reader

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = ROOT / ".bench" / "large"
MIB = 1024 * 1024
SAMPLE = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that is asked about."""

    path: str
    number: int
    tests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: the least of several times, and the peak memory of its process."""

    question: str
    wall: float
    """Seconds, the start of the process included."""
    cpu: float
    """Seconds of processor time: what a busy machine says of an idle one."""
    memory: int
    """Bytes."""


def main() -> int:
    """Exit status 0 when the bars are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("--files", type=int, default=Scale().files, help="of 500 lines each")
    parser.add_argument("--tests", type=int, default=Scale().tests)
    parser.add_argument("--rounds", type=int, default=5, help="the least counts (%(default)s)")
    options = parser.parse_args()
    scale = Scale(files=options.files, tests=options.tests)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    # In a process of its own: what it needs of memory would count for those that it starts.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
        made = maker.submit(make, FOLDER, scale).result()
        typical, busiest = maker.submit(lines_to_ask, made, scale).result()
    asked = [
        question(name, arguments, made, rounds=options.rounds)
        for name, arguments in {
            f"`who` of a line that {typical.tests:,} tests ran": who(typical),
            f"`who` of one that {busiest.tests:,} ran": who(busiest),
            f"`sql`, the tests of a line, {typical.tests:,} of them": sql(typical),
            f"`sql`, the tests of a line, {busiest.tests:,} of them": sql(busiest),
        }.items()
    ]
    bars = bars_of(asked)
    passage = render(made, asked, bars, rounds=options.rounds)
    print(passage)
    if scale == Scale():
        write_between_markers(PAGE, "large", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    shutil.rmtree(FOLDER)
    return 0 if all(bar.met for bar in bars) else 1


def lines_to_ask(made: Made, scale: Scale) -> tuple[Line, Line]:
    """A line that as many tests ran as most lines, and the one that the most ran."""
    with Reader.open(made.data) as reader:
        files = {file.path: file.id for file in reader.files}

        def asked(file: int, function: int) -> Line:
            number = line_of(function, 1)
            patterns = [
                pattern.id
                for pattern in reader.patterns(files[path_of(file)])
                if pattern.lines >> number & 1
            ]
            footprints = reader.footprints_with(patterns)
            tests = {context.test for context in reader.contexts(footprints)}
            return Line(path=path_of(file), number=number, tests=len(tests - {None}))

        step = max(scale.files * FUNCTIONS // SAMPLE, 1)
        sample = [
            asked(*divmod(place, FUNCTIONS)) for place in range(0, scale.files * FUNCTIONS, step)
        ]
        sample.sort(key=lambda line: line.tests)
        core = (asked(0, function) for function in range(0, CORE, CORE // 4))
        return sample[len(sample) // 2], max(core, key=lambda line: line.tests)


def who(line: Line) -> list[str]:
    return ["who", f"{line.path}:{line.number}"]


def sql(line: Line) -> list[str]:
    return [
        "sql",
        "--csv",
        f"SELECT DISTINCT test FROM fact WHERE file = '{line.path}' AND line = {line.number}",
    ]


def question(name: str, arguments: list[str], made: Made, *, rounds: int) -> Asked:
    """Asks it in a process of its own, so many times."""
    command, *rest = arguments
    costs = [
        measure(
            [sys.executable, "-m", "whotests", command, "--data", str(made.data), *rest],
            folder=made.root,
            environment=dict(os.environ),
        )
        for _ in range(rounds)
    ]
    return Asked(
        question=name,
        wall=min(cost.wall for cost in costs),
        cpu=min(cost.cpu for cost in costs),
        memory=max(cost.memory for cost in costs),
    )


def bars_of(asked: list[Asked]) -> list[Bar]:
    """Whether what is promised about so much data holds."""
    typical_who, busy_who, typical_sql, busy_sql = asked
    seconds: Callable[[float], str] = "{:.2f} s".format
    return [
        Bar(
            promise="`who FILE:LINE` under 0.5 s",
            measured=seconds(typical_who.wall),
            met=typical_who.wall < 0.5,
        ),
        Bar(
            promise="the same for the line that the most tests ran",
            measured=seconds(busy_who.wall),
            met=busy_who.wall < 0.5,
        ),
        Bar(
            promise="SELECT of all tests of a line under 1 s",
            measured=seconds(typical_sql.wall),
            met=typical_sql.wall < 1,
        ),
        Bar(
            promise="the same for the line that the most tests ran",
            measured=seconds(busy_sql.wall),
            met=busy_sql.wall < 1,
        ),
        Bar(
            promise="each of them in 500 MB",
            measured=f"{max(each.memory for each in asked) / 1e6:.0f} MB",
            met=max(each.memory for each in asked) <= 500e6,
        ),
    ]


def render(made: Made, asked: list[Asked], bars: list[Bar], *, rounds: int) -> str:
    """The passage for the page."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    size = made.data.stat().st_size
    about = (
        f"Made on {day} on CPython {platform.python_version()}, {os.cpu_count()} processors: "
        f"{made.lines:,} lines in {made.lines // 500:,} files, {made.tests:,} tests, each with a "
        f"setup and a call, {made.facts:,} facts (test, line). The data file has "
        f"{size / MIB:.0f} MiB, {size / made.facts:.2f} bytes a fact. Writing it took the Writer "
        f"{made.cpu:.0f} s of processor time, {made.cpu / made.tests * 1000:.2f} ms a test, of "
        f"which the end of the run, where the index is made, took {made.ending:.0f} s. The "
        f"questions are whole processes, the least of {rounds}."
    )
    questions = table(
        ["question", "wall time", "processor time", "peak memory"],
        [
            [
                each.question,
                f"{each.wall:.2f} s",
                f"{each.cpu:.2f} s",
                f"{each.memory / 1e6:.0f} MB",
            ]
            for each in asked
        ],
    )
    words = {True: "met", False: "**missed**", None: "not measured"}
    verdicts = table(
        ["bar", "measured", ""], [[bar.promise, bar.measured, words[bar.met]] for bar in bars]
    )
    return "\n\n".join((about, questions, verdicts))


if __name__ == "__main__":
    sys.exit(main())
