"""One frozen object of settings, from the project's file of them and the command line.

The command line wins, key by key. The file is pyproject.toml with a table `[tool.whotests]`;
where there is none, the one that coverage.py would read.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from whotests.config.file_settings import FileSettings, UnusedKey
from whotests.config.globs import checked_globs
from whotests.config.own_table import KEYS, read_own_table
from whotests.config.project import Project, find_project, read_toml, speaks_of_coverage
from whotests.config.run_names import checked_run_name
from whotests.errors import UsageError

__all__ = ["KEYS", "Settings", "load_settings"]

_DATA = Path(".whotests", "data.db")
_CACHE = Path(".whotests", "cache")


class Settings(NamedTuple):
    """What a command works with; all paths are absolute."""

    root: Path
    """The project's folder: paths in the data are relative to it."""
    data: Path
    source: tuple[str, ...]
    """As asked for: absolute paths, and names of packages or modules. With `source_pkgs` empty,
    too: 'find it'."""
    source_pkgs: tuple[str, ...]
    """Names of packages or modules, also where there is a path of that name."""
    include: tuple[str, ...]
    """Globs (`config.globs`) of which a file has to match one; none: all files do."""
    omit: tuple[str, ...]
    """Globs of files to leave out."""
    include_namespace_packages: bool
    """List files that nothing imported in folders without `__init__.py`, too."""
    context: str
    """The label of the whole run, or ''."""
    run_name: str
    """What people call the run, or ''."""
    keep_runs: int
    """How many generations of runs of one name and label are kept, the current one included."""
    branch: bool
    """Record branches too."""
    command: tuple[str, ...]
    """What `whotests run` runs when it is given no command."""
    exclude_lines: tuple[str, ...] | None
    """Regular expressions of what to exclude; None: the usual ones."""
    exclude_also: tuple[str, ...]
    """More of them."""
    partial_branches: tuple[str, ...] | None
    """Regular expressions of lines of which not all branches have to be taken; None: the usual."""
    partial_also: tuple[str, ...]
    """More of them."""
    paths: tuple[tuple[str, tuple[str, ...]], ...]
    """Names of groups of folders that are the same one on different machines, and the folders as
    they were given, the first of each being the one here: absolute, relative to the root, or
    globs."""
    fail_under: float | None
    """Percentage below which a report fails; None: it never does."""
    precision: int
    """Digits of percentages after the point."""
    show_missing: bool
    skip_covered: bool
    """Leave files out of a report of which nothing is missing."""
    skip_empty: bool
    """Leave files out of a report that have no statements."""
    sort: str
    """A column of the report, maybe with '+' (ascending) or '-' (descending) in front."""
    format: str
    """How to print a report: text, markdown or total."""
    report_contexts: tuple[str, ...]
    """Regular expressions of contexts of which a report tells; none: of all."""
    report_include: tuple[str, ...]
    """Globs of the files of which a report tells; none: of all."""
    report_omit: tuple[str, ...]
    """Globs of files to leave out of a report."""
    cache: Path
    file: Path | None
    """Where the settings come from; None: there was no such file."""
    unused: tuple[UnusedKey, ...]
    """What that file says and has no meaning here; only of coverage.py's."""


