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
from typing import Any

from whotests.probes import nodes
from whotests.probes.chains import DEAD, EMPTY, Chains, Unit
from whotests.probes.compiled import compiled_elsewhere
from whotests.probes.layout import Packed
from whotests.probes.shapes import (
    DEFINITIONS,
    SIMPLE,
    finish_apart,
    first_line,
    has_break,
    is_bare_annotation,
    is_docstring,
    is_future_import,
    is_irrefutable,
    is_name,
    is_true,
    last_line,
    may_replace,
    outer_parts,
    takes_all,
)
from whotests.source.branches import Branches, Way

__all__ = ["instrument"]

_WITHS = (ast.With, ast.AsyncWith)
_Try = ast.Try | ast.TryStar
_Visit = Callable[["_Instrumenter", Any, list[ast.stmt], int], int]


def instrument(
    tree: ast.Module,
    *,
    text: str,
    units: Sequence[ast.AST],
    first_lines: Mapping[int, int],
    statements: int,
    branches: Branches | None = None,
    mark_module: bool,
    each: bool = False,
) -> Packed:
    """Puts probes into `tree`, in place, and returns what they stand for.

    `units` are the nodes of the file's units in order, the module first; `first_lines` folds a
    line to its logical line's first; `statements` are the lines that count, `branches` what there
    is to branches, if they are to be noted. With `mark_module`
    the module tells when its own code begins and ends. With `each` all statements have probes of
    their own and there are no handlers: what is nested too deep for more blocks is compiled so.
    """
    return _Instrumenter(text, units, first_lines, statements, branches, each).module(
        tree, mark_module
    )


