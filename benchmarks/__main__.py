"""`python -m benchmarks`: measure the suites, print the tables, and write the page.

A partial run (--suite, --variant) prints only; a whole one replaces what stands between the
markers of docs/benchmarks.md.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.results import Result, measure_suite
from benchmarks.suites import SUITES, TOOLS, named
from benchmarks.table import render
from benchmarks.timing import RunError
from benchmarks.variants import VARIANTS
from benchmarks.workplaces import install_wheel, prepare

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def main() -> int:
    """Exit status 0 when everything was measured, 1 when a run failed, 2 for a wrong option."""
    parser = make_parser()
    options = parser.parse_args()
    try:
        suites = named(tuple(options.suite))
    except ValueError as error:
        parser.error(str(error))
    variants = [variant for variant in VARIANTS if variant.name not in options.without]
    if options.wheel is None:
        variants = [variant for variant in variants if not variant.name.startswith("whotests")]
    python = interpreter(options.python)
    under = ROOT / ".bench" / python_version(python)
    results: list[Result] = []
    try:
        for suite in suites:
            place = prepare(suite, python=python, under=under, tools=TOOLS)
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
    passage = render(results, about=about(results, python=python))
    print(passage)
    if len(suites) == len(SUITES) and len(variants) == len(VARIANTS):
        write_between_markers(PAGE, passage)
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
        "--rounds", type=int, default=3, help="runs of each variant, the least counts (%(default)s)"
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


def about(results: list[Result], *, python: str) -> str:
    """When, on what, and with which versions it was measured."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    projects = ", ".join(f"{result.suite.project} {result.suite.version}" for result in results)
    return (
        f"Measured on {day}: CPython {python_version(python)} on {platform.system()} "
        f"{platform.machine()} with {os.cpu_count()} cores; whotests {version('whotests')}; "
        f"{', '.join(TOOLS)}; {projects}. Least of {results[0].rounds} interleaved runs."
    )


def write_between_markers(page: Path, passage: str) -> None:
    """Replace what stands between the page's markers; the rest of it is left alone."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page}: the lines {BEGIN} and {END} must stand in it")
    page.write_text(f"{before}{BEGIN}\n\n{passage}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
