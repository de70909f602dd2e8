"""The answer to `whotests what`, as text.

May import rich, types, packing and query. Refuses to find anything out.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from rich.console import Console
from rich.text import Text

from whotests.packing.branches import Branch
from whotests.query.what import FileRan, UnitRan, What
from whotests.reports.page import excerpt, indented, notes, plain
from whotests.reports.words import (
    OUTCOME_STYLES,
    branch_name,
    count,
    duration,
    line_list,
    shown_path,
    test_name,
)
from whotests.store.values import Run
from whotests.types import lines_in

__all__ = ["print_what"]


def print_what(
    console: Console, answer: What, *, runs: Iterable[Run], source: bool, limit: int | None
) -> None:
    """Prints the answer, with excerpts if `source`; of many tests, the names of `limit`."""
    for test in islice(answer.tests, limit):
        line = Text(test_name(test, below_label=answer.several_labels), style="bold")
        line.append(f"  {test.outcome}", style=f"not bold {OUTCOME_STYLES[test.outcome]}")
        line.append(f"  {duration(test.duration)}", style="not bold dim")
        plain(console, line)
    if limit is not None and len(answer.tests) > limit:
        plain(console, f"... and {len(answer.tests) - limit:,} more", style="dim")
    plain(console, _summary(answer))
    for file in answer.files:
        if file.units:
            _print_file(console, file, source=source)
    imported = [file for file in answer.files if file.imported]
    if imported:
        plain(console)
        plain(console, Text("Imported meanwhile (counted nowhere above):", style="bold"))
        for file in imported:
            bits = file.imported.bit_count()
            indented(console, f"{shown_path(file.file.path)}  {count(bits, 'line')}")
    stale = {file.stale.path: file.stale for file in answer.files if file.stale is not None}
    notes(console, stale.values(), runs)


def _summary(answer: What) -> Text:
    verb = "ran" if len(answer.tests) > 1 else "It ran"
    subject = f"{count(len(answer.tests), 'test')} {verb}" if len(answer.tests) > 1 else verb
    files = sum(1 for file in answer.files if file.units)
    if not files:
        return Text(f"{subject} nothing that was measured.")
    text = Text(f"{subject} {count(answer.lines, 'line')} in {count(files, 'file')}; ")
    if answer.alone:
        text.append(f"{answer.alone:,} of them no other test runs", style="bold cyan")
        text.append(" (marked *).")
    else:
        text.append("other tests run all of them too.")
    branches = sum(len(_branches_alone(unit)) for file in answer.files for unit in file.units)
    if branches:
        also = " more" if answer.alone else ""
        text.append(f" {count(branches, 'branch', 'branches')}{also}", style="bold cyan")
        text.append(" no other test takes (marked *).")
    if not answer.complete:
        text.append(" The run ended before the test did: there may be more.", style="yellow")
    return text


def _branches_alone(ran: UnitRan) -> Sequence[Branch]:
    """Branches that no other test takes, of lines that others run; of other lines, all are so."""
    return [branch for branch in ran.branches_alone if not ran.alone >> branch[0] & 1]


def _print_file(console: Console, file: FileRan, *, source: bool) -> None:
    heading = Text(shown_path(file.file.path), style="bold")
    heading.append(f"  {_counted(file.lines.bit_count(), file.alone.bit_count())}", "not bold dim")
    if file.stale is not None:
        heading.append("  stale", style="bold yellow")
    plain(console)
    plain(console, heading)
    continued: dict[int, list[int]] = {}
    if source and file.text is not None:
        for line, first in file.text.first_lines().items():
            continued.setdefault(first, []).append(line)
    for unit in file.units:
        _print_unit(console, file, unit, continued, source=source)


def _print_unit(
    console: Console,
    file: FileRan,
    ran: UnitRan,
    continued: Mapping[int, Sequence[int]],
    *,
    source: bool,
) -> None:
    text = file.text if source else None
    heading = Text(ran.unit.name or "(module)", style="cyan")
    branches = [branch_name(*branch) for branch in _branches_alone(ran)]
    if text is None:
        heading.append(f"  {line_list(ran.lines)}", style="default")
        branches[:0] = [line_list(ran.alone)] if ran.alone else []
    if branches:
        heading.append(f"  * {', '.join(branches)}", style="bold cyan")
    indented(console, heading)
    if text is None:
        return
    marks: dict[int, tuple[str, str]] = {}
    for line in lines_in(ran.lines):
        alone = ran.alone >> line & 1
        marks[line] = ("*", "bold cyan") if alone else (" ", "dim")
        for more in continued.get(line, ()):
            if not ran.unit.first_line <= more <= ran.unit.last_line:
                continue
            marks.setdefault(more, (" ", "dim"))
    last = file.lines.bit_length() - 1
    excerpt(console, text, dict(sorted(marks.items())), indent=4, last_line=last)


def _counted(lines: int, alone: int) -> str:
    return count(lines, "line") + (f", {alone:,} run by no other test" if alone else "")
