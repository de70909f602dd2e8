"""coverage.py's configuration as it stands in a file, read as coverage.py 7.17 reads it.

Its rules: `.coveragerc` and `.coveragerc.toml` are its own, so their sections need no prefix; of
setup.cfg, tox.ini and pyproject.toml it takes the first that has any of its settings.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from whotests.config.expressions import checked
from whotests.config.project import mentions_coverage, read_toml
from whotests.errors import UsageError

__all__ = ["KINDS", "CoverageFile", "find_coverage_file", "read_coverage_file", "substituted"]

KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "run": {
        "branch": "flag",
        "command_line": "text",
        "concurrency": "list",
        "context": "text",
        "core": "text",
        "cover_pylib": "flag",
        "data_file": "path",
        "debug": "list",
        "debug_file": "path",
        "disable_warnings": "list",
        "dynamic_context": "text",
        "include": "list",
        "omit": "list",
        "parallel": "flag",
        "patch": "list",
        "plugins": "list",
        "relative_files": "flag",
        "sigterm": "flag",
        "source": "list",
        "source_dirs": "list",
        "source_pkgs": "list",
        "timid": "flag",
    },
    "report": {
        "contexts": "list",
        "exclude_also": "expressions",
        "exclude_lines": "expressions",
        "fail_under": "number",
        "format": "text",
        "ignore_errors": "flag",
        "include": "list",
        "include_namespace_packages": "flag",
        "omit": "list",
        "partial_also": "expressions",
        "partial_branches": "expressions",
        "partial_branches_always": "expressions",
        "precision": "whole",
        "show_missing": "flag",
        "skip_covered": "flag",
        "skip_empty": "flag",
        "sort": "text",
    },
    "html": {
        "directory": "path",
        "extra_css": "text",
        "show_contexts": "flag",
        "skip_covered": "flag",
        "skip_empty": "flag",
        "title": "text",
    },
    "xml": {"output": "path", "package_depth": "whole"},
    "json": {"output": "path", "pretty_print": "flag", "show_contexts": "flag"},
    "lcov": {"line_checksums": "flag", "output": "path"},
}
"""Section -> key -> the kind of its value."""

_PREFIX: Final = "coverage:"

_SHARED: Final = ("setup.cfg", "tox.ini", "pyproject.toml")
"""Files of many programs, of which each has sections of its own."""


class CoverageFile(NamedTuple):
    """One file's settings, as they were written: environment filled in, nothing made absolute."""

    file: Path
    values: Mapping[tuple[str, str], Any]
    """(section, key) -> bool, int, float, str or tuple of strings, as `KINDS` says."""
    paths: tuple[tuple[str, tuple[str, ...]], ...]
    strange: tuple[tuple[str, str], ...]
    """Sections and keys that coverage.py itself does not know; '' for a whole section."""
    filled: tuple[tuple[str, str], ...] = ()
    """Those with variables of the environment in them."""


def find_coverage_file(
    root: Path, *, tool: Mapping[str, object], cwd: Path, environ: Mapping[str, str]
) -> CoverageFile | None:
    """What coverage.py would read if it was run in `root`; None when there is nothing.

    `tool` is what pyproject.toml there has under `tool`. Where the environment names a file,
    that one is read. Raises `UsageError` for one that cannot be read.
    """
    if named := environ.get("COVERAGE_RCFILE"):
        return read_coverage_file(cwd / named, environ=environ)
    for name in (".coveragerc", ".coveragerc.toml"):
        if os.path.isfile(root / name):
            return read_coverage_file(root / name, environ=environ)
    for name in ("setup.cfg", "tox.ini"):
        if mentions_coverage(str(root / name)):
            found = _read(_IniFile(root / name, own=False), root / name, environ)
            if _has_settings(found):
                return found
    if "coverage" in tool:
        found = _read(_TomlFile({"tool": tool}, own=False), root / "pyproject.toml", environ)
        return found if _has_settings(found) else None
    return None


def read_coverage_file(file: Path, *, environ: Mapping[str, str]) -> CoverageFile:
    """What the file says, which is coverage.py's own."""
    sections: _Sections
    if file.suffix == ".toml":
        sections = _TomlFile(read_toml(file), own=True)
    else:
        sections = _IniFile(file, own=True)
    return _read(sections, file, environ)


