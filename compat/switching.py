"""Whether docs/switching.md holds: its steps, followed on the real project that it names.

Every `console` block is a number of commands after `$ `, each with its output; `…` in an output
stands for anything, within a line or, alone on a line, for any lines. Each command has to end
with status 0 and print that.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.workplaces import Workplace, install_wheel, prepare, run
from compat.suites import SUITES, Suite

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "switching.md"
PROJECT = "structlog"
TOOLS = ("pytest==9.2.0", "coverage==7.17.3", "pytest-cov==7.1.0")
LIMIT = 600
"""Seconds after which a command counts as stuck."""

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """One command of the page."""

    command: str
    output: str
    line: int
    """Of the page."""


def main() -> int:
    """Exit status 0 when all steps do as the page says, 1 when one does not."""
    parser = argparse.ArgumentParser(prog="python -m compat.switching", description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="whotests' wheel")
    parser.add_argument("--python", default=sys.executable, help="the interpreter (this one)")
    options = parser.parse_args()
    place = project(options.python, options.wheel.resolve())
    wrong = 0
    for step in steps_of(PAGE.read_text(encoding="utf-8")):
        told = follow(step, place)
        print(f"{'DIFFERENT' if told else 'as the page says'}: $ {step.command}", flush=True)
        if told:
            wrong += 1
            print(told, file=sys.stderr, flush=True)
    return int(bool(wrong))


def project(python: str, wheel: Path) -> Workplace[Suite]:
    """The project as its authors have it, installed in editable mode, and whotests beside it."""
    (suite,) = (suite for suite in SUITES if suite.name == PROJECT)
    whole = replace(suite, shadows=())
    under = ROOT / ".compat" / "switching"
    place = prepare(whole, python=python, under=under, tools=TOOLS)
    # What steps of an earlier time have left.
    (settings,) = (under / PROJECT / "download").glob("*/pyproject.toml")
    shutil.copy(settings, place.folder)
    shutil.rmtree(place.data_folder, ignore_errors=True)
    for left in (*place.folder.glob(".coverage*"), *place.folder.glob("coverage.*")):
        left.unlink()
    run([str(place.python), "-m", "pip", "install", "--quiet", "--editable", str(place.folder)])
    install_wheel(place, wheel)
    return place


def steps_of(text: str) -> Iterator[Step]:
    """The commands of a page, in order."""
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start()) + 2
        lines = block[1].splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            output = "\n".join(lines[start + 1 : end])
            yield Step(lines[start].removeprefix("$ "), output, first + start)


def follow(step: Step, place: Workplace[Suite]) -> str:
    """What is not as the page says, or ''."""
    environment = place.environment()
    del environment["WHOTESTS_CONFIG"]  # the project's own settings are what it is about
    done = subprocess.run(
        step.command,
        shell=True,
        cwd=place.folder,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=LIMIT,
    )
    if done.returncode == 0 and matches(step.output, done.stdout):
        return ""
    return (
        f"{os.path.relpath(PAGE)}:{step.line}: $ {step.command} (exit status {done.returncode})\n"
        f"--- the page\n{step.output}\n--- what came\n{done.stdout}"
    )


def matches(expected: str, got: str) -> bool:
    """Whether an output is as the page has it; white space at ends of lines does not matter."""
    pattern = ""
    for line in expected.strip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.rstrip().split("…"))) + "\n"
    text = "\n".join(line.rstrip() for line in got.strip().splitlines())
    return re.fullmatch(pattern, f"{text}\n" if text else "") is not None


if __name__ == "__main__":
    sys.exit(main())
