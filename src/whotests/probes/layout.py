"""What the probes of one file stand for: from a block's key back to lines.

Statements that certainly ran when a probe is reached form a chain, back to the probe before
it. A step is one statement in such a chain: its line, and the step before it (-1 at a chain's
start). A probe stands for the chain that ends in its step; so does an exception that was
raised at a line of a step.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from whotests.types import LineBits, lines_in

__all__ = ["BlockLayout", "Layout", "Trap"]

Trap = tuple[int, int, int, int]
"""First and last place of a statement's own part, its step, and what makes lines of places.

Each region has a range of places of its own for its lines: what leaves a region and passes the
next one further out, maybe in a later context, is not noted once more there.
"""


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """One block: the unit it belongs to, and the step of each of its probes."""

    unit: int
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The probes of one file. Plain data: it is marshalled beside the code."""

    lines: tuple[int, ...]
    """Line of each step; 0 for a statement that is no statement of coverage.py's."""
    parents: tuple[int, ...]
    blocks: tuple[BlockLayout, ...]
    traps: dict[int, tuple[Trap, ...]] = field(default_factory=dict)
    """Unit -> its traps by first line."""

    def plain(self) -> tuple[Any, ...]:
        """The same as nested tuples that `marshal` takes."""
        blocks = tuple((block.unit, block.steps) for block in self.blocks)
        return (self.lines, self.parents, blocks, self.traps)

    @classmethod
    def from_plain(cls, plain: tuple[object, ...]) -> "Layout":
        """The inverse of `plain`."""
        lines, parents, blocks, traps = plain
        return cls(lines, parents, tuple(BlockLayout(*block) for block in blocks), traps)  # type: ignore[arg-type, attr-defined]

    def chain(self, step: int) -> int:
        """The lines of the chain that ends in a step."""
        bits = 0
        while step >= 0:
            bits |= 1 << self.lines[step]
            step = self.parents[step]
        return bits & ~1

    def lines_hit(self, block: int, hits: int, raised_at: int) -> LineBits:
        """The lines that a block's key stands for; `raised_at` are places as bits.

        With bit 0 they are lines, which count in whatever region they are.
        """
        layout = self.blocks[block]
        bits = 0
        for number, step in enumerate(layout.steps):
            if hits >> number & 1:
                bits |= self.chain(step)
        traps = self.traps.get(layout.unit, ())
        for place in map(int, lines_in(raised_at & ~1)):
            at = bisect_right(traps, place, key=lambda trap: trap[0]) - 1
            if at >= 0 and place <= traps[at][1]:
                bits |= self.chain(traps[at][2])
            if raised_at & 1:
                for first, last, step, offset in traps:
                    if first - offset <= place <= last - offset:
                        bits |= self.chain(step)
        return LineBits(bits)
