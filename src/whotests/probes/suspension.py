"""Where a frame can be left and entered again, and which expressions run later than they stand.

A context may end while a generator or coroutine is suspended, and the body of a lambda or a
generator expression may run in another context than the statement that it stands in.
"""

import ast
import re
from bisect import bisect_left
from collections.abc import Iterable

__all__ = ["Suspensions"]

_WORDS = re.compile(r"\b(?:yield|await|async|lambda|for)\b")
_ENTERS_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
_BUILDERS = frozenset(("bytes", "dict", "frozenset", "join", "list", "set", "tuple"))
_CONSUMERS = _BUILDERS | {"all", "any", "max", "min", "sorted", "sum"}
"""Calls that run their generator expression, or their key function, before they return."""


class Suspensions:
    """Answers for the nodes of one file; cheap where the text has none of the words."""

    def __init__(self, text: str) -> None:
        self._lines = [
            number for number, line in enumerate(text.split("\n"), 1) if _WORDS.search(line)
        ]

    def may_matter(self, node: ast.AST) -> bool:
        """Whether a line of the node has one of the words that this is all about."""
        at = bisect_left(self._lines, node.lineno)  # type: ignore[attr-defined]
        return at < len(self._lines) and self._lines[at] <= node.end_lineno  # type: ignore[attr-defined]

    def suspends(self, nodes: Iterable[ast.AST | None]) -> bool:
        """Whether evaluating or executing any of the nodes may suspend this very frame."""
        return any(node is not None and self._suspends(node) for node in nodes)

    def _suspends(self, node: ast.AST) -> bool:
        if hasattr(node, "lineno") and not self.may_matter(node):
            return False
        todo = [node]
        while todo:
            node = todo.pop()
            if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)):
                return True
            if isinstance(node, _ENTERS_LATER):
                if not isinstance(node, ast.Lambda):
                    todo += node.decorator_list
                todo += node.args.defaults
                todo += [default for default in node.args.kw_defaults if default is not None]
            elif isinstance(node, ast.GeneratorExp):
                todo.append(node.generators[0].iter)
            elif isinstance(node, ast.comprehension) and node.is_async:
                return True
            else:
                todo += ast.iter_child_nodes(node)
        return False

    def late_expressions(self, node: ast.AST) -> list[ast.Lambda | ast.GeneratorExp]:
        """The lambdas and generator expressions inside an expression that may run later.

        Left out are those which the call around them runs before it returns.
        """
        if not self.may_matter(node):
            return []
        found: list[ast.Lambda | ast.GeneratorExp] = []
        todo: list[tuple[ast.AST, bool]] = [(node, False)]
        while todo:
            node, runs_now = todo.pop()
            if isinstance(node, (ast.Lambda, ast.GeneratorExp)) and not runs_now:
                found.append(node)
            if isinstance(node, ast.Call) and _name(node.func) in _CONSUMERS:
                todo.append((node.func, False))
                todo += [(argument, True) for argument in node.args]
                todo += [(keyword.value, True) for keyword in node.keywords]
            else:
                todo += [(child, False) for child in ast.iter_child_nodes(node)]
        return found

    def suspending_comprehensions(
        self, node: ast.AST
    ) -> list[ast.ListComp | ast.SetComp | ast.DictComp]:
        """The comprehensions inside an expression that may suspend the frame around them."""
        if not self.may_matter(node) or not self._suspends(node):
            return []
        found: list[ast.ListComp | ast.SetComp | ast.DictComp] = []
        todo = [node]
        while todo:
            node = todo.pop()
            if isinstance(node, _COMPREHENSIONS) and self._suspends(node):
                found.append(node)
            if not isinstance(node, (*_ENTERS_LATER, ast.GeneratorExp, ast.ClassDef)):
                todo += ast.iter_child_nodes(node)
        return found


def _name(function: ast.expr) -> str:
    """The last part of a called name, or ''."""
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""
