"""The answer to `whotests who`, as text.

May import rich, types and query. Refuses to find anything out.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from whotests.query.sources import SourceText, Staleness
from whotests.query.who import Asked, TestHit, Who
from whotests.reports.page import Grid, excerpt, indented, notes, plain
from whotests.reports.words import OUTCOME_STYLES, count, duration, joined, line_list, shown_path
from whotests.store.values import Run
from whotests.types import FileState, LineBits, lines_in

__all__ = ["print_who"]

_LONGEST_EXCERPT: Final = 12
_FEW: Final = 5
_SPARE: Final = ("phase", "time", "runs", "of it")
"""What a narrow terminal goes without, so that the names of tests can be read."""


def print_who(
    console: Console,
    answer: Who,
    *,
    texts: Mapping[int, SourceText | None],
    runs: Iterable[Run],
    limit: int | None,
    folder: Path | None = None,
) -> None:
    """Prints the answer; at most `limit` tests of each kind. `texts` is by file id.

    `folder` is where the commands have to be run, if that is not where the reader is.
    """
    for asked in answer.asked:
        _print_asked(console, asked, texts.get(asked.target.file.id))
    if answer.tests:
        verb = "ran it" if len(answer.asked) == 1 else "ran any of it"
        order = ", the most specific first" if len(answer.tests) > 1 else ""
        plain(console)
        plain(console, Text(f"{count(len(answer.tests), 'test')} {verb}{order}:", style="bold"))
        _print_tests(console, answer.tests, answer, limit)
    _print_importers(console, answer.importers, limit)
    _print_labels(console, answer)
    if answer.commands:
        plain(console)
        them = "them" if len(answer.tests) > 1 else "it"
        where = f", in {folder}" if folder is not None else ""
        plain(console, f"Run {them} again{where}:")
        for command in answer.commands:
            # Never folded: it is there to be pasted.
            console.print(f"  {command}", style="cyan", soft_wrap=True)
    notes(console, _unique_stale(answer.asked), runs)


def _print_asked(console: Console, asked: Asked, text: SourceText | None) -> None:
    target = asked.target
    file = target.file
    heading = Text(shown_path(file.path), style="bold")
    if target.units:
        heading.append(f"::{target.units[0].name}")
    if target.by_lines or target.units:
        same = target.first_line == target.last_line
        lines = f"{target.first_line}" + ("" if same else f"-{target.last_line}")
        heading.append(f":{lines}" if not target.units else f"  lines {lines}", style="not bold")
    if asked.stale is not None:
        heading.append("  stale", style="bold yellow")
    plain(console, heading)
    # Nothing of a file that is empty, or that could not be parsed.
    lines_asked = target.lines | asked.statements
    if text is not None and lines_asked and target.last_line - target.first_line < _LONGEST_EXCERPT:
        first, *_ = lines_in(lines_asked)
        shown = range(first, target.last_line + 1)
        excerpt(console, text, {line: _mark(asked, line) for line in shown})
    for sentence in _explained(asked):
        indented(console, sentence)


def _mark(asked: Asked, line: int) -> tuple[str, str]:
    bit = 1 << line
    if asked.tested & bit:
        return "+", "green"
    if asked.ran & bit:
        return "i", "yellow"
    if asked.statements & bit & ~asked.excluded:
        return "!", "bold red"
    return " ", "dim"


def _explained(asked: Asked) -> list[str]:
    """What the tests' table does not say by itself."""
    file = asked.target.file
    if file.state is FileState.NOT_MEASURED:
        reason = f": {file.reason}" if file.reason else ""
        return [f"It was not measured{reason}. So nothing is known of it."]
    if file.state is FileState.NOT_IMPORTED:
        return ["Nothing imported it: none of its lines ran."]
    if not asked.statements:
        return [_no_statement(asked)]
    sentences = []
    if asked.target.by_lines and asked.target.first_line == asked.target.last_line:
        (line,) = lines_in(asked.statements)
        if line != asked.target.first_line:
            sentences.append(f"Line {asked.target.first_line} belongs to the statement of {line}.")
    if asked.excluded == asked.statements:
        sentences.append("It is excluded from reports by a rule.")
    if not asked.ran:
        sentences.append("Nothing ran it.")
    elif not asked.tested:
        elsewhen = "" if asked.ran & ~asked.imported else ": it runs when the file is imported"
        sentences.append(f"No test runs it{elsewhen}.")
    missed = asked.statements & ~asked.ran & ~asked.excluded
    if missed and asked.ran and asked.target.by_lines | bool(asked.target.units):
        sentences.append(f"Nothing ran {_lines(missed)}.")
    sentences += _nearest(asked)
    return sentences


