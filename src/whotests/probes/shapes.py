"""Questions about the shape of a syntax tree that instrumenting asks."""

import ast
from collections.abc import Iterable, Sequence

__all__ = [
    "COMPOUND",
    "DEFINITIONS",
    "SIMPLE",
    "finish_apart",
    "first_line",
    "has_break",
    "is_bare_annotation",
    "is_docstring",
    "is_future_import",
    "is_irrefutable",
    "is_name",
    "is_true",
    "last_line",
    "makes_annotations_text",
    "may_replace",
    "outer_parts",
    "takes_all",
]

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPOUND = (*_LOOPS, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
"""Statements with suites that belong to the same unit."""

SIMPLE = tuple(
    kind
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.stmt) and kind not in (ast.stmt, *COMPOUND)
)
"""All others, definitions among them."""


def outer_parts(node: ast.stmt) -> list[ast.expr]:
    """What a definition evaluates in the frame that it stands in."""
    parts = list(node.decorator_list)  # type: ignore[attr-defined]
    if isinstance(node, ast.ClassDef):
        return [*parts, *node.bases, *(keyword.value for keyword in node.keywords)]
    arguments: ast.arguments = node.args  # type: ignore[attr-defined]
    return [*parts, *arguments.defaults, *(part for part in arguments.kw_defaults if part)]


def first_line(node: ast.stmt) -> int:
    """The line at which a statement begins: with its decorators, if it has any."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def last_line(body: Sequence[ast.stmt]) -> int:
    """The line at which the last statement begins; 0 without one."""
    return body[-1].lineno if body else 0


def is_bare_annotation(node: ast.stmt) -> bool:
    """Whether it is `name: …`, of which a function runs nothing."""
    return (
        isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name)
    )


def is_docstring(node: ast.stmt) -> bool:
    """Whether it is one where it stands first in a body."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def is_future_import(node: ast.stmt) -> bool:
    """Whether it must stand before all other statements."""
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level


def makes_annotations_text(node: ast.stmt) -> bool:
    """Whether it is `from __future__ import annotations`."""
    return is_future_import(node) and any(alias.name == "annotations" for alias in node.names)  # type: ignore[attr-defined]


def is_name(node: ast.expr) -> bool:
    """Whether it is a name, dotted or not."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def finish_apart(node: ast.Try | ast.TryStar) -> None:
    """Makes a `try` with handlers and a `finally` two, one in the other, which do the same."""
    if node.handlers:
        inner = type(node)(
            node.body,
            node.handlers,
            node.orelse,
            [],
            lineno=node.lineno,
            col_offset=node.col_offset,
            end_lineno=node.end_lineno,
            end_col_offset=node.end_col_offset,
        )
        node.body, node.handlers, node.orelse = [inner], [], []


def is_true(test: ast.expr) -> bool:
    """Whether a loop's test never fails."""
    return isinstance(test, ast.Constant) and bool(test.value)


def takes_all(handler: ast.ExceptHandler) -> bool:
    """Whether no exception gets past the handler."""
    kind = handler.type
    return kind is None or (isinstance(kind, ast.Name) and kind.id == "BaseException")


def is_irrefutable(case: ast.match_case) -> bool:
    """Whether the case matches everything, as the compiler sees it."""
    pattern: ast.pattern | None = case.pattern
    while pattern is not None and case.guard is None:
        if isinstance(pattern, ast.MatchOr):
            pattern = pattern.patterns[-1]
        elif isinstance(pattern, ast.MatchAs):
            pattern = pattern.pattern
        else:
            return False
    return case.guard is None


def has_break(body: Iterable[ast.AST]) -> bool:
    """Whether a `break` in a loop's body leaves that very loop."""
    todo = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            todo += node.orelse
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)) and not isinstance(
            node, DEFINITIONS
        ):
            todo += [part for part in ast.iter_child_nodes(node) if not isinstance(part, ast.expr)]
    return False


def may_replace(body: Iterable[ast.AST]) -> bool:
    """Whether a `finally` may end with anything but the exception that it was entered with:
    it jumps out of it, or raises another one."""
    return any(not isinstance(statement, ast.Pass) for statement in body)
