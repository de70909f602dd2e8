"""An analysis as `marshal` takes it, for what keeps it between runs. (PYTEST_DONT_REWRITE)"""

from typing import TYPE_CHECKING, Any

from whotests.records import UnitRecord
from whotests.types import UnitKind

if TYPE_CHECKING:
    from whotests.source.analysis import Analysis  # much to import, for who only reads

__all__ = ["plain_analysis", "unit_record"]


def plain_analysis(analysis: "Analysis") -> tuple[Any, ...]:
    """What there is to say of a file whatever is run of it, as `marshal` takes it."""
    units = tuple(
        (
            unit.qualname,
            unit.kind.value,
            unit.first_line,
            unit.last_line,
            unit.body_line,
            unit.fingerprint,
        )
        for unit in analysis.units
    )
    return (
        analysis.line_count,
        int(analysis.statements),
        int(analysis.excluded),
        analysis.branches.arcs,
        int(analysis.partial),
        units,
    )


def unit_record(plain: tuple[str, str, int, int, int, bytes]) -> UnitRecord:
    """A unit of what `plain_analysis` gave."""
    qualname, kind, first_line, last_line, body_line, fingerprint = plain
    return UnitRecord(
        qualname=qualname,
        kind=UnitKind(kind),
        first_line=first_line,
        last_line=last_line,
        body_line=body_line,
        fingerprint=fingerprint,
    )
