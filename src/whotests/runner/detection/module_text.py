"""The text of a module, taken apart: what it binds, and where names lie. Nothing is imported."""

import ast
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final, NamedTuple

from whotests.config.discover import find_top_level

__all__ = ["ClassText", "Function", "ModuleText", "find_module", "parsed_module"]

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


class Function(NamedTuple):
    """A function, or a method."""

    name: str
    asserts: bool
    """It has an `assert`."""
    by_method: bool
    """It has an attribute that is called as the assertions of test cases are."""


class ClassText(NamedTuple):
    """A class."""

    bases: tuple[str, ...]
    """Dotted names; what is no name is not among them."""
    methods: tuple[Function, ...]


class ModuleText(NamedTuple):
    """What a module's text binds at its top level."""

    imports: dict[str, str]
    """Names, and what they are imported from, dotted."""
    stars: tuple[str, ...]
    """Modules of which all names are taken."""
    classes: dict[str, ClassText]
    functions: dict[str, Function]
    imported: frozenset[str]
    """All that is imported, anywhere in the text."""


def find_module(dotted: str, path: Sequence[str]) -> tuple[Path | None, list[str]]:
    """The file or the package's folder of as much of a dotted name as is a module, and the parts
    behind it. Imports nothing. None, and all parts, where there is no such module."""
    parts = dotted.split(".")
    places: Sequence[str] = path
    found: Path | None = None
    for index, part in enumerate(parts):
        if not part.isidentifier():
            return found, parts[index:]
        spec = PathFinder.find_spec(part, places) if index else find_top_level(part, places)
        if spec is None:
            return found, parts[index:]
        if spec.submodule_search_locations is None:
            if spec.origin is None or not spec.origin.endswith((".py", ".pyw")):
                return found, parts[index:]
            return Path(spec.origin), parts[index + 1 :]
        places = list(spec.submodule_search_locations)
        if not places:
            return found, parts[index:]
        found = Path(places[0])
    return found, []


def parsed_module(text: bytes, *, package: str) -> ModuleText | None:
    """What the text says; None where it cannot be parsed. `package` is what relative names are
    taken from."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    imports: dict[str, str] = {}
    stars: list[str] = []
    classes: dict[str, ClassText] = {}
    functions: dict[str, Function] = {}
    for node in _top_level(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                imports[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            for alias in node.names:
                if alias.name == "*":
                    stars.append(origin)
                else:
                    imports[alias.asname or alias.name] = f"{origin}.{alias.name}"
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = ClassText(
                tuple(filter(None, map(_dotted_name, node.bases))),
                tuple(_function(each) for each in node.body if isinstance(each, _FUNCTIONS)),
            )
        elif isinstance(node, _FUNCTIONS):
            functions[node.name] = _function(node)
        elif isinstance(node, ast.Assign) and (value := _dotted_name(node.value)):
            # Another name of a class, as `TestCase = unittest.TestCase`.
            first, dot, rest = value.partition(".")
            origin = imports.get(first, "")
            for target in node.targets:
                if isinstance(target, ast.Name) and origin:
                    imports[target.id] = origin + dot + rest
    imported = {
        f"{_origin(node, package)}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    imported.update(
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    )
    return ModuleText(imports, tuple(stars), classes, functions, frozenset(imported))


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    inside = list(ast.walk(node))
    return Function(
        node.name,
        asserts=any(isinstance(each, ast.Assert) for each in inside),
        by_method=any(
            isinstance(each, ast.Attribute) and each.attr.startswith(("assert", "fail"))
            for each in inside
        ),
    )


def _origin(node: ast.ImportFrom, package: str) -> str:
    """What is imported from; a relative name is taken from the package."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - node.level + 1]
    return ".".join((*kept, *((node.module,) if node.module else ())))


def _top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module's own scope, those in `if`, `try` and `with` included."""
    for node in body:
        yield node
        for field in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                yield from _top_level(getattr(node, field, ()))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _top_level(handler.body)


def _dotted_name(node: ast.expr) -> str:
    """`a.b.c` of such an expression; of `a.b[c]` what is before the bracket; else ''."""
    if isinstance(node, ast.Attribute):
        inner = _dotted_name(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript):
        return _dotted_name(node.value)
    return ""
