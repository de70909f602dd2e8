"""The source files of a run that nothing imported, or that were imported before it began."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from whotests.config.scope import Scope
from whotests.probes.cache import Cache
from whotests.probes.loaded import LoadedFile
from whotests.recording.contents import Contents, Found
from whotests.records import FileRecord
from whotests.source.archives import archived_files, is_archive
from whotests.source.rules import Rules
from whotests.types import FileState

__all__ = ["not_imported", "surprise_of", "unloaded_files", "unloaded_paths"]


def unloaded_files(
    scope: Scope,
    loaded: list[LoadedFile],
    cache: Cache,
    rules: Rules,
    *,
    modules: Mapping[str, object] | None = None,
) -> list[FileRecord]:
    """Records of the scope's files that are not among the loaded ones, with absolute paths.

    A file that some module came from without our seeing it is 'not measured', because it was
    imported too early; one that cannot be read or parsed is, too, with the reason. `modules` are
    those of the process that is measured: None stands for this one.
    """
    contents = Contents(cache, rules, scope.source)
    records = [
        _record(path, contents.of(path), imported=imported)
        for path, imported in unloaded_paths(scope, loaded, modules=modules)
    ]
    contents.keep()
    return records


def unloaded_paths(
    scope: Scope, loaded: list[LoadedFile], *, modules: Mapping[str, object] | None = None
) -> Iterator[tuple[str, bool]]:
    """The absolute paths of the scope's files that are not among the loaded ones, and whether some
    module came from there. `modules` are as above."""

    def real_path(path: str) -> str:
        return os.path.normcase(scope.real_path(path))

    seen = {real_path(file.path) for file in loaded}
    early = {
        real_path(path)
        for module in list((sys.modules if modules is None else modules).values())
        if isinstance(path := getattr(module, "__dict__", {}).get("__file__"), str)
    }
    for place in scope.python_files():
        inside = archived_files(place) if is_archive(place) else [place]
        for path in inside:
            real = real_path(path)
            if real not in seen and (path == place or scope.measures(path)):
                seen.add(real)
                yield path, real in early


def not_imported(files: list[FileRecord]) -> list[str]:
    """The paths of those that nothing imported."""
    return [file.path for file in files if file.state is FileState.NOT_IMPORTED]


def surprise_of(
    paths: Sequence[str],
    *,
    nothing_loaded: bool,
    modules: Mapping[str, object] | None = None,
) -> str:
    """What a user hardly expects of the files that nothing imported (absolute paths), or ''.

    That the tests imported another copy of a package, mostly the one that is installed; or,
    if `nothing_loaded`, that they imported nothing of the source at all. `modules` are as above.
    """
    imported = sys.modules if modules is None else modules
    for path in paths:
        name, place = _importable_as(path)
        other = getattr(imported.get(name), "__file__", None) if name else None
        if isinstance(other, str) and other.endswith((".py", ".pyw")):
            there = os.path.dirname(other) if place != path else other
            return (
                f"{place} was not measured: the command imported {name} from {there}; install the "
                "project in editable mode (pip install -e .), or measure that copy with "
                f"--source {there}"
            )
    if nothing_loaded and paths:
        many = len(paths) > 1
        which = f"none of the {len(paths)} source files" if many else paths[0]
        negation = "" if many else " not"
        return (
            f"{which} was{negation} imported, so nothing was measured; "
            "name what the tests import with --source PATH|PACKAGE"
        )
    return ""


def _importable_as(path: str) -> tuple[str, str]:
    """The name of a module or package on the top level and its place, or two ''."""
    folder, file = os.path.split(path)
    name, place = os.path.splitext(file)[0], path
    if name == "__init__":
        place = folder
        folder, name = os.path.split(folder)
    # Each folder of tests may have a conftest.
    taken = name == "conftest" or name in sys.stdlib_module_names
    inner = os.path.isfile(os.path.join(folder, "__init__.py"))
    return ("", "") if taken or inner else (name, place)


def _record(path: str, found: Found, *, imported: bool) -> FileRecord:
    if found.reason:
        state, reason = FileState.NOT_MEASURED, found.reason
    elif imported:
        state, reason = FileState.NOT_MEASURED, "it was imported before measuring began"
    else:
        state, reason = FileState.NOT_IMPORTED, ""
    return FileRecord(
        key=0,
        path=path,
        digest=found.digest,
        content=found.content,
        units=(),
        state=state,
        reason=reason,
    )
