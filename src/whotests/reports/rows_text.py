"""Rows of any columns as a table, CSV or JSON, written while they come.

May import rich and the standard library. Refuses to know what the rows mean.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import IO, Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from whotests.reports.page import Grid

__all__ = ["print_rows", "write_csv", "write_json"]

_AT_ONCE: Final = 1_000
"""So many rows are measured before the first one is written."""


_READABLE: Final = 16
"""A text that is broken to fewer columns than this reads badly."""


def print_rows(console: Console, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table under the columns' names: in a pipe each row is one line, whatever its width. On a
    terminal that is too narrow for all columns, each value has a line of its own."""
    remaining = iter(rows)
    first = list(islice(remaining, _AT_ONCE))
    headers = _headers(columns, first)
    if not console.is_terminal:
        _write_lines(console.file, headers, first, remaining)
        return
    fits = _least_width(headers, first) <= console.width
    while True:
        if fits:
            grid = Grid(headers)
            for row in first:
                grid.add(*map(_shown, row))
            grid.print(console)
        else:
            _print_records(console, headers, first)
        first = list(islice(remaining, _AT_ONCE))
        if not first:
            return


def _least_width(headers: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> int:
    """The room that a table takes when its texts are broken to what is still readable."""
    least = 0
    for place, (header, kind) in enumerate(headers.items()):
        widths = [cell_len(_shown(row[place])) for row in rows]
        widest = max([cell_len(header), *widths])
        least += 2 + (widest if kind == "right" else min(widest, _READABLE))
    return least - 2


def _print_records(
    console: Console, headers: Mapping[str, str], rows: Sequence[Sequence[Any]]
) -> None:
    """Each row below the other, each value on a line behind its column's name."""
    width = max(map(cell_len, headers))
    for row in rows:
        for header, value in zip(headers, row, strict=True):
            line = Text(f"{header.rstrip():<{width}}  ", style="dim")
            line.append(_shown(value), style="not dim")
            console.print(line, soft_wrap=True)
        console.print()


def _write_lines(
    out: IO[str],
    headers: Mapping[str, str],
    first: Sequence[Sequence[Any]],
    remaining: Iterable[Sequence[Any]],
) -> None:
    texts = [list(headers), *([_shown(value) for value in row] for row in first)]
    widths = [max(len(text[place]) for text in texts) for place in range(len(headers))]
    rights = [kind == "right" for kind in headers.values()]
    for text in chain(texts, ([_shown(value) for value in row] for row in remaining)):
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(text, widths, rights, strict=True)
        ]
        out.write("  ".join(cells).rstrip() + "\n")


def _headers(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, str]:
    """Header -> how the column is set; headers that occur twice are told apart by spaces."""
    headers: dict[str, str] = {}
    for place, column in enumerate(columns):
        header = " ".join(column.split())
        while header in headers:
            header += " "
        numbers = rows and all(isinstance(row[place], int | float | None) for row in rows)
        headers[header] = "right" if numbers else "fold"
    return headers


def _shown(value: Any) -> str:
    """A value on one line; NULL is shown as nothing."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return f"{value:.15g}"
    text = str(value)
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def write_csv(out: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """CSV (RFC 4180 with single line feeds): NULL is empty, bytes are hexadecimal."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(chain([columns], map(_plain, rows)))


def write_json(
    out: IO[str], head: Mapping[str, object], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """One JSON object: `head`, and the columns' names and the rows as arrays, a line each."""
    start = json.dumps({**head, "columns": list(columns)}, ensure_ascii=False)
    out.write(f'{start[:-1]}, "rows": [')
    separator = "\n"
    for row in map(_plain, rows):
        out.write(f"{separator}{json.dumps(row, ensure_ascii=False, allow_nan=False)}")
        separator = ",\n"
    out.write("\n]}\n" if separator != "\n" else "]}\n")


def _plain(row: Sequence[Any]) -> list[Any]:
    return [_value(value) for value in row]


def _value(value: Any) -> Any:
    """JSON has no infinity and no bytes."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value
