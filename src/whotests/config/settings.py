"""One frozen object of settings, from the project's file of them and the command line.

The command line wins, key by key. The file is pyproject.toml with a table `[tool.whotests]`;
where there is none, the one that coverage.py would read.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from whotests.config.project import Project, find_project, read_toml, speaks_of_coverage
from whotests.errors import UsageError

if TYPE_CHECKING:
    from whotests.config.file_settings import FileSettings

__all__ = ["Settings", "load_settings"]

# Where a project has no settings, as most have not, what reads them is not imported: this is
# part of each start of a measured process.

_DATA = Path(".whotests", "data.db")
_CACHE = Path(".whotests", "cache")


class Settings(NamedTuple):
    """What a command works with; all paths are absolute."""

    root: Path
    """The project's folder: paths in the data are relative to it."""
    data: Path
    cache: Path
    file: Path | None = None
    """Where the settings come from; None: there was no such file."""
    source: tuple[str, ...] = ()
    """As asked for: absolute paths, and names of packages or modules. With `source_pkgs` empty,
    too: 'find it'."""
    source_pkgs: tuple[str, ...] = ()
    """Names of packages or modules, also where there is a path of that name."""
    include: tuple[str, ...] = ()
    """Globs (`config.globs`) of which a file has to match one; none: all files do."""
    omit: tuple[str, ...] = ()
    """Globs of files to leave out."""
    include_namespace_packages: bool = False
    """List files that nothing imported in folders without `__init__.py`, too."""
    context: str = ""
    """The label of the whole run, or ''."""
    run_name: str = ""
    """What people call the run, or ''."""
    keep_runs: int = 1
    """How many generations of runs of one name and label are kept, the current one included."""
    keep_history: int = 100
    """Of how many runs of one name and label the outcomes stay when the rest of them went."""
    keep_logs: int = 5
    """How many folders of runs of tests are kept, that of the newest included."""
    branch: bool = False
    """Record branches too."""
    command: tuple[str, ...] = ()
    """What `whotests run` runs when it is given no command."""
    exclude_lines: tuple[str, ...] | None = None
    """Regular expressions of what to exclude; None: the usual ones."""
    exclude_also: tuple[str, ...] = ()
    """More of them."""
    partial_branches: tuple[str, ...] | None = None
    """Regular expressions of lines of which not all branches have to be taken; None: the usual."""
    partial_also: tuple[str, ...] = ()
    """More of them."""
    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names of groups of folders that are the same one on different machines, and the folders as
    they were given, the first of each being the one here: absolute, relative to the root, or
    globs."""
    fail_under: float | None = None
    """Percentage below which a report fails; None: it never does."""
    precision: int = 0
    """Digits of percentages after the point."""
    show_missing: bool = False
    skip_covered: bool = False
    """Leave files out of a report of which nothing is missing."""
    skip_empty: bool = False
    """Leave files out of a report that have no statements."""
    sort: str = "name"
    """A column of the report, maybe with '+' (ascending) or '-' (descending) in front."""
    format: str = "text"
    """How to print a report: text, markdown or total."""
    report_contexts: tuple[str, ...] = ()
    """Regular expressions of contexts of which a report tells; none: of all."""
    report_include: tuple[str, ...] = ()
    """Globs of the files of which a report tells; none: of all."""
    report_omit: tuple[str, ...] = ()
    """Globs of files to leave out of a report."""
    tests: tuple[str, ...] = ()
    """Targets of `whotests test` when it is given none, seen from the project's folder."""
    jobs: int = 1
    """How many workers run tests; 0: as many as there are processors."""
    timeout: float = 0.0
    """Seconds that a test may take; 0: any time."""
    slowest: int = 0
    """How many of the slowest tests `whotests test` lists at its end."""
    unused: tuple[tuple[str, str, str], ...] = ()
    """What that file says and has no meaning here, only of coverage.py's: section, key (or '' for
    a whole section) and the reason."""


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
    project = find_project(cwd)
    root = project.root
    file, said = _read(project, cwd, config, os.environ if environ is None else environ)
    settings = Settings(root=root, data=root / _DATA, cache=root / _CACHE, file=file)
    if said is not None:
        keys = said._asdict()
        file_data = keys.pop("data")
        settings = settings._replace(**keys, data=_absolute(root / (file_data or _DATA)))
        settings = settings._replace(source=_anchored(said.source, root))
    if source:
        settings = settings._replace(source=_anchored(source, cwd), source_pkgs=())
    if include:
        settings = settings._replace(include=_globs(include, cwd, "--include"))
    if omit:
        settings = settings._replace(omit=_globs(omit, cwd, "--omit"))
    if context is not None:
        settings = settings._replace(context=context)
    if run_name is not None:
        settings = settings._replace(run_name=_run_name(run_name))
    if keep_runs is not None:
        settings = settings._replace(keep_runs=keep_runs)
    if branch is not None:
        settings = settings._replace(branch=branch)
    if data is not None:
        settings = settings._replace(data=_absolute(cwd / data))
    return settings


def _read(
    project: Project, cwd: Path, config: Path | None, environ: Mapping[str, str]
) -> "tuple[Path | None, FileSettings | None]":
    """The file of the settings and what it says."""
    if config is None and environ.get("WHOTESTS_CONFIG"):
        config = Path(environ["WHOTESTS_CONFIG"])
    if config is not None:
        return _read_file(cwd / config, project.root, environ)
    if "whotests" in project.tool:
        return project.pyproject, _own(project.tool["whotests"], project.pyproject)
    if not speaks_of_coverage(project, environ):
        return None, None
    from whotests.config.coverage_file import find_coverage_file
    from whotests.config.coverage_settings import translated_settings

    found = find_coverage_file(project.root, tool=project.tool, cwd=cwd, environ=environ)
    if found is None:
        return None, None
    return found.file, translated_settings(found, root=project.root, environ=environ)


def _read_file(
    file: Path, root: Path, environ: Mapping[str, str]
) -> "tuple[Path | None, FileSettings | None]":
    """What a file says that somebody has named: ours, else it is coverage.py's."""
    if file.suffix == ".toml":
        tool = read_toml(file).get("tool")
        if isinstance(tool, dict) and "whotests" in tool:
            return file, _own(tool["whotests"], file)
    from whotests.config.coverage_file import read_coverage_file
    from whotests.config.coverage_settings import translated_settings

    found = read_coverage_file(file, environ=environ)
    return file, translated_settings(found, root=root, environ=environ)


def _own(table: object, file: Path) -> "FileSettings":
    from whotests.config.own_table import read_own_table

    if not isinstance(table, dict):
        raise UsageError(f"{file}: tool.whotests must be a table; write [tool.whotests]")
    return read_own_table(table, file=file)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _run_name(name: str) -> str:
    from whotests.config.run_names import checked_run_name

    return checked_run_name(name)


def _anchored(names: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Each name that is an existing path, absolute; the others (packages) as they are."""
    return tuple(
        os.path.abspath(folder / name) if (folder / name).exists() else name for name in names
    )


def _globs(globs: tuple[str, ...], cwd: Path, option: str) -> tuple[str, ...]:
    """Globs of the command line: relative to where it was typed, unless they fit anywhere."""
    from whotests.config.globs import checked_globs

    return tuple(
        os.path.abspath(cwd / glob)
        if not glob.startswith(("*", "?")) and ("/" in glob or (cwd / glob).is_dir())
        else glob
        for glob in checked_globs(globs, where=option)
    )
