"""The answer to `whotests who`, as text.

May import rich, types and query. Refuses to find anything out.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from whotests.query.forks import Way
from whotests.query.sources import SourceText, Staleness
from whotests.query.who import Asked, TestHit, Who
from whotests.reports.page import Cell, Grid, branch_notes, excerpt, indented, notes, plain
from whotests.reports.words import (
    OUTCOME_STYLES,
    branch_end,
    branch_name,
    count,
    duration,
    joined,
    line_list,
    shown_path,
    test_name,
)
from whotests.store.values import Run, labelled
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
        verb = "ran any of it"
        if len(answer.asked) == 1:
            verb = "ran it" if answer.asked[0].target.branch is None else "took it"
        order = ", the most specific first" if len(answer.tests) > 1 else ""
        plain(console)
        plain(console, Text(f"{count(len(answer.tests), 'test')} {verb}{order}:", style="bold"))
        _print_tests(console, answer.tests, answer, limit)
    _print_importers(console, answer, limit)
    _print_labels(console, answer)
    if answer.commands:
        plain(console)
        them = "them" if len(answer.tests) > 1 else "it"
        where = f", in {folder}" if folder is not None else ""
        plain(console, f"Run {them} again{where}:")
        for command in answer.commands:
            # Never folded: it is there to be pasted.
            console.print(f"  {command}", style="cyan", soft_wrap=True)
    runs = tuple(runs)
    forks = any(asked.ways or asked.missed for asked in answer.asked)
    without = [run for run in runs if not run.branch] if forks else ()
    notes(console, _unique_stale(answer.asked), runs, besides=branch_notes(without))


def _print_asked(console: Console, asked: Asked, text: SourceText | None) -> None:
    target = asked.target
    file = target.file
    heading = Text(shown_path(file.path), style="bold")
    if target.units:
        heading.append(f"::{target.units[0].name}")
    if target.by_lines or target.units:
        same = target.first_line == target.last_line
        lines = f"{target.first_line}" + ("" if same else f"-{target.last_line}")
        if target.branch is not None:
            lines += f"->{branch_end(target.branch)}"
        heading.append(f":{lines}" if not target.units else f"  lines {lines}", style="not bold")
    if asked.stale is not None:
        heading.append("  stale", style="bold yellow")
    plain(console, heading)
    # Nothing of a file that is empty, or that could not be parsed.
    lines_asked = target.lines | asked.statements
    if text is not None and lines_asked and target.last_line - target.first_line < _LONGEST_EXCERPT:
        first, *_ = lines_in(lines_asked)
        shown = {*range(first, target.last_line + 1)}
        if target.branch is not None and target.branch > 0:
            shown.add(target.branch)
        excerpt(console, text, {line: _mark(asked, line) for line in sorted(shown)})
    if target.branch is None:
        _print_ways(console, asked)
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


def _print_ways(console: Console, asked: Asked) -> None:
    """The branches of a line, as targets to ask about, and what takes them."""
    if not asked.ran or not asked.ways:
        return
    (line,) = lines_in(asked.statements)
    names = [branch_name(line, way.end) for way in asked.ways]
    width = max(map(len, names), default=0)
    for name, way in zip(names, asked.ways, strict=True):
        words, style = _taken(way, partial=asked.partial)
        indented(console, Text.assemble(f"{name:<{width}}  ", (words, style)), by=4)


def _taken(way: Way, *, partial: bool) -> tuple[str, str]:
    """Who takes a branch, in words and their style."""
    excuse = "a rule excludes it" if way.excluded else "a rule excuses it" if partial else ""
    if way.tests:
        return count(way.tests, "test"), "green"
    if way.taken:
        return "no test", "yellow"
    return (f"nothing ({excuse})", "dim") if excuse else ("nothing", "bold red")


def _explained(asked: Asked) -> list[str]:
    """What the tests' table does not say by itself."""
    file = asked.target.file
    if file.state is FileState.NOT_MEASURED:
        reason = f": {file.reason}" if file.reason else ""
        if asked.ran:
            return [f"What else it could run is not known{reason}."]
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
    if asked.target.branch is not None:
        return sentences + _branch_explained(asked)
    if not asked.ran:
        sentences.append("Nothing ran it.")
    elif not asked.tested:
        elsewhen = "" if asked.ran & ~asked.imported else ": it runs when the file is imported"
        sentences.append(f"No test runs it{elsewhen}.")
    missed = asked.statements & ~asked.ran & ~asked.excluded
    if missed and asked.ran and asked.target.by_lines | bool(asked.target.units):
        sentences.append(f"Nothing ran {_lines(missed)}.")
    # A branch to a line that nothing ran has been told by that.
    branches = [
        branch_name(line, end)
        for line, end in asked.missed
        if asked.ran >> line & 1 and not (end > 0 and missed >> end & 1)
    ]
    if branches and asked.target.by_lines | bool(asked.target.units):
        sentences.append(f"Nothing took {', '.join(branches)}.")
    sentences += _nearest(asked)
    return sentences


