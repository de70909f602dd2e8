"""Suites and the statements without suites of their own: their steps, their probes, their traps.

What compound statements do is `instrument`'s.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from whotests.probes import nodes
from whotests.probes.chains import DEAD, EMPTY, Chains, Unit
from whotests.probes.shapes import (
    DEFINITIONS,
    SIMPLE,
    first_line,
    is_bare_annotation,
    is_docstring,
    is_future_import,
    is_name,
    last_line,
    outer_parts,
)
from whotests.source.branches import Way

__all__ = ["Statements", "Visit"]

Visit = Callable[[Any, Any, list[ast.stmt], int], int]
"""Appends a compound statement, instrumented, to a list; from a chain's tip to the new one."""
_WITHS = (ast.With, ast.AsyncWith)


class Statements(Chains):
    """Goes through suites."""

    compound: Mapping[type[ast.stmt], Visit] = {}
    """What to do with each kind of statement that has suites."""
    left_alone: Set[int] = frozenset()
    """Functions that have no probes, by their ids."""

    def header(
        self, node: ast.stmt, parts: Sequence[ast.expr | None], tip: int, *, entered_again: bool
    ) -> tuple[int, bool]:
        """The step of a compound statement's header, which evaluates `parts`, and whether the
        chain that it is in must end before it.

        It must where the header may suspend, and with `entered_again`: the header is reached
        again, maybe in another context, when its body has run. What is raised there then must
        not be taken for the chain that led to it.
        """
        end = max([node.lineno, *(part.end_lineno or 0 for part in parts if part)])
        suspends = isinstance(node, (ast.AsyncFor, ast.AsyncWith))
        suspends = suspends or self.suspensions.suspends(parts)
        suite: list[ast.stmt] = getattr(node, "body", [])  # a `match` has none
        suspends = suspends or self.suspends_beside(end, suite)
        step = self.step(node.lineno, tip)
        again = self.step(node.lineno, EMPTY) if entered_again else step
        if suspends:
            self.untrapped.update(range(node.lineno, end + 1))
            if suite and suite[0].lineno <= end and isinstance(node, (ast.If, *_WITHS)):
                self.silent.update(range(node.lineno, end + 1))
            self.later.visit_fields(node)
        else:
            self.trap(node.lineno, end, again)
        self.unit.region.needed = True
        self.later.visit(parts)
        return step, suspends or entered_again or self.unit.each

    def suspends_beside(self, end: int, suite: Sequence[ast.stmt]) -> bool:
        """Whether a suite suspends on the line on which its header ends: what is raised there
        may be thrown into it later."""
        return bool(suite) and suite[0].lineno <= end and self.suspensions.suspends(suite)

    # -- bodies -----------------------------------------------------------------------------

    def definition_body(
        self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """The new body of a unit, as what must stay first in it and the rest."""
        function = not isinstance(node, (ast.Module, ast.ClassDef))
        outer = self.unit
        self.unit = unit = Unit(self.unit_index[id(node)], each=self.each or not function)
        unit.free_place = node.body[-1].end_lineno or 0 if node.body else 0
        unit.free_place += 1
        cut = 0
        if node.body and is_docstring(node.body[0]):
            cut = 1
        while cut < len(node.body) and is_future_import(node.body[cut]):
            cut += 1
        head, rest = node.body[:cut], node.body[cut:]
        body: list[ast.stmt] = []
        if cut and not is_docstring(head[-1]):
            # `from __future__` must come first, so their probe stands after them.
            tip = EMPTY
            for statement in head:
                if is_future_import(statement):
                    tip = self.step(statement.lineno, tip)
            self.close(body, tip, head[-1].lineno)
        out, tip = self.block(rest, EMPTY)
        self.close(out, tip, last_line(rest))
        if not isinstance(node, (ast.Module, ast.ClassDef)) and not any(map(self.counts, rest)):
            # With nothing to run, what runs is the return at the first line.
            line = first_line(node)
            tip = self.step(line, EMPTY)
            for statement in head:
                tip = self.arm(statement, Way.NEXT, tip)
            self.close(out, tip, line)
        body += out
        if body:
            # There is no line to pass next, so it is one that was passed.
            body = self.guarded(body, unit.region, line=body[0].lineno)
        self.unit = outer
        return head, body

    def block(self, body: Iterable[ast.stmt], tip: int) -> tuple[list[ast.stmt], int]:
        """Instruments a suite that is entered with the chain `tip`; returns it and its tip."""
        out: list[ast.stmt] = []
        before = None
        for statement in body:
            if before is not None and before.end_lineno == statement.lineno:
                self.go_on_beside(before)
            tip = self.statement(statement, out, max(tip, EMPTY))
            before = statement
        return out, tip

    def go_on_beside(self, before: ast.stmt) -> None:
        """Another statement follows `before` on its line."""
        if self.suspensions.suspends([before]):
            self.silent.add(before.lineno)

    # -- statements -------------------------------------------------------------------------

    def statement(self, node: ast.stmt, out: list[ast.stmt], tip: int) -> int:
        """Appends a statement, instrumented, to `out`; returns the chain's new tip."""
        if tip >= 0 and out and isinstance(out[-1], SIMPLE):
            # The statement before is not the last of its run: no probe stands right before it.
            self.unit.region.needed = True
        visit = self.compound.get(type(node))
        if visit is None:
            return self.simple(node, out, tip)
        if self.unit.each and tip >= 0:
            out.append(self.probe(tip, node.lineno))
            tip = EMPTY
        return visit(self, node, out, tip)

    def simple(self, node: ast.stmt, out: list[ast.stmt], tip: int) -> int:
        if isinstance(node, (ast.Global, ast.Nonlocal)) or (
            is_bare_annotation(node) and not self.unit.each
        ):
            out.append(node)
            return tip
        unit = self.unit
        line = node.lineno
        if isinstance(node, DEFINITIONS):
            end = max(line, node.body[0].lineno - 1)
            suspends = self.suspensions.suspends(outer_parts(node))
            self.later.visit(outer_parts(node))
            self.later.visit_lazy(node)
            if node.decorator_list:
                step = self.decorated(node, out, tip, suspends)
            else:
                step = self.step(line, tip)
            if id(node) not in self.left_alone:
                head, body = self.definition_body(node)
                node.body = head + body
        else:
            step = self.step(line, tip)
            end = node.end_lineno or line
            suspends = self.suspensions.suspends([node])
            self.later.visit([node])
            if unit.each or not isinstance(node, ast.AnnAssign):  # else it never is evaluated
                self.later.visit_lazy(node)
            if suspends:
                self.later.visit_fields(node)
        ends = isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue))
        if ends:
            step = self.ways_out(node, self.jump(node, step, suspends))
        if ends or suspends or unit.each:
            # Its probe stands right before it. Nor must an exception that is thrown into it
            # later, maybe in another context, be taken for the chain that led here.
            if step >= 0:
                out.append(self.probe(step, line))
            if not suspends and self.fail(line, step) != step:
                self.trap(node.lineno, end, step)
            step = EMPTY
        else:
            self.trap(node.lineno, end, step)
        out.append(node)
        return DEAD if ends else self.arm(node, Way.NEXT, step)

    def decorated(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
        out: list[ast.stmt],
        tip: int,
        suspends: bool,
    ) -> int:
        """Notes the lines of a definition's decorators and its own, which is reached between
        their evaluation and their calls; both may raise. Returns the chain's new tip.

        Where statements have probes of their own, names are taken to be there: `@property`."""
        decorators = node.decorator_list
        lines = [*(decorator.lineno for decorator in decorators), node.lineno]
        if self.unit.each and all(map(is_name, decorators)):
            for line in lines:
                tip = self.step(line, tip)
            self.pause(out, tip, lines[0])
        elif self.unit.each or suspends:
            self.pause(out, self.step(lines[0], tip), lines[0])
            for at, line in enumerate(lines[1:]):
                tip = self.step(line, EMPTY)
                if tip >= 0:
                    decorators[at] = nodes.note_after(*self.slot(tip), decorators[at])
        else:
            self.unit.region.needed = True
            for decorator in decorators:
                tip = self.step(decorator.lineno, tip)
                self.trap(decorator.lineno, decorator.end_lineno or 0, tip)
            tip = self.step(node.lineno, tip)
            if tip >= 0:
                decorators[-1] = nodes.note_after(*self.slot(tip), decorators[-1])
        return EMPTY

    def jump(self, node: ast.stmt, step: int, suspends: bool) -> int:
        """The step of a jump, which the probe before it notes; a branch that it takes is noted
        behind the value of a `return` that may fail, or may come in another context."""
        taken = self.arm(node, Way.NEXT, step)
        if taken == step or not isinstance(node, ast.Return) or node.value is None:
            return taken
        fails = self.fails.get(self.first_line(node.lineno, node.lineno))
        if fails == ~self.steps[taken] and not suspends:
            return taken  # if it fails it goes the same way
        node.value = nodes.note_after(*self.slot(self.arm(node, Way.NEXT, EMPTY)), node.value)
        return step

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
