"""Which unit of a file each line and branch belongs to that another tool saw run.

May import source and what is below. Refuses to know what ran.
"""

import ast
from collections.abc import Iterable
from typing import NamedTuple

from whotests.source.analysis import Analysis
from whotests.source.units import UnitNode
from whotests.types import LineBits, UnitKind, bits_of, lines_in

__all__ = ["Part", "UnitParts"]


class Part(NamedTuple):
    """What ran of one unit."""

    unit: int
    """Its place among the file's units."""
    lines: LineBits
    branches: int
    """Bit i is branch i of the file's record."""


class UnitParts:
    """Which unit each statement and each branch of a file belongs to."""

    def __init__(self, analysis: Analysis, nodes: Iterable[UnitNode]) -> None:
        self._own: list[int] = []
        """For each unit its own lines: those of its body that are in no inner one's."""
        self._either: list[tuple[int, int, int]] = []
        """Functions whose only line is the one that defines them: that, the unit around, theirs."""
        parents: list[int] = []
        around: list[int] = []
        first_lines = analysis.first_lines
        statements = analysis.statements
        for place, (unit, node) in enumerate(zip(analysis.units, nodes, strict=True)):
            while around and analysis.units[around[-1]].last_line < unit.first_line:
                around.pop()
            # A module has none.
            header = 0
            if not isinstance(node, ast.Module):
                header = first_lines.get(node.lineno, node.lineno)
            body = _span(unit.body_line, unit.last_line) & ~(1 << header)
            self._own.append(body)
            parents.append(around[-1] if around else 0)
            for outer in around:
                self._own[outer] &= ~body
            if unit.kind is UnitKind.FUNCTION and not body & statements:
                self._either.append((header, parents[place], place))
            around.append(place)
        self._headers = sum({1 << header for header, _, _ in self._either})
        by_line: dict[int, int] = {}
        for place, (line, _) in enumerate(analysis.branches.arcs):
            by_line[line] = by_line.get(line, 0) | 1 << place
        forks = bits_of(by_line)
        self._branches = [sum(by_line[line] for line in lines_in(own & forks)) for own in self._own]

    def split(self, lines: int, branches: int) -> tuple[Part, ...]:
        """These lines and branches by unit."""
        by_unit: dict[int, int] = {}
        if lines & self._headers:
            for header, around, unit in self._either:
                # The line was run by who defined the function, or by who called it: what ran
                # nothing else around it called it.
                if lines >> header & 1 and not lines & self._own[around] & ~self._headers:
                    by_unit[unit] = 1 << header
                    lines &= ~(1 << header)
        parts = []
        for unit, own in enumerate(self._own):
            ran = by_unit.get(unit, 0) | lines & own
            taken = branches & self._branches[unit]
            if ran or taken:
                parts.append(Part(unit, LineBits(ran), taken))
        return tuple(parts)


def _span(first: int, last: int) -> int:
    return ((1 << last + 1) - 1) & ~((1 << first) - 1) if last >= first else 0
