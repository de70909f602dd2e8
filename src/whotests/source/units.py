"""The units of a file: its module body, functions, methods and class bodies.

Lambdas and comprehensions belong to the unit around them. (PYTEST_DONT_REWRITE)
"""

import ast
from collections.abc import Iterator

from whotests.records import UnitRecord
from whotests.source.fingerprints import fingerprint
from whotests.types import UnitKind

__all__ = ["UnitNode", "suites_of", "unit_nodes", "units_of"]

UnitNode = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def unit_nodes(tree: ast.Module) -> list[UnitNode]:
    """The nodes of the file's units in source order, the module first.

    Index i is the node of `units_of(tree, ...)[i]`.
    """
    return [node for node, _ in _walk(tree)]


def units_of(
    tree: ast.Module, line_count: int, *, fingerprints: bool = True
) -> tuple[UnitRecord, ...]:
    """The file's units in source order, the module first. The tree is not changed.

    Fingerprints take more than half of the time; without, they are empty.
    """
    records = []
    for node, qualname in _walk(tree):
        if isinstance(node, ast.Module):
            kind, first, last = UnitKind.MODULE, 1, max(1, line_count)
            body = 1
        else:
            kind = UnitKind.CLASS if isinstance(node, ast.ClassDef) else UnitKind.FUNCTION
            decorators = node.decorator_list
            first = decorators[0].lineno if decorators else node.lineno
            last = node.end_lineno or node.lineno
            body = node.body[0].lineno
        records.append(
            UnitRecord(
                qualname=qualname,
                kind=kind,
                first_line=first,
                last_line=last,
                body_line=body,
                fingerprint=fingerprint(node) if fingerprints else b"",
            )
        )
    return tuple(records)


def suites_of(node: ast.AST) -> Iterator[ast.AST]:
    """The statements, handlers and cases directly below a statement-level node, in source order."""
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        yield from getattr(node, name, ())


def _walk(tree: ast.Module) -> Iterator[tuple[UnitNode, str]]:
    """Every unit with its qualified name, in source order."""
    todo: list[tuple[UnitNode, str, str | None]] = [(tree, "", None)]
    while todo:
        node, qualname, private = todo.pop()
        yield node, qualname
        if isinstance(node, ast.ClassDef):
            private = node.name
        inner, globals_ = _scope(node)
        if isinstance(node, ast.Module):
            prefix = ""
        elif isinstance(node, ast.ClassDef):
            prefix = qualname + "."
        else:
            prefix = qualname + ".<locals>."
        explicit = {_mangled(name, private) for name in globals_}
        for child in reversed(inner):
            # A name that its scope declares global is qualified as the module's.
            is_global = bool(explicit) and _mangled(child.name, private) in explicit
            todo.append((child, child.name if is_global else prefix + child.name, private))


def _scope(
    unit: UnitNode,
) -> tuple[list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef], list[str]]:
    """The units directly inside one, in source order, and the names that it declares global."""
    inner: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    globals_: list[str] = []
    todo: list[ast.AST] = list(reversed(unit.body))
    while todo:
        node = todo.pop()
        if isinstance(node, _DEFINITIONS):
            inner.append(node)
        elif isinstance(node, ast.Global):
            globals_ += node.names
        elif not isinstance(node, _LEAVES):
            below = list(suites_of(node))
            below.reverse()
            todo += below
    return inner, globals_


_LEAVES = (ast.Expr, ast.Assign, ast.Return, ast.AugAssign, ast.AnnAssign, ast.Raise, ast.Assert)
"""The most frequent statements that hold no others (a shortcut; any other may be asked)."""


def _mangled(name: str, private: str | None) -> str:
    """The name as the compiler knows it inside the class `private`."""
    if private is None or not name.startswith("__") or name.endswith("__"):
        return name
    stripped = private.lstrip("_")
    return f"_{stripped}{name}" if stripped else name
