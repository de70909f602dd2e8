"""`python -m benchmarks.cluster`: what a Dask cluster costs beside local workers, into the docs.

The same tests by `-j2` and by `--cluster local:2`, in turn; with one test, and with many, so that
what a run costs at its begin is told apart from what each test costs. Needs whotests and Dask in
the interpreter that runs it.
"""

import argparse
import datetime
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.made_suites import TRIVIAL, make_suite
from benchmarks.page import write_between_markers
from benchmarks.timing import Cost, measure

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"

WHERE = {"-j2": ("-j2",), "--cluster local:2": ("--cluster", "local:2")}
RECORDED = {"not recorded": ("--no-measure",), "recorded": ()}


def main() -> int:
    """Exit status 0, or 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--tests", type=int, default=20_000, help="how many (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="the least counts (%(default)s)")
    parser.add_argument("--print", action="store_true", help="leave docs/benchmarks.md alone")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder, "few"), Path(folder, "many")
        make_suite(few, tests=2, body=TRIVIAL)
        make_suite(many, tests=options.tests, body=TRIVIAL)
        for recorded, measured in RECORDED.items():
            for where, words in WHERE.items():
                command = [*words, *measured, "-q", "unittest:tests"]
                start = least(command, few, rounds=options.rounds)
                whole = least(command, many, rounds=options.rounds)
                per_test = (whole.cpu - start.cpu) / (options.tests - 2) * 1e6
                rows.append(
                    f"| `{where}`, {recorded} | {start.cpu:.2f} s | {start.wall:.2f} s |"
                    f" {whole.cpu:.2f} s | {whole.wall:.2f} s | {per_test:.0f} µs |"
                )
                print(rows[-1], flush=True)
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    passage = "\n".join(
        [
            f"Measured on {day}: CPython {platform.python_version()} on {platform.system()} with "
            f"{os.cpu_count()} cores, distributed {version('distributed')}, least of "
            f"{options.rounds} runs. Processor time is that of all processes together: the "
            "command, the scheduler in it, two Dask workers, and the hosts.",
            "",
            f"| | 2 tests: processor | time | {options.tests:,} tests: processor | time |"
            " per further test |",
            "|---|--:|--:|--:|--:|--:|",
            *rows,
        ]
    )
    if not options.print:
        write_between_markers(PAGE, "cluster", passage)
        print(f"written to {PAGE.relative_to(ROOT)}")
    return 0


def least(command: list[str], folder: Path, *, rounds: int) -> Cost:
    """The cheapest of several runs."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [sys.executable, "-P", "-m", "whotests", "test", *command]
    costs = [measure(words, folder=folder, environment=environment) for _ in range(rounds)]
    return min(costs, key=lambda cost: cost.cpu)


if __name__ == "__main__":
    sys.exit(main())
