"""Which branches a file has. (PYTEST_DONT_REWRITE)

A branch is a way out of a line that has more than one, as coverage.py 7.17 defines it: the line,
and the line that runs next, or minus the first line of the unit that is left.

A suite is worked out from what follows it: the line `behind` it is handed down the tree, along
with the places to which `break`, `continue`, `raise` and `return` lead. So a statement's ways are
known when it is come by, and nothing has to be joined again on the way up. What is asked of a
suite ahead of that is only whether it can complete: what leads out of a `finally` depends on it.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from whotests.source.exclusions import is_irrefutable
from whotests.source.units import UnitNode

__all__ = ["NO_BRANCHES", "Branches", "Way", "branches_of"]


class Way(Enum):
    """Which way control leaves a statement, a handler or a case."""

    BODY = "body"
    """Into its suite."""
    ELSE = "else"
    """Past its suite: the test failed, the loop is exhausted, the case did not match."""
    NEXT = "next"
    """On from a statement without a suite that runs here (a definition, too), wherever it leads:
    to the next statement, or where a `return`, `raise`, `break` or `continue` goes; and out of a
    `with` whose suite stands on its own line."""


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches of one file, before exclusion."""

    arcs: tuple[tuple[int, int], ...]
    """Ascending, without duplicates: the line, and where it leads. Each line has several."""
    ways: Mapping[tuple[int, Way], int]
    """What takes them: the id of a statement, handler or case of the tree, and the way out of it,
    to the index in `arcs`. Several may take the same; ways that are no branches are not in it."""
    fails: Mapping[int, int]
    """Line -> the index of the branch that an exception raised on it takes, where there is one: it
    leads where another way of the line leads, to the unit's end, a `finally` or behind a `with`."""
    withs: Mapping[int, int]
    """Line of a `with` -> where its suite leads when it completes. A tracer sees the `with` again
    in between: of a last line 3 within line 1 it tells 3->1, 1->4."""


NO_BRANCHES = Branches((), {}, {}, {})


def branches_of(
    units: Iterable[UnitNode], *, first_lines: Mapping[int, int], statements: Set[int]
) -> Branches:
    """The branches of all units of a file, whose tree is unchanged.

    `first_lines` is what `logical_lines.continuations` says, `statements` are the lines that have
    code, folded to the first of their logical line; docstrings, too. The ids in `ways` hold as
    long as the tree is kept.
    """
    flow = _Flow(first_lines, statements)
    for unit in units:
        flow.unit(unit)
    some: dict[int, int] = {}
    several = {line for line, to, _, _ in flow.found if some.setdefault(line, to) != to}
    if not several:
        return NO_BRANCHES
    found = [way for way in flow.found if way[0] in several]
    arcs = tuple(sorted({(line, to) for line, to, _, _ in found}))
    index = {arc: number for number, arc in enumerate(arcs)}
    return Branches(
        arcs,
        {(id(node), way): index[line, to] for line, to, node, way in found},
        {line: index[line, to] for line, to in flow.failing.items() if (line, to) in index},
        flow.withs,
    )


_NOWHERE = 0
"""Where control leads that reaches no line, or none that coverage.py knows of."""

_Suite = Sequence[ast.stmt]
_Try = ast.Try | ast.TryStar
_Loop = ast.For | ast.AsyncFor | ast.While
_With = ast.With | ast.AsyncWith
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_JUMPS = frozenset({ast.Break, ast.Continue, ast.Raise, ast.Return})


class _Jumps(NamedTuple):
    """Where the statements lead that jump, and any that fails."""

    broken: int
    continued: int
    raised: int
    returned: int
    failed: int


