"""What the probes of one file stand for: from a block's key back to lines and branches.

Statements that certainly ran when a probe is reached form a chain, back to the probe before
it. A step is one statement in such a chain, or a branch that was taken, and the step before it
(-1 at a chain's start). A probe stands for the chain that ends in its step; so does an
exception that was raised at a line of a step.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from whotests.probes.runtime import Key
from whotests.types import LineBits

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

    steps: tuple[int, ...]
    """What each step is: its line, or minus one minus the index of the branch that it takes."""
    parents: tuple[int, ...]
    blocks: tuple[BlockLayout, ...]
    traps: dict[int, tuple[Trap, ...]] = field(default_factory=dict)
    """Unit -> its traps by first line."""

    def plain(self) -> tuple[Any, ...]:
        """The same as nested tuples that `marshal` takes."""
        blocks = tuple((block.unit, block.steps) for block in self.blocks)
        return (self.steps, self.parents, blocks, self.traps)

    @classmethod
    def from_plain(cls, plain: tuple[object, ...]) -> "Layout":
        """The inverse of `plain`."""
        steps, parents, blocks, traps = plain
        return cls(steps, parents, tuple(BlockLayout(*block) for block in blocks), traps)  # type: ignore[arg-type, attr-defined]

    def hit(self, block: int, key: Key) -> tuple[LineBits, int]:
        """The lines that a block's key stands for, and its branches as a bitmap."""
        layout = self.blocks[block]
        lines = branches = 0
        for step in self._reached(layout, key):
            while step >= 0:
                what = self.steps[step]
                if what >= 0:
                    lines |= 1 << what
                else:
                    branches |= 1 << ~what
                step = self.parents[step]
        return LineBits(lines), branches

    def _reached(self, layout: BlockLayout, key: Key) -> Iterator[int]:
        """The steps in which the chains end that a key tells of."""
        if isinstance(key, tuple):
            for step, armed in zip(layout.steps, key, strict=False):
                if not armed:
                    yield step
            return
        traps = self.traps.get(layout.unit, ())
        if key > 0:
            at = bisect_right(traps, key, key=lambda trap: trap[0]) - 1
            if at >= 0 and key <= traps[at][1]:
                yield traps[at][2]
        else:
            for first, last, step, offset in traps:
                if first - offset <= -key <= last - offset:
                    yield step
