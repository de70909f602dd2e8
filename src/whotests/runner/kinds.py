"""For which framework a file of tests is written: by its text alone, nothing of it is run."""

import ast
import re
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final, Literal, NamedTuple

__all__ = ["Kind", "Kinds", "find_module"]

Kind = Literal["", "unittest", "trial", "pytest"]
"""'' for a file without tests. A file has the last kind in this order of all that is in it:
pytest runs what is written for the others, too, and nobody else runs its functions."""

_RANKS: Final[tuple[Kind, ...]] = ("", "unittest", "trial", "pytest")

_CASES: Final[tuple[tuple[str, Kind], ...]] = (
    ("twisted.trial", "trial"),
    ("unittest", "unittest"),
    ("testtools", "unittest"),
    ("django.test", "unittest"),
    ("pytest", ""),
    ("builtins", ""),
    ("object", ""),
    ("typing", ""),
    ("abc", ""),
)
"""Where classes come from of which more need not be known."""

_SUITES: Final = frozenset(("test_suite", "testSuite"))
"""Functions that give suites to unittest's loaders."""

_DEEPEST: Final = 12
"""Modules from a class to what it comes from, at most: some import in circles."""

_MAYBE_PYTEST: Final = re.compile(
    rb"pytest|^(?:async )?def test|^class Test\w*(?:\(\))?:", re.MULTILINE
)

_OF_TRIAL: Final = re.compile(
    rb"^[ \t]*(?:from|import) twisted\.trial\b|^[ \t]*from twisted import [^#\n]*\btrial\b",
    re.MULTILINE,
)

_MAYBE_CASES: Final = re.compile(rb"unittest|testtools|TestCase|load_tests|test_?[sS]uite|class \w")


_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


class _Module(NamedTuple):
    """What a module's text binds at its top level."""

    imports: dict[str, str]
    """Names, and what they are imported from, dotted."""
    stars: tuple[str, ...]
    """Modules of which all names are taken."""
    classes: dict[str, ast.ClassDef]
    functions: "dict[str, ast.FunctionDef | ast.AsyncFunctionDef]"
    imported: frozenset[str]
    """All that is imported, anywhere in the text."""