class _Instrumenter(Chains):
    def module(self, tree: ast.Module, mark_module: bool) -> Packed:
        self.compiled = {id(node) for node in compiled_elsewhere(tree, self.text)}
        head, body = self.definition_body(tree)
        if mark_module and body:
            body = nodes.module_frame(body)
        tree.body = head + body
        return self.layout()

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
        visit: _Visit | None = _COMPOUND.get(type(node))
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
            if id(node) not in self.compiled:
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

    def visit_if(self, node: ast.If, out: list[ast.stmt], tip: int) -> int:
        step, ends = self.header(node, [node.test], tip, entered_again=False)
        if ends:
            self.pause(out, step, node.lineno)
            step = EMPTY
        node.body, tip_body = self.block(node.body, self.arm(node, Way.BODY, step))
        node.orelse, tip_else = self.block(node.orelse, self.arm(node, Way.ELSE, step))
        if tip_body != DEAD and tip_else != DEAD:
            self.close(node.body, tip_body, last_line(node.body))
            self.close(node.orelse, tip_else, last_line(node.orelse) or node.lineno)
            tip = EMPTY
        else:
            tip = tip_else if tip_body == DEAD else tip_body
        out.append(node)
        return tip

    def visit_loop(
        self, node: ast.For | ast.AsyncFor | ast.While, out: list[ast.stmt], tip: int
    ) -> int:
        test = node.test if isinstance(node, ast.While) else node.iter
        # A thread may stay in a `while` from one context to the next.
        again = isinstance(node, ast.While) or self.suspensions.suspends(node.body)
        step, ends = self.header(node, [test], tip, entered_again=again)
        # A header that suspends on every turn: it is reached again where a turn ends.
        turns = isinstance(node, ast.AsyncFor) or (
            isinstance(node, ast.While) and self.suspensions.suspends([test])
        )
        if ends:
            self.pause(out, step, node.lineno)
            step = EMPTY if turns else self.step(node.lineno, EMPTY)
        entry = step
        self.unit.exits.append(("loop", node.lineno if turns else 0))
        body, end = self.block(node.body, self.arm(node, Way.BODY, entry))
        if turns and end != DEAD:
            end = self.step(node.lineno, end)
        self.close(body, end, last_line(node.body))
        node.body = body
        self.unit.exits.pop()
        endless = isinstance(node, ast.While) and is_true(test)
        breaks = has_break(node.body)
        exhausted = DEAD if endless else self.arm(node, Way.ELSE, entry)
        node.orelse, tip = self.block(node.orelse, exhausted)
        if not node.orelse:
            tip = exhausted
        if breaks:
            if tip >= 0:
                self.close(node.orelse, tip, node.lineno)
            tip = EMPTY
        out.append(node)
        return tip

    def visit_with(self, node: ast.With | ast.AsyncWith, out: list[ast.stmt], tip: int) -> int:
        unit = self.unit
        parts = [part for item in node.items for part in (item.context_expr, item.optional_vars)]
        suspends = isinstance(node, ast.AsyncWith) or self.suspensions.suspends(node.body)
        # The managers themselves may begin a context and end it. And one may swallow what
        # entering the next one or assigning itself raises.
        step, _ = self.header(node, parts, tip, entered_again=True)
        self.pause(out, step, node.lineno)
        step = EMPTY if unit.each or suspends else self.step(node.lineno, EMPTY)
        outer = self.enter_region(node.body[0], node.body[-1])
        if suspends:
            unit.exits.append(("with", node.lineno))
        body, end = self.block(node.body, self.arm(node, Way.BODY, step))
        if suspends and end != DEAD:
            end = self.step(node.lineno, end)
        self.close(body, end, last_line(node.body))
        if suspends:
            unit.exits.pop()
        region = self.leave_region(outer)
        # It may swallow what is raised in it, so that no handler further out sees it; and
        # what leaves it by an exception passes its line again, maybe in another context.
        leaving = self.step(node.lineno, EMPTY) if suspends else EMPTY
        probe = self.probe(leaving, node.lineno) if leaving >= 0 and not unit.each else None
        node.body = self.guarded(body, region, line=node.lineno, probe=probe)
        out.append(node)
        return self.arm(node, Way.NEXT, EMPTY)

    def visit_try(self, node: _Try, out: list[ast.stmt], tip: int) -> int:
        step = self.step(node.lineno, tip)
        if self.unit.each:
            self.pause(out, step, node.lineno)
            step = EMPTY
        outer = self.enter_region(node.body[0], node.body[-1])
        body, tip_body = self.block(node.body, self.arm(node, Way.BODY, step))
        inside = self.leave_region(outer)
        self.enter_region(node, node)
        tip_else = tip_body
        orelse: list[ast.stmt] = []
        if node.orelse:
            orelse, tip_else = self.block(node.orelse, tip_body)
        headers, ends = self.handlers(node)
        went_on = tip_else != DEAD
        if any(end != DEAD for end in ends) or node.finalbody:
            for handler, end in zip(node.handlers, ends, strict=False):
                self.close(handler.body, end, handler.lineno)
                went_on = went_on or end != DEAD
            if orelse:
                self.close(orelse, tip_else, last_line(node.orelse))
            else:
                self.close(body, tip_else, last_line(node.body), inside)
            tip_else = EMPTY
        if tip_body >= 0 and (node.orelse or tip_else == tip_body):
            # What the body ran is noted only after it.
            inside.needed = True
        if node.handlers:
            body = self.guarded(body, inside, line=node.handlers[0].lineno)
        else:
            self.unguarded(inside)
        if headers >= 0 and not takes_all(node.handlers[-1]):
            probe = self.probe(headers, node.handlers[-1].lineno)
            node.handlers.append(nodes.fall_through(probe))
        node.body, node.orelse = body, orelse
        before = self.leave_region(outer)
        before.needed = before.needed or tip_else >= 0  # what is noted only behind the `try`
        if node.finalbody:
            if before.needed and may_replace(node.finalbody):
                finish_apart(node)
                node.body = self.guarded(node.body, before, line=node.finalbody[0].lineno)
            else:
                self.unguarded(before)
            node.finalbody, end = self.block(node.finalbody, EMPTY)
            self.close(node.finalbody, end, last_line(node.finalbody))
            went_on = went_on and end != DEAD
        else:
            self.unguarded(before)
        out.append(node)
        return tip_else if went_on else DEAD

    def handlers(self, node: _Try) -> tuple[int, list[int]]:
        """Instruments the handlers: the chain of all their headers, and each one's tip."""
        headers = EMPTY
        ends = []
        for handler in node.handlers:
            if handler.type is not None and (
                isinstance(node, ast.TryStar)
                or self.unit.each
                or self.suspends_beside(handler.type.end_lineno or 0, handler.body)
            ):
                headers = self.step(handler.lineno, headers)
                if headers >= 0:
                    handler.type = nodes.note_first(*self.slot(headers), handler.type)
                headers = EMPTY
                # What its body raises goes on as part of a group that is raised elsewhere.
                apart = isinstance(node, ast.TryStar)
                outer = self.enter_region(handler.body[0], handler.body[-1])
                handler.body, end = self.block(handler.body, EMPTY)
                region = self.leave_region(outer)
                if apart:
                    self.close(handler.body, end, last_line(handler.body), region)
                    handler.body = self.guarded(handler.body, region, line=handler.lineno)
                    end = min(end, EMPTY)
                else:
                    self.unguarded(region)
                ends.append(end)
                continue
            headers = self.step(handler.lineno, headers)
            if handler.type is not None:
                self.trap(handler.lineno, handler.type.end_lineno or 0, headers)
                self.unit.region.needed = True
            handler.body, end = self.block(handler.body, headers)
            ends.append(end)
        return headers, ends

    def visit_match(self, node: ast.Match, out: list[ast.stmt], tip: int) -> int:
        step, ends = self.header(node, [node.subject], tip, entered_again=False)
        if ends:
            self.pause(out, step, node.lineno)
            step = EMPTY
        step = self.arm(node, Way.BODY, step)
        tips: list[tuple[list[ast.stmt], int]] = []
        cases: list[ast.match_case] = []
        for case in node.cases:
            step = self.step(case.pattern.lineno, step)
            self.later.visit([case.guard])
            parts = [case.pattern, case.guard]
            header_end = max(part.end_lineno or 0 for part in parts if part)
            if (
                self.unit.each
                or self.suspensions.suspends([case.guard])
                or self.suspends_beside(header_end, case.body)
            ):
                if step >= 0:
                    cases.append(nodes.note_case(*self.slot(step), case.pattern.lineno))
                step = EMPTY
            else:
                self.trap(case.pattern.lineno, header_end, step)
            case.body, end = self.block(case.body, self.arm(case, Way.BODY, step))
            cases.append(case)
            tips.append((case.body, end))
            step = self.arm(case, Way.ELSE, step)
        node.cases = cases
        if not is_irrefutable(node.cases[-1]):
            tips.append(([], step))
            if step >= 0 and any(end != DEAD for _, end in tips[:-1]):
                node.cases.append(nodes.no_case(self.probe(step, node.lineno)))
                tips[-1] = ([], EMPTY)
        alive = [(body, end) for body, end in tips if end != DEAD]
        out.append(node)
        if len(alive) == 1:
            return alive[0][1]
        for body, end in alive:
            self.close(body, end, last_line(body) if body else node.lineno)
        return EMPTY if alive else DEAD


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
