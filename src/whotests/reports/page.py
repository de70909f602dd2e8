"""A page of text on a terminal or in a pipe: width, colour, excerpts, notes.

May import rich, types, query and the store's values. Refuses to know the questions.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from whotests.query.sources import SourceText, Staleness
from whotests.reports.words import joined, moment, shown_path
from whotests.store.values import Run
from whotests.types import RunStatus

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "Cell",
    "Grid",
    "branch_notes",
    "excerpt",
    "indented",
    "label_notes",
    "new_console",
    "notes",
    "plain",
]

Cell = Text | str | tuple[str, str]
"""What stands in a table: text, or a string and its style."""

_UNBOUNDED: Final = 10_000
_MANY: Final = 5
_LEAST: Final = 12
_ROOM_TO_FOLD: Final = 22
_READABLE: Final = 60
"""A name broken to this width, or wider, still reads well."""


def new_console() -> Console:
    """Standard output: as wide as the terminal, and in a pipe as wide as the longest line."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNBOUNDED
    return console


def plain(console: Console, text: Text | str = "", *, style: str = "") -> None:
    """One paragraph. In a pipe, lines are never folded."""
    console.print(text, style=style or None, soft_wrap=not console.is_terminal)


def indented(console: Console, text: Text | str, *, style: str = "", by: int = 2) -> None:
    """One paragraph, moved in."""
    body = text if isinstance(text, Text) else Text(text)
    if style:
        body.stylize(style)
    if console.is_terminal:
        from rich.padding import Padding

        console.print(Padding(body, (0, 0, 0, by), expand=False))
    else:
        console.print(Text(" " * by) + body, soft_wrap=True)


