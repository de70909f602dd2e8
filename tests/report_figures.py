"""The figures of `whotests report --json` beside those of `coverage json`.

    python tests/report_figures.py OURS.json THEIRS.json

says where they differ.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["differences"]

_Object = Mapping[str, Any]

COUNTS = {
    "statements": "num_statements",
    "missing": "missing_lines",
    "excluded": "excluded_lines",
    "percent": "percent_covered",
    "branches": "num_branches",
    "branches_partial": "num_partial_branches",
    "branches_missing": "missing_branches",
}
"""Ours -> coverage.py's, of its summaries."""

LISTS = {
    "run_lines": "executed_lines",
    "missing_lines": "missing_lines",
    "excluded_lines": "excluded_lines",
    "taken_branches": "executed_branches",
    "missing_branches": "missing_branches",
}


def differences(ours: _Object, theirs: _Object, *, all_files: bool = True) -> Iterator[str]:
    """One line for each figure in which `whotests report --json` is not `coverage json`.

    With `all_files`, both have to know of the same files, and the totals count.
    """
    our_files = {file["path"]: file for file in ours["files"]}
    their_files = {path.replace("\\", "/"): file for path, file in theirs["files"].items()}
    if all_files:
        for path in sorted(our_files.keys() ^ their_files.keys()):
            yield f"{path}: only {'whotests' if path in our_files else 'coverage'} has it"
        yield from _counts("total", ours["total"], theirs["totals"])
    for path in sorted(our_files.keys() & their_files.keys()):
        one, other = our_files[path], their_files[path]
        yield from _part(path, one, other)
        for kind in ("functions", "classes"):
            yield from _regions(f"{path} {kind}", one[kind], other[kind])


def _regions(where: str, ours: list[_Object], theirs: _Object) -> Iterator[str]:
    # Several may have one name, and then coverage.py adds the line to one: in order, names aside.
    outside = theirs[""]
    inside = [(name, region) for name, region in theirs.items() if name]
    *our_inside, our_outside = ours
    yield from _part(f"{where} ''", our_outside, outside)
    if len(our_inside) != len(inside):
        yield f"{where}: {len(our_inside)} of whotests, {len(inside)} of coverage"
        return
    for one, (name, other) in zip(our_inside, inside, strict=True):
        if one["name"] != name.partition("@")[0]:
            yield f"{where}: {one['name']} of whotests, {name} of coverage"
        yield from _part(f"{where} {name}", one, other)


def _part(where: str, ours: _Object, theirs: _Object) -> Iterator[str]:
    yield from _counts(where, ours, theirs["summary"])
    for our_key, their_key in LISTS.items():
        one, other = ours.get(our_key), theirs.get(their_key)
        if one != other:
            yield f"{where} {our_key}: {one} of whotests, {other} of coverage"


def _counts(where: str, ours: _Object, theirs: _Object) -> Iterator[str]:
    for our_key, their_key in COUNTS.items():
        one, other = ours.get(our_key), theirs.get(their_key)
        if one != other:
            yield f"{where} {our_key}: {one} of whotests, {other} of coverage"
    shown = str(ours["percent_shown"])
    if shown != theirs["percent_covered_display"]:
        yield f"{where}: {shown}% of whotests, {theirs['percent_covered_display']}% of coverage"


if __name__ == "__main__":
    found = list(differences(*(json.loads(Path(name).read_text()) for name in sys.argv[1:])))
    print("\n".join(found) or "no differences")
    sys.exit(bool(found))