def _branch_explained(asked: Asked) -> list[str]:
    sentences = []
    if not asked.ran:
        sentences.append("Nothing takes it.")
    elif not asked.tested:
        sentences.append("No test takes it, only what runs outside of tests.")
    if not asked.ran and asked.partial:
        sentences.append("A rule excuses it.")
    for near in asked.near:
        tests = count(near.tests, "test")
        many = near.tests > 1
        who = tests if near.tests else "Importing the file"
        runs, goes = ("run", "go") if many else ("runs", "goes")
        sentences.append(f"{who} {runs} line {near.line} and {goes} elsewhere.")
    if not asked.near and not asked.tested:
        sentences.append(f"Nothing ran line {asked.target.first_line} either.")
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
    (first, *others) = answer.asked
    forks = not others and first.ways and first.target.branch is None
    if forks:
        headers |= {"goes to": "left"}
    table = Grid(headers, spare=_SPARE)
    for hit in islice(hits, limit):
        phases = "+".join(hit.phases)
        cells: list[Cell] = [
            test_name(hit.test, below_label=answer.several_labels),
            (hit.test.outcome.value, OUTCOME_STYLES[hit.test.outcome]),
            duration(hit.test.duration),
            (phases if hit.complete else f"{phases} (cut short)", "dim"),
            (count(hit.total_lines, "line"), "dim"),
        ]
        if spans:
            cells.append((_of_it(hit.lines), "dim"))
        if forks:
            cells.append((_ends(hit), "dim"))
        table.add(*cells)
    table.print(console)
    if limit is not None and len(hits) > limit:
        indented(console, f"... and {len(hits) - limit:,} more (--all lists them)", style="dim")


def _ends(hit: TestHit) -> str:
    """Where the branches of the one line asked for led, those out of the unit last."""
    ends = {end for branches in hit.branches.values() for _, end in branches}
    return ", ".join(branch_end(end) for end in sorted(ends, key=lambda end: (end < 0, end)))


def _of_it(lines: Mapping[str, LineBits]) -> str:
    if len(lines) == 1:
        (bits,) = lines.values()
        listed = line_list(bits)
        return listed if len(listed) <= 24 else count(bits.bit_count(), "line")
    return count(sum(bits.bit_count() for bits in lines.values()), "line")


def _print_importers(console: Console, answer: Who, limit: int | None) -> None:
    hits = answer.importers
    if not hits:
        return
    plain(console)
    plain(console, Text(f"{count(len(hits), 'test')} imported it:", style="bold"))
    few = len(hits) if limit is None else _FEW
    for hit in hits[:few]:
        indented(console, test_name(hit.test, below_label=answer.several_labels))
    if len(hits) > few:
        indented(console, f"... and {len(hits) - few:,} more (--all lists them)", style="dim")


def _print_labels(console: Console, answer: Who) -> None:
    # That module bodies run at import goes without saying.
    others = [hit for hit in answer.labels if not hit.at_import]
    if not others:
        return
    words = {"": "before or between tests", "import": "at import"}
    named = [
        words.get(hit.label)
        or f"under '{labelled(hit.run_label, hit.label) if answer.several_labels else hit.label}'"
        for hit in others
    ]
    names = list(dict.fromkeys(named))
    also = " also" if answer.tests else ""
    plain(console)
    plain(console, f"It{also} ran {joined(names)}.")


def _unique_stale(asked: Iterable[Asked]) -> Iterable[Staleness]:
    return {one.stale.path: one.stale for one in asked if one.stale is not None}.values()


def _lines(bits: int) -> str:
    noun = "line" if bits.bit_count() == 1 else "lines"
    return f"{noun} {line_list(bits)}"
