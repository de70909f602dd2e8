"""Functions that a tool compiles from their bytecode: probes would be in its way.

Such a function is left as it is. It is known by its decorator's name, which an import of the
tool's package brought into the file; nothing is imported to find out.
"""

import ast

__all__ = ["compiled_elsewhere"]

PACKAGES = frozenset({"numba"})
"""Those that read bytecode. Others (Triton, Taichi) read the source, which stays as it is."""


def compiled_elsewhere(tree: ast.Module, text: str) -> list[ast.FunctionDef]:
    """The outermost functions whose decorators come from such a package, in source order."""
    if not any(package in text for package in PACKAGES):
        return []
    names = _names_of_packages(tree)
    if not names:
        return []
    found = []
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef) and any(
            _root(decorator) in names for decorator in node.decorator_list
        ):
            found.append(node)
        else:
            todo += ast.iter_child_nodes(node)
    return sorted(found, key=lambda function: function.lineno)


def _names_of_packages(tree: ast.Module) -> set[str]:
    """What the file's imports call the packages, or things in them."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.partition(".")[0]
                if package in PACKAGES:
                    names.add(alias.asname or package)
        elif (
            isinstance(node, ast.ImportFrom)
            and not node.level
            and (node.module or "").partition(".")[0] in PACKAGES
        ):
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def _root(decorator: ast.expr) -> str:
    """The name that a decorator's expression begins with: `nb` of `nb.njit(cache=True)`."""
    while isinstance(decorator, (ast.Call, ast.Attribute)):
        decorator = decorator.func if isinstance(decorator, ast.Call) else decorator.value
    return decorator.id if isinstance(decorator, ast.Name) else ""
