"""The answer to `whotests status`, as text.

May import rich, types and query. Refuses to find anything out.
"""

from rich.console import Console
from rich.text import Text

from whotests.query.status import RunRow, Status
from whotests.reports.page import indented, plain
from whotests.reports.words import (
    OUTCOME_STYLES,
    age,
    count,
    duration,
    joined,
    moment,
    shown_path,
    size,
)
from whotests.store.values import Run
from whotests.types import FileState, RunStatus

__all__ = ["length_of", "print_status", "state_of"]

_MANY = 20


def print_status(console: Console, answer: Status, *, now: float) -> None:
    """Prints the answer; `now` (seconds since the epoch) is what ages are counted from."""
    paths = [str(path) for path in answer.paths]
    named = paths[0] if len(paths) == 1 else f"{count(len(paths), 'data file')} asked as one"
    plain(console, Text.assemble((named, "bold"), f"  {size(answer.size)}"))
    for path in paths[:_MANY] if len(paths) > 1 else ():
        indented(console, path)
    if len(paths) > _MANY:
        indented(console, f"... and {len(paths) - _MANY:,} more", style="dim")
    plain(
        console,
        f"{count(len(answer.runs), 'run')}, {count(answer.tests, 'test')}, "
        f"{count(answer.contexts, 'context')}, {count(sum(answer.files.values()), 'file')}"
        f"{_states(answer)}",
    )
    labels = [label for label in answer.labels if label not in ("", "import")]
    if labels:
        plain(console, f"contexts of your own: {joined(labels)}")
    for row in answer.runs:
        _print_run(console, row, now=now)
    if answer.other_runs:
        plain(console)
        are = "is" if answer.other_runs == 1 else "are"
        plain(console, f"{count(answer.other_runs, 'more run')} {are} kept; see `whotests runs`.")
    if not answer.stale:
        if answer.files:
            plain(console)
            plain(console, "All files are as they were recorded.", style="green")
        return
    plain(console)
    verb = "is not what it was" if len(answer.stale) == 1 else "are not what they were"
    plain(
        console,
        Text.assemble(
            ("stale: ", "bold yellow"),
            f"{count(len(answer.stale), 'file')} {verb} when recorded:",
        ),
    )
    for one in answer.stale[:_MANY]:
        gone = "gone, " if one.gone else ""
        indented(console, f"{shown_path(one.path)}  ({gone}recorded {moment(one.recorded)})")
    if len(answer.stale) > _MANY:
        indented(console, f"... and {len(answer.stale) - _MANY:,} more", style="dim")


def _states(answer: Status) -> str:
    others = [
        f"{number:,} {state}"
        for state, number in answer.files.items()
        if state is not FileState.MEASURED
    ]
    return f" ({joined(others)})" if others else ""


def _print_run(console: Console, row: RunRow, *, now: float) -> None:
    run = row.run
    plain(console)
    heading = Text(f"{run.name}: " if run.name else "", style="bold cyan")
    heading.append(" ".join(run.command), style="bold default")
    if run.label:
        heading.append(f"  [{run.label}]", style="not bold cyan")
    plain(console, heading)
    state = Text.assemble(
        (state_of(run), "green" if run.complete else "bold yellow"),
        f"  {moment(run.started)} ({age(now - run.started)}), "
        f"took {duration(length_of(run, now=now))}",
    )
    if run.branch:
        state.append(", with branches")
    if run.exit_status is not None:
        state.append(f", exit status {run.exit_status}")
    indented(console, state)
    indented(console, f"{run.python} on {run.platform}, {run.host}, in {run.root}", style="dim")
    if row.outcomes:
        tests = Text(f"{count(row.tests, 'test')}: ")
        for place, (outcome, number) in enumerate(row.outcomes.items()):
            tests.append(", " if place else "")
            tests.append(f"{number:,} {outcome}", style=OUTCOME_STYLES[outcome])
        indented(console, tests)
    if run.note:
        indented(console, run.note, style="yellow")


def length_of(run: Run, *, now: float) -> float:
    """How many seconds a run took; so far, if it goes on."""
    going_on = run.status is RunStatus.RUNNING and not run.killed
    last = now if going_on else run.heartbeat if run.ended is None else run.ended
    return max(0.0, last - run.started)


def state_of(run: Run) -> str:
    """How far the run came, in one word; a dead run that never said so was 'killed'."""
    return "killed" if run.killed else RunStatus(run.status).value
