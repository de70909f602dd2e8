"""For which framework a file of tests is written: by its text alone, nothing of it is run."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from whotests.runner.detection.module_text import ModuleText, find_module, parsed_module

__all__ = ["Kind", "Kinds"]

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

_MAYBE_PYTEST: Final = re.compile(
    rb"pytest|^(?:async )?def test|^class Test\w*(?:\(\))?:", re.MULTILINE
)

_OF_TRIAL: Final = re.compile(
    rb"^[ \t]*(?:from|import) twisted\.trial\b|^[ \t]*from twisted import [^#\n]*\btrial\b",
    re.MULTILINE,
)

_MAYBE_CASES: Final = re.compile(rb"unittest|testtools|TestCase|load_tests|test_?[sS]uite|class \w")


class _Words(NamedTuple):
    """What the words in a file leave possible."""

    pytest: bool
    trial: bool
    cases: bool


class Kinds:
    """Tells kinds of files; what it has read it reads once."""

    def __init__(self, path: Sequence[str]) -> None:
        """`path` is where modules are looked for, as in `sys.path`."""
        self._path = tuple(path)
        self._modules: dict[Path, ModuleText | None] = {}
        self._classes: dict[tuple[Path, str], Kind] = {}
        self._known_words: dict[Path, _Words] = {}

    def of(self, file: Path) -> Kind:
        """The kind of one file; by the words in it where it cannot be parsed."""
        module = self._module(file)
        if module is None:
            if self.speaks_of_trial(file):
                return "trial"
            return "pytest" if self.may_be_pytest(file) else "unittest"
        kinds: list[Kind] = [self._of_class(file, name) for name in module.classes]
        if any(_is_of(name, "twisted.trial") for name in module.imported):
            kinds.append("trial")
        if "load_tests" in module.functions or _SUITES & set(module.functions):
            kinds.append("unittest")
        kind: Kind = max(kinds, key=_RANKS.index, default="")
        return "pytest" if self._is_for_pytest(file, module, cases=bool(kind)) else kind

    def _is_for_pytest(self, file: Path, module: ModuleText, *, cases: bool) -> bool:
        """Whether only pytest finds all tests of the module. Beside test cases there are often
        functions that but help these, and mixins: what asserts plainly is a test of its own."""
        if any(_is_of(name, "pytest") for name in module.imported):
            return True
        functions = [
            function
            for name, function in module.functions.items()
            if name.startswith("test") and name not in _SUITES
        ]
        methods = [
            method
            for name, definition in module.classes.items()
            if name.startswith("Test") and not self._of_class(file, name)
            for method in definition.methods
            if method.name.startswith("test")
        ]
        if cases:
            return any(each.asserts for each in (*functions, *methods))
        # Those that assert by methods are of mixins.
        return bool(functions) or any(not each.by_method for each in methods)

    def may_be_pytest(self, file: Path) -> bool:
        """Whether it could be of that kind; quick, and False is certain."""
        return self._words(file).pytest

    def speaks_of_trial(self, file: Path) -> bool:
        """Whether a line of it imports that; quick."""
        return self._words(file).trial

    def speaks_of_cases(self, file: Path) -> bool:
        """Whether something in it may be what unittest's loaders find; quick."""
        return self._words(file).cases

    def _words(self, file: Path) -> _Words:
        if file not in self._known_words:
            text = _text(file)
            self._known_words[file] = _Words(
                pytest=_MAYBE_PYTEST.search(text) is not None,
                trial=_OF_TRIAL.search(text) is not None,
                cases=_MAYBE_CASES.search(text) is not None,
            )
        return self._known_words[file]

    def _module(self, file: Path) -> ModuleText | None:
        if file not in self._modules:
            self._modules[file] = parsed_module(_text(file), package=self._package_of(file))
        return self._modules[file]

    def _package_of(self, file: Path) -> str:
        """The dotted name of the package that the file is in, as its relative imports see it."""
        names: list[str] = []
        folder = file.parent
        while (folder / "__init__.py").is_file():
            names.insert(0, folder.name)
            folder = folder.parent
        return ".".join(names)

    def _of_class(self, file: Path, name: str) -> Kind:
        """The kind of a class of that module, by what it is derived from."""
        if (file, name) not in self._classes:
            self._classes[file, name] = ""  # so it is where it is derived from itself
            self._classes[file, name] = self._found_out(file, name)
        return self._classes[file, name]

    def _found_out(self, file: Path, name: str) -> Kind:
        module = self._module(file)
        if module is None:
            return ""
        if name not in module.classes:
            return self._of_base(file, module, name)
        kinds = [self._of_base(file, module, base) for base in module.classes[name].bases]
        return max(kinds, key=_RANKS.index, default="")

    def _of_base(self, file: Path, module: ModuleText, base: str) -> Kind:
        first, _, rest = base.partition(".")
        if first in module.classes:
            return "" if rest else self._of_class(file, first)
        if first in module.imports:
            return self._of_name(file, module.imports[first] + (f".{rest}" if rest else ""))
        kinds = [self._of_name(file, f"{star}.{base}") for star in module.stars]
        return max(kinds, key=_RANKS.index, default="")

    def _of_name(self, file: Path, dotted: str) -> Kind:
        """The kind of what is imported by that name."""
        for package, kind in _CASES:
            if _is_of(dotted, package):
                return kind
        origin, rest = find_module(dotted, (str(_top_of(file)), *self._path))
        if origin is None or len(rest) != 1:
            return ""
        return self._of_class(_file_of(origin), rest[0])


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # who runs it says so


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