class Grid:
    """A table without lines: header -> 'left', 'right', or 'fold' for what takes the room left.

    `spare` are headers of columns that a terminal shows only if there is room, the first to
    go first.
    """

    def __init__(self, headers: Mapping[str, str], *, spare: Sequence[str] = ()) -> None:
        self.headers = headers
        self.spare = spare
        self.rows: list[Sequence[Cell]] = []

    def add(self, *cells: Cell) -> None:
        """One more row: cells beyond the headers are left out, cells that lack are empty."""
        missing = [""] * (len(self.headers) - len(cells))
        self.rows.append([*cells[: len(self.headers)], *missing])

    def print(self, console: Console) -> None:
        """On a terminal, 'fold' cells are broken to fit; in a pipe, every row is one line."""
        if console.is_terminal:
            console.print(self._fitted(console.width)._table(console.width))
            return
        # rich takes a millisecond a row, and has nothing to do here.
        texts = [list(self.headers), *(list(map(_plain, row)) for row in self.rows)]
        widths = [max(len(text[place]) for text in texts) for place in range(len(self.headers))]
        rights = [kind == "right" for kind in self.headers.values()]
        lines = []
        for text in texts:
            cells = [
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(text, widths, rights, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
        console.file.write("\n".join([*lines, ""]))

    def _fitted(self, room: int) -> "Grid":
        """This table without the spare columns that would make its first one hard to read."""
        first, *_ = self.headers
        widths = {
            header: min(width, _ROOM_TO_FOLD) if kind == "fold" and header != first else width
            for (header, kind), width in zip(
                self.headers.items(), self._natural_widths(), strict=True
            )
        }
        wanted = min(widths[first], _READABLE)
        for header in self.spare:
            left = room - sum(width + 2 for name, width in widths.items() if name != first)
            if left >= wanted:
                break
            widths.pop(header, None)
        if len(widths) == len(self.headers):
            return self
        places = [place for place, header in enumerate(self.headers) if header in widths]
        fitted = Grid({header: self.headers[header] for header in widths})
        for row in self.rows:
            fitted.add(*(row[place] for place in places))
        return fitted

    def _natural_widths(self) -> list[int]:
        return [
            max([len(header), *(cell_len(_plain(row[place])) for row in self.rows)])
            for place, header in enumerate(self.headers)
        ]

    def _widths(self, room: int) -> list[int]:
        """Of each column; 'fold' columns share what the others leave, the first takes first."""
        widths = self._natural_widths()
        folding = [place for place, kind in enumerate(self.headers.values()) if kind == "fold"]
        room -= sum(width + 2 for place, width in enumerate(widths) if place not in folding)
        for left, place in zip(range(len(folding) - 1, -1, -1), folding, strict=True):
            most = max(_LEAST, room - left * _ROOM_TO_FOLD)
            widths[place] = min(widths[place], most)
            room -= widths[place] + 2
        return widths

    def _table(self, room: int) -> "Table":
        from rich.table import Table

        table = Table(
            box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False
        )
        widths = self._widths(room)
        for (header, kind), width in zip(self.headers.items(), widths, strict=True):
            table.add_column(
                header,
                justify="right" if kind == "right" else "left",
                no_wrap=kind != "fold",
                overflow="fold" if kind == "fold" else "ellipsis",
                width=width,
            )
        for row in self.rows:
            table.add_row(*map(_text, row))
        return table


def _plain(cell: Cell) -> str:
    if isinstance(cell, Text):
        return cell.plain
    return cell if isinstance(cell, str) else cell[0]


def _text(cell: Cell) -> Text:
    if isinstance(cell, Text):
        return cell
    return Text(cell) if isinstance(cell, str) else Text(cell[0], style=cell[1])


def excerpt(
    console: Console,
    text: SourceText,
    marks: Mapping[int, tuple[str, str]],
    *,
    indent: int = 2,
    last_line: int = 0,
) -> None:
    """Lines of a source file: line number -> (a sign in front of it, the sign's style).

    Numbers are as wide as that of `last_line`, so that several excerpts stand in line.
    """
    width = len(str(max(last_line, *marks)))
    code = _highlighted(console, [text.line(line) for line in marks])
    previous = None
    for (line, (sign, style)), source in zip(marks.items(), code, strict=True):
        if previous is not None and line > previous + 1:
            indented(console, f"{'':>{width + 2}}...", style="dim", by=indent)
        previous = line
        gutter = Text(f"{sign or ' '} {line:>{width}} | ", style=style or "dim")
        row = Text.assemble(gutter, source)
        row.no_wrap = console.is_terminal
        row.overflow = "ellipsis"
        indented(console, row, by=indent)


def notes(
    console: Console,
    stale: Iterable[Staleness],
    runs: Iterable[Run],
    *,
    besides: Iterable[str] = (),
) -> None:
    """What to bear in mind: files that changed since, runs of which not all was recorded.

    `besides` are more such lines.
    """
    lines = [*_stale_notes(tuple(stale)), *_run_notes(runs), *besides]
    if lines:
        plain(console)
    for line in lines:
        plain(console, Text.assemble(("note: ", "bold yellow"), line))


def branch_notes(without: Iterable[Run]) -> list[str]:
    """What to bear in mind when these runs recorded no branches, while others did."""
    commands = list(dict.fromkeys(f"`{' '.join(run.command)}`" for run in without))
    if not commands:
        return []
    it = "it" if len(commands) == 1 else "they"
    return [
        f"branches: {joined(commands)} recorded none; what only {it} took counts as not taken. "
        "Run again with --branch."
    ]


def label_notes(runs: Iterable[Run]) -> list[str]:
    """What to bear in mind when figures are of runs under several contexts."""
    labels = sorted({run.label or "none" for run in runs})
    if len(labels) < 2:
        return []
    return [f"contexts: {joined(labels)} count together; --run asks one of them (`whotests runs`)."]


def _stale_notes(stale: Sequence[Staleness]) -> list[str]:
    lines = []
    for gone in (False, True):
        some = [one for one in stale if one.gone is gone]
        if not some:
            continue
        names = [shown_path(one.path) for one in some[:_MANY]]
        more = len(some) - len(names)
        if more:
            names.append(f"{more} more")
        when = moment(max(one.recorded for one in some))
        verb = ("is gone" if len(some) == 1 else "are gone") if gone else "changed since"
        of = some[0].digest.hex()[:8] if len(some) == 1 else ""
        version = f", version {of}" if of else ""
        lines.append(
            f"stale: {joined(names)} {verb}; this speaks of what was recorded "
            f"{when}{version}. Run again to bring it up to date."
        )
    return lines


def _run_notes(runs: Iterable[Run]) -> list[str]:
    lines = []
    for run in runs:
        if run.complete:
            continue
        command = " ".join(run.command)
        if run.killed:
            what = f"was killed; what it wrote until {moment(run.heartbeat)} is kept"
        elif run.status is RunStatus.RUNNING:
            what = "still runs; this is what it wrote so far"
        elif run.status is RunStatus.INTERRUPTED:
            what = "was interrupted; what ran is kept"
        else:
            what = "could not be recorded completely"
        reason = f" ({run.note})" if run.note else ""
        lines.append(f"incomplete: `{command}` of {moment(run.started)} {what}{reason}.")
    return lines


def _highlighted(console: Console, lines: Sequence[str]) -> list[Text]:
    """The lines of code in colour where there is colour, without their common indentation."""
    filled = [line.expandtabs() for line in lines]
    inset = min((len(s) - len(s.lstrip()) for s in filled if s.strip()), default=0)
    code = [line[inset:].rstrip() for line in filled]
    if not console.is_terminal or console.no_color or console.color_system is None:
        return [Text(line) for line in code]
    from rich.syntax import Syntax

    syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
    # Each line by itself, so that none spills over a gap: strings over several lines lose out.
    return [_one_line(syntax.highlight(line)) for line in code]


def _one_line(text: Text) -> Text:
    text.rstrip()
    return text
