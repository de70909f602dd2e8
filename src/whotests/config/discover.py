"""Finds the source to measure: the project's own, or what was named; imports none of it."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from whotests.config.scope import ARCHIVES
from whotests.errors import UsageError

__all__ = ["default_source", "find_source", "find_top_level", "resolve_source"]

# fmt: off
_NOT_PACKAGES = frozenset((
    "ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments",
    "changelog", "test", "tests", "unit_test", "unit_tests", "example", "examples", "scripts",
    "tools", "util", "utils", "python", "build", "benchmark", "benchmarks", "exercise",
    "exercises", "htmlcov",
))
_NOT_MODULES = frozenset((
    "setup", "conftest", "test", "tests", "example", "examples", "build", "toxfile", "noxfile",
    "pavement", "dodo", "tasks", "fabfile", "SConstruct",
))
# fmt: on
# Both lists are those of setuptools' automatic discovery (setuptools.discovery,
# FlatLayoutPackageFinder and FlatLayoutModuleFinder); names with '_' or '.' in front are out too.


def find_source(
    names: Sequence[str],
    *,
    root: Path,
    cwd: Path,
    path: Sequence[str],
    packages: Sequence[str] = (),
    script: str | None = None,
) -> tuple[str, ...]:
    """Absolute folders and files: those that `names` stand for, or the project's own.

    `path` is the `sys.path` of the command to be measured, `script` the script that it runs;
    `packages` are names of packages and modules that are never paths.
    Raises `UsageError` for a name that is neither a path nor a package or module.
    """
    if not names and not packages:
        return default_source(root=root, cwd=cwd, script=script)
    found = [entry for name in names for entry in resolve_source(name, cwd=cwd, path=path)]
    found += [entry for name in packages for entry in _resolve_package(name, cwd=cwd, path=path)]
    return tuple(dict.fromkeys(found))


def default_source(*, root: Path, cwd: Path, script: str | None = None) -> tuple[str, ...]:
    """The project's own source: `src`, else its packages, else its modules.

    Where the root has none of these: the script's folder, or `cwd` when no script is run.
    """
    src = root / "src"
    if src.is_dir() and _holds_source(src):
        return (str(src),)
    own = [str(folder) for folder in _flat_packages(root)]
    # Modules that lie beside each other are a project only where a file says so.
    if not own and any((root / name).is_file() for name in ("pyproject.toml", "setup.py")):
        own = [str(file) for file in _flat_modules(root)]
    if own:
        return tuple(own)
    if script is not None:
        return (os.path.dirname(os.path.abspath(cwd / script)),)
    return (str(cwd),)


def resolve_source(name: str, *, cwd: Path, path: Sequence[str]) -> tuple[str, ...]:
    """What one `--source` stands for: an existing path, else a package or module.

    A namespace package can stand for several folders.
    """
    candidate = os.path.abspath(cwd / name)
    if os.path.isdir(candidate):
        return (candidate,)
    if os.path.isfile(candidate):
        known = candidate.endswith((".py", ".pyw")) or candidate.lower().endswith(ARCHIVES)
        if not known and not _is_script(candidate):
            raise UsageError(f"source '{name}' is not Python source; name a folder or a .py file")
        return (candidate,)
    return _resolve_package(name, cwd=cwd, path=path)


def _resolve_package(name: str, *, cwd: Path, path: Sequence[str]) -> tuple[str, ...]:
    if all(part.isidentifier() for part in name.split(".")):
        found = _locate(name, path)
        if found:
            return found
    raise UsageError(_not_found(name, cwd, path))


def _locate(name: str, path: Sequence[str]) -> tuple[str, ...]:
    """Folders or the file of an importable name; only the top level asks the import system."""
    top, *rest = name.split(".")
    spec = find_top_level(top, path)
    if spec is None:
        return ()
    if spec.submodule_search_locations is not None:
        places = tuple(os.path.abspath(place) for place in spec.submodule_search_locations)
    elif spec.has_location and spec.origin is not None:
        if rest:
            return ()
        if not spec.origin.endswith((".py", ".pyw")):
            raise UsageError(
                f"source '{name}' is {spec.origin}, which is not Python source; "
                "name a package or module that is"
            )
        return (os.path.abspath(spec.origin),)
    else:
        raise UsageError(
            f"source '{name}' is built into the interpreter; "
            "name a package or module with Python source"
        )
    for index, part in enumerate(rest):
        folders = tuple(
            folder for place in places if os.path.isdir(folder := os.path.join(place, part))
        )
        regular = [f for f in folders if os.path.isfile(os.path.join(f, "__init__.py"))]
        module = [
            file for place in places if os.path.isfile(file := os.path.join(place, f"{part}.py"))
        ]
        if regular:
            places = (regular[0],)
        elif module:
            return (module[0],) if index == len(rest) - 1 else ()
        elif folders:
            places = folders
        else:
            return ()
    return places


def find_top_level(name: str, path: Sequence[str]) -> ModuleSpec | None:
    """Where a module or package without a dot in its name lies; imports nothing."""
    spec = PathFinder.find_spec(name, path)
    if spec is not None or name in sys.builtin_module_names:
        return spec or ModuleSpec(name, None)
    # Editable installs may bring a finder of their own.
    for finder in sys.meta_path:
        if "editable" in getattr(finder, "__module__", "") + getattr(finder, "__name__", ""):
            spec = finder.find_spec(name, None)
            if spec is not None:
                return spec
    return None


def _flat_packages(root: Path) -> Iterator[Path]:
    for folder in _sorted_entries(root):
        name = folder.name.removesuffix("-stubs")
        excluded = name in _NOT_PACKAGES or name.startswith("_") or not name.isidentifier()
        if not excluded and (folder / "__init__.py").is_file():
            yield folder


def _flat_modules(root: Path) -> Iterator[Path]:
    for file in _sorted_entries(root):
        name = file.stem
        excluded = name in _NOT_MODULES or name.startswith(("_", "test_"))
        if file.suffix == ".py" and name.isidentifier() and not excluded and file.is_file():
            yield file


def _sorted_entries(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return ()


def _holds_source(folder: Path) -> bool:
    return (
        any(
            entry.suffix == ".py" or (entry.is_dir() and entry.name.isidentifier())
            for entry in _sorted_entries(folder)
        )
        and not (folder / "__init__.py").exists()
    )


def _is_script(path: str) -> bool:
    with open(path, "rb") as file:
        first = file.readline(256)
    return first.startswith(b"#!") and b"python" in first


def _not_found(name: str, cwd: Path, path: Sequence[str]) -> str:
    from difflib import get_close_matches
    from pkgutil import iter_modules

    known = {entry.name for entry in _sorted_entries(cwd) if not entry.name.startswith(".")}
    known.update(module.name for module in iter_modules(list(path)))
    top = name.partition(".")[0]
    if top in known and top != name:
        hint = f"'{top}' exists, but has no such part"
    else:
        near = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
        hint = "the nearest names are " + ", ".join(f"'{item}'" for item in near) if near else ""
    return (
        f"source '{name}' is neither a path below {cwd} nor a package or module that the "
        f"command could import; {hint or 'check its spelling, or install it'}"
    )
