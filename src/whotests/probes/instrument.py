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
from collections.abc import Mapping, Sequence

from whotests.probes import nodes
from whotests.probes.chains import DEAD, EMPTY
from whotests.probes.compiled import left_as_they_are
from whotests.probes.layout import Packed
from whotests.probes.shapes import (
    finish_apart,
    has_break,
    is_irrefutable,
    is_true,
    last_line,
    makes_annotations_text,
    may_replace,
    takes_all,
)
from whotests.probes.statements import Statements
from whotests.source.branches import Branches, Way

__all__ = ["instrument"]

_Try = ast.Try | ast.TryStar


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
    annotations_are_text: bool = False,
) -> Packed:
    """Puts probes into `tree`, in place, and returns what they stand for.

    `units` are the nodes of the file's units in order, the module first; `first_lines` folds a
    line to its logical line's first; `statements` are the lines that count, `branches` what there
    is to branches, if they are to be noted. With `mark_module` the module tells when its own code
    begins and ends. With `each` all statements have probes of their own and there are no handlers:
    what is nested too deep for more blocks is compiled so. `annotations_are_text` if the tree is
    compiled as under `from __future__ import annotations`, whether or not it has that itself.
    """
    return _Instrumenter(
        text,
        units,
        first_lines,
        statements,
        branches,
        each,
        annotations_are_text or any(map(makes_annotations_text, tree.body)),
    ).module(tree, mark_module)


class _Instrumenter(Statements):
    def module(self, tree: ast.Module, mark_module: bool) -> Packed:
        self.left_alone = {id(node) for node in left_as_they_are(tree, self.text)}
        head, body = self.definition_body(tree)
        if mark_module and body:
            body = nodes.module_frame(body)
        tree.body = head + body
        return self.layout()

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


_Instrumenter.compound = {
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
