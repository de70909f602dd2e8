"""One frozen object of settings, from `[tool.whotests]` of pyproject.toml and the command line.

The command line wins, key by key.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from whotests.config.run_names import checked_run_name
from whotests.errors import UsageError

__all__ = ["KEYS", "Settings", "load_settings"]

KEYS = (
    "branch",
    "context",
    "data",
    "exclude_also",
    "exclude_lines",
    "keep_runs",
    "omit",
    "partial_also",
    "partial_branches",
    "run_name",
    "source",
)
"""The keys that `[tool.whotests]` may have."""

_MARKERS = ("pyproject.toml", "setup.cfg", "setup.py", ".git")
_DATA = Path(".whotests", "data.db")
_CACHE = Path(".whotests", "cache")
_EXAMPLES = {
    "source": "src",
    "omit": "*/migrations/*",
    "context": "py3.13",
    "run_name": "nightly",
    "data": _DATA.as_posix(),
    "exclude_lines": "# not covered",
    "exclude_also": "def __repr__",
    "partial_branches": "# one way",
    "partial_also": "while keep_going:",
}


class Settings(NamedTuple):
    """What a command works with; all paths are absolute."""

    root: Path
    """The project's folder: paths in the data are relative to it."""
    data: Path
    source: tuple[str, ...]
    """As asked for: absolute paths, and names of packages or modules; empty means 'find it'."""
    omit: tuple[str, ...]
    """Globs over absolute and root-relative paths with '/'."""
    context: str
    """The label of the whole run, or ''."""
    run_name: str
    """What people call the run, or ''."""
    keep_runs: int
    """How many generations of runs of one name and label are kept, the current one included."""
    branch: bool
    """Record branches too."""
    exclude_lines: tuple[str, ...] | None
    """Regular expressions of what to exclude; None: the usual ones."""
    exclude_also: tuple[str, ...]
    """More of them."""
    partial_branches: tuple[str, ...] | None
    """Regular expressions of lines of which not all branches have to be taken; None: the usual."""
    partial_also: tuple[str, ...]
    """More of them."""
    cache: Path


def load_settings(
    cwd: Path,
    *,
    source: tuple[str, ...] = (),
    omit: tuple[str, ...] = (),
    context: str | None = None,
    run_name: str | None = None,
    keep_runs: int | None = None,
    branch: bool | None = None,
    data: Path | None = None,
) -> Settings:
    """The settings of the project that `cwd` lies in; arguments that are given win.

    Paths among the arguments are relative to `cwd`, paths in pyproject.toml to its folder.
    Raises `UsageError` for an unknown key, a value of the wrong type, an invalid regular
    expression, a name that no run can have, or TOML that cannot be read.
    """
    cwd = Path(os.path.abspath(cwd))
    root, table = _find_project(cwd)
    file = root / "pyproject.toml"
    for key in table:
        if key not in KEYS:
            raise UsageError(_unknown_key(file, key))
    file_source = _strings(table, "source", file)
    file_omit = _strings(table, "omit", file)
    file_context = _string(table, "context", file)
    file_data = _string(table, "data", file)
    exclude_lines, exclude_also = _rules(table, "exclude_lines", "exclude_also", file)
    partial_branches, partial_also = _rules(table, "partial_branches", "partial_also", file)
    data_path = root / (file_data or _DATA) if data is None else cwd / data
    return Settings(
        root=root,
        data=Path(os.path.abspath(data_path)),
        source=_anchored(source, cwd) if source else _anchored(file_source, root),
        omit=omit or file_omit,
        context=context if context is not None else file_context or "",
        run_name=_run_name(table, file) if run_name is None else checked_run_name(run_name),
        keep_runs=_count(table, "keep_runs", file) if keep_runs is None else keep_runs,
        branch=_flag(table, "branch", file) if branch is None else branch,
        exclude_lines=exclude_lines,
        exclude_also=exclude_also,
        partial_branches=partial_branches,
        partial_also=partial_also,
        cache=root / _CACHE,
    )


