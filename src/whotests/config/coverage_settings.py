"""What coverage.py's configuration means here: its keys one by one, and those without a meaning."""

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from whotests.config.coverage_file import CoverageFile
from whotests.config.expressions import checked, checked_rules
from whotests.config.file_settings import FORMATS, MOST_DIGITS, FileSettings, UnusedKey
from whotests.config.globs import checked_globs
from whotests.errors import UsageError

__all__ = ["WITHOUT_MEANING", "translated_settings"]

_EXPORT = "`whotests export` writes where its option -o says"
_HTML = (
    "there is no HTML report; `whotests export coverage` writes a file that `coverage html` reads"
)

WITHOUT_MEANING: Final[Mapping[tuple[str, str], str]] = {
    ("run", "concurrency"): (
        "threads, processes, gevent and greenlets are all measured, without being told"
    ),
    ("run", "core"): "there is one way to measure, and no tracer to choose",
    ("run", "cover_pylib"): (
        "a module of the standard library is measured when it is named as source"
    ),
    ("run", "debug"): "it is about the insides of coverage.py",
    ("run", "debug_file"): "it is about the insides of coverage.py",
    ("run", "disable_warnings"): "these warnings are coverage.py's own",
    ("run", "dynamic_context"): (
        "each test has contexts of its own, one per phase; labels come from whotests.context"
    ),
    ("run", "parallel"): (
        "all processes of a run write into its one data file; there is nothing to combine"
    ),
    ("run", "patch"): (
        "processes that are started, forked, replaced or ended at once are measured anyway"
    ),
    ("run", "plugins"): (
        "coverage.py's plug-ins cannot be used; files that are not Python are not measured"
    ),
    ("run", "relative_files"): "paths in the data are relative to the project's folder, always",
    ("run", "sigterm"): (
        "what was recorded until a second before a signal is kept, whatever the signal"
    ),
    ("run", "timid"): "there is one way to measure, and no tracer to choose",
    ("report", "ignore_errors"): (
        "a file that cannot be read never ends a report: it is listed with the reason"
    ),
    ("html", "directory"): _HTML,
    ("html", "extra_css"): _HTML,
    ("html", "show_contexts"): _HTML,
    ("html", "skip_covered"): _HTML,
    ("html", "skip_empty"): _HTML,
    ("html", "title"): _HTML,
    ("xml", "output"): _EXPORT,
    ("xml", "package_depth"): "packages are exported as deep as they are",
    ("json", "output"): _EXPORT,
    ("json", "pretty_print"): "JSON is written for programs",
    ("json", "show_contexts"): "`whotests export --no-contexts` leaves them out",
    ("lcov", "output"): _EXPORT,
    ("lcov", "line_checksums"): "`whotests export --checksums` writes them",
}
"""(section, key) -> why it changes nothing here."""

_COLUMNS: Final = {
    "name": "name",
    "stmts": "statements",
    "miss": "missing",
    "branch": "branches",
    "brpart": "partial",
    "cover": "cover",
}


def translated_settings(
    found: CoverageFile, *, root: Path, environ: Mapping[str, str]
) -> FileSettings:
    """The same in our keys. Raises `UsageError` for a value that coverage.py refuses, too."""
    return _Translation(found, root, environ).settings()


