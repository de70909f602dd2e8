"""`python -m benchmarks`: measure the suites, print the tables, and write the page.

A partial run (--suite, --without) prints only; a whole one replaces what stands between the
markers of this Python's version in docs/benchmarks.md.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.page import write_between_markers
from benchmarks.results import Result, measure_suite
from benchmarks.suites import MONITORING_TOOLS, SUITES, TOOLS, named
from benchmarks.table import render
from benchmarks.timing import RunError
from benchmarks.variants import possible
from benchmarks.workplaces import install_wheel, prepare

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> int:
    """Exit status 0 when everything was measured, 1 when a run failed, 2 for a wrong option."""
    parser = make_parser()
    options = parser.parse_args()
    try:
        suites = named(tuple(options.suite))
    except ValueError as error:
        parser.error(str(error))
    python = interpreter(options.python)
    version_of_python = python_version(python)
    everything = possible(version_of_python)
    variants = [variant for variant in everything if variant.name not in options.without]
    tools = TOOLS if version_of_python.startswith("3.11.") else (*TOOLS, *MONITORING_TOOLS)
    under = ROOT / ".bench" / version_of_python
    if options.wheel is None:
        variants = [variant for variant in variants if not variant.name.startswith("whotests")]
    results: list[Result] = []
    try:
        for suite in suites:
            place = prepare(suite, python=python, under=under, tools=tools)
            if options.wheel is not None:
                install_wheel(place, options.wheel.resolve())
            if options.prepare:
                print(f"{suite.name}: {place.folder} with {place.python}")
                continue
            results.append(
                measure_suite(
                    place,
                    variants=variants,
                    rounds=options.rounds,
                    say=lambda line: print(line, flush=True),
                )
            )
    except (RunError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    if not results:
        return 0
    passage = render(results, about=about(results, version_of_python, tools))
    print(passage)
    if len(suites) == len(SUITES) and len(variants) == len(everything):
        minor = ".".join(version_of_python.split(".")[:2])
        write_between_markers(PAGE, f"figures {minor}", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    else:
        print("\na partial run: docs/benchmarks.md is left as it is")
    return 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--wheel", type=Path, help="whotests' wheel; without it only the others are measured")
    add("--suite", action="append", default=[], help="this suite only (may be repeated)")
    add("--without", action="append", default=[], help="leave this variant out (may be repeated)")
    add(
        "--rounds",
        type=int,
        default=3,
        help="runs of each variant at least, more of short suites if not 1 (%(default)s)",
    )
    add("--python", default=sys.executable, help="the interpreter (this one)")
    add("--prepare", action="store_true", help="only make the environments, and tell where")
    return parser


def interpreter(name: str) -> str:
    """The path of the interpreter itself, behind a virtual environment or a launcher."""
    code = "import os, sys; print(os.path.realpath(sys.executable))"
    return subprocess.check_output([name, "-c", code], text=True).strip()


def python_version(python: str) -> str:
    code = "import platform; print(platform.python_version())"
    return subprocess.check_output([python, "-c", code], text=True).strip()


def about(results: list[Result], python: str, tools: tuple[str, ...]) -> str:
    """When, on what, and with which versions it was measured."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    numbers = sorted({result.rounds for result in results})
    rounds = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
    projects = ", ".join(f"{result.suite.project} {result.suite.version}" for result in results)
    return (
        f"Measured on {day}: CPython {python} on {platform.system()} "
        f"{platform.machine()} with {os.cpu_count()} cores; whotests {version('whotests')}; "
        f"{', '.join(tools)}; {projects}. Least of {rounds} interleaved runs."
    )


if __name__ == "__main__":
    sys.exit(main())
