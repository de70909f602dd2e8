"""The answer to `whotests report` as a table in Markdown, for pull requests and summaries.

May import types and query. Refuses to find anything out.
"""

import re

from whotests.query.lines import missing_parts
from whotests.query.numbers import Numbers
from whotests.query.report import Report
from whotests.reports.words import count, percent, shown_path

__all__ = ["report_markdown"]


def report_markdown(answer: Report, *, show_missing: bool, precision: int) -> str:
    """The table, and a line for what is not in it; ends with a line's end."""
    headers = ["file", "statements", "missing"]
    headers += ["branches", "partial"] if answer.branch else []
    headers += ["cover", "tests", "import only"]
    last = ["missing lines and branches" if answer.branch else "missing lines"]
    lines = [
        _row([*headers, *(last if show_missing else [])]),
        _row(["---", *["---:"] * (len(headers) - 1), *(["---"] if show_missing else [])]),
    ]
    for row in answer.rows:
        cells = [_escaped(shown_path(row.path)), *_cells(row.numbers, answer, precision)]
        cells += [f"{row.tests:,}", f"{row.import_only.bit_count():,}"]
        if show_missing:
            part = row.part
            missing = missing_parts(part.missing, among=part.statements, branches=part.missed)
            cells.append(", ".join(missing).replace(">", "\\>"))
        lines.append(_row(cells))
    total = ["total", *_cells(answer.total, answer, precision)]
    total += [f"{answer.tests:,}", f"{answer.import_only:,}"]
    lines.append(_row([*(f"**{cell}**" for cell in total), *([""] if show_missing else [])]))
    for number, why in (
        (answer.skipped_covered, "nothing of them is missing"),
        (answer.skipped_empty, "they have no statements"),
        (len(answer.unmeasured), "they were not measured"),
    ):
        if number:
            lines += ["", f"{count(number, 'file')} not listed: {why}."]
    return "\n".join(lines) + "\n"


def _cells(numbers: Numbers, answer: Report, precision: int) -> list[str]:
    cells = [numbers.statements, numbers.missing]
    cells += [numbers.branches, numbers.partial_branches] if answer.branch else []
    return [*(f"{cell:,}" for cell in cells), percent(numbers.percent, precision=precision)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    r"""A name as Markdown shows it: 'a\_b.py'."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", " ".join(text.split()))
