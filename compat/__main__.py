"""`python -m compat`: run the suites with and without measuring, compare, and write the page.

A partial run (--suite) prints only; a whole one replaces what stands between the markers of
docs/compat.md.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from benchmarks.workplaces import Workplace, install_wheel, prepare
from compat.comparison import Comparison, compare
from compat.running import RunError
from compat.suites import SUITES, TOOLS, Suite, named
from compat.table import render

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compat.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def main() -> int:
    """Exit status 0 when nothing differs that is not named, 1 when something does or a run
    failed, 2 for a wrong option."""
    parser = make_parser()
    options = parser.parse_args()
    try:
        suites = named(tuple(options.suite))
    except ValueError as error:
        parser.error(str(error))
    python = interpreter(options.python)
    under = ROOT / ".compat" / python_version(python)
    began = time.monotonic()
    failed: list[str] = []
    compared: list[Comparison] = []

    def one(suite: Suite) -> None:
        try:
            place = prepare(suite, python=python, under=under, tools=TOOLS)
            install_wheel(place, options.wheel.resolve())
            compared.append(compare(suite, place, options=measuring_options(place)))
            print(compared[-1].told, flush=True)
        except (RunError, OSError, subprocess.CalledProcessError) as error:
            failed.append(suite.name)
            print(f"{suite.name}: {error}", file=sys.stderr, flush=True)

    # The long ones first, so that no core is idle at the end.
    with ThreadPoolExecutor(options.jobs) as several:
        list(several.map(one, sorted(suites, key=lambda suite: -suite.seconds)))
    order = [suite.name for suite in SUITES]
    compared.sort(key=lambda comparison: order.index(comparison.suite.name))
    if compared:
        passage = render(compared, about=about(python, minutes=(time.monotonic() - began) / 60))
        print(f"\n{passage}")
        if len(compared) == len(SUITES):
            write_between_markers(PAGE, passage)
            print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    for name in failed:
        print(f"{name} did not run to its end, see above", file=sys.stderr)
    different = [c.suite.name for c in compared if c.unexplained or c.incomplete]
    if different:
        print(f"different: {', '.join(different)}", file=sys.stderr)
    return int(bool(failed or different))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compat", description=__doc__)
    add = parser.add_argument
    add("--wheel", type=Path, required=True, help="whotests' wheel")
    add("--suite", action="append", default=[], help="this suite only (may be repeated)")
    add("--python", default=sys.executable, help="the interpreter (this one)")
    add("--jobs", type=int, default=2, help="suites at a time (%(default)s)")
    return parser


def measuring_options(place: Workplace[Suite]) -> tuple[str, ...]:
    """Branches as well, where there are any to measure."""
    words = [str(place.venv / "bin" / "whotests"), "run", "--help"]
    shown = subprocess.check_output(words, text=True, env=place.environment())
    return ("--branch",) if "--branch" in shown else ()


def interpreter(name: str) -> str:
    """The path of the interpreter itself, behind a virtual environment or a launcher."""
    code = "import os, sys; print(os.path.realpath(sys.executable))"
    return subprocess.check_output([name, "-c", code], text=True).strip()


def python_version(python: str) -> str:
    code = "import platform; print(platform.python_version())"
    return subprocess.check_output([python, "-c", code], text=True).strip()


def about(python: str, *, minutes: float, tools: tuple[str, ...] = TOOLS) -> str:
    """When, on what, and with which versions it was compared."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return (
        f"Compared on {day}: CPython {python_version(python)} on {platform.system()} "
        f"{platform.machine()} with {os.cpu_count()} cores; whotests {version('whotests')}; "
        f"{', '.join(tools)}; {minutes:.0f} minutes in all."
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
