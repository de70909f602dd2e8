"""The answer to `whotests runs`, as text.

May import rich, types and query. Refuses to find anything out.
"""

from rich.console import Console

from whotests.query.runs import KeptRun, Runs
from whotests.reports.page import Cell, Grid, plain
from whotests.reports.status_text import length_of, state_of
from whotests.reports.words import age, count, duration, moment, outcome_counts

__all__ = ["print_runs"]

_SPARE = ("took", "age", "status", "began", "context")
"""What a narrow terminal goes without, so that names and commands can be read."""


def print_runs(console: Console, answer: Runs, *, now: float) -> None:
    """Prints the answer; `now` (seconds since the epoch) is what ages are counted from."""
    headers = {"run": "right", "name": "left", "context": "left", "generation": "left"}
    headers |= {"began": "left", "age": "left", "took": "right", "status": "left"}
    headers |= {"tests": "left", "command": "fold"}
    unused = [
        header
        for header, used in (
            ("name", any(kept.run.name for kept in answer.kept)),
            ("context", any(kept.run.label for kept in answer.kept)),
        )
        if not used
    ]
    table = Grid(
        {header: kind for header, kind in headers.items() if header not in unused}, spare=_SPARE
    )
    for kept in answer.kept:
        cells = dict(zip(headers, _cells(kept, now=now), strict=True))
        table.add(*(cell for header, cell in cells.items() if header not in unused))
    table.print(console)
    if answer.past:
        plain(console)
        plain(
            console,
            f"How tests ended in {count(answer.past, 'past run')} is known, too: "
            "`whotests history`.",
            style="dim",
        )
    if any(not kept.asked for kept in answer.kept):
        plain(console)
        plain(
            console,
            "* is what commands speak of. --run N or --run NAME asks others, and --run NAME~1 "
            "the generation before.",
            style="dim",
        )


def _cells(kept: KeptRun, *, now: float) -> list[Cell]:
    run = kept.run
    return [
        (f"{'* ' if kept.asked else ''}{run.id}", "bold" if kept.asked else ""),
        run.name or ("-", "dim"),
        run.label or ("-", "dim"),
        ("current", "green") if not kept.generation else f"~{kept.generation}",
        moment(run.started),
        (age(now - run.started), "dim"),
        duration(length_of(run, now=now)),
        (state_of(run), "green" if run.complete else "bold yellow"),
        outcome_counts(kept.outcomes),
        (" ".join(run.command), "dim"),
    ]
