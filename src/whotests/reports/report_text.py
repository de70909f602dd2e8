"""The answer to `whotests report`, as text.

May import rich, types and query. Refuses to find anything out.
"""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from whotests.query.lines import ranges
from whotests.query.report import FileRow, Report
from whotests.reports.page import Grid, indented, notes, plain
from whotests.reports.words import percent, range_list, shown_path
from whotests.store.values import Run

__all__ = ["print_report"]

_GOOD: Final = 90.0
_FAIR: Final = 70.0
_NARROW: Final = 76
_NARROW_WITH_LINES: Final = 100


def print_report(
    console: Console, answer: Report, *, runs: Iterable[Run], show_missing: bool
) -> None:
    """Prints the answer, with the missing lines if `show_missing`."""
    # On a narrow terminal, the names and the missing lines have to stay readable.
    narrow = console.width < (_NARROW_WITH_LINES if show_missing else _NARROW)
    headers = {"file": "fold", "statements": "right", "missing": "right", "cover": "right"}
    if not narrow:
        headers |= {"tests": "right", "import only": "right"}
    if show_missing:
        headers["missing lines"] = "fold"
    table = Grid(headers)
    for row in answer.rows:
        cells = [
            _name(row),
            Text(f"{row.statements.bit_count():,}"),
            _quiet(row.missing.bit_count()),
            Text(percent(row.percent), style=_style(row.percent)),
        ]
        if not narrow:
            cells += [_quiet(row.tests), _quiet(row.import_only.bit_count())]
        if show_missing:
            missing = range_list(ranges(row.missing, among=row.statements))
            cells.append(Text(missing, style="" if row.imported else "dim"))
        table.add(*cells)
    total = [
        Text("total", style="bold"),
        Text(f"{answer.statements:,}", style="bold"),
        Text(f"{answer.missing:,}", style="bold"),
        Text(percent(answer.percent), style=f"bold {_style(answer.percent)}"),
    ]
    if not narrow:
        total += [
            Text(f"{answer.tests:,}", style="bold"),
            Text(f"{answer.import_only:,}", style="bold"),
        ]
    table.add(*total)
    table.print(console)
    if answer.unmeasured:
        plain(console)
        plain(console, Text("Not measured (counted nowhere above):", style="bold"))
        for file in answer.unmeasured:
            reason = f": {file.reason}" if file.reason else ""
            indented(console, f"{shown_path(file.path)}{reason}")
    notes(console, [row.stale for row in answer.rows if row.stale is not None], runs)


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
