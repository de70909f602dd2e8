"""Functions whose bytecode a tool reads: probes would be in its way.

Such a function is left as it is. It is known by its decorator's name, which an import of the
tool's package brought into the file; nothing is imported to find out.
"""

import ast
from collections.abc import Collection

__all__ = ["is_empty", "left_as_they_are"]

_COMPILERS = frozenset({"numba"})
"""Those that compile bytecode. Others (Triton, Taichi) read the source, which stays as it is."""

_MACHINES = "automat"
"""It takes the inputs of a state machine for functions only if there is nothing in them."""


def left_as_they_are(tree: ast.Module, text: str) -> list[ast.FunctionDef]:
    """The outermost functions that such a package reads, in source order."""
    if not any(package in text for package in (*_COMPILERS, _MACHINES)):
        return []
    compilers = _names_of_packages(tree, _COMPILERS)
    machines = bool(_names_of_packages(tree, {_MACHINES}))
    if not compilers and not machines:
        return []
    found = []
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef) and (
            any(_root(decorator) in compilers for decorator in node.decorator_list)
            or (machines and is_empty(node) and any(map(_is_input, node.decorator_list)))
        ):
            found.append(node)
        else:
            todo += ast.iter_child_nodes(node)
    return sorted(found, key=lambda function: function.lineno)


def is_empty(function: ast.FunctionDef) -> bool:
    """Whether it has nothing to do."""
    return all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        or (
            isinstance(statement, ast.Return)
            and (
                statement.value is None
                or (isinstance(statement.value, ast.Constant) and statement.value.value is None)
            )
        )
        for statement in function.body
    )


def _is_input(decorator: ast.expr) -> bool:
    """Whether it is the decorator of an input: `machine.input()`."""
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr == "input"
    )


def _names_of_packages(tree: ast.Module, packages: Collection[str]) -> set[str]:
    """What the file's imports call the packages, or things in them."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.partition(".")[0]
                if package in packages:
                    names.add(alias.asname or package)
        elif (
            isinstance(node, ast.ImportFrom)
            and not node.level
            and (node.module or "").partition(".")[0] in packages
        ):
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def _root(decorator: ast.expr) -> str:
    """The name that a decorator's expression begins with: `nb` of `nb.njit(cache=True)`."""
    while isinstance(decorator, (ast.Call, ast.Attribute)):
        decorator = decorator.func if isinstance(decorator, ast.Call) else decorator.value
    return decorator.id if isinstance(decorator, ast.Name) else ""
