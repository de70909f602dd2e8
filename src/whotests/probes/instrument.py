"""From a syntax tree to one with probes in it, and the layout that says what they stand for.

A probe stands for a chain of statements: those that certainly ran when it is reached. So a
straight run needs one probe, before its last statement; the header of an `if`, `for`, `while`,
`try`, `with` or `match` is in the chain of each way out of it and needs none; and a guard
(`if …: return`) costs one probe on either way. What an exception cuts short is noted by the
handler of the region around it. A statement that may suspend its frame (`yield`, `await`)
ends a chain, for another context may be open when the frame goes on. Module and class bodies
run once: each of their statements has a probe of its own and they need no handlers.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whotests.probes import nodes
from whotests.probes.layout import BlockLayout, Layout, Trap
from whotests.probes.runtime import BLOCK_SIZE
from whotests.probes.shapes import (
    DEFINITIONS,
    has_break,
    is_docstring,
    is_future_import,
    is_irrefutable,
    is_true,
    jumps,
    last_line,
    outer_parts,
    takes_all,
)
from whotests.probes.suspension import Suspensions

__all__ = ["instrument"]

_DEAD = -2
"""The tip of a chain after which control does not go on."""
_EMPTY = -1
_Try = ast.Try | ast.TryStar
_Visit = Callable[["_Instrumenter", Any, list[ast.stmt], int], int]


@dataclass(slots=True)
class _Unit:
    """The unit whose body is being instrumented."""

    index: int
    each: bool
    """Every statement gets a probe (module and class bodies)."""
    block: str = ""
    """Placeholder of the block that takes the next probe."""
    free: int = 0
    """Slots left in it."""
    region_needed: bool = False
    exits: list[tuple[str, int]] = field(default_factory=list)
    """Open loops and suspending `with`s around, outermost first: ('loop' or 'with', line or 0)."""


def instrument(
    tree: ast.Module,
    *,
    text: str,
    units: Sequence[ast.AST],
    first_lines: Mapping[int, int],
    statements: int,
    mark_module: bool,
) -> Layout:
    """Puts probes into `tree`, in place, and returns what they stand for.

    `units` are the nodes of the file's units in order, the module first; `first_lines` folds a
    line to its logical line's first; `statements` are the lines that count. With `mark_module`
    the module tells when its own code begins and ends.
    """
    return _Instrumenter(text, units, first_lines, statements).module(tree, mark_module)


class _Instrumenter:
    def __init__(
        self,
        text: str,
        units: Sequence[ast.AST],
        first_lines: Mapping[int, int],
        statements: int,
    ) -> None:
        self.unit_index = {id(node): index for index, node in enumerate(units)}
        self.first_line = first_lines.get
        self.statements = statements
        self.suspensions = Suspensions(text)
        self.lines: list[int] = []
        self.parents: list[int] = []
        self.blocks: list[tuple[int, list[int]]] = []
        self.traps: dict[int, list[Trap]] = {}
        self.unit = _Unit(0, each=True)

    def module(self, tree: ast.Module, mark_module: bool) -> Layout:
        head, body = self.definition_body(tree)
        if mark_module and body:
            body = nodes.module_frame(body)
        tree.body = head + body
        return Layout(
            tuple(self.lines),
            tuple(self.parents),
            tuple(BlockLayout(unit, tuple(steps)) for unit, steps in self.blocks),
            {unit: tuple(sorted(traps)) for unit, traps in self.traps.items()},
        )

    # -- steps, probes and traps ------------------------------------------------------------

    def step(self, line: int, parent: int) -> int:
        """A new step after `parent`; `parent` itself when the line does not count."""
        line = self.first_line(line, line)
        if not self.statements >> line & 1:
            return parent
        if parent >= 0 and self.lines[parent] == line:
            return parent
        self.lines.append(line)
        self.parents.append(parent)
        return len(self.lines) - 1

    def slot(self, step: int) -> tuple[str, int]:
        """A free probe of the unit for a step: its block's placeholder, and its slot."""
        unit = self.unit
        if not unit.free:
            self.new_block()
        steps = self.blocks[int(unit.block.removeprefix(nodes.PREFIX))][1]
        steps.append(step)
        unit.free -= 1
        return unit.block, len(steps) - 1

    def new_block(self) -> None:
        self.unit.block = nodes.block_name(len(self.blocks))
        self.unit.free = BLOCK_SIZE
        self.blocks.append((self.unit.index, []))

    def probe(self, step: int, line: int) -> ast.If:
        return nodes.note(*self.slot(step), line)

    def trap(self, first: int, last: int, step: int) -> None:
        """Says which step an exception at these lines of the unit belongs to."""
        if step >= 0 and not self.unit.each:
            self.traps.setdefault(self.unit.index, []).append((first, last, step))

    def header(self, node: ast.stmt, end: int, parent: int) -> int:
        """The step of a compound statement's header, which ends at line `end`."""
        step = self.step(node.lineno, parent)
        self.trap(node.lineno, max(end, node.lineno), step)
        self.unit.region_needed = True
        return step

    # -- bodies -----------------------------------------------------------------------------

    def definition_body(
        self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """The new body of a unit, as what must stay first in it and the rest."""
        function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        outer = self.unit
        self.unit = unit = _Unit(self.unit_index[id(node)], each=not function)
        cut = 0
        if node.body and is_docstring(node.body[0]):
            cut = 1
        while cut < len(node.body) and is_future_import(node.body[cut]):
            cut += 1
        head, rest = node.body[:cut], node.body[cut:]
        body: list[ast.stmt] = []
        if cut and not is_docstring(head[-1]):
            # `from __future__` must come first, so their probe stands after them.
            tip = _EMPTY
            for statement in head:
                if is_future_import(statement):
                    tip = self.step(statement.lineno, tip)
            self.close(body, tip, head[-1].lineno)
        out, tip = self.block(rest, _EMPTY)
        self.close(out, tip, last_line(rest))
        if not isinstance(node, (ast.Module, ast.ClassDef)) and all(
            isinstance(part, (ast.Global, ast.Nonlocal)) for part in rest
        ):
            # With nothing to run, what runs is the return at the first line.
            line = min([node.lineno, *(part.lineno for part in node.decorator_list)])
            self.close(out, self.step(line, _EMPTY), line)
        body += out
        if function and unit.region_needed and unit.index in self.traps:
            body = nodes.region(body, self.any_block(), None)
        self.unit = outer
        return head, body

    def close(self, out: list[ast.stmt], tip: int, line: int) -> None:
        """Ends a chain with a probe at the end of a body."""
        if tip < 0:
            return
        if (
            out
            and isinstance(out[-1], _SIMPLE)
            and self.lines[tip] == self.first_line(out[-1].lineno, out[-1].lineno)
        ):
            out.insert(len(out) - 1, self.probe(tip, out[-1].lineno))
        else:
            out.append(self.probe(tip, line))

    def block(self, body: Iterable[ast.stmt], tip: int) -> tuple[list[ast.stmt], int]:
        """Instruments a suite that is entered with the chain `tip`; returns it and its tip."""
        out: list[ast.stmt] = []
        for statement in body:
            tip = self.statement(statement, out, max(tip, _EMPTY))
        return out, tip

    # -- statements -------------------------------------------------------------------------

    def statement(self, node: ast.stmt, out: list[ast.stmt], tip: int) -> int:
        """Appends a statement, instrumented, to `out`; returns the chain's new tip."""
        if tip >= 0 and out and isinstance(out[-1], _SIMPLE):
            # The statement before is not the last of its run: no probe stands right before it.
            self.unit.region_needed = True
        visit: _Visit | None = _COMPOUND.get(type(node))
        if visit is None:
            return self.simple(node, out, tip)
        if self.unit.each and tip >= 0:
            out.append(self.probe(tip, node.lineno))
            tip = _EMPTY
        return visit(self, node, out, tip)

    def simple(self, node: ast.stmt, out: list[ast.stmt], tip: int) -> int:
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            out.append(node)
            return tip
        unit = self.unit
        line = node.lineno
        if isinstance(node, DEFINITIONS):
            for decorator in node.decorator_list:
                tip = self.step(decorator.lineno, tip)
                self.trap(decorator.lineno, decorator.end_lineno or 0, tip)
            step = self.step(line, tip)
            end = max(line, node.body[0].lineno - 1)
            line = node.decorator_list[0].lineno if node.decorator_list else line
            suspends = self.suspensions.suspends(outer_parts(node))
            self.late(outer_parts(node))
            head, body = self.definition_body(node)
            node.body = head + body
        else:
            step = self.step(line, tip)
            end = node.end_lineno or line
            suspends = self.suspensions.suspends([node])
            self.late([node])
        ends = isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue))
        if ends:
            step = self.ways_out(node, step)
        if ends or suspends or unit.each:
            # Its probe stands right before it. Nor must an exception that is thrown into it
            # later, maybe in another context, be taken for the chain that led here.
            if step >= 0:
                out.append(self.probe(step, line))
            step = _EMPTY
        else:
            self.trap(node.lineno, end, step)
        out.append(node)
        return _DEAD if ends else step

    def ways_out(self, node: ast.stmt, step: int) -> int:
        """Adds what a jump passes on its way: `with`s that may have been entered in an
        earlier context are left, and a loop's header that may suspend is reached again."""
        for kind, line in reversed(self.unit.exits):
            if kind == "with" and not isinstance(node, ast.Raise):
                step = self.step(line, step)
            elif kind == "loop" and isinstance(node, (ast.Break, ast.Continue)):
                if line and isinstance(node, ast.Continue):
                    step = self.step(line, step)
                break
        return step

    def late(self, parts: Iterable[ast.AST | None]) -> None:
        """Gives lambdas and generator expressions that may run later a probe of their own."""
        for part in parts:
            if part is None:
                continue
            for node in self.suspensions.late_expressions(part):
                own = self.step(node.lineno, _EMPTY)  # a decorator has a line of its own
                if own < 0:
                    continue
                if isinstance(node, ast.Lambda):
                    node.body = nodes.note_first(*self.slot(own), node.body)
                    continue
                for generator in node.generators[:1]:
                    if generator.ifs:
                        generator.ifs[0] = nodes.note_first(*self.slot(own), generator.ifs[0])
                    else:
                        node.elt = nodes.note_first(*self.slot(own), node.elt)

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

    def visit_if(self, node: ast.If, out: list[ast.stmt], tip: int) -> int:
        step = self.header(node, node.test.end_lineno or 0, tip)
        self.late([node.test])
        if self.unit.each or self.suspensions.suspends([node.test]):
            self.pause(out, step, node.lineno)
            step = _EMPTY
        node.body, tip_body = self.block(node.body, step)
        node.orelse, tip_else = self.block(node.orelse, step)
        if tip_body != _DEAD and tip_else != _DEAD:
            self.close(node.body, tip_body, last_line(node.body))
            self.close(node.orelse, tip_else, last_line(node.orelse) or node.lineno)
            tip = _EMPTY
        else:
            tip = tip_else if tip_body == _DEAD else tip_body
        out.append(node)
        return tip

    def visit_loop(
        self, node: ast.For | ast.AsyncFor | ast.While, out: list[ast.stmt], tip: int
    ) -> int:
        test = node.test if isinstance(node, ast.While) else node.iter
        step = self.header(node, test.end_lineno or 0, tip)
        self.late([test])
        asynchronous = isinstance(node, ast.AsyncFor)
        # A header that suspends on every turn: it is reached again where a turn ends.
        turns = asynchronous or (isinstance(node, ast.While) and self.suspensions.suspends([test]))
        if self.unit.each or turns or self.suspensions.suspends([test, *node.body]):
            self.pause(out, step, node.lineno)
            step = _EMPTY if turns else self.step(node.lineno, _EMPTY)
        entry = step
        self.unit.exits.append(("loop", node.lineno if turns else 0))
        body, end = self.block(node.body, entry)
        if turns and end != _DEAD:
            end = self.step(node.lineno, end)
        self.close(body, end, last_line(node.body))
        node.body = body
        self.unit.exits.pop()
        endless = isinstance(node, ast.While) and is_true(test)
        breaks = has_break(node.body)
        node.orelse, tip = self.block(node.orelse, _DEAD if endless else entry)
        if not node.orelse:
            tip = _DEAD if endless else entry
        if breaks:
            if tip >= 0:
                self.close(node.orelse, tip, node.lineno)
            tip = _EMPTY
        out.append(node)
        return tip

    def visit_with(self, node: ast.With | ast.AsyncWith, out: list[ast.stmt], tip: int) -> int:
        unit = self.unit
        parts = [part for item in node.items for part in (item.context_expr, item.optional_vars)]
        step = self.header(node, max(part.end_lineno or 0 for part in parts if part), tip)
        self.late([item.context_expr for item in node.items])
        asynchronous = isinstance(node, ast.AsyncWith)
        suspends = asynchronous or self.suspensions.suspends(node.body)
        # The first of several managers may swallow what entering the next one raises.
        if unit.each or len(node.items) > 1 or asynchronous or self.suspensions.suspends(parts):
            self.pause(out, step, node.lineno)
            step = _EMPTY
        outer_needed, unit.region_needed = unit.region_needed, False
        if suspends:
            unit.exits.append(("with", node.lineno))
        body, end = self.block(node.body, step)
        if asynchronous and end != _DEAD:
            end = self.step(node.lineno, end)
        self.close(body, end, last_line(node.body))
        if suspends:
            unit.exits.pop()
        # It may swallow what is raised in it, so that no handler further out sees it; and
        # what leaves it by an exception passes its line again, maybe in another context.
        leaving = self.step(node.lineno, _EMPTY) if suspends else _EMPTY
        if not unit.each and (leaving >= 0 or unit.region_needed):
            probe = self.probe(leaving, node.lineno) if leaving >= 0 else None
            body = nodes.region(body, self.any_block(), probe)
        unit.region_needed = outer_needed
        node.body = body
        out.append(node)
        return _EMPTY if asynchronous else leaving

    def visit_try(self, node: _Try, out: list[ast.stmt], tip: int) -> int:
        unit = self.unit
        starred = isinstance(node, ast.TryStar)
        step = self.step(node.lineno, tip)
        if unit.each:
            self.pause(out, step, node.lineno)
            step = _EMPTY
        outer_needed, unit.region_needed = unit.region_needed, False
        body, tip_body = self.block(node.body, step)
        body_needed, unit.region_needed = unit.region_needed, outer_needed
        tip_else = tip_body
        orelse: list[ast.stmt] = []
        if node.orelse:
            orelse, tip_else = self.block(node.orelse, tip_body)
        headers, ends = self.handlers(node)
        went_on = tip_else != _DEAD
        if any(end != _DEAD for end in ends) or node.finalbody:
            for handler, end in zip(node.handlers, ends, strict=False):
                self.close(handler.body, end, handler.lineno)
                went_on = went_on or end != _DEAD
            self.close(orelse or body, tip_else, last_line(node.orelse or node.body))
            tip_else = _EMPTY
        if tip_body >= 0 and (node.orelse or tip_else == tip_body):
            # What the body ran is noted only after it.
            body_needed = True
        if starred and headers >= 0:
            # All headers are evaluated whenever something is raised.
            body = nodes.region(body, self.any_block(), self.probe(headers, node.lineno))
        elif body_needed and not unit.each and (node.handlers or jumps(node.finalbody)):
            body = nodes.region(body, self.any_block(), None)
        elif body_needed:
            unit.region_needed = True
        if headers >= 0 and not starred and not takes_all(node.handlers[-1]):
            probe = self.probe(headers, node.handlers[-1].lineno)
            node.handlers.append(nodes.fall_through(probe))
        node.body, node.orelse = body, orelse
        if node.finalbody:
            node.finalbody, end = self.block(node.finalbody, _EMPTY)
            self.close(node.finalbody, end, last_line(node.finalbody))
            went_on = went_on and end != _DEAD
        out.append(node)
        return tip_else if went_on else _DEAD

    def handlers(self, node: _Try) -> tuple[int, list[int]]:
        """Instruments the handlers: the chain of all their headers, and each one's tip."""
        headers = _EMPTY
        ends = []
        for handler in node.handlers:
            headers = self.step(handler.lineno, headers)
            if handler.type is not None:
                self.trap(handler.lineno, handler.type.end_lineno or 0, headers)
                if any(isinstance(part, ast.Call) for part in ast.walk(handler.type)):
                    self.unit.region_needed = True
            entry = _EMPTY if isinstance(node, ast.TryStar) else headers
            handler.body, end = self.block(handler.body, entry)
            ends.append(end)
        return headers, ends

    def visit_match(self, node: ast.Match, out: list[ast.stmt], tip: int) -> int:
        step = self.header(node, node.subject.end_lineno or 0, tip)
        self.late([node.subject])
        guards = [case.guard for case in node.cases]
        if self.unit.each or self.suspensions.suspends([node.subject, *guards]):
            self.pause(out, step, node.lineno)
            step = _EMPTY
        tips: list[tuple[list[ast.stmt], int]] = []
        for case in node.cases:
            step = self.step(case.pattern.lineno, step)
            self.trap(case.pattern.lineno, case.body[0].lineno - 1, step)
            self.late([case.guard])
            case.body, end = self.block(case.body, step)
            tips.append((case.body, end))
        if not is_irrefutable(node.cases[-1]):
            tips.append(([], step))
            if step >= 0 and any(end != _DEAD for _, end in tips[:-1]):
                node.cases.append(nodes.no_case(self.probe(step, node.lineno)))
                tips[-1] = ([], _EMPTY)
        alive = [(body, end) for body, end in tips if end != _DEAD]
        out.append(node)
        if len(alive) == 1:
            return alive[0][1]
        for body, end in alive:
            self.close(body, end, last_line(body) if body else node.lineno)
        return _EMPTY if alive else _DEAD


_COMPOUND: dict[type[ast.stmt], _Visit] = {
    ast.If: _Instrumenter.visit_if,
    ast.For: _Instrumenter.visit_loop,
    ast.AsyncFor: _Instrumenter.visit_loop,
    ast.While: _Instrumenter.visit_loop,
    ast.With: _Instrumenter.visit_with,
    ast.AsyncWith: _Instrumenter.visit_with,
    ast.Try: _Instrumenter.visit_try,
    ast.TryStar: _Instrumenter.visit_try,
    ast.Match: _Instrumenter.visit_match,
}

_SIMPLE = tuple(
    kind
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.stmt) and kind not in (ast.stmt, *_COMPOUND)
)
