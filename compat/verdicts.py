"""`python -m compat.verdicts`: the verdicts of `whotests test` against the hosts' own runners.

Each suite is run by its host's own runner, one test after the other, then by `whotests test` with
one worker, with two, and on a Dask cluster of two processes on this machine; then with two workers
whose processes are killed at random, in as many runs as it takes until so many were killed. A
whole comparison replaces what stands between the markers of docs/compat.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workplaces import Workplace, install_wheel, prepare
from compat.__main__ import PAGE, ROOT, about, interpreter, python_version
from compat.killing import Killer
from compat.outcomes import read_outcomes
from compat.running import LIMIT, RECORDERS
from compat.suites import Suite
from compat.verdict_suites import CASES, TOOLS, Case, named_cases

BEGIN, END = "<!-- verdicts: begin -->", "<!-- verdicts: end -->"

WAYS: dict[str, tuple[str, ...]] = {
    "-j1": ("-j", "1"),
    "-j2": ("-j", "2"),
    "cluster": ("--cluster", "local:2"),
}

STATUSES = {
    "passed": "success",
    "expected passed": "success",
    "unexpected success": "uxsuccess",
    "expected failure": "xfail",
    "expected skipped": "xfail",
    "skipped": "skip",
    "failed": "fail",
    "error": "fail",
}
WORST = ("success", "xfail", "skip", "uxsuccess", "fail")
"""Of several statuses of one test the last one in this row counts."""

Verdicts = dict[str, str]


class VerdictsError(Exception):
    """A run did not come to its end; the message has the end of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What one run of `whotests test` said."""

    verdicts: Verdicts
    outside: frozenset[str]
    """What failed and is no test to be run: modules that cannot be imported, fixtures, ends."""
    repeated: tuple[str, ...]
    """Tests with more than one verdict."""
    killed: frozenset[str]
    """Tests whose verdict is that their process was killed."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One suite in all ways."""

    case: Case
    counts: dict[str, int]
    """How many tests of the host's own run had each status."""
    seconds: dict[str, float]
    kills: int
    killed: int
    """Tests that were in progress when their process was killed."""
    differences: tuple[str, ...]


def main() -> int:
    """Exit status 0 when all verdicts are equal, 1 when not, 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="python -m compat.verdicts", description=__doc__)
    add = parser.add_argument
    add("--wheel", type=Path, required=True, help="whotests' wheel")
    add("--suite", action="append", default=[], help="this suite only (may be repeated)")
    add("--python", default=sys.executable, help="the interpreter (this one)")
    add("--kills", type=int, default=50, help="processes to kill per suite (%(default)s)")
    options = parser.parse_args()
    try:
        cases = named_cases(tuple(options.suite))
    except ValueError as error:
        parser.error(str(error))
    python = interpreter(options.python)
    under = ROOT / ".compat" / python_version(python) / "verdicts"
    began = time.monotonic()
    compared = []
    for case in cases:
        place = prepare(case.suite, python=python, under=under, tools=TOOLS)
        install_wheel(place, options.wheel.resolve())
        case.lay_out(place)
        compared.append(compare(case, place, kills=options.kills))
        print(told(compared[-1]), flush=True)
    minutes = (time.monotonic() - began) / 60
    passage = render(compared, about=about(python, minutes=minutes, tools=TOOLS))
    print(f"\n{passage}")
    if len(cases) == len(CASES):
        write_passage(PAGE, passage)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    return int(any(one.differences for one in compared))


def compare(case: Case, place: Workplace[Suite], *, kills: int) -> Compared:
    """Run the suite in all ways. Raises VerdictsError where one does not come to its end."""
    seconds: dict[str, float] = {}
    began = time.monotonic()
    own = run_plain(case, place)
    seconds["own"] = time.monotonic() - began
    found: list[str] = []
    for way, words in WAYS.items():
        ours = run_ours(case, place, *words)
        seconds[way] = ours.seconds
        found += differences(way, own, ours)
    shot = hit = 0
    runs = 0
    while shot < kills and runs < 4 * kills:
        runs += 1
        most = kills - shot
        wait = max(1.0, seconds["-j2"] / case.kills_per_run)
        with Killer(place.data_folder / "runs", most=most, seed=runs, wait=wait) as killer:
            ours = run_ours(case, place, *WAYS["-j2"])
        shot += killer.kills
        hit += len(ours.killed)
        found += differences(f"-j2, killed (run {runs})", own, ours)
        if len(ours.killed) > killer.kills:
            found.append(f"{len(ours.killed)} tests killed by {killer.kills} signals")
    if found:
        again = run_plain(case, place)
        flaky = {test for test in own | again if own.get(test) != again.get(test)}
        found = [line for line in found if not any(f" {test}:" in line for test in flaky)]
    return Compared(
        case=case,
        counts=Counter(own.values()),
        seconds=seconds,
        kills=shot,
        killed=hit,
        differences=tuple(found),
    )


def run_plain(case: Case, place: Workplace[Suite]) -> Verdicts:
    """The verdicts of the host's own runner."""
    words = [word.format(recorders=RECORDERS) for word in case.plain]
    with tempfile.TemporaryDirectory() as temporary:
        events = Path(temporary, "events")
        environment = environment_of(case, place, temporary) | {
            "COMPAT_EVENTS": str(events),
            "PYTHONPATH": str(RECORDERS),
        }
        done = run([str(place.python), *words], cwd=folder_of(case, place), env=environment)
        try:
            outcomes = read_outcomes(events, status=done.returncode)
        except ValueError as error:
            raise VerdictsError(f"{case.name}: {error}\n{done.stdout[-3000:]}") from error
    verdicts: Verdicts = {}
    for kind, name, outcome, _ in outcomes.tests:
        test = name.removeprefix("unittest.loader._FailedTest.")
        word = outcome.split(" ", 1)[1] if outcome.startswith(PHASES) else outcome
        if kind == "test":
            status = STATUSES[word]
            if case.ours[0].startswith("trial:") and status == "uxsuccess":
                status = "success"  # with which trial's run passes
            verdicts[test] = worse(verdicts.get(test), status)
        elif kind == "subtest" and word == "failed":
            whole = test.partition(" ")[0]
            verdicts[whole] = worse(verdicts.get(whole), "fail")
    return verdicts


