"""Imports run downwards: the floors of docs/design.md, checked on every import in the source.

Imports inside functions and under TYPE_CHECKING count like those at the top of a module.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import whotests

FLOORS = (
    "cli",
    "integrations",
    "reports",
    "runner",
    "formats",
    "sql",
    "hosts",
    "recording",
    "query",
    "store",
    "probes",
    "source",
    "config",
    "records",
    "testing",
    "stream",
    "errors",
    "garbage",
    "packing",
    "system",
    "types",
)
"""From the top down. A module imports its own floor and those that stand after it, no other."""

ENTRY_POINTS = ("whotests", "whotests.__main__")
"""Above all floors: they only assemble, and nothing but their version is imported from below."""

MEASURED_FLOORS = (
    "integrations",
    "hosts",
    "recording",
    "probes",
    "source",
    "config",
    "records",
    "testing",
    "stream",
    "errors",
    "garbage",
    "packing",
    "system",
    "types",
)
"""Floors that live in the measured process, whole."""

MEASURED_STORE = ("whotests.store", "whotests.store.writer")
"""Of the store, the measured process has the writer and what that imports."""

FRAMEWORKS = {
    "pytest": "at the top",
    "_pytest": "at the top",
    "pluggy": "at the top",
    "twisted": "in a function",
    "testtools": "in a function",
    "django": "at the top",
    "pytest_django": "in a function",
}
"""What `integrations`, `hosts` and `testing` may import besides, where the user's code has done so
before, or is there for: pytest has loaded its own before our plugin starts, and Django its own
before the runner that it asks for."""

FLOORS_WITHIN = {
    "testing": (
        "suites",
        "cases",
        "supervision",
        "doubles",
        "streams",
        "results",
        "details",
    ),
    "runner": (
        "isolation",
        "choosing",
        "running",
        "detection",
        "cluster",
        "agents",
        "unmeasured_run",
        "run_folder",
        "assignment",
        "items",
        "wanted",
    ),
}
"""The same within floors that are as large as many."""

ROOT = Path(whotests.__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import statement's target, as written in one module."""

    importer: str
    target: str
    """A module: 'whotests.store.writer', 'sqlite3'."""
    names: tuple[str, ...]
    """What is taken from it; empty for a plain `import`."""
    line: int
    in_function: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name; of those in C, what tells of them."""
    found = {}
    for path in sorted(ROOT.rglob("*.py*")):
        if path.suffix not in (".py", ".pyi"):
            continue
        parts = ("whotests", *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(module: str) -> tuple[Import, ...]:
    """All imports of one module, wherever they stand in it."""
    path = modules()[module]
    tree = ast.parse(path.read_bytes())
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return tuple(walk_imports(tree, importer=module, package=package, in_function=False))


def walk_imports(
    node: ast.AST, *, importer: str, package: str, in_function: bool
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(
                    importer=importer,
                    target=alias.name,
                    names=(),
                    line=child.lineno,
                    in_function=in_function,
                )
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                above = package.split(".")[: len(package.split(".")) - child.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in child.names:
                submodule = f"{base}.{alias.name}"
                is_module = submodule in modules()
                yield Import(
                    importer=importer,
                    target=submodule if is_module else base,
                    names=() if is_module else (alias.name,),
                    line=child.lineno,
                    in_function=in_function,
                )
        else:
            inside = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from walk_imports(child, importer=importer, package=package, in_function=inside)


def all_imports() -> list[Import]:
    return [found for module in modules() for found in imports_of(module)]


def is_ours(module: str) -> bool:
    return module.split(".")[0] == "whotests"


def floor_of(module: str) -> int:
    """How far down a module stands: 0 is the top floor."""
    return FLOORS.index(module.split(".")[1])


def measured_modules() -> set[str]:
    """Every module that the measured process may load."""
    measured = {
        name
        for name in modules()
        if name not in ENTRY_POINTS and name.split(".")[1] in MEASURED_FLOORS
    }
    waiting = [name for name in MEASURED_STORE if name in modules()]
    while waiting:
        name = waiting.pop()
        if name not in measured:
            measured.add(name)
            waiting.extend(
                found.target
                for found in imports_of(name)
                if found.target.startswith("whotests.store")
            )
    return measured


def test_every_module_stands_on_a_floor() -> None:
    """A new package or module at the top of whotests must be given a floor in the table."""
    homeless = [
        name for name in modules() if name not in ENTRY_POINTS and name.split(".")[1] not in FLOORS
    ]
    assert homeless == []


def test_every_floor_is_built() -> None:
    """The table names no floor that does not exist."""
    built = {name.split(".")[1] for name in modules() if name not in ENTRY_POINTS}
    assert set(FLOORS) <= built


def test_imports_of_whotests_name_modules_that_exist() -> None:
    """The walk sees every arrow: no import of ours points at an unknown module."""
    unknown = [
        str(found)
        for found in all_imports()
        if is_ours(found.target) and found.target not in modules()
    ]
    assert unknown == []


def test_imports_run_downwards() -> None:
    """No module imports from a floor above its own, lazily or for types only either."""
    upward = [
        str(found)
        for found in all_imports()
        if found.importer not in ENTRY_POINTS
        and is_ours(found.target)
        and found.target not in ENTRY_POINTS
        and floor_of(found.target) < floor_of(found.importer)
    ]
    assert upward == []


@pytest.mark.parametrize("within", FLOORS_WITHIN)
def test_imports_run_downwards_within(within: str) -> None:
    """Cases know of no suites, agents of no run; only the floor itself assembles."""
    top = f"whotests.{within}"
    floors = FLOORS_WITHIN[within]

    def floor(name: str) -> int:
        return floors.index(name.removeprefix(f"{top}.").split(".")[0])

    inner = [
        found
        for found in all_imports()
        if found.importer.startswith(f"{top}.")
        and (found.target == top or found.target.startswith(f"{top}."))
    ]
    assert {name.split(".")[2] for name in modules() if name.startswith(f"{top}.")} == {*floors}
    upward = [
        str(found)
        for found in inner
        if found.target == top or floor(found.target) < floor(found.importer)
    ]
    assert upward == []


def test_only_the_version_is_imported_from_the_top() -> None:
    """Nothing reaches other modules through `whotests` itself, which would hide an arrow."""
    hidden = [
        str(found)
        for found in all_imports()
        if found.target in ENTRY_POINTS
        and found.importer not in ENTRY_POINTS
        and found.names != ("__version__",)
    ]
    assert hidden == []


def test_no_module_imports_itself_through_others() -> None:
    """There is no cycle between modules, within a floor either."""
    graph = {
        name: {
            found.target
            for found in imports_of(name)
            if is_ours(found.target) and found.target not in (name, *ENTRY_POINTS)
        }
        for name in modules()
        if name not in ENTRY_POINTS
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' <- '.join(error.args[1])}")


def test_the_measured_process_imports_the_standard_library_only() -> None:
    """What lives beside the user's code brings no third-party package with it."""
    foreign = [
        str(found)
        for name in measured_modules()
        for found in imports_of(name)
        if not is_ours(found.target)
        and (top := found.target.split(".")[0]) not in sys.stdlib_module_names
        and not (
            name.split(".")[1] in ("integrations", "hosts", "testing")
            and top in FRAMEWORKS
            and (
                found.in_function
                or (
                    FRAMEWORKS[top] == "at the top"
                    and name.split(".")[1] in ("integrations", "hosts")
                )
            )
        )
    ]
    assert sorted(foreign) == []


def test_the_measured_process_loads_no_code_that_answers_questions() -> None:
    """Measured modules import measured modules only: no reader, query, report or command."""
    measured = measured_modules()
    strays = [
        str(found)
        for name in measured
        for found in imports_of(name)
        if is_ours(found.target)
        and found.target not in measured
        and found.target not in ENTRY_POINTS
    ]
    assert sorted(strays) == []
    assert "whotests.store.reader" not in measured


def test_importing_whotests_loads_nothing_else() -> None:
    """A test suite may `import whotests` without paying for the command line or the recorder."""
    code = (
        "import sys; before = set(sys.modules); import whotests; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["whotests"]
