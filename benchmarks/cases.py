"""`python -m benchmarks.cases`: what a test costs by its base class alone, into the docs.

Each measurement is a process of its own that makes and runs many tests of one kind. With options
that leave out classes it prints only; a whole run replaces the section in the page.
"""

import argparse
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

TESTS = 20_000
BAR = 20.0
"""Microseconds that a test of ours may cost over one of unittest's."""

OURS = "whotests.testing.TestCase"
CLASSES = ("unittest.TestCase", OURS, "testtools.TestCase")

KINDS = {
    "does nothing": "def test(self): pass",
    "setUp, tearDown and a clean-up": """
        def setUp(self):
            super().setUp()
            self.addCleanup(str)
        def test(self):
            self.assertEqual(1, 1)
        def tearDown(self):
            super().tearDown()
    """,
    "fails": "def test(self): self.assertEqual(1, 2)",
}
"""The bodies of the test classes."""

PROGRAM = """\
import gc, importlib, json, sys, textwrap, time, unittest

module, _, name = sys.argv[1].rpartition(".")
base = getattr(importlib.import_module(module), name)
space = {}
exec("class Case(base):\\n" + textwrap.indent(textwrap.dedent(sys.argv[2]).strip(), "    "),
     {"base": base}, space)
count = int(sys.argv[3])
suite = unittest.TestSuite(space["Case"]("test") for _ in range(count // 10))
suite.run(unittest.TestResult())
gc.collect()
began = time.process_time()
suite = unittest.TestSuite(space["Case"]("test") for _ in range(count))
result = unittest.TestResult()
suite.run(result)
taken = time.process_time() - began
assert result.testsRun == count
assert result.wasSuccessful() is (sys.argv[4] != "fails")
print(json.dumps(taken / count * 1e6))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one kind of test costs, in microseconds, by its base class."""

    kind: str
    costs: dict[str, float]

    @property
    def ours_over_unittest(self) -> float:
        return self.costs[OURS] - self.costs["unittest.TestCase"]


def main() -> int:
    """Exit status 0 when the bar is met, 1 when it is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cases", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="the least counts (%(default)s)")
    parser.add_argument("--kind", action="append", default=[], choices=sorted(KINDS))
    options = parser.parse_args()
    kinds = options.kind or list(KINDS)
    measured = [measure(kind, rounds=options.rounds) for kind in kinds]
    passage = render(measured, rounds=options.rounds)
    print(passage)
    if not options.kind:
        write_between_markers(PAGE, "cases", passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    bar_is_met = all(
        each.ours_over_unittest <= BAR for each in measured if each.kind == "does nothing"
    )
    return 0 if bar_is_met else 1


def measure(kind: str, *, rounds: int) -> Measured:
    """Each base class in each round, one after the other."""
    count = TESTS if kind != "fails" else TESTS // 10
    costs: dict[str, float] = {}
    for _ in range(rounds):
        for base in CLASSES:
            ran = subprocess.run(
                [sys.executable, "-c", PROGRAM, base, KINDS[kind], str(count), kind],
                check=True,
                capture_output=True,
                text=True,
            )
            costs[base] = min(json.loads(ran.stdout), costs.get(base, float("inf")))
    return Measured(kind=kind, costs=costs)


def render(measured: list[Measured], *, rounds: int) -> str:
    """The passage for the page."""
    python = f"CPython {platform.python_version()}"
    lines = [
        f"Microseconds of processor time that one test costs, made and run in a suite of "
        f"{TESTS:,} ({TESTS // 10:,} that fail) with a `unittest.TestResult`; the least of "
        f"{rounds} rounds. All features of ours are in force: what a test leaves behind and "
        f"errors that it logs are looked for, a time limit is not set. {python}, testtools "
        f"{version('testtools')}, {os.cpu_count()} processors.",
        "",
        "| a test that | unittest | ours | testtools | ours over unittest |",
        "|---|---:|---:|---:|---:|",
    ]
    for each in measured:
        costs = " | ".join(f"{each.costs[base]:.1f}" for base in CLASSES)
        lines.append(f"| {each.kind} | {costs} | {each.ours_over_unittest:.1f} |")
    lines += ["", f"The bar: a test that does nothing may cost {BAR:.0f} µs over unittest's."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