def substituted(text: str, environ: Mapping[str, str]) -> str:
    """The text with `$NAME`, `${NAME}`, `${NAME-otherwise}` and `${NAME?}` filled in; `$$` is '$'.

    Raises `KeyError` for a `${NAME?}` that is not there.
    """

    def value(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name = found["bare"] or found["braced"]
        if name in environ:
            return environ[name]
        if found["needed"]:
            raise KeyError(name)
        return found["otherwise"] or ""

    pattern = (
        r"\$(?:(?P<dollar>\$)|(?P<bare>\w+)|"
        r"\{(?P<braced>\w+)(?:(?P<needed>\?)|-(?P<otherwise>[^}]*))?\})"
    )
    return re.sub(pattern, value, text)


class _Sections(Protocol):
    """The sections of a file, without their prefixes."""

    def sections(self) -> Mapping[str, str]:
        """Section -> how it is written in the file."""

    def options(self, section: str) -> Mapping[str, object]:
        """Key -> value, as it is written."""

    def convert(self, value: object, kind: str, fill: Callable[[str], str]) -> Any:
        """The value as its kind needs it; raises ValueError for one that is of another."""


def _has_settings(found: CoverageFile) -> bool:
    """Whether the file is coverage.py's, too."""
    plugins = found.values.get(("run", "plugins"), ())
    of_plugins = any(section in plugins for section, _ in found.strange)
    return bool(found.values or found.paths or of_plugins)


def _read(sections: _Sections, file: Path, environ: Mapping[str, str]) -> CoverageFile:
    """What the file says."""
    values: dict[tuple[str, str], Any] = {}
    strange: list[tuple[str, str]] = []
    paths: list[tuple[str, tuple[str, ...]]] = []
    filled: list[tuple[str, str]] = []

    def convert(section: str, key: str, kind: str, value: object) -> Any:
        where = f"{file}: '{key}' of [{written[section]}]"

        def fill(text: str) -> str:
            if re.search(r"\$[\w{]", text) and (section, key) not in filled:
                filled.append((section, key))
            return substituted(text, environ)

        try:
            result = sections.convert(value, kind, fill)
        except KeyError as error:
            raise UsageError(
                f"{where} needs the environment variable {error.args[0]}, which is not set; "
                f"set it, or write ${{{error.args[0]}-}}"
            ) from error
        except ValueError as error:
            raise UsageError(f"{where} must be {error}; it is {value!r}") from error
        return checked(result, where=where) if kind == "expressions" else result

    written = sections.sections()
    for section in written:
        if section == "paths":
            paths += [
                (
                    key,
                    tuple(
                        os.path.expanduser(place) for place in convert(section, key, "list", value)
                    ),
                )
                for key, value in sections.options(section).items()
            ]
            continue
        kinds = KINDS.get(section)
        if kinds is None:
            if written[section] != section or file.name not in _SHARED:
                strange.append((written[section], ""))
            continue
        for key, value in sections.options(section).items():
            if key in kinds:
                values[section, key] = convert(section, key, kinds[key], value)
            else:
                strange.append((written[section], key))
    return CoverageFile(file, values, tuple(paths), tuple(strange), tuple(filled))


class _IniFile:
    """Sections of an INI file; values are text, and lists stand on lines or between commas."""

    def __init__(self, file: Path, *, own: bool) -> None:
        import configparser  # seldom needed

        self._parser = configparser.ConfigParser(interpolation=None)
        self._own = own
        try:
            with open(file, encoding="utf-8") as text:
                self._parser.read_file(text, str(file))
        except OSError as error:
            raise UsageError(
                f"cannot read {file}: {error.strerror}; name coverage.py's configuration"
            ) from error
        except (configparser.Error, UnicodeDecodeError) as error:
            shown = " ".join(str(error).split())
            raise UsageError(f"{file} is not a file of settings: {shown}; correct it") from error

    def sections(self) -> Mapping[str, str]:
        found = {}
        for name in self._parser.sections():
            if name.startswith(_PREFIX):
                found[name.removeprefix(_PREFIX)] = name
            elif self._own:
                found.setdefault(name, name)
        return found

    def options(self, section: str) -> Mapping[str, object]:
        return dict(self._parser.items(self.sections()[section]))

    def convert(self, value: object, kind: str, fill: Callable[[str], str]) -> Any:
        text = fill(str(value))
        if kind == "flag":
            known = self._parser.BOOLEAN_STATES
            if text.lower() not in known:
                raise ValueError("true or false")
            return known[text.lower()]
        if kind in ("whole", "number"):
            return _number(text, kind)
        if kind == "path":
            return os.path.expanduser(text)
        if kind == "list":
            words = (word.strip() for line in text.split("\n") for word in line.split(","))
            return tuple(filter(None, words))
        return tuple(text.splitlines()) if kind == "expressions" else text


class _TomlFile:
    """Tables of a TOML document; values have types, and text may stand for a number."""

    def __init__(self, document: Mapping[str, object], *, own: bool) -> None:
        tool = document.get("tool")
        table = tool.get("coverage") if isinstance(tool, dict) else None
        self._tables: dict[str, tuple[str, Mapping[str, object]]] = {}
        plain = {name: content for name, content in document.items() if name != "tool"}
        for prefix, tables in (("tool.coverage.", table), ("", plain if own else {})):
            for name, content in (tables if isinstance(tables, dict) else {}).items():
                if isinstance(content, dict):
                    self._tables.setdefault(name, (prefix + name, content))

    def sections(self) -> Mapping[str, str]:
        return {name: written for name, (written, _) in self._tables.items()}

    def options(self, section: str) -> Mapping[str, object]:
        return self._tables[section][1]

    def convert(self, value: object, kind: str, fill: Callable[[str], str]) -> Any:
        if kind in ("list", "expressions"):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise ValueError("a list of strings")
            return tuple(fill(item) for item in value)
        if isinstance(value, str):
            value = fill(value)
        if kind == "flag":
            value = (
                {"true": True, "false": False}.get(value, value)
                if isinstance(value, str)
                else value
            )
            if not isinstance(value, bool):
                raise ValueError("true or false")
            return value
        if kind in ("whole", "number"):
            return _number(value, kind)
        if not isinstance(value, str):
            raise ValueError("a string")
        return os.path.expanduser(value) if kind == "path" else value


def _number(value: object, kind: str) -> float:
    """An int or a float, from a number or text."""
    try:
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return int(value) if kind == "whole" else float(value)
        if isinstance(value, float) and kind == "number":
            return value
    except (ValueError, OverflowError):
        pass
    raise ValueError("a whole number" if kind == "whole" else "a number")
