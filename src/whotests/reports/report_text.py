"""The answer to `whotests report`, as text.

May import rich, types and query. Refuses to find anything out.
"""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from whotests.query.lines import missing_parts
from whotests.query.numbers import Numbers
from whotests.query.report import FileRow, Report
from whotests.reports.page import Grid, branch_notes, indented, label_notes, notes, plain
from whotests.reports.words import count, percent, shown_path
from whotests.store.values import Run

__all__ = ["print_report"]

_GOOD: Final = 90.0
_FAIR: Final = 70.0
_NARROW: Final = 76
_ROOM_OF_BRANCHES: Final = 18
_ROOM_OF_LINES: Final = 24


def print_report(
    console: Console,
    answer: Report,
    *,
    runs: Iterable[Run],
    show_missing: bool,
    precision: int = 0,
) -> None:
    """Prints the answer, with what is missing if `show_missing`."""
    # On a narrow terminal, the names and the missing lines have to stay readable.
    room = _NARROW + show_missing * _ROOM_OF_LINES + answer.branch * _ROOM_OF_BRANCHES
    narrow = console.width < room
    headers = {"file": "fold", "statements": "right", "missing": "right"}
    if answer.branch:
        headers |= {"branches": "right", "partial": "right"}
    headers["cover"] = "right"
    if not narrow:
        headers |= {"tests": "right", "import only": "right"}
    if show_missing:
        headers["missing lines and branches" if answer.branch else "missing lines"] = "fold"
    table = Grid(headers)
    for row in answer.rows:
        cells = [_name(row), *_numbers(row.numbers, answer, precision)]
        if not narrow:
            cells += [_quiet(row.tests), _quiet(row.import_only.bit_count())]
        if show_missing:
            part = row.part
            missing = missing_parts(part.missing, among=part.statements, branches=part.missed)
            cells.append(Text(", ".join(missing), style="" if row.imported else "dim"))
        table.add(*cells)
    total = [Text("total"), *_numbers(answer.total, answer, precision)]
    if not narrow:
        total += [Text(f"{answer.tests:,}"), Text(f"{answer.import_only:,}")]
    for cell in total:
        cell.stylize("bold")
    table.add(*total)
    table.print(console)
    if answer.unmeasured:
        plain(console)
        plain(console, Text("Not measured (counted nowhere above):", style="bold"))
        for file in answer.unmeasured:
            reason = f": {file.reason}" if file.reason else ""
            indented(console, f"{shown_path(file.path)}{reason}")
    stale = [row.stale for row in answer.rows if row.stale is not None]
    runs = tuple(runs)
    notes(console, stale, runs, besides=[*label_notes(runs), *_counting_notes(answer)])


def _numbers(numbers: Numbers, answer: Report, precision: int) -> list[Text]:
    cells = [Text(f"{numbers.statements:,}"), _quiet(numbers.missing)]
    if answer.branch:
        cells += [_quiet(numbers.branches), _quiet(numbers.partial_branches)]
    shown = percent(numbers.percent, precision=precision)
    return [*cells, Text(shown, style=_style(numbers.percent))]


def _counting_notes(answer: Report) -> list[str]:
    lines = branch_notes(answer.without_branches)
    skipped = (
        (answer.skipped_covered, "because nothing of them is missing"),
        (answer.skipped_empty, "because they have no statements"),
    )
    for number, why in skipped:
        if number:
            lines.append(f"not listed: {count(number, 'file')}, {why}; the total has them.")
    if not (answer.rows or answer.skipped_covered or answer.skipped_empty):
        lines.append(
            "nothing: no file is counted; record a run of your tests, or name what they import "
            "with --source PATH|PACKAGE."
        )
    if answer.rules_kept:
        kept = len(answer.rules_kept)
        which = shown_path(answer.rules_kept[0]) if kept == 1 else count(kept, "file")
        lines.append(
            f"rules: the project excludes other lines than when {which} was recorded, and the "
            "text has changed since; there, the recorded rules are used."
        )
    return lines


def _name(row: FileRow) -> Text:
    name = Text(shown_path(row.path))
    if not row.imported:
        name.append("  not imported", style="yellow")
    if row.stale is not None:
        name.append("  stale", style="bold yellow")
    return name


def _quiet(number: int) -> Text:
    return Text(f"{number:,}", style="" if number else "dim")


def _style(number: float) -> str:
    if number >= _GOOD:
        return "green"
    return "yellow" if number >= _FAIR else "red"
