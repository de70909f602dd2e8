"""coverage.py's JSON, format 3: what ran of each file, function and class, and in which contexts.

May import query and what is below. Refuses to read any.
A region has the contexts of its own lines; `coverage json` repeats those of the whole file there.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from whotests import __version__
from whotests.formats.counted import CountedFile, CountedRegion, counted_files
from whotests.formats.coverage_contexts import MEANINGS, context_name, unclear
from whotests.formats.coverage_json_reading import FORMAT_VERSION, read_coverage_json
from whotests.formats.exporting import Export
from whotests.formats.registry import Format
from whotests.query.facts import key_of
from whotests.query.lines import shown_percent
from whotests.query.numbers import Numbers, Part
from whotests.types import UnitKind, lines_in

__all__ = ["FORMAT"]

_Object = dict[str, object]
_Contexts = dict[int, list[str]]


def write_coverage_json(export: Export, path: Path) -> tuple[str, ...]:
    """Writes the document, and tells what it could not hold."""
    contexts = export.contexts is not False
    total = Numbers()
    unknown = 0
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f'{{"meta": {json.dumps(_meta(export, contexts))}, "files": {{')
        for place, file in enumerate(counted_files(export)):
            total += file.part.numbers
            unknown += file.units is None
            separator = ", " if place else ""
            shown = json.dumps(_file(file, branch=export.branch, contexts=contexts))
            out.write(f"{separator}{json.dumps(file.path)}: {shown}")
        out.write(f'}}, "totals": {json.dumps(_summary(total, branch=export.branch))}}}')
    return tuple(_unsaid(export, contexts=contexts, unknown=unknown))


def _unsaid(export: Export, *, contexts: bool, unknown: int) -> Iterator[str]:
    yield "coverage.py's JSON holds no outcomes and durations of tests"
    if not contexts:
        yield "contexts are left out, as was asked for"
    if export.branch:
        yield "it says which branches were taken, not in which contexts"
    if unknown:
        yield (
            f"the functions and classes of {unknown} files are left out: nothing imported them, "
            "and the disk has another text of them than was recorded"
        )


def _meta(export: Export, contexts: bool) -> _Object:
    meta: _Object = {
        "format": FORMAT_VERSION,
        "version": f"whotests {__version__}",
        "timestamp": datetime.fromtimestamp(export.now).isoformat(),
        "branch_coverage": export.branch,
        "show_contexts": contexts,
    }
    if contexts and (meanings := unclear({key_of(each) for each in export.reader.contexts()})):
        meta[MEANINGS] = meanings
    return meta


def _file(file: CountedFile, *, branch: bool, contexts: bool) -> _Object:
    named = _contexts(file) if contexts else None
    shown = _part(file.part, branch=branch, contexts=named)
    if file.units is not None:
        for title, kind in (("functions", UnitKind.FUNCTION), ("classes", UnitKind.CLASS)):
            shown[title] = _regions(file.regions(kind), branch=branch, contexts=named)
    return shown


def _regions(
    regions: Sequence[CountedRegion], *, branch: bool, contexts: _Contexts | None
) -> _Object:
    shown: _Object = {}
    # Of several regions of one name, the first that has statements keeps it.
    with_statements = {region.name for region in regions if region.part.statements}
    *inside, outside = regions
    for region in sorted(inside, key=lambda region: region.start):
        name = region.name
        if name in shown or (name in with_statements and not region.part.statements):
            name = f"{name}@{region.start}"
        shown[name] = _region(region, branch=branch, contexts=contexts)
    shown[""] = _region(outside, branch=branch, contexts=contexts)
    return shown


def _region(region: CountedRegion, *, branch: bool, contexts: _Contexts | None) -> _Object:
    lines = region.region.lines
    named = None
    if contexts is not None:
        named = {line: names for line, names in contexts.items() if lines >> line & 1}
    return {
        **_part(region.part, branch=branch, contexts=named),
        "start_line": region.start,
    }


def _part(part: Part, *, branch: bool, contexts: _Contexts | None) -> _Object:
    shown: _Object = {
        "executed_lines": list(lines_in(part.statements & ~part.missing)),
        "summary": _summary(part.numbers, branch=branch),
        "missing_lines": list(lines_in(part.missing)),
        "excluded_lines": list(lines_in(part.excluded)),
    }
    if contexts is not None:
        shown["contexts"] = contexts
    if branch:
        shown["executed_branches"] = part.taken
        shown["missing_branches"] = part.missed
    return shown


def _contexts(file: CountedFile) -> _Contexts:
    """Line -> the names of the contexts that ran it."""
    found: _Contexts = {}
    for key, ran in file.facts.contexts.items():
        name = context_name(key)
        for line in lines_in(ran.lines):
            found.setdefault(line, []).append(name)
    return dict(sorted(found.items()))


def _summary(numbers: Numbers, *, branch: bool) -> _Object:
    ran = numbers.statements - numbers.missing
    summary: _Object = {
        "covered_lines": ran,
        "num_statements": numbers.statements,
        **_percent("covered", numbers.percent),
        "missing_lines": numbers.missing,
        "excluded_lines": numbers.excluded,
        **_percent("statements_covered", _share(ran, numbers.statements)),
    }
    if branch:
        taken = numbers.branches - numbers.missing_branches
        summary |= {
            "num_branches": numbers.branches,
            "num_partial_branches": numbers.partial_branches,
            "covered_branches": taken,
            "missing_branches": numbers.missing_branches,
            **_percent("branches_covered", _share(taken, numbers.branches)),
        }
    return summary


def _percent(of: str, percent: float) -> _Object:
    return {f"percent_{of}": percent, f"percent_{of}_display": shown_percent(percent)}


def _share(some: int, of_all: int) -> float:
    return 100.0 * some / of_all if of_all else 100.0


def _is_coverage_json(head: bytes) -> bool:
    words: Iterable[bytes] = (b'"meta"', b'"files"', b'"totals"')
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and any(
        word in head for word in words
    )


FORMAT: Final = Format(
    name="coverage-json",
    title="coverage.py's JSON",
    file_name="coverage.json",
    recognises=_is_coverage_json,
    write=write_coverage_json,
    read=read_coverage_json,
)
