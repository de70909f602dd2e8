"""`python -m benchmarks.stream`: what the stream costs per event, beside testtools', into the docs.

Each measurement is a process of its own that imports only what it measures. A run with options
prints only; a whole one replaces the section in docs/benchmarks-stream.md.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.page import write_between_markers

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks-stream.md"

EVENTS = 1_000_000
FEW = EVENTS // 10
BAR = 4.0
"""Seconds for a million events through timestamper, tagger, collection and summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table: the same work, ours and theirs."""

    what: str
    ours: str
    theirs: str | None = None
    """Functions of `benchmarks.pipelines`."""
    events: int = FEW
    """How many are sent for the time; of theirs, a tenth at most: that takes long enough."""


LINES = (
    Line(
        what="timestamper, tagger, summary (which collects)",
        ours="summary",
        theirs="testtools_summary",
        events=EVENTS,
    ),
    Line(
        what="timestamper, tagger, fan-out to a collection and a summary",
        ours="collection_and_summary",
        theirs="testtools_collection_and_summary",
        events=EVENTS,
    ),
    Line(what="into a queue", ours="queue", theirs="testtools_queue"),
    Line(what="from a result's calls", ours="from_result", theirs="testtools_from_result"),
    Line(what="to a result's calls", ours="to_result", theirs="testtools_to_result"),
    Line(what="text", ours="text"),
    Line(what="JSON lines", ours="json_lines"),
    Line(what="JUnit XML", ours="junit"),
)


def main() -> int:
    """Exit status 0 when the bars are met, 1 when one is missed, 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stream", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the least counts (%(default)s)")
    parser.add_argument("--only", action="append", default=[], help="this pipeline of ours only")
    options = parser.parse_args()
    lines = [line for line in LINES if not options.only or line.ours in options.only]
    measured = [measure(line, rounds=options.rounds) for line in lines]
    passage = render(measured, rounds=options.rounds)
    print(passage)
    if not options.only:
        write_between_markers(PAGE, "stream", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    return 0 if all(each.ours.per_million < BAR for each in barred(measured)) else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one pipeline cost."""

    per_million: float
    """Seconds of processor time for a million events."""
    growth: int
    """Bytes by which the peak memory grows from a tenth of the events to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A line with its figures."""

    line: Line
    ours: Figures
    theirs: Figures | None


def measure(line: Line, *, rounds: int) -> Measured:
    """Run both sides in turn."""
    theirs_events = min(line.events, FEW)
    ours = [run(line.ours, line.events) for _ in range(rounds)]
    theirs = [run(line.theirs, theirs_events) for _ in range(rounds)] if line.theirs else []
    return Measured(
        line=line,
        ours=figures(line.ours, ours, line.events),
        theirs=figures(line.theirs, theirs, theirs_events) if line.theirs else None,
    )


def run(pipeline: str, events: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.pipelines", pipeline, str(events)]
    cost: dict[str, float] = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    return cost


def figures(pipeline: str, costs: list[dict[str, float]], events: int) -> Figures:
    fewer = run(pipeline, events // 10)
    return Figures(
        per_million=min(cost["cpu"] for cost in costs) * 1_000_000 / events,
        growth=int(min(cost["memory"] for cost in costs) - fewer["memory"]),
    )


def render(measured: list[Measured], *, rounds: int) -> str:
    """The section: when and on what, the table, what it says of the bar."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    rows = [
        f"Measured on {day}: CPython {platform.python_version()} on {platform.system()} "
        f"{platform.machine()} with {os.cpu_count()} cores; whotests {version('whotests')}, "
        f"testtools {version('testtools')}; least of {rounds} runs. Of ten tests, each begins and "
        "ends with tags, and one attaches a log in two chunks; making the events is part of it. "
        f"whotests is sent {EVENTS:,} events for the first two lines and {FEW:,} for the others, "
        f"testtools always {FEW:,}; all are scaled to a million. The growth of the peak memory is "
        "from a tenth of the events to all that were sent.",
        "",
        "| a million events | whotests | testtools | memory grows by | testtools' |",
        "|---|---:|---:|---:|---:|",
    ]
    for each in measured:
        theirs = each.theirs
        rows.append(
            f"| {each.line.what} | {each.ours.per_million:.2f} s "
            f"| {f'{theirs.per_million:.2f} s' if theirs else ''} | {as_size(each.ours.growth)} "
            f"| {as_size(theirs.growth) if theirs else ''} |"
        )
    slowest = max((each.ours.per_million for each in barred(measured)), default=0.0)
    verdict = "met" if slowest < BAR else "missed"
    rows += ["", f"Bar: the first two in under {BAR:.0f} s each: {slowest:.2f} s, **{verdict}**."]
    return "\n".join(rows)


def barred(measured: list[Measured]) -> list[Measured]:
    """The lines that have to meet the bar."""
    return [each for each in measured if each.line.events == EVENTS]


def as_size(size: int) -> str:
    return f"{max(size, 0) / 1024:,.0f} KiB"


if __name__ == "__main__":
    sys.exit(main())
