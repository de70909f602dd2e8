"""The content of a file as it is kept: packed once, when its source is looked at.

So a run whose files are all as they were in the last one has nothing to pack, and what the data
file has is compared with what the cache has, byte by byte. (PYTEST_DONT_REWRITE)
"""

from collections.abc import Sequence

from whotests.packing.bitmaps import pack_bits, pack_lines
from whotests.packing.branches import Branch, BranchList, pack_branches
from whotests.packing.outlines import UNIT_KINDS, pack_outline
from whotests.records import FileContent, UnitRecord, UnitSpan
from whotests.types import NO_LINES, LineBits

__all__ = ["packed_content", "unit_spans"]


def packed_content(
    *,
    line_count: int,
    statements: LineBits,
    excluded: LineBits,
    units: Sequence[UnitRecord] = (),
    branches: Sequence[Branch] = (),
    partial: LineBits = NO_LINES,
) -> FileContent:
    """What there is to say of a file. `units` only if it is measured; `branches` and `partial`
    only if the run records branches. Those of an analysis ascend."""
    return FileContent(
        line_count=line_count,
        statements=pack_bits(statements),
        excluded=pack_lines(excluded),
        branches=pack_branches(branches),
        partial=pack_lines(partial),
        outline=pack_outline(map(_outlined, units)) if units else b"",
    )


def unit_spans(
    units: Sequence[UnitRecord], branches: Sequence[Branch] = ()
) -> tuple[UnitSpan, ...]:
    """What the writer wants to know of units of which something may run, and of the file's
    branches."""
    listed = BranchList(branches)
    return tuple(
        (
            unit.first_line,
            unit.last_line,
            listed.first_within(unit.first_line, unit.last_line),
            unit.fingerprint,
        )
        for unit in units
    )


def _outlined(unit: UnitRecord) -> tuple[int, int, int, int, str]:
    kind = UNIT_KINDS.index(unit.kind)
    return kind, unit.first_line, unit.last_line, unit.body_line, unit.qualname
