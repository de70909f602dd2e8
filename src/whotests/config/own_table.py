"""`[tool.whotests]` of a pyproject.toml, key by key."""

from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Final

from whotests.config.expressions import checked, checked_rules
from whotests.config.file_settings import FORMATS, MOST_DIGITS, SORT_COLUMNS, FileSettings
from whotests.config.globs import checked_globs
from whotests.config.run_names import checked_run_name
from whotests.errors import UsageError

__all__ = ["KEYS", "read_own_table"]

_EXAMPLES: Final = {
    "branch": "true",
    "command": '["pytest", "-q"]',
    "context": '"py3.13"',
    "data": '".whotests/data.db"',
    "exclude_also": '["def __repr__"]',
    "exclude_lines": '["# not covered"]',
    "fail_under": "90",
    "format": '"markdown"',
    "include": '["src/*"]',
    "include_namespace_packages": "true",
    "jobs": '4, or jobs = "auto"',
    "keep_history": "30",
    "keep_logs": "10",
    "keep_runs": "5",
    "omit": '["*/migrations/*"]',
    "partial_also": '["while keep_going:"]',
    "partial_branches": '["# one way"]',
    "paths": '{ source = ["src", "/builds/*/src"] }',
    "precision": "1",
    "report_contexts": '["test_api"]',
    "report_include": '["src/*"]',
    "report_omit": '["*/generated/*"]',
    "run_name": '"nightly"',
    "show_missing": "true",
    "skip_covered": "true",
    "skip_empty": "true",
    "slowest": "10",
    "sort": '"missing"',
    "source": '["src"]',
    "source_pkgs": '["shop"]',
    "tests": '["tests", "trial:shop.test"]',
    "timeout": "60",
}

KEYS: Final = tuple(_EXAMPLES)
"""The keys that `[tool.whotests]` may have."""


def read_own_table(table: Mapping[str, object], *, file: Path) -> FileSettings:
    """What the table says.

    Raises `UsageError` for an unknown key, a value of the wrong type, an invalid regular
    expression or glob.
    """
    for key in table:
        if key not in KEYS:
            raise UsageError(_unknown_key(file, key))
    values = _Values(table, file)
    default = FileSettings()
    return FileSettings(
        source=values.strings("source"),
        source_pkgs=values.strings("source_pkgs"),
        include=values.globs("include"),
        omit=values.globs("omit"),
        include_namespace_packages=values.flag("include_namespace_packages"),
        context=values.string("context"),
        run_name=values.run_name("run_name"),
        keep_runs=values.whole("keep_runs", least=1, default=default.keep_runs),
        keep_history=values.whole("keep_history", default=default.keep_history),
        keep_logs=values.whole("keep_logs", least=1, default=default.keep_logs),
        data=values.string("data"),
        branch=values.flag("branch"),
        command=values.strings("command"),
        exclude_lines=values.rules("exclude_lines", "exclude_also"),
        exclude_also=values.expressions("exclude_also"),
        partial_branches=values.rules("partial_branches", "partial_also"),
        partial_also=values.expressions("partial_also"),
        paths=values.paths("paths"),
        fail_under=values.percentage("fail_under"),
        precision=values.whole("precision", most=MOST_DIGITS, default=default.precision),
        show_missing=values.flag("show_missing"),
        skip_covered=values.flag("skip_covered"),
        skip_empty=values.flag("skip_empty"),
        sort=values.sort("sort"),
        format=values.one_of("format", FORMATS),
        report_contexts=values.expressions("report_contexts"),
        report_include=values.globs("report_include"),
        report_omit=values.globs("report_omit"),
        tests=values.strings("tests"),
        jobs=values.jobs("jobs"),
        timeout=values.seconds("timeout"),
        slowest=values.whole("slowest", default=default.slowest),
    )


class _Values:
    """The table's values, each of the type that its key needs."""

    def __init__(self, table: Mapping[str, object], file: Path) -> None:
        self._table = table
        self._file = file

    def _where(self, key: str) -> str:
        return f"{self._file}: '{key}' of [tool.whotests]"

    def _wrong(self, key: str, needed: str) -> UsageError:
        return UsageError(
            f"{self._where(key)} must be {needed}, for instance {key} = {_EXAMPLES[key]}; "
            f"it is {self._table[key]!r}"
        )

    def strings(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(x, str) and x for x in value):
            raise self._wrong(key, "a list of strings")
        return tuple(value)

    def string(self, key: str) -> str:
        value = self._table.get(key, "")
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def run_name(self, key: str) -> str:
        try:
            return checked_run_name(self.string(key))
        except UsageError as error:
            raise UsageError(f"{self._where(key)}: {error}") from error

    def flag(self, key: str) -> bool:
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def whole(self, key: str, *, default: int, least: int = 0, most: int | None = None) -> int:
        value = self._table.get(key, default)
        fits = type(value) is int and least <= value and (most is None or value <= most)
        if not fits:
            until = " on" if most is None else f" to {most}"
            raise self._wrong(key, f"a whole number from {least}{until}")
        assert isinstance(value, int)
        return value

    def jobs(self, key: str) -> int:
        if self._table.get(key) == "auto":
            return 0
        value = self._table.get(key, FileSettings().jobs)
        if type(value) is not int or value < 1:
            raise self._wrong(key, "a whole number from 1 on, or 'auto'")
        return value

    def seconds(self, key: str) -> float:
        value = self._table.get(key, 0.0)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < inf:
            return float(value)
        raise self._wrong(key, "a number of seconds; 0 is any time")

    def percentage(self, key: str) -> float | None:
        value = self._table.get(key)
        if value is None:
            return None
        # A flag is an int, too; and no comparison holds for what is not a number.
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100:
            return float(value)
        raise self._wrong(key, "a number from 0 to 100")

    def one_of(self, key: str, words: tuple[str, ...]) -> str:
        value = self._table.get(key, words[0])
        if value not in words:
            raise self._wrong(key, "one of " + ", ".join(words))
        assert isinstance(value, str)
        return value

    def sort(self, key: str) -> str:
        value = self._table.get(key, SORT_COLUMNS[0])
        if not isinstance(value, str) or value.lstrip("+-") not in SORT_COLUMNS:
            raise self._wrong(
                key, f"one of {', '.join(SORT_COLUMNS)}, with '+' or '-' in front if you like"
            )
        return value

    def expressions(self, key: str) -> tuple[str, ...]:
        return checked(self.strings(key), where=self._where(key))

    def rules(self, key: str, also: str) -> tuple[str, ...] | None:
        """The expressions that replace the usual ones (None: these stay), checked together
        with those of the key beside it."""
        instead = self.expressions(key) if key in self._table else None
        checked_rules(
            instead,
            self.expressions(also),
            where=(self._where(key), self._where(also)),
            alone=key == "exclude_lines",
        )
        return instead

    def globs(self, key: str) -> tuple[str, ...]:
        return checked_globs(self.strings(key), where=self._where(key))

    def paths(self, key: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        value = self._table.get(key, {})
        if not isinstance(value, dict) or not all(
            isinstance(places, list) and places and all(isinstance(x, str) and x for x in places)
            for places in value.values()
        ):
            raise self._wrong(key, "a table of lists of strings")
        return tuple((name, tuple(places)) for name, places in value.items())


def _unknown_key(file: Path, key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, KEYS, n=1, cutoff=0.0)
    return (
        f"{file}: [tool.whotests] has no key '{key}'; the nearest is '{near[0]}' "
        f"(known keys: {', '.join(KEYS)})"
    )
