"""The answer to `whotests history`, as text.

May import rich, types and query. Refuses to find anything out.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console

from whotests.query.history import Flaky, History, Slower
from whotests.reports.page import Cell, Grid, plain
from whotests.reports.words import age, count, duration, moment
from whotests.store.series import Entry, Series
from whotests.types import Outcome

__all__ = ["print_history"]

_SIGNS: Final = {
    Outcome.PASSED: ".",
    Outcome.FAILED: "F",
    Outcome.ERROR: "E",
    Outcome.SKIPPED: "s",
    Outcome.EXPECTED_FAILURE: "x",
    Outcome.UNEXPECTED_SUCCESS: "X",
    Outcome.UNKNOWN: "?",
}
_STYLES: Final = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.ERROR: "bold red",
    Outcome.UNEXPECTED_SUCCESS: "bold red",
}
_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40
"""Runs of which signs and bars are shown, the newest last."""

_ROWS: Final = 30
"""Runs in a table."""

_LISTED: Final = 30
"""Tests in a list, where all of them were asked for."""


def print_history(console: Console, answer: History, *, now: float, everything: bool) -> None:
    """Prints the answer; `now` (seconds since the epoch) is what ages are counted from.
    `everything`: lists are not cut off."""
    runs = answer.told.runs
    if answer.asked:
        for place, series in enumerate(answer.asked if everything else answer.asked[:_LISTED]):
            if place:
                plain(console)
            _print_test(console, series, answer, now=now, everything=everything)
        _print_more(console, len(answer.asked), everything)
        return
    kept = sum(run.kept is not None for run in runs)
    since = f", since {moment(runs[0].started)}" if runs else ""
    tests = count(len(answer.told.series), "test")
    plain(
        console,
        f"{tests} in {count(len(runs), 'run')}{since}: {kept:,} with all that tests ran, "
        f"{len(runs) - kept:,} with how they ended",
    )
    plain(console)
    if answer.flaky:
        plain(console, "flaky: passed and failed with the same code", style="bold")
        _print_flaky(console, _cut(answer.flaky, everything), now=now)
        _print_more(console, len(answer.flaky), everything)
    else:
        plain(console, "flaky: none; no test ended differently with the same code")
    plain(console)
    if answer.slower:
        plain(console, "slower: medians of the last 3 runs, and of those before", style="bold")
        _print_slower(console, _cut(answer.slower, everything))
        _print_more(console, len(answer.slower), everything)
    else:
        plain(console, "slower: none; no test takes much longer than it did")


def _cut(rows: Sequence[Flaky] | Sequence[Slower], everything: bool) -> Sequence[object]:
    return rows if everything else rows[:_LISTED]


def _print_more(console: Console, number: int, everything: bool) -> None:
    if number > _LISTED and not everything:
        plain(console, f"and {number - _LISTED:,} more; --all lists them", style="dim")


def _print_flaky(console: Console, rows: Iterable[object], *, now: float) -> None:
    table = Grid(
        {"test": "fold", "flips": "right", "failed": "left", "last": "left", "outcomes": "left"},
        spare=("last", "outcomes"),
    )
    for row in rows:
        assert isinstance(row, Flaky)
        table.add(
            row.series.title,
            (f"{row.flips:,}", "bold red"),
            f"{row.failed:,} of {row.ran:,}",
            (age(now - row.last.started), "dim"),
            signs(row.series.entries),
        )
    table.print(console)


def _print_slower(console: Console, rows: Iterable[object]) -> None:
    table = Grid(
        {"test": "fold", "before": "right", "now": "right", "times": "right", "durations": "left"},
        spare=("durations",),
    )
    for row in rows:
        assert isinstance(row, Slower)
        table.add(
            row.series.title,
            duration(row.before),
            (duration(row.now), "bold yellow"),
            f"{row.times:.1f}",
            bars(row.series.entries),
        )
    table.print(console)


def _print_test(
    console: Console, series: Series, answer: History, *, now: float, everything: bool
) -> None:
    plain(console, series.title, style="bold")
    entries = series.entries
    plain(console, f"outcomes   {signs(entries)}")
    plain(console, f"durations  {bars(entries)}")
    for flaky in answer.flaky:
        if flaky.series is series:
            plain(
                console,
                f"flaky: {count(flaky.flips, 'flip')} with the same code, "
                f"failed in {flaky.failed:,} of {count(flaky.ran, 'run')} of such code",
                style="bold red",
            )
    for slow in answer.slower:
        if slow.series is series:
            plain(
                console,
                f"slower: {duration(slow.now)} instead of {duration(slow.before)}, "
                f"{slow.times:.1f} times as long",
                style="bold yellow",
            )
    table = Grid(
        {
            "began": "left",
            "age": "left",
            "outcome": "left",
            "took": "right",
            "code": "right",
            "run": "right",
        },
        spare=("age",),
    )
    shown = entries if everything else entries[-_ROWS:]
    for run, outcome, seconds, code in reversed(shown):
        cells: list[Cell] = [
            moment(run.started),
            (age(now - run.started), "dim"),
            (outcome.value, _STYLES.get(outcome, "")),
            duration(seconds),
            ("-", "dim") if code is None else f"{code}",
            ("-", "dim") if run.kept is None else f"{run.kept}",
        ]
        table.add(*cells)
    table.print(console)
    if len(shown) < len(entries):
        plain(
            console,
            f"and {count(len(entries) - len(shown), 'older run')}; --all lists them",
            style="dim",
        )


def signs(entries: Sequence[Entry]) -> str:
    """A sign for the outcome of each of the last runs, the newest last: '..F.'."""
    return "".join(_SIGNS[entry.outcome] for entry in entries[-_WIDTH:])


def bars(entries: Sequence[Entry]) -> str:
    """A bar for the duration of each of the last runs, the newest last; ' ' where unknown. The
    highest one is the longest of them, the lowest any time below an eighth of that."""
    shown = [entry.duration for entry in entries[-_WIDTH:]]
    longest = max((seconds for seconds in shown if seconds), default=0.0)
    return "".join(_bar(seconds, longest) for seconds in shown)


def _bar(seconds: float | None, longest: float) -> str:
    if seconds is None or not longest:
        return " "
    return _BARS[min(int(seconds / longest * len(_BARS)), len(_BARS) - 1)]
