"""The chains of one file while it is being instrumented: steps, probes, blocks, regions.

It keeps the books of what `instrument` finds on its way through the tree; `layout` says in the
end what all probes stand for.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from whotests.probes import nodes
from whotests.probes.later import Later
from whotests.probes.layout import Layout, Packed, Trap
from whotests.probes.placeholders import block_name, index_of
from whotests.probes.runtime import BLOCK_SIZE
from whotests.probes.shapes import SIMPLE, first_line
from whotests.probes.suspension import Suspensions
from whotests.source.branches import Branches, Way

__all__ = ["DEAD", "EMPTY", "Chains", "Region", "Unit"]

DEAD = -2
"""The tip of a chain after which control does not go on."""
EMPTY = -1
"""The tip of a chain without a step."""


@dataclass(slots=True)
class Region:
    """Statements that a handler around them may note exceptions of."""

    first: int = 0
    last: int = 0
    """Their lines."""
    needed: bool = False
    """One of them has no probe right before it."""
    traps: list[tuple[int, int, int]] = field(default_factory=list)
    """First and last line of a statement's own part, and its step."""


@dataclass(slots=True)
class Unit:
    """The unit whose body is being instrumented."""

    index: int
    each: bool
    """Every statement gets a probe (module and class bodies)."""
    block: str = ""
    """Placeholder of the block that takes the next probe."""
    free: int = 0
    """Slots left in it."""
    region: Region = field(default_factory=Region)
    """The innermost one around the next statement."""
    free_place: int = 0
    """Where the next region's places may begin."""
    exits: list[tuple[str, int]] = field(default_factory=list)
    """Open loops and suspending `with`s around, outermost first: ('loop' or 'with', line or 0)."""


