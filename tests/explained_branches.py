"""The branches of which whotests and coverage.py think differently, and why: docs/exactness.md."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from whotests.source.logical_lines import continuations

__all__ = ["Explained"]

Arc = tuple[int, int]

_SUSPENDING = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)


@dataclass(frozen=True, slots=True)
class _Suite:
    first: int
    last: int


class Explained:
    """What of one text may differ, by rule."""

    def __init__(self, text: str, lent: set[int]) -> None:
        self._first_lines = continuations(text)
        tree = ast.parse(text)
        self._lent = lent
        self._around_lent = {
            self._first(node.lineno)
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt)
            and any(node.lineno < line <= (node.end_lineno or 0) for line in lent)
        }
        self._replaced = [
            _Suite(suite[0].lineno, suite[-1].end_lineno or 0)
            for node in ast.walk(tree)
            for suite in _suites_that_may_raise_again(node)
        ]
        self._jumps_past_others = {
            self._first(node.lineno)
            for statement in ast.walk(tree)
            if isinstance(statement, (ast.With, ast.AsyncWith)) or _has_finally(statement)
            for node in ast.walk(statement)
            if isinstance(node, (ast.Return, ast.Break, ast.Continue))
        }
        self._once = {self._first(node.lineno) for node in _run_once(tree)}
        self._generic = {
            self._first(node.lineno)
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and getattr(node, "type_params", None)
        }
        self._annotated = {
            self._first(node.lineno)
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and sys.version_info >= (3, 14)
            and _has_annotations(node)
        }
        self._in_with = {
            self._first(node.lineno)
            for statement in ast.walk(tree)
            if isinstance(statement, (ast.With, ast.AsyncWith)) and sys.version_info >= (3, 14)
            for inner in statement.body
            for node in ast.walk(inner)
            if isinstance(node, ast.stmt)
        }
        self._suspending = {
            self._first(line)
            for node in ast.walk(tree)
            if isinstance(node, _SUSPENDING)
            for line in (node.lineno, node.end_lineno or node.lineno)
        }

    def superfluous(self, arc: Arc) -> bool:
        """Whether only whotests may have it: a way out of a `finally` or an `except*`, after which
        an exception may go on; or a jump on the line of its `if`, out of a `with` or past a
        `finally`."""
        line, to = arc
        leaves = any(
            block.first <= line <= block.last and not block.first <= to <= block.last
            for block in self._replaced
        )
        # The tracer may see a lent line in its suite instead of the one that comes next.
        return (
            leaves
            or line in self._generic
            or line in self._jumps_past_others
            or line in self._around_lent
        )

    def missing(self, arc: Arc) -> bool:
        """Whether only coverage.py may have it: with a line that the compiler lent to other code,
        or by an exception in a module or class body, or where a frame is suspended, or out of the
        scope that holds the type parameters or annotations of a definition on one line, or out of
        a function by an exception that passed a `with`."""
        line, to = arc
        known = self._once | self._suspending | self._generic | self._annotated
        return line in known or (to < 0 and line in self._in_with) or not self._lent.isdisjoint(arc)

    def _first(self, line: int) -> int:
        return self._first_lines.get(line, line)


def _has_finally(node: ast.AST) -> bool:
    return isinstance(node, (ast.Try, ast.TryStar)) and bool(node.finalbody)


def _suites_that_may_raise_again(node: ast.AST) -> Iterator[list[ast.stmt]]:
    if isinstance(node, (ast.Try, ast.TryStar)) and node.finalbody:
        yield node.finalbody
    if isinstance(node, ast.TryStar):
        for handler in node.handlers:
            yield handler.body


def _run_once(tree: ast.AST) -> Iterator[ast.stmt | ast.pattern]:
    """Statements and patterns of module and class bodies."""
    todo = [tree]
    while todo:
        node = todo.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                yield child
            elif isinstance(child, ast.match_case):
                yield child.pattern
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
                todo.append(child)
            else:
                todo += [inner for inner in ast.walk(child) if isinstance(inner, ast.ClassDef)]


def _has_annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.returns is not None or any(
        argument.annotation is not None
        for argument in ast.walk(node.args)
        if isinstance(argument, ast.arg)
    )
