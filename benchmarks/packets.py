"""`python -m benchmarks.packets`: what subunit costs, next to python-subunit, into the docs.

Each measurement is a process of its own. With options that leave out kinds of events it prints
only; a whole run replaces the section in docs/benchmarks-stream.md.
"""

import argparse
import datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Events of one kind, which `benchmarks.codec` makes."""

    name: str
    what: str
    events: int
    """How many are measured at once."""


KINDS = (
    Kind(name="small", what="a test's begin or end, with tags, time and route", events=100_000),
    Kind(name="line", what="80 bytes of a log", events=100_000),
    Kind(name="page", what="8 kB of a log", events=20_000),
    Kind(name="large", what="1 MiB of a log", events=100),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one event costs, in microseconds."""

    kind: Kind
    work: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


def main() -> int:
    """Exit status 0 when the bar is met, 1 when it is missed, 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packets", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="the least counts (%(default)s)")
    names = [kind.name for kind in KINDS]
    parser.add_argument("--kind", action="append", default=[], choices=names)
    options = parser.parse_args()
    chosen = [kind for kind in KINDS if kind.name in (options.kind or names)]
    measured = [
        measure(kind, work, rounds=options.rounds) for work in ("write", "read") for kind in chosen
    ]
    passage = render(measured, rounds=options.rounds)
    print(passage)
    if not options.kind:
        write_between_markers(PAGE, "subunit", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    return 0 if max(each.ratio for each in measured) <= 1 else 1


def measure(kind: Kind, work: str, *, rounds: int) -> Measured:
    """Both sides in turn, the least of all rounds."""
    least = {"ours": float("inf"), "theirs": float("inf")}
    for _ in range(rounds):
        for side, before in least.items():
            command = [sys.executable, "-m", "benchmarks.codec", side, work, kind.name]
            printed = subprocess.check_output([*command, str(kind.events)], cwd=ROOT, text=True)
            least[side] = min(before, float(printed) / kind.events * 1e6)
    return Measured(kind=kind, work=work, ours=least["ours"], theirs=least["theirs"])


def render(measured: list[Measured], *, rounds: int) -> str:
    """The passage for the page."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    lines = [
        f"Measured on {day}: CPython {platform.python_version()} on {platform.system()} "
        f"{platform.machine()} with {os.cpu_count()} cores; whotests {version('whotests')}, "
        f"python-subunit {version('python-subunit')}; the least of {rounds} rounds. Microseconds "
        "of processor time for one event, written to memory or read from there; what is read is "
        "the same stream, and the content of attachments is taken as bytes.",
        "",
        "| an event with | | whotests | python-subunit | ratio |",
        "|---|---|---:|---:|---:|",
    ]
    for each in measured:
        lines.append(
            f"| {each.kind.what} | {each.work} | {each.ours:.2f} | {each.theirs:.2f} "
            f"| {each.ratio:.2f} |"
        )
    worst = max(each.ratio for each in measured)
    verdict = "met" if worst <= 1 else "**missed**"
    lines += [
        "",
        f"The bar: at least as fast both ways. At worst {worst:.2f} of its time: {verdict}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