class Kinds:
    """Tells kinds of files; what it has read it reads once."""

    def __init__(self, path: Sequence[str]) -> None:
        """`path` is where modules are looked for, as in `sys.path`."""
        self._path = tuple(path)
        self._modules: dict[Path, _Module | None] = {}
        self._texts: dict[Path, bytes] = {}

    def of(self, file: Path) -> Kind:
        """The kind of one file; by the words in it where it cannot be parsed."""
        module = self._module(file)
        if module is None:
            if self.speaks_of_trial(file):
                return "trial"
            return "pytest" if self.may_be_pytest(file) else "unittest"
        kinds: list[Kind] = [self._of_class(file, name, _DEEPEST) for name in module.classes]
        if any(_is_of(name, "twisted.trial") for name in module.imported):
            kinds.append("trial")
        if "load_tests" in module.functions or _SUITES & set(module.functions):
            kinds.append("unittest")
        kind: Kind = max(kinds, key=_RANKS.index, default="")
        return "pytest" if self._is_for_pytest(file, module, cases=bool(kind)) else kind

    def _is_for_pytest(self, file: Path, module: _Module, *, cases: bool) -> bool:
        """Whether only pytest finds all tests of the module. Beside test cases there are often
        functions that but help these, and mixins: what asserts plainly is a test of its own."""
        if any(_is_of(name, "pytest") for name in module.imported):
            return True
        functions = [
            node
            for name, node in module.functions.items()
            if name.startswith("test") and name not in _SUITES
        ]
        methods = [
            node
            for name, definition in module.classes.items()
            if name.startswith("Test") and not self._of_class(file, name, _DEEPEST)
            for node in definition.body
            if isinstance(node, _FUNCTIONS) and node.name.startswith("test")
        ]
        if cases:
            return any(_asserts(node) for node in (*functions, *methods))
        return bool(functions) or any(not _asserts_by_method(node) for node in methods)

    def may_be_pytest(self, file: Path) -> bool:
        """Whether it could be of that kind; quick, and False is certain."""
        return _MAYBE_PYTEST.search(self._text(file)) is not None

    def speaks_of_trial(self, file: Path) -> bool:
        """Whether a line of it imports that; quick."""
        return _OF_TRIAL.search(self._text(file)) is not None

    def speaks_of_cases(self, file: Path) -> bool:
        """Whether something in it may be what unittest's loaders find; quick."""
        return _MAYBE_CASES.search(self._text(file)) is not None

    def _text(self, file: Path) -> bytes:
        if file not in self._texts:
            try:
                self._texts[file] = file.read_bytes()
            except OSError:
                self._texts[file] = b""  # who runs it says so
        return self._texts[file]

    def _module(self, file: Path) -> _Module | None:
        if file not in self._modules:
            self._modules[file] = _parsed(self._text(file), package=self._package_of(file))
        return self._modules[file]

    def _package_of(self, file: Path) -> str:
        """The dotted name of the package that the file is in, as its relative imports see it."""
        names: list[str] = []
        folder = file.parent
        while (folder / "__init__.py").is_file():
            names.insert(0, folder.name)
            folder = folder.parent
        return ".".join(names)

    def _of_class(self, file: Path, name: str, deep: int) -> Kind:
        """The kind of a class of that module, by what it is derived from."""
        module = self._module(file)
        if module is None or not deep:
            return ""
        if name in module.classes:
            kinds = [
                self._of_base(file, module, base, deep)
                for base in map(_dotted, module.classes[name].bases)
                if base and base != name
            ]
            return max(kinds, key=_RANKS.index, default="")
        return self._of_base(file, module, name, deep)

    def _of_base(self, file: Path, module: _Module, base: str, deep: int) -> Kind:
        first, _, rest = base.partition(".")
        if first in module.classes and not rest:
            return self._of_class(file, first, deep - 1)
        if first in module.imports:
            return self._of_name(file, module.imports[first] + (f".{rest}" if rest else ""), deep)
        kinds = [self._of_name(file, f"{star}.{base}", deep) for star in module.stars]
        return max(kinds, key=_RANKS.index, default="")

    def _of_name(self, file: Path, dotted: str, deep: int) -> Kind:
        """The kind of what is imported by that name."""
        for package, kind in _CASES:
            if _is_of(dotted, package):
                return kind
        places = (str(_top_of(file)), *self._path)
        origin, rest = find_module(dotted, places)
        if origin is None or len(rest) != 1:
            return ""
        return self._of_class(_file_of(origin), rest[0], deep - 1)


def find_module(dotted: str, path: Sequence[str]) -> tuple[Path | None, list[str]]:
    """The file or the package's folder of as much of a dotted name as is a module, and the parts
    behind it. Imports nothing. None, and all parts, where there is no such module."""
    parts = dotted.split(".")
    places: Sequence[str] = path
    found: Path | None = None
    for index, part in enumerate(parts):
        if not part.isidentifier():
            return found, parts[index:]
        spec = PathFinder.find_spec(part, places)
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


def _file_of(place: Path) -> Path:
    return place / "__init__.py" if place.is_dir() else place


def _top_of(file: Path) -> Path:
    """The folder from which the file would be imported."""
    folder = file.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _is_of(dotted: str, package: str) -> bool:
    return dotted == package or dotted.startswith(f"{package}.")


def _dotted(node: ast.expr) -> str:
    """`a.b.c` of such an expression; of a call or a subscript what is called; else ''."""
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    return ""


def _asserts(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(function))


def _asserts_by_method(function: ast.AST) -> bool:
    """Whether it belongs to a test case, as methods of mixins do."""
    return any(
        isinstance(node, ast.Attribute) and node.attr.startswith(("assert", "fail"))
        for node in ast.walk(function)
    )


def _parsed(text: bytes, *, package: str) -> _Module | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    imports: dict[str, str] = {}
    stars: list[str] = []
    classes: dict[str, ast.ClassDef] = {}
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
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
            classes[node.name] = node
        elif isinstance(node, _FUNCTIONS):
            functions[node.name] = node
        elif isinstance(node, ast.Assign) and (value := _dotted(node.value)):
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
    return _Module(imports, tuple(stars), classes, functions, frozenset(imported))


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