class _Translation:
    def __init__(self, found: CoverageFile, root: Path, environ: Mapping[str, str]) -> None:
        self._found = found
        self._root = root
        self._environ = environ
        self._unused: list[UnusedKey] = []

    def settings(self) -> FileSettings:
        get = self._found.values.get
        source, packages = self._source()
        include = self._globs("run", "include")
        if include and (source or packages):
            self._note("run", "include", "coverage.py ignores it where there is a source")
            include = ()
        elif include:
            source = (".",)
        exclude = self._rules("exclude_lines", get(("report", "exclude_also"), ()))
        always = get(("report", "partial_branches_always"), ())
        partial_also = get(("report", "partial_also"), ()) + always
        partial = self._rules("partial_branches", partial_also)
        told = FileSettings(
            source=source,
            source_pkgs=packages,
            include=include,
            omit=self._globs("run", "omit"),
            include_namespace_packages=get(("report", "include_namespace_packages"), False),
            context=get(("run", "context"), ""),
            data=self._data(),
            branch=get(("run", "branch"), False),
            command=self._command(),
            exclude_lines=exclude,
            exclude_also=get(("report", "exclude_also"), ()),
            partial_branches=partial,
            partial_also=partial_also,
            paths=self._found.paths,
            fail_under=self._fail_under(),
            precision=self._precision(),
            show_missing=get(("report", "show_missing"), False),
            skip_covered=get(("report", "skip_covered"), False),
            skip_empty=get(("report", "skip_empty"), False),
            sort=self._sort(),
            format=self._format(),
            report_contexts=checked(
                get(("report", "contexts"), ()), where=self._where("report", "contexts")
            ),
            report_include=self._globs("report", "include"),
            report_omit=self._globs("report", "omit"),
        )
        return told._replace(unused=(*self._without_meaning(), *self._unused))

    def _where(self, section: str, key: str) -> str:
        return f"{self._found.file}: '{key}' of [{section}]"

    def _note(self, section: str, key: str, reason: str) -> None:
        self._unused.append(UnusedKey(section, key, reason))

    def _without_meaning(self) -> Iterator[UnusedKey]:
        for section, key in self._found.values:
            if reason := WITHOUT_MEANING.get((section, key)):
                yield UnusedKey(section, key, reason)
        plugins = self._found.values.get(("run", "plugins"), ())
        for section, key in self._found.strange:
            if key:
                reason = "coverage.py does not know it either"
            elif section.removeprefix("coverage:").removeprefix("tool.coverage.") in plugins:
                reason = "it is for a plug-in of coverage.py's"
            else:
                reason = "it is no section of coverage.py's, unless of a plug-in"
            yield UnusedKey(section, key, reason)

    def _source(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Folders, and names of packages and modules."""
        get = self._found.values.get
        folders = list(get(("run", "source_dirs"), ()))
        for name in folders:
            if not os.path.isdir(self._root / name):
                raise UsageError(
                    f"{self._where('run', 'source_dirs')} has {name!r}, which is no folder in "
                    f"{self._root}; correct it"
                )
        packages = list(get(("run", "source_pkgs"), ()))
        for name in get(("run", "source"), ()):
            (folders if os.path.isdir(self._root / name) else packages).append(name)
        return tuple(folders), tuple(packages)

    def _globs(self, section: str, key: str) -> tuple[str, ...]:
        """The patterns but those that name a folder: there, they match files only."""
        globs = self._found.values.get((section, key), ())
        kept = []
        for glob in checked_globs(globs, where=self._where(section, key)):
            plain = not any(letter in glob for letter in "*?[")
            if plain and (glob.endswith("/") or os.path.isdir(self._root / glob)):
                self._note(
                    section,
                    key,
                    f"'{glob}' is a folder, and coverage.py's patterns fit files only; write "
                    f"'{glob.rstrip('/')}/*' for what is in it",
                )
            else:
                kept.append(glob)
        return tuple(kept)

    def _rules(self, key: str, more: tuple[str, ...]) -> tuple[str, ...] | None:
        instead: tuple[str, ...] | None = self._found.values.get(("report", key))
        also = "exclude_also" if key == "exclude_lines" else "partial_also"
        checked_rules(
            instead,
            more,
            where=(self._where("report", key), self._where("report", also)),
            alone=key == "exclude_lines",
        )
        return instead

    def _command(self) -> tuple[str, ...]:
        words = shlex.split(self._found.values.get(("run", "command_line"), ""))
        if words and words[0] == "--module":
            words[0] = "-m"
        return ("python", *words) if words else ()

    def _data(self) -> str:
        """Where ours goes: beside coverage.py's, and never by a name that it would take for one
        of its own."""
        file = self._environ.get("COVERAGE_FILE") or self._found.values.get(("run", "data_file"))
        if file is None:
            return ""
        folder, name = os.path.split(file)
        rest = name.removeprefix(".").removeprefix("coverage").removesuffix(".db")
        if not folder and not rest:
            return ""
        joined = rest if not rest or rest.startswith(".") else f".{rest}"
        return os.path.join(folder, f".whotests{joined}.db")

    def _fail_under(self) -> float | None:
        number: float | None = self._found.values.get(("report", "fail_under"))
        if number is not None and not 0 <= number <= 100:
            raise UsageError(
                f"{self._where('report', 'fail_under')} must be from 0 to 100; it is {number:g}"
            )
        return number or None

    def _precision(self) -> int:
        digits: int = self._found.values.get(("report", "precision"), 0)
        if not 0 <= digits <= MOST_DIGITS:
            raise UsageError(
                f"{self._where('report', 'precision')} must be from 0 to {MOST_DIGITS}; "
                f"it is {digits}"
            )
        return digits

    def _sort(self) -> str:
        given: Any = self._found.values.get(("report", "sort")) or "name"
        word = given.lower()
        sign = word[0] if word[0] in "+-" else "+"
        column = _COLUMNS.get(word.removeprefix(sign))
        if column is None:
            raise UsageError(
                f"{self._where('report', 'sort')} must be one of {', '.join(_COLUMNS)}; "
                f"it is {given!r}"
            )
        return column if (column, sign) == ("name", "+") else sign + column

    def _format(self) -> str:
        given: str = self._found.values.get(("report", "format")) or FORMATS[0]
        if given not in FORMATS:
            raise UsageError(
                f"{self._where('report', 'format')} must be one of {', '.join(FORMATS)}; "
                f"it is {given!r}"
            )
        return given
