"""`python -m benchmarks.combining`: one suite in many shards, combined by whotests and coverage.py.

Both record each shard, with branches and a context per test; the shards are kept under .bench/
and recorded again when whotests or the number of shards has changed. The table goes to the page
docs/benchmarks.md, unless an option makes it another measurement.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
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
    """What it took to combine all shards."""

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
        ours, theirs = recorded(place, shards=options.shards)
        whotests = combined(place, ours, whotests_command(place, ours), rounds=options.rounds)
        coverage = combined(place, theirs, coverage_command(place, theirs), rounds=1)
    except (RunError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    passage = render(suite, version, whotests, coverage)
    print(passage)
    if options.shards == SHARDS:
        write_between_markers(PAGE, "combining", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    return 0


def recorded(place: Workplace[Suite], *, shards: int) -> tuple[Path, Path]:
    """Folders with so many data files of whotests, and with as many of coverage.py."""
    folder = place.folder.parent / "shards"
    stamp = folder / "made-from.txt"
    recipe = f"{shards} shards by {whotests_version(place)}"
    ours, theirs = folder / "whotests", folder / "coverage"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == recipe:
        return ours, theirs
    shutil.rmtree(folder, ignore_errors=True)
    ours.mkdir(parents=True)
    theirs.mkdir()
    (folder / "coveragerc").write_text("[run]\n", encoding="utf-8")
    for number, tests in enumerate(cut(test_ids(place), into=shards)):
        selected = folder / "tests.txt"
        selected.write_text("\n".join(tests), encoding="utf-8")
        pytest = [str(place.python), "-m", "pytest", *SAME_FOR_ALL]
        data = ours / f"{number:03}" / "data.db"
        run(
            place,
            [
                *(*pytest, "-p", "no:cov", f"--whotests={place.suite.package}"),
                *("--whotests-branch", f"--whotests-data={data}", f"@{selected}"),
            ],
        )
        run(
            place,
            [
                *(*pytest, *NOT_OURS, f"--cov={place.suite.package}", "--cov-report="),
                *("--cov-branch", "--cov-context=test"),
                *(f"--cov-config={folder / 'coveragerc'}", f"@{selected}"),
            ],
        )
        (place.folder / ".coverage").rename(theirs / f".coverage.{number:03}")
        print(f"shard {number + 1} of {shards}: {len(tests)} tests", flush=True)
    stamp.write_text(recipe, encoding="utf-8")
    return ours, theirs


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
    place: Workplace[Suite], shards: Path, command: Sequence[str], *, rounds: int
) -> Combined:
    """What the command cost in its cheapest round; each begins without a result."""
    result = result_of(shards)
    costs = []
    for _ in range(rounds):
        result.unlink(missing_ok=True)
        environment = place.environment()
        costs.append(measure([*command], folder=place.folder, environment=environment))
    files = [path for path in shards.rglob("*") if path.is_file()]
    return Combined(
        shards=len([path for path in files if path.suffix != ".gitignore"]),
        shard_bytes=sum(path.stat().st_size for path in files),
        cost=min(costs, key=lambda cost: cost.cpu),
        result_bytes=result.stat().st_size,
    )


def result_of(shards: Path) -> Path:
    """Where the shards of a folder are combined to."""
    return shards.parent / f"combined-{shards.name}.db"


def whotests_command(place: Workplace[Suite], shards: Path) -> list[str]:
    whotests = str(place.venv / "bin" / "whotests")
    return [whotests, "combine", "--data", str(result_of(shards)), str(shards)]


def coverage_command(place: Workplace[Suite], shards: Path) -> list[str]:
    coverage = str(place.venv / "bin" / "coverage")
    settings = f"--rcfile={shards.parent / 'coveragerc'}"
    files = [str(path) for path in sorted(shards.iterdir())]
    result = f"--data-file={result_of(shards)}"
    return [coverage, "combine", "--keep", "--quiet", settings, result, *files]


def whotests_version(place: Workplace[Suite]) -> str:
    """What is installed, and which version of data files it writes."""
    code = (
        "import whotests; from whotests.store.schema import VERSION;"
        "print(whotests.__version__, VERSION)"
    )
    return run(place, [str(place.python), "-c", code]).strip()


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


def render(suite: Suite, python: str, ours: Combined, theirs: Combined) -> str:
    """The table and the bars, as Markdown."""
    rows = [
        [
            name,
            f"{each.shards} of {size(each.shard_bytes // each.shards)}",
            f"{each.cost.wall:.2f} s",
            f"{each.cost.cpu:.2f} s",
            size(each.cost.memory),
            size(each.result_bytes),
        ]
        for name, each in (("whotests combine", ours), ("coverage combine", theirs))
    ]
    headers = ["command", "shards", "wall time", "processor time", "memory", "result"]
    words = {True: "met", False: "**missed**", None: "not measured"}
    bars = [[bar.promise, bar.measured, words[bar.met]] for bar in bars_of(ours, theirs)]
    about = (
        f"{suite.project} {suite.version} in {ours.shards} shards on CPython {python}, "
        "with branches and a context for each test."
    )
    return "\n\n".join((about, table(headers, rows), table(["bar", "measured", ""], bars)))


def bars_of(ours: Combined, theirs: Combined) -> tuple[Bar, ...]:
    """Whether what is promised about combining holds."""
    megabytes = ours.cost.memory / 1_000_000
    ratio = theirs.cost.cpu / ours.cost.cpu
    return (
        Bar(
            promise=f"{ours.shards} shards of one suite combine in under 5 s",
            measured=f"{ours.cost.wall:.2f} s",
            met=ours.cost.wall < 5,
        ),
        Bar(
            promise="with less than 300 MB of memory",
            measured=f"{megabytes:.0f} MB",
            met=megabytes < 300,
        ),
        Bar(
            promise="at least 20 times faster than `coverage combine`, by processor time",
            measured=f"{ratio:.0f} times",
            met=ratio >= 20,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