PHASES = ("setup ", "call ", "teardown ")


def run_ours(case: Case, place: Workplace[Suite], *way: str) -> Ours:
    """The verdicts of `whotests test`, run in that way."""
    shutil.rmtree(place.data_folder, ignore_errors=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        command = [str(place.venv / "bin" / "whotests"), "test", "--json", *way]
        command += ["--source", case.suite.package, *case.ours]
        environment = environment_of(case, place, temporary)
        done = run(command, cwd=folder_of(case, place), env=environment)
    statuses: dict[str, list[str]] = {}
    killed = set()
    outside = set()
    for line in done.stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError as error:
            raise VerdictsError(f"{' '.join(command)}: {line}\n{done.stderr[-3000:]}") from error
        test, status = event.get("test_id"), event.get("status")
        if test is None:
            continue
        if not event.get("runnable", True):
            if status == "fail":
                outside.add(test)
            continue
        if status not in (None, "inprogress", "exists"):
            statuses.setdefault(test, []).append(status)
        chunk = event.get("attachment")
        if chunk and chunk["name"] == "reason" and "was killed by SIGKILL" in chunk["text"]:
            killed.add(test)
    if not statuses:
        raise VerdictsError(f"{' '.join(command)}: no test ran\n{done.stderr[-3000:]}")
    verdicts: Verdicts = {}
    for test, each in statuses.items():
        name = test.partition(" #")[0]  # of several tests of one id
        verdicts[name] = worse(verdicts.get(name), each[0])
    return Ours(
        verdicts=verdicts,
        outside=frozenset(outside),
        repeated=tuple(test for test, each in statuses.items() if len(each) > 1),
        killed=frozenset(test.partition(" #")[0] for test in killed),
        seconds=time.monotonic() - began,
    )


def worse(one: str | None, other: str) -> str:
    return other if one is None else max(one, other, key=WORST.index)


def differences(way: str, own: Verdicts, ours: Ours) -> list[str]:
    """A line for each test whose verdict is another one, is missing or was repeated."""
    said = dict.fromkeys(ours.outside & own.keys(), "fail") | ours.verdicts
    lines = [
        f"{way}: {test}: {own.get(test, 'nothing')}, ours {said.get(test, 'nothing')}"
        for test in sorted(own.keys() | said.keys())
        if own.get(test) != said.get(test) and test not in ours.killed
    ]
    return [*lines, *(f"{way}: {test}: more than one verdict" for test in ours.repeated)]


def environment_of(case: Case, place: Workplace[Suite], temporary: str) -> dict[str, str]:
    variables = {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": temporary}
    return place.environment() | variables | case.variables


def folder_of(case: Case, place: Workplace[Suite]) -> Path:
    return place.folder / case.suite.folder


def run(
    command: list[str], *, cwd: Path, env: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end; standard error is kept apart for ours, whose output is JSON."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LIMIT,
        check=False,
    )


def told(one: Compared) -> str:
    """One line for the suite, and one for each difference."""
    tests = sum(one.counts.values())
    lines = [f"{one.case.name}: {tests:,} tests, {one.kills} kills, {one.killed} tests killed"]
    lines += [f"  DIFFERENT {line}" for line in one.differences[:50]]
    return "\n".join(lines)


def render(compared: list[Compared], *, about: str) -> str:
    """The passage for the page."""
    headers = ["suite", "host", "tests", "verdicts", *("own run", *WAYS), "kills", "different"]
    rows = [headers, ["---"] * len(headers)]
    for one in compared:
        counts = sorted(one.counts.items(), key=lambda item: -item[1])
        rows.append(
            [
                f"{one.case.suite.project} {one.case.suite.version}"
                if one.case.name != "mixed"
                else "a project with trial's and testtools' cases",
                one.case.ours[0].partition(":")[0],
                f"{sum(one.counts.values()):,}",
                ", ".join(f"{number:,} {status}" for status, number in counts),
                *(f"{one.seconds[way]:.1f} s" for way in ("own", *WAYS)),
                f"{one.kills}, {one.killed} in a test",
                str(len(one.differences)) if one.differences else "none",
            ]
        )
    lines = [
        f"- {one.case.name}: `{line[:300]}`" for one in compared for line in one.differences[:20]
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return "\n\n".join([about, table, *(["\n".join(lines)] if lines else [])])


def write_passage(page: Path, passage: str) -> None:
    """Replace what stands between this page's own markers."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page}: the lines {BEGIN} and {END} must stand in it")
    page.write_text(f"{before}{BEGIN}\n\n{passage}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    os.environ.pop("PYTEST_ADDOPTS", None)
    sys.exit(main())