def _nearest(asked: Asked) -> list[str]:
    """Where to look instead: beside what did run, only lines that a test ran are news."""
    ran = "that a test ran" if asked.ran else "that ran"
    near = [
        f"{near.line} ({'at import' if near.at_import else count(near.tests, 'test')})"
        for near in asked.near
        if near.tests or not asked.ran
    ]
    noun = "line" if len(near) == 1 else "lines"
    return [f"The nearest {noun} {ran}: {joined(near)}."] if near else []


def _no_statement(asked: Asked) -> str:
    target = asked.target
    if target.by_lines and target.first_line == target.last_line:
        what = f"Line {target.first_line} is no statement"
    elif target.by_lines:
        what = f"Lines {target.first_line}-{target.last_line} hold no statement"
    else:
        what = "It holds no statement"
    nearest = [str(line) for line in asked.nearest_statements]
    if not nearest:
        return f"{what}, so nothing can run it."
    verb = "statement is" if len(nearest) == 1 else "statements are"
    return f"{what}, so nothing can run it; the nearest {verb} at {joined(nearest)}."


def _print_tests(console: Console, hits: Sequence[TestHit], answer: Who, limit: int | None) -> None:
    headers = {"test": "fold", "outcome": "left", "time": "right", "phase": "left", "runs": "right"}
    spans = len(answer.asked) > 1 or answer.asked[0].statements.bit_count() > 1
    if spans:
        headers |= {"of it": "left"}
    table = Grid(headers, spare=_SPARE)
    for hit in islice(hits, limit):
        phases = "+".join(hit.phases)
        table.add(
            hit.test.name,
            (hit.test.outcome.value, OUTCOME_STYLES[hit.test.outcome]),
            duration(hit.test.duration),
            (phases if hit.complete else f"{phases} (cut short)", "dim"),
            (count(hit.total_lines, "line"), "dim"),
            (_of_it(hit.lines) if spans else "", "dim"),
        )
    table.print(console)
    if limit is not None and len(hits) > limit:
        indented(console, f"... and {len(hits) - limit:,} more (--all lists them)", style="dim")


def _of_it(lines: Mapping[str, LineBits]) -> str:
    if len(lines) == 1:
        (bits,) = lines.values()
        listed = line_list(bits)
        return listed if len(listed) <= 24 else count(bits.bit_count(), "line")
    return count(sum(bits.bit_count() for bits in lines.values()), "line")


def _print_importers(console: Console, hits: Sequence[TestHit], limit: int | None) -> None:
    if not hits:
        return
    plain(console)
    plain(console, Text(f"{count(len(hits), 'test')} imported it:", style="bold"))
    few = len(hits) if limit is None else _FEW
    for hit in hits[:few]:
        indented(console, hit.test.name)
    if len(hits) > few:
        indented(console, f"... and {len(hits) - few:,} more (--all lists them)", style="dim")


def _print_labels(console: Console, answer: Who) -> None:
    # That module bodies run at import goes without saying.
    others = [hit.label for hit in answer.labels if not hit.at_import]
    if not others:
        return
    words = {"": "before or between tests", "import": "at import"}
    names = [words.get(label, f"under '{label}'") for label in others]
    also = " also" if answer.tests else ""
    plain(console)
    plain(console, f"It{also} ran {joined(names)}.")


def _unique_stale(asked: Iterable[Asked]) -> Iterable[Staleness]:
    return {one.stale.path: one.stale for one in asked if one.stale is not None}.values()


def _lines(bits: int) -> str:
    noun = "line" if bits.bit_count() == 1 else "lines"
    return f"{noun} {line_list(bits)}"