def _find_project(cwd: Path) -> tuple[Path, Mapping[str, object]]:
    """The project's folder and its `[tool.whotests]` table (empty when it has none)."""
    nearest: Path | None = None
    for folder in (cwd, *cwd.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            table = _read_table(file, must_parse=nearest is None)
            if table is not None:
                return folder, table
        if nearest is None and any((folder / marker).exists() for marker in _MARKERS):
            nearest = folder
    return nearest or cwd, {}


def _read_table(file: Path, *, must_parse: bool) -> Mapping[str, object] | None:
    """The `[tool.whotests]` table of a pyproject.toml, or None when it has none.

    A file above the nearest project that cannot be read is none of this project's business,
    unless it speaks of whotests.
    """
    import tomllib  # not at the top: most of its cost is paid only where there is a file

    try:
        raw = file.read_bytes()
    except OSError as error:
        if must_parse:
            raise UsageError(f"cannot read {file}: {error.strerror}; make it readable") from error
        return None
    try:
        document: dict[str, object] = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        if must_parse or b"tool.whotests" in raw:
            raise UsageError(f"{file} is not valid TOML: {error}; correct it") from error
        return None
    tool = document.get("tool")
    if not isinstance(tool, dict) or "whotests" not in tool:
        return None
    table = tool["whotests"]
    if not isinstance(table, dict):
        raise UsageError(f"{file}: tool.whotests must be a table; write [tool.whotests]")
    return table


def _unknown_key(file: Path, key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, KEYS, n=1, cutoff=0.0)
    return (
        f"{file}: [tool.whotests] has no key '{key}'; the nearest is '{near[0]}' "
        f"(known keys: {', '.join(KEYS)})"
    )


def _strings(table: Mapping[str, object], key: str, file: Path) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise UsageError(
            f"{file}: '{key}' of [tool.whotests] must be a list of strings, for instance "
            f'{key} = ["{_EXAMPLES[key]}"]; it is {value!r}'
        )
    return tuple(value)


def _rules(
    table: Mapping[str, object], key: str, also: str, file: Path
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The regular expressions that replace the usual ones (None: these stay), and more of them.

    They are alternatives of one expression, beside others unless one alone excludes.
    """
    instead = _patterns(table, key, file) if key in table else None
    more = _patterns(table, also, file)
    patterns = (instead or ()) + more
    if key == "exclude_lines" and instead is not None and len(patterns) == 1:
        return instead, more
    for pattern in patterns:
        try:
            re.compile(f"x|(?:{pattern})", re.MULTILINE)
        except re.error as error:
            raise UsageError(
                f"{file}: '{also if pattern in more else key}' of [tool.whotests] has the regular "
                f"expression {pattern!r}, which cannot stand beside others ({error.msg}); "
                "write flags as in '(?i:...)'"
            ) from error
    try:
        re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    except re.error as error:
        raise UsageError(
            f"{file}: the regular expressions of '{key}' and '{also}' of [tool.whotests] cannot "
            f"stand beside each other ({error.msg}); give each group a name of its own"
        ) from error
    return instead, more


def _patterns(table: Mapping[str, object], key: str, file: Path) -> tuple[str, ...]:
    """Regular expressions, without white space around them."""
    patterns = tuple(filter(None, map(str.strip, _strings(table, key, file))))
    for pattern in patterns:
        try:
            re.compile(pattern, re.MULTILINE)
        except re.error as error:
            place = "" if error.pos is None else f" at position {error.pos}"
            raise UsageError(
                f"{file}: '{key}' of [tool.whotests] has an invalid regular expression, "
                f"{pattern!r}: {error.msg}{place}; correct it"
            ) from error
    return patterns


def _flag(table: Mapping[str, object], key: str, file: Path) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(
            f"{file}: '{key}' of [tool.whotests] must be true or false, for instance "
            f"{key} = true; it is {value!r}"
        )
    return value


def _count(table: Mapping[str, object], key: str, file: Path) -> int:
    value = table.get(key, 1)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(
            f"{file}: '{key}' of [tool.whotests] must be a whole number from 1 on, for instance "
            f"{key} = 5; it is {value!r}"
        )
    return value


def _run_name(table: Mapping[str, object], file: Path) -> str:
    try:
        return checked_run_name(_string(table, "run_name", file) or "")
    except UsageError as error:
        raise UsageError(f"{file}: 'run_name' of [tool.whotests]: {error}") from error


def _string(table: Mapping[str, object], key: str, file: Path) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(
            f"{file}: '{key}' of [tool.whotests] must be a string, for instance "
            f'{key} = "{_EXAMPLES[key]}"; it is {value!r}'
        )
    return value


def _anchored(names: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Each name that is an existing path, absolute; the others (packages) as they are."""
    return tuple(
        os.path.abspath(folder / name) if (folder / name).exists() else name for name in names
    )