def load_settings(
    cwd: Path,
    *,
    source: tuple[str, ...] = (),
    include: tuple[str, ...] = (),
    omit: tuple[str, ...] = (),
    context: str | None = None,
    run_name: str | None = None,
    keep_runs: int | None = None,
    branch: bool | None = None,
    data: Path | None = None,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of the project that `cwd` lies in; arguments that are given win.

    Paths among the arguments are relative to `cwd`, paths in files to the project's folder.
    `config`, or what the variable WHOTESTS_CONFIG names, is read instead of the file that would
    be found; `environ` (by default the
    process's) is what values of coverage.py's files may refer to.
    Raises `UsageError` for an unknown key, a value of the wrong type, an invalid regular
    expression or glob, a name that no run can have, or a file that cannot be read.
    """
    cwd = Path(os.path.abspath(cwd))
    environ = os.environ if environ is None else environ
    project = find_project(cwd)
    root = project.root
    file, said = _read(project, cwd, config, environ)
    data_path = root / (said.data or _DATA) if data is None else cwd / data
    return Settings(
        root=root,
        data=Path(os.path.abspath(data_path)),
        source=_anchored(source, cwd) if source else _anchored(said.source, root),
        source_pkgs=() if source else said.source_pkgs,
        include=_globs(include, cwd, "--include") or said.include,
        omit=_globs(omit, cwd, "--omit") or said.omit,
        include_namespace_packages=said.include_namespace_packages,
        context=said.context if context is None else context,
        run_name=said.run_name if run_name is None else checked_run_name(run_name),
        keep_runs=said.keep_runs if keep_runs is None else keep_runs,
        branch=said.branch if branch is None else branch,
        command=said.command,
        exclude_lines=said.exclude_lines,
        exclude_also=said.exclude_also,
        partial_branches=said.partial_branches,
        partial_also=said.partial_also,
        paths=said.paths,
        fail_under=said.fail_under,
        precision=said.precision,
        show_missing=said.show_missing,
        skip_covered=said.skip_covered,
        skip_empty=said.skip_empty,
        sort=said.sort,
        format=said.format,
        report_contexts=said.report_contexts,
        report_include=said.report_include,
        report_omit=said.report_omit,
        cache=root / _CACHE,
        file=file,
        unused=said.unused,
    )


def _read(
    project: Project, cwd: Path, config: Path | None, environ: Mapping[str, str]
) -> tuple[Path | None, FileSettings]:
    """The file of the settings and what it says."""
    if config is None and environ.get("WHOTESTS_CONFIG"):
        config = Path(environ["WHOTESTS_CONFIG"])
    if config is not None:
        return _read_file(cwd / config, project.root, environ)
    if "whotests" in project.tool:
        return project.pyproject, _own(project.tool["whotests"], project.pyproject)
    if not speaks_of_coverage(project, environ):
        return None, FileSettings()
    from whotests.config.coverage_file import find_coverage_file
    from whotests.config.coverage_settings import translated_settings

    found = find_coverage_file(project.root, tool=project.tool, cwd=cwd, environ=environ)
    if found is None:
        return None, FileSettings()
    return found.file, translated_settings(found, root=project.root, environ=environ)


def _read_file(
    file: Path, root: Path, environ: Mapping[str, str]
) -> tuple[Path | None, FileSettings]:
    """What a file says that somebody has named: ours, else it is coverage.py's."""
    if file.suffix == ".toml":
        tool = read_toml(file).get("tool")
        if isinstance(tool, dict) and "whotests" in tool:
            return file, _own(tool["whotests"], file)
    from whotests.config.coverage_file import read_coverage_file
    from whotests.config.coverage_settings import translated_settings

    found = read_coverage_file(file, environ=environ)
    return file, translated_settings(found, root=root, environ=environ)


def _own(table: object, file: Path) -> FileSettings:
    if not isinstance(table, dict):
        raise UsageError(f"{file}: tool.whotests must be a table; write [tool.whotests]")
    return read_own_table(table, file=file)


def _anchored(names: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Each name that is an existing path, absolute; the others (packages) as they are."""
    return tuple(
        os.path.abspath(folder / name) if (folder / name).exists() else name for name in names
    )


def _globs(globs: tuple[str, ...], cwd: Path, option: str) -> tuple[str, ...]:
    """Globs of the command line: relative to where it was typed, unless they fit anywhere."""
    return tuple(
        os.path.abspath(cwd / glob)
        if not glob.startswith(("*", "?")) and ("/" in glob or (cwd / glob).is_dir())
        else glob
        for glob in checked_globs(globs, where=option)
    )
