"""`python -m benchmarks.combining`: many shards of one suite, combined by whotests and coverage.py.

Both record with branches and a context per test. Two kinds of shards are measured: 'cut', where
each ran its part of the tests, and 'whole', where each ran all tests but one in a hundred, as jobs
of several machines or interpreters do. The table goes to the page docs/benchmarks.md, unless an
option makes it another measurement.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.__main__ import PAGE, ROOT, interpreter, python_version
from benchmarks.page import write_between_markers
from benchmarks.suites import TOOLS, Suite, named
from benchmarks.table import Bar, size, table
from benchmarks.timing import Cost, RunError, measure
from benchmarks.variants import NOT_OURS, SAME_FOR_ALL
from benchmarks.workplaces import Workplace, install_wheel, prepare

SUITE = "jinja2"
SHARDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """What it took to combine all shards of one kind."""

    kind: str
    name: str
    shards: int
    shard_bytes: int
    cost: Cost
    result_bytes: int


def main() -> int:
    """Exit status 0 when everything was measured, 1 when a command failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.combining", description=__doc__)
    add = parser.add_argument
    add("--wheel", type=Path, help="whotests' wheel; without it the one that is installed counts")
    add("--shards", type=int, default=SHARDS, help="how many (%(default)s)")
    add("--rounds", type=int, default=3, help="times each is combined, the least counts")
    add("--python", default=sys.executable, help="the interpreter (this one)")
    options = parser.parse_args()
    python = interpreter(options.python)
    version = python_version(python)
    try:
        (suite,) = named((SUITE,))
        place = prepare(suite, python=python, under=ROOT / ".bench" / version, tools=TOOLS)
        if options.wheel is not None:
            install_wheel(place, options.wheel.resolve())
        measured = list(measure_all(place, shards=options.shards, rounds=options.rounds))
    except (RunError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    passage = render(suite, version, measured)
    print(passage)
    if options.shards == SHARDS:
        write_between_markers(PAGE, "combining", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    return 0


def measure_all(place: Workplace[Suite], *, shards: int, rounds: int) -> Iterator[Combined]:
    """Both tools over both kinds of shards."""
    folder = shards_folder(place)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for kind, make in (("cut", record_parts), ("whole", record_wholes)):
            ours, theirs = folder / kind / "whotests", folder / kind / "coverage"
            make(place, ours, theirs, shards)
            for shards_of, command, times in (
                (ours, whotests_command, rounds),
                (theirs, coverage_command, 1),
            ):
                result = folder / f"{kind}-{shards_of.name}.db"
                words = command(place, shards_of, result)
                found = combined(place, kind, shards_of, result, words, rounds=times)
                print(f"{kind}, {found.name}: {found.cost.cpu:.2f} s", flush=True)
                yield found
            shutil.rmtree(folder / kind)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def record_parts(place: Workplace[Suite], ours: Path, theirs: Path, shards: int) -> None:
    """Each shard runs so many of the tests."""
    for number, tests in enumerate(cut(test_ids(place), into=shards)):
        record(place, tests, ours / f"{number:03}.db", theirs / f".coverage.{number:03}")
        print(f"shard {number + 1} of {shards}: {len(tests)} tests", flush=True)


def record_wholes(place: Workplace[Suite], ours: Path, theirs: Path, shards: int) -> None:
    """All tests run once; of each shard one test in a hundred is taken out again."""
    tests = test_ids(place)
    mine, other = ours.parent / "whotests.db", theirs.parent / ".coverage"
    record(place, tests, mine, other)
    for folder in (ours, theirs):
        folder.mkdir()
    for number in range(shards):
        gone = set(tests[number % 100 :: 100])
        leave_out(gone, Path(shutil.copy(mine, ours / f"{number:03}.db")))
        leave_out(gone, Path(shutil.copy(other, theirs / f".coverage.{number:03}")))


def leave_out(tests: Set[str], path: Path) -> None:
    """Removes what these tests ran from a data file of either tool."""
    with closing(sqlite3.connect(path)) as connection, connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "arc" in tables:
            contexts = connection.execute("SELECT id, context FROM context").fetchall()
            gone = [number for number, name in contexts if name.rpartition("|")[0] in tests]
            for number in gone:
                connection.execute("DELETE FROM arc WHERE context_id = ?", (number,))
                connection.execute("DELETE FROM context WHERE id = ?", (number,))
            return
        names = (
            "SELECT test.id, scope.name || test.name FROM test JOIN scope ON scope.id = scope_id"
        )
        for number, name in connection.execute(names).fetchall():
            if name in tests:
                connection.execute("DELETE FROM context WHERE test_id = ?", (number,))
                connection.execute("DELETE FROM test WHERE id = ?", (number,))
        # It is a run of its own.
        connection.execute("UPDATE run SET uid = ?", (os.urandom(16),))


def record(place: Workplace[Suite], tests: Sequence[str], ours: Path, theirs: Path) -> None:
    """Runs these tests under both tools, each into its data file."""
    ours.parent.mkdir(parents=True, exist_ok=True)
    theirs.parent.mkdir(parents=True, exist_ok=True)
    selected, settings = shards_folder(place) / "tests.txt", settings_of(place)
    selected.write_text("\n".join(tests), encoding="utf-8")
    settings.write_text("[run]\n", encoding="utf-8")
    pytest = [str(place.python), "-m", "pytest", *SAME_FOR_ALL]
    run(
        place,
        [
            *(*pytest, "-p", "no:cov", f"--whotests={place.suite.package}"),
            *("--whotests-branch", f"--whotests-data={ours}", f"@{selected}"),
        ],
    )
    run(
        place,
        [
            *(*pytest, *NOT_OURS, f"--cov={place.suite.package}", "--cov-report="),
            *("--cov-branch", "--cov-context=test", f"--cov-config={settings}", f"@{selected}"),
        ],
    )
    (place.folder / ".coverage").rename(theirs)


def test_ids(place: Workplace[Suite]) -> list[str]:
    """The ids of all tests of the suite, in the order of their collection."""
    command = [str(place.python), "-m", "pytest", *SAME_FOR_ALL, *NOT_OURS, "-p", "no:cov"]
    output = run(place, [*command, "--collect-only", *place.suite.arguments])
    return [line for line in output.splitlines() if "::" in line]


def cut(tests: Sequence[str], *, into: int) -> list[Sequence[str]]:
    """The tests in so many parts of nearly the same length."""
    ends = [len(tests) * number // into for number in range(into + 1)]
    return [tests[start:end] for start, end in pairwise(ends)]


def combined(
    place: Workplace[Suite],
    kind: str,
    shards: Path,
    result: Path,
    command: Sequence[str],
    *,
    rounds: int,
) -> Combined:
    """What the command cost in its cheapest round; each begins without a result."""
    costs = []
    for _ in range(rounds):
        result.unlink(missing_ok=True)
        environment = place.environment()
        costs.append(measure([*command], folder=place.folder, environment=environment))
    files = [path for path in shards.rglob("*") if path.is_file()]
    return Combined(
        kind=kind,
        name=f"{shards.name} combine",
        shards=len(files),
        shard_bytes=sum(path.stat().st_size for path in files),
        cost=min(costs, key=lambda cost: cost.cpu),
        result_bytes=result.stat().st_size,
    )


def shards_folder(place: Workplace[Suite]) -> Path:
    return place.folder.parent / "shards"


def settings_of(place: Workplace[Suite]) -> Path:
    """No settings: those of the suite's project would count otherwise."""
    return shards_folder(place) / "coveragerc"


def whotests_command(place: Workplace[Suite], shards: Path, result: Path) -> list[str]:
    return [str(place.venv / "bin" / "whotests"), "combine", "--data", str(result), str(shards)]


def coverage_command(place: Workplace[Suite], shards: Path, result: Path) -> list[str]:
    coverage = str(place.venv / "bin" / "coverage")
    settings = f"--rcfile={settings_of(place)}"
    files = [str(path) for path in sorted(shards.iterdir())]
    return [coverage, "combine", "--keep", "--quiet", settings, f"--data-file={result}", *files]


def run(place: Workplace[Suite], command: Sequence[str]) -> str:
    """The command's output; RunError when it failed."""
    done = subprocess.run(
        [*command],
        cwd=place.folder,
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RunError(f"status {done.returncode} of {' '.join(command)}\n{done.stdout[-3000:]}")
    return done.stdout


def render(suite: Suite, python: str, measured: Sequence[Combined]) -> str:
    """The table and the bars, as Markdown."""
    rows = [
        [
            each.kind,
            each.name,
            f"{each.shards} of {size(each.shard_bytes // each.shards)}",
            f"{each.cost.wall:.2f} s",
            f"{each.cost.cpu:.2f} s",
            size(each.cost.memory),
            size(each.result_bytes),
        ]
        for each in measured
    ]
    headers = ["kind", "command", "shards", "wall time", "processor time", "memory", "result"]
    words = {True: "met", False: "**missed**", None: "not measured"}
    bars = [[bar.promise, bar.measured, words[bar.met]] for bar in bars_of(measured)]
    about = (
        f"{suite.project} {suite.version} in {measured[0].shards} shards on CPython {python}, with "
        "branches and a context for each test. Cut: each shard ran its part of the tests. Whole: "
        "each ran all of them but one in a hundred."
    )
    return "\n\n".join((about, table(headers, rows), table(["bar", "measured", ""], bars)))


def bars_of(measured: Sequence[Combined]) -> tuple[Bar, ...]:
    """Whether what is promised about combining holds."""
    ours = next(each for each in measured if each.kind == "whole")
    megabytes = max(each.cost.memory for each in measured if each.name == ours.name) / 1_000_000
    return (
        Bar(
            promise=f"{ours.shards} shards of one suite, each whole, combine in under 5 s",
            measured=f"{ours.cost.wall:.2f} s",
            met=ours.cost.wall < 5,
        ),
        Bar(
            promise="with less than 300 MB of memory",
            measured=f"{megabytes:.0f} MB",
            met=megabytes < 300,
        ),
        _times_faster(measured, "whole"),
        _times_faster(measured, "cut"),
    )


def _times_faster(measured: Sequence[Combined], kind: str) -> Bar:
    ours, theirs = (each for each in measured if each.kind == kind)
    ratio = theirs.cost.cpu / ours.cost.cpu
    return Bar(
        promise=f"{kind} shards: at least 20 times faster than `coverage combine` (processor time)",
        measured=f"{ratio:.0f} times",
        met=ratio >= 20,
    )


if __name__ == "__main__":
    sys.exit(main())
