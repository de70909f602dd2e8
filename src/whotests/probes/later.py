"""Probes inside expressions: for what runs later than the statement that it stands in.

A lambda or generator expression may run in another context than its statement, and so may what
follows a `yield` or `await` in one. The tracer that we agree with looks when the line changes
and when a loop turns; so what a resumed frame runs on its old line alone is not noted.
"""

import ast
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise

from whotests.probes import nodes
from whotests.probes.suspension import Suspensions

__all__ = ["Later"]

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SUSPENDING = (ast.Yield, ast.YieldFrom, ast.Await)
_OWN_FRAME = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


class Later:
    """Puts probes into the expressions of one file."""

    def __init__(
        self,
        suspensions: Suspensions,
        slot_at: Callable[[int], tuple[str, int] | None],
        *,
        annotations_are_text: bool,
    ) -> None:
        self._suspensions = suspensions
        self._annotations_are_text = annotations_are_text
        self._slot_at = slot_at
        """Gives a new probe for a line, or None if the line does not count."""

    def visit(self, parts: Iterable[ast.AST | None]) -> None:
        """Instruments what may run later in the expressions, in place."""
        for part in parts:
            if part is None:
                continue
            for node in self._suspensions.late_expressions(part):
                place = self._slot_at(node.lineno)  # a decorator has a line of its own
                if place is None:
                    continue
                if isinstance(node, ast.Lambda):
                    node.body = nodes.note_first(*place, node.body)
                else:
                    self._generator(node, *place)
            for comprehension in self._suspensions.suspending_comprehensions(part):
                place = self._slot_at(comprehension.lineno)
                if place is not None:
                    self._turns(comprehension, *place)

    def visit_fields(self, node: ast.AST) -> None:
        """Notes what a statement, or its header, runs on other lines once it was resumed."""
        first, last = node.lineno, node.end_lineno or 0  # type: ignore[attr-defined]
        if first == last:
            return
        if isinstance(node, ast.AsyncWith):
            # Each manager is entered on a line of its own.
            for before, item in pairwise(node.items):
                place = self._slot_at(first)
                if place is not None and item.context_expr.lineno != before.context_expr.lineno:
                    item.context_expr = nodes.note_first(*place, item.context_expr)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and self._suspensions.suspends([value]):
                setattr(node, name, _Resumed(self._slot_at, first, value).visit(value))

    def visit_lazy(self, node: ast.stmt) -> None:
        """Notes a statement when what Python evaluates later of it is evaluated: the value of a
        type alias and what bounds type parameters, and, since 3.14, annotations."""
        for part in getattr(node, "type_params", ()):
            for name in ("bound", "default_value"):
                self._wrap_lazy(part, name, node.lineno)
        if sys.version_info >= (3, 12) and isinstance(node, ast.TypeAlias):
            self._wrap_lazy(node, "value", node.lineno)
        if sys.version_info < (3, 14) or self._annotations_are_text:
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            # They are evaluated together: the first one will do.
            arguments = node.args
            for argument in (
                *arguments.posonlyargs,
                *arguments.args,
                *filter(None, (arguments.vararg,)),
                *arguments.kwonlyargs,
                *filter(None, (arguments.kwarg,)),
            ):
                if self._wrap_lazy(argument, "annotation", node.lineno):
                    return
            self._wrap_lazy(node, "returns", node.lineno)
        elif isinstance(node, ast.AnnAssign):
            self._wrap_lazy(node, "annotation", node.lineno)

    def _wrap_lazy(self, node: ast.AST, name: str, line: int) -> bool:
        """Whether there is a value, which notes the line from now on if that counts."""
        value = getattr(node, name, None)
        if value is None:
            return False
        if isinstance(value, ast.Starred):
            return self._wrap_lazy(value, "value", line)
        if name == "bound" and isinstance(value, ast.Tuple):
            # A tuple there has a meaning of its own: they are constraints.
            place = self._slot_at(line) if value.elts else None
            if place is not None:
                value.elts[0] = nodes.note_first(*place, value.elts[0])
            return True
        place = self._slot_at(line)
        if place is not None:
            setattr(node, name, nodes.note_first(*place, value))
        return True

    def _generator(self, node: ast.GeneratorExp, block: str, slot: int) -> None:
        """Notes when it is entered, when it goes on to a value, and when it ends."""
        for at, generator in enumerate(node.generators):
            if generator.ifs:
                generator.ifs[0] = nodes.note_first(block, slot, generator.ifs[0])
            elif at + 1 < len(node.generators):
                following = node.generators[at + 1]
                following.iter = nodes.note_first(block, slot, following.iter)
            else:
                node.elt = nodes.note_first(block, slot, node.elt)
        if not node.generators[0].is_async:
            nodes.note_ends(block, slot, node)

    def _turns(self, node: _Comprehension, block: str, slot: int) -> None:
        """Notes each turn of its loops."""
        for generator in node.generators:
            generator.ifs = [nodes.note_after(block, slot, test) for test in generator.ifs]
        if isinstance(node, ast.DictComp):
            node.value = nodes.note_after(block, slot, node.value)
        else:
            node.elt = nodes.note_after(block, slot, node.elt)


class _Resumed(ast.NodeTransformer):
    """Notes after each `yield` and `await` that other lines of the statement follow it."""

    def __init__(
        self, slot_at: Callable[[int], tuple[str, int] | None], first: int, whole: ast.expr
    ) -> None:
        self._slot_at = slot_at
        self._first = first
        self._places = [
            (node.lineno, node.col_offset) for node in ast.walk(whole) if isinstance(node, ast.expr)
        ]

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _OWN_FRAME):
            return node
        super().generic_visit(node)
        if isinstance(node, _SUSPENDING) and self._goes_on(node):
            place = self._slot_at(self._first)
            if place is not None:
                return nodes.note_after(*place, node)
        return node

    def _goes_on(self, node: ast.expr) -> bool:
        end = (node.end_lineno or 0, node.end_col_offset or 0)
        return node.lineno != self._first or any(
            place >= end and place[0] != node.lineno for place in self._places
        )