class Chains:
    """The books of one file. Steps are numbers; a chain is named by its last step, its tip."""

    def __init__(
        self,
        text: str,
        units: Sequence[ast.AST],
        first_lines: Mapping[int, int],
        statements: int,
        branches: Branches | None,
        each: bool,
        annotations_are_text: bool,
    ) -> None:
        self.each = each
        self.ways = branches.ways if branches else {}
        self.fails = branches.fails if branches else {}
        self.unit_index = {id(node): index for index, node in enumerate(units)}
        self.first_line = first_lines.get
        self.statements = statements
        self.text = text
        self.suspensions = Suspensions(text)
        self.later = Later(
            self.suspensions, self.slot_at, annotations_are_text=annotations_are_text
        )
        self.untrapped: set[int] = set()
        """Lines of headers that may suspend."""
        self.silent: set[int] = set()
        """Those of them on which a suite stands. A tracer that has seen the line begin does not
        see it go on later."""
        self.steps: list[int] = []
        self.parents: list[int] = []
        self.blocks: list[tuple[int, list[int]]] = []
        self.traps: dict[int, list[Trap]] = {}
        self.unit = Unit(0, each=True)

    def layout(self) -> Packed:
        """What all probes stand for."""
        return Layout.pack(
            steps=self.steps, parents=self.parents, blocks=self.blocks, traps=self.traps
        )

    # -- steps, probes and traps ------------------------------------------------------------

    def step(self, line: int, parent: int) -> int:
        """A new step after `parent`; `parent` itself when the line does not count."""
        if line in self.silent:
            return parent
        line = self.first_line(line, line)
        if not self.statements >> line & 1:
            return parent
        if parent >= 0 and self.steps[parent] == line:
            return parent
        self.steps.append(line)
        self.parents.append(parent)
        return len(self.steps) - 1

    def arm(self, node: ast.AST, way: Way, tip: int) -> int:
        """The step of going a way out of a statement after `tip`; `tip` itself when the statement
        has no other one, so that this is no branch."""
        branch = self.ways.get((id(node), way)) if self.ways and tip != DEAD else None
        return tip if branch is None else self._branch(branch, tip)

    def fail(self, line: int, tip: int) -> int:
        """The step of an exception raised at a line, which may go one of the line's branches."""
        branch = self.fails.get(self.first_line(line, line))
        if branch is None:
            return tip
        self.unit.region.needed = True
        return self._branch(branch, tip)

    def _branch(self, branch: int, parent: int) -> int:
        self.steps.append(~branch)
        self.parents.append(parent)
        return len(self.steps) - 1

    def counts(self, node: ast.stmt) -> bool:
        """Whether any of a statement's lines does: `global x` and a bare `x: int` have none."""
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        return any(self.statements >> self.first_line(line, line) & 1 for line in lines)

    def slot(self, step: int) -> tuple[str, int]:
        """A free probe of the unit for a step: its block's placeholder, and its slot."""
        unit = self.unit
        if not unit.free:
            self.new_block()
        steps = self.blocks[index_of(unit.block)][1]
        steps.append(step)
        unit.free -= 1
        return unit.block, len(steps) - 1

    def slot_at(self, line: int) -> tuple[str, int] | None:
        """A free probe of the unit for a line alone; None if it does not count."""
        step = self.step(line, EMPTY)
        return None if step < 0 else self.slot(step)

    def new_block(self) -> None:
        self.unit.block = block_name(len(self.blocks))
        self.unit.free = BLOCK_SIZE
        self.blocks.append((self.unit.index, []))

    def probe(self, step: int, line: int) -> ast.If:
        return nodes.note(*self.slot(step), line)

    def trap(self, first: int, last: int, step: int) -> None:
        """Says which step an exception at these lines of the unit belongs to."""
        while first in self.untrapped:  # the header of a suite on the same line
            first += 1
        if not self.unit.each and first <= last:
            step = self.fail(first, step)
            if step >= 0:
                self.unit.region.traps.append((first, last, step))

    def any_block(self) -> str:
        """A block of the unit, for what needs no slot."""
        unit = self.unit
        if not unit.block:
            self.new_block()
        return unit.block

    def pause(self, out: list[ast.stmt], step: int, line: int) -> None:
        """Ends a chain before a header that may suspend."""
        if step >= 0:
            out.append(self.probe(step, line))

    def close(self, out: list[ast.stmt], tip: int, line: int, region: Region | None = None) -> None:
        """Ends a chain with a probe at the end of a body, in `region` if not in this one."""
        if tip < 0:
            return
        if (
            out
            and isinstance(out[-1], SIMPLE)
            and self.steps[tip] == self.first_line(out[-1].lineno, out[-1].lineno)
        ):
            out.insert(len(out) - 1, self.probe(tip, out[-1].lineno))
        else:
            (region or self.unit.region).needed = True
            out.append(self.probe(tip, line))

    # -- regions ----------------------------------------------------------------------------

    def enter_region(self, first: ast.stmt, last: ast.stmt) -> Region:
        """Begins a region from one statement to another; returns the one around it, for
        `leave_region`."""
        outer = self.unit.region
        self.unit.region = Region(first_line(first), last.end_lineno or last.lineno)
        return outer

    def leave_region(self, outer: Region) -> Region:
        """Ends the region, and returns it for `guarded` or `unguarded`."""
        region, self.unit.region = self.unit.region, outer
        return region

    def guarded(
        self, body: list[ast.stmt], region: Region, *, line: int, probe: ast.If | None = None
    ) -> list[ast.stmt]:
        """A region's body, with a handler around it where there is something to note.

        What is raised in it passes `line` next: that of the handler or manager outside.
        """
        unit = self.unit
        traps = region.traps if region.needed else []
        if unit.each or not (traps or probe):
            return body
        # A unit's own region has none around it; its places are its lines.
        offset = unit.free_place - region.first if region.first else 0
        unit.free_place += region.last - region.first + 1
        self.traps.setdefault(unit.index, []).extend(
            Trap(start + offset, end + offset, step, offset) for start, end, step in traps
        )
        return nodes.region(body, self.any_block(), probe, offset, line=line)

    def unguarded(self, region: Region) -> None:
        """Lets the region around it note what is to be noted of this one."""
        if region.needed:
            self.unit.region.needed = True
            self.unit.region.traps += region.traps