class _Flow:
    """The ways through the units of one file."""

    def __init__(self, first_lines: Mapping[int, int], statements: Set[int]) -> None:
        self.first_lines = first_lines
        self.statements = statements
        self.found: list[tuple[int, int, ast.AST, Way]] = []
        """Every way that leaves a line: that, where it leads, and what takes it."""
        self.failing: dict[int, int] = {}
        """Line -> the line that the tracer sees next when an exception is raised there."""
        self.withs: dict[int, int] = {}
        self.todo: list[tuple[_Suite, int, _Jumps]] = []
        """Suites, the line behind each, and where jumps in it lead."""

    def unit(self, unit: UnitNode) -> None:
        """Finds the ways through the body of one unit; those inside it are not entered."""
        left = -1 if isinstance(unit, ast.Module) else -self.line(unit)
        # An exception that leaves a module or class is no way that coverage.py knows.
        function = isinstance(unit, (ast.FunctionDef, ast.AsyncFunctionDef))
        jumps = _Jumps(_NOWHERE, _NOWHERE, left if function else _NOWHERE, left, left)
        # A list, because a chain of `elif` is a tree deeper than Python recurses.
        self.todo.append((unit.body, left, jumps))
        while self.todo:
            self.suite(*self.todo.pop())

    def suite(self, suite: _Suite, behind: int, jumps: _Jumps) -> None:
        for node in reversed(suite):
            line = self.line(node)
            if line not in self.statements:
                continue  # the compiler dropped it
            self.failing[line] = jumps.failed
            visit = _VISITS.get(node.__class__)
            if visit is not None:
                visit(self, node, line, behind, jumps)
            elif behind not in (line, _NOWHERE):
                self.found.append((line, behind, node, Way.NEXT))
            behind = line

    def line(self, node: ast.stmt) -> int:
        """The line on which a statement begins to run; its first decorator's if it has any."""
        number = node.lineno
        if isinstance(node, _DEFINITIONS) and node.decorator_list:
            number = node.decorator_list[0].lineno
        return self.first_lines.get(number, number)

    def way(self, node: ast.AST, way: Way, line: int, to: int) -> None:
        if to not in (line, _NOWHERE):
            self.found.append((line, to, node, way))

    def entry(self, suite: _Suite, behind: int) -> int:
        """The line that runs first in a suite, or the one behind it where nothing does."""
        for node in suite:
            line = self.line(node)
            if line in self.statements:
                return line
        return behind

    # -- statements -------------------------------------------------------------------------

    def into(self, node: ast.AST, line: int, suite: _Suite, behind: int, jumps: _Jumps) -> None:
        """Control may go from a header into its suite."""
        self.way(node, Way.BODY, line, self.entry(suite, behind))
        self.todo.append((suite, behind, jumps))

    def past(self, node: ast.AST, line: int, orelse: _Suite, behind: int, jumps: _Jumps) -> None:
        """Control may go from a header past its suite, into the `else` if there is one."""
        self.way(node, Way.ELSE, line, self.entry(orelse, behind))
        self.todo.append((orelse, behind, jumps))

    def visit_break(self, node: ast.Break, line: int, _: int, jumps: _Jumps) -> None:
        self.way(node, Way.NEXT, line, jumps.broken)

    def visit_continue(self, node: ast.Continue, line: int, _: int, jumps: _Jumps) -> None:
        self.way(node, Way.NEXT, line, jumps.continued)

    def visit_raise(self, node: ast.Raise, line: int, _: int, jumps: _Jumps) -> None:
        self.way(node, Way.NEXT, line, jumps.raised)

    def visit_return(self, node: ast.Return, line: int, _: int, jumps: _Jumps) -> None:
        self.way(node, Way.NEXT, line, jumps.returned)

    def visit_definition(self, node: _Definition, _: int, behind: int, __: _Jumps) -> None:
        # It begins at its first decorator. These lead from one to the next, so none is a branch.
        self.way(node, Way.NEXT, self.first_lines.get(node.lineno, node.lineno), behind)

    def visit_if(self, node: ast.If, line: int, behind: int, jumps: _Jumps) -> None:
        test = _constant(node.test)
        if test is not False:
            self.into(node, line, node.body, behind, jumps)
        if test is not True:
            self.past(node, line, node.orelse, behind, jumps)

    def visit_loop(self, node: _Loop, line: int, behind: int, jumps: _Jumps) -> None:
        inside = jumps._replace(broken=behind, continued=line)
        self.into(node, line, node.body, line, inside)
        if node.orelse or not _is_endless(node):
            self.past(node, line, node.orelse, behind, jumps)

    def visit_with(self, node: _With, line: int, behind: int, jumps: _Jumps) -> None:
        # The tracer sees the line of a `with` once more where its suite ends. That is no way of
        # its own: the end of the suite leads where the `with` does, if that leads anywhere.
        if self.line(node.body[0]) == line:
            if node.body[-1].__class__ in _JUMPS:
                jumps = jumps._replace(broken=_NOWHERE)  # coverage.py takes it for the way out
            else:
                self.way(node, Way.NEXT, line, behind)
        else:
            self.withs[line] = behind
        # An exception comes by the line of the `with`, too.
        behind = line if behind == _NOWHERE else behind
        self.into(node, line, node.body, behind, jumps._replace(failed=behind))

    def visit_match(self, node: ast.Match, _: int, behind: int, jumps: _Jumps) -> None:
        following = _NOWHERE if is_irrefutable(node.cases[-1]) else behind
        for case in reversed(node.cases):
            line = self.first_lines.get(case.pattern.lineno, case.pattern.lineno)
            self.failing[line] = jumps.failed
            self.into(case, line, case.body, behind, jumps)
            self.way(case, Way.ELSE, line, following)
            following = line

    def visit_try(self, node: _Try, line: int, behind: int, jumps: _Jumps) -> None:
        handled = jumps
        if node.finalbody:
            # Only what completes is followed through a `finally`; a jump is drawn past it, and an
            # exception that comes to it is lost.
            if not self.completes(self.before_finally(node)):
                behind = _NOWHERE
            self.todo.append((node.finalbody, behind, jumps))
            behind = self.entry(node.finalbody, behind)
            handled = jumps._replace(raised=_NOWHERE, failed=behind)
        raised = _NOWHERE
        for handler in reversed(node.handlers):
            raised = self.first_lines.get(handler.lineno, handler.lineno)
            inside = handled if isinstance(node, ast.Try) else handled._replace(failed=_NOWHERE)
            self.into(handler, raised, handler.body, behind, inside)
        if node.orelse:
            self.todo.append((node.orelse, behind, handled))
            behind = self.entry(node.orelse, behind)
        failed = raised if node.handlers else handled.failed
        self.into(node, line, node.body, behind, jumps._replace(raised=raised, failed=failed))

    # -- ahead ------------------------------------------------------------------------------

    def completes(self, suites: Iterable[_Suite]) -> bool:
        """Whether control may come out at the end of one of these suites."""
        todo = list(suites)
        while todo:
            last = next((node for node in reversed(todo.pop()) if self.is_live(node)), None)
            match last:
                case ast.Break() | ast.Continue() | ast.Raise() | ast.Return():
                    continue
                case ast.If():
                    todo += _tested(last)
                case ast.For() | ast.AsyncFor() | ast.While():
                    if self.breaks(last) or not (last.orelse or _is_endless(last)):
                        return True
                    if last.orelse:
                        todo.append(last.orelse)
                case ast.With() | ast.AsyncWith():
                    todo.append(last.body)
                case ast.Match():
                    if not is_irrefutable(last.cases[-1]):
                        return True
                    todo += [case.body for case in last.cases]
                case ast.Try() | ast.TryStar():
                    before = self.before_finally(last)
                    if not last.finalbody:
                        todo += before
                    elif self.completes([last.finalbody]) and self.completes(before):
                        return True
                case _:  # nothing is kept, or what is last goes on
                    return True
        return False

    def breaks(self, loop: _Loop) -> bool:
        """Whether a `break` leaves the loop."""
        todo: list[_Suite] = [loop.body]
        while todo:
            for node in todo.pop():
                if not self.is_live(node):
                    continue
                match node:
                    case ast.Break():
                        return True
                    case ast.If():
                        todo += _tested(node)
                    case ast.For() | ast.AsyncFor() | ast.While():
                        todo.append(node.orelse)
                    case ast.With() | ast.AsyncWith():
                        todo.append(node.body)
                    case ast.Match():
                        todo += [case.body for case in node.cases]
                    case ast.Try() | ast.TryStar():
                        todo += [node.body, node.orelse, node.finalbody]
                        todo += [handler.body for handler in node.handlers]
        return False

    def before_finally(self, node: _Try) -> list[_Suite]:
        """The suites of a `try` at whose ends it goes on, into its `finally` if it has one."""
        normal = node.orelse if any(map(self.is_live, node.orelse)) else node.body
        return [normal, *(handler.body for handler in node.handlers)]

    def is_live(self, node: ast.stmt) -> bool:
        """Whether the compiler kept a statement."""
        return self.line(node) in self.statements


