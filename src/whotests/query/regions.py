"""The lines of each function and class of a file, as coverage.py counts them.

May import types and the store's values. Refuses to know what ran.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from whotests.store.values import Unit
from whotests.types import LineBits, UnitKind

__all__ = ["Region", "regions_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A function or class, or (with no unit) what is in none."""

    unit: Unit | None
    lines: LineBits
    """A function's: its body, without the bodies of functions in it. A class's: the bodies of its
    methods with all that is in them, without those of classes in it."""


def regions_of(
    units: Sequence[Unit], line_count: int
) -> tuple[tuple[Region, ...], tuple[Region, ...]]:
    """The functions and the classes of a file, in source order, and last what is in none."""
    lines = dict.fromkeys((unit.id for unit in units), 0)
    around: list[Unit] = []
    for unit in units:
        if unit.kind is UnitKind.MODULE:
            continue
        while around and around[-1].last_line < unit.last_line:
            _leave(around, lines)
        if unit.kind is UnitKind.FUNCTION:
            body = _span(unit.body_line or unit.first_line, unit.last_line)
            lines[unit.id] = body
            if around and around[-1].kind is UnitKind.CLASS:
                lines[around[-1].id] |= body
            for outer in reversed(around):
                if outer.kind is UnitKind.FUNCTION:
                    lines[outer.id] &= ~body
                    break
        around.append(unit)
    while around:
        _leave(around, lines)
    return (
        _regions(units, UnitKind.FUNCTION, lines, line_count),
        _regions(units, UnitKind.CLASS, lines, line_count),
    )


def _leave(around: list[Unit], lines: dict[int, int]) -> None:
    unit = around.pop()
    if unit.kind is UnitKind.CLASS:
        for outer in around:
            if outer.kind is UnitKind.CLASS:
                lines[outer.id] &= ~lines[unit.id]


def _regions(
    units: Sequence[Unit], kind: UnitKind, lines: dict[int, int], line_count: int
) -> tuple[Region, ...]:
    found = [
        Region(unit=unit, lines=LineBits(lines[unit.id])) for unit in units if unit.kind is kind
    ]
    rest = _span(1, line_count)
    for region in found:
        rest &= ~region.lines
    return (*found, Region(unit=None, lines=LineBits(rest)))


def _span(first: int, last: int) -> int:
    return (1 << (last + 1)) - (1 << first)
