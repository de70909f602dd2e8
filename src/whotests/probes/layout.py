"""What the probes of one file stand for: from a block's key back to lines and branches.

Statements that certainly ran when a probe is reached form a chain, back to the probe before
it. A step is one statement in such a chain, or a branch that was taken, and the step before it
(-1 at a chain's start). A probe stands for the chain that ends in its step; so does an
exception that was raised at a line of a step.

A large program has as many steps as lines, so they are kept as packed integers: four bytes
each, that need no unpacking.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from whotests.probes.raises import line_of, offset_of
from whotests.probes.runtime import Block, Key
from whotests.types import LineBits

__all__ = ["Layout", "Packed", "Trap"]


class Trap(NamedTuple):
    """First and last place of a statement's own part, its step, and what makes lines of places.

    Each region has a range of places of its own for its lines: what leaves a region and passes
    the next one further out, maybe in a later context, is not noted once more there.
    """

    first: int
    last: int
    step: int
    offset: int


Packed = tuple[bytes, ...]
"""The columns of a layout, as `marshal` takes them."""


def _pack(numbers: Iterable[int]) -> bytes:
    from array import array  # instrumenting alone needs it

    return array("i", numbers).tobytes()


class Layout:
    """The probes of one file."""

    __slots__ = (
        "_block_ends",
        "_block_units",
        "_parents",
        "_probes",
        "_steps",
        "_trap_firsts",
        "_trap_lasts",
        "_trap_offsets",
        "_trap_steps",
        "_trap_units",
    )

    def __init__(self, packed: Packed) -> None:
        """The layout that `pack` packed."""
        columns = [memoryview(column).cast("i") for column in packed]
        self._steps, self._parents, self._block_units, self._block_ends, self._probes = columns[:5]
        self._trap_units, self._trap_firsts, self._trap_lasts = columns[5:8]
        self._trap_steps, self._trap_offsets = columns[8:]

    @staticmethod
    def pack(
        *,
        steps: Sequence[int],
        parents: Sequence[int],
        blocks: Sequence[tuple[int, Sequence[int]]],
        traps: Mapping[int, Sequence[Trap]],
    ) -> Packed:
        """A layout to be kept.

        `steps` are lines, or minus one minus the index of the branch that is taken; `parents` the
        step before each; `blocks` the unit of each and the steps of its probes; `traps` those of
        each unit.
        """
        rows = [(unit, *trap) for unit in sorted(traps) for trap in sorted(traps[unit])]
        columns = (
            steps,
            parents,
            [unit for unit, _ in blocks],
            list(accumulate(len(probes) for _, probes in blocks)),
            [step for _, probes in blocks for step in probes],
            *(zip(*rows, strict=True) if rows else ((),) * 5),
        )
        return tuple(map(_pack, columns))

    @property
    def sizes(self) -> Iterator[int]:
        """How many probes each block has."""
        end = 0
        for this_end in self._block_ends:
            yield this_end - end
            end = this_end

    def unit(self, block: int) -> int:
        """The unit that a block belongs to."""
        return self._block_units[block]

    def hit(self, block: Block, key: Key) -> tuple[LineBits, int]:
        """The lines that a block's key stands for, and its branches as a bitmap."""
        lines = branches = 0
        for step in self._reached(block, key):
            while step >= 0:
                what = self._steps[step]
                if what >= 0:
                    lines |= 1 << what
                else:
                    branches |= 1 << ~what
                step = self._parents[step]
        return LineBits(lines), branches

    def _reached(self, block: Block, key: Key) -> Iterator[int]:
        """The steps in which the chains end that a key tells of."""
        if isinstance(key, tuple):
            first = self._block_ends[block.index - 1] if block.index else 0
            for step, armed in zip(
                self._probes[first : self._block_ends[block.index]], key, strict=False
            ):
                if not armed:
                    yield step
            return
        unit = self._block_units[block.index]
        first = bisect_left(self._trap_units, unit)
        end = bisect_right(self._trap_units, unit, first)
        if key >= 0:
            line = line_of(key, block.lines, block.first_line)
            place = line and line + offset_of(key)
            at = bisect_right(self._trap_firsts, place, first, end) - 1
            if at >= first and place <= self._trap_lasts[at]:
                yield self._trap_steps[at]
        else:  # in whatever region
            for at in range(first, end):
                place = self._trap_offsets[at] - key
                if self._trap_firsts[at] <= place <= self._trap_lasts[at]:
                    yield self._trap_steps[at]