def _tested(node: ast.If) -> list[_Suite]:
    """The suites of an `if` that its test may choose."""
    test = _constant(node.test)
    if test is None:
        return [node.body, node.orelse]
    return [node.body if test else node.orelse]


def _is_endless(loop: _Loop) -> bool:
    """Whether a loop has a constant test, whatever its value: coverage.py's rule."""
    return isinstance(loop, ast.While) and _constant(loop.test) is not None


def _constant(test: ast.expr) -> bool | None:
    """The value of a test that is made of constants alone; None for any other."""
    negated = False
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, negated = test.operand, not negated
    value: bool | None = None
    if isinstance(test, ast.Constant):
        value = bool(test.value)
    elif isinstance(test, ast.Name):
        value = __debug__ if test.id == "__debug__" else None
    elif isinstance(test, ast.BoolOp):
        values = [_constant(part) for part in test.values]
        if None not in values:
            value = any(values) if isinstance(test.op, ast.Or) else all(values)
    return None if value is None else value is not negated


_VISITS: dict[type[ast.AST], Callable[[_Flow, Any, int, int, _Jumps], None]] = {
    ast.Break: _Flow.visit_break,
    ast.Continue: _Flow.visit_continue,
    ast.Raise: _Flow.visit_raise,
    ast.Return: _Flow.visit_return,
    ast.FunctionDef: _Flow.visit_definition,
    ast.AsyncFunctionDef: _Flow.visit_definition,
    ast.ClassDef: _Flow.visit_definition,
    ast.If: _Flow.visit_if,
    ast.For: _Flow.visit_loop,
    ast.AsyncFor: _Flow.visit_loop,
    ast.While: _Flow.visit_loop,
    ast.With: _Flow.visit_with,
    ast.AsyncWith: _Flow.visit_with,
    ast.Match: _Flow.visit_match,
    ast.Try: _Flow.visit_try,
    ast.TryStar: _Flow.visit_try,
}
