"""What one file of settings says, whoever's keys they are; what it does not say has its default."""

from typing import Final, NamedTuple

__all__ = ["FORMATS", "MOST_DIGITS", "SORT_COLUMNS", "FileSettings", "UnusedKey"]

SORT_COLUMNS: Final = (
    "name",
    "statements",
    "missing",
    "branches",
    "partial",
    "cover",
    "tests",
    "import",
)
"""What a report can be sorted by."""

FORMATS: Final = ("text", "markdown", "total")
"""How a report can be printed."""

MOST_DIGITS: Final = 9
"""Of percentages, after the point."""


class UnusedKey(NamedTuple):
    """A key of another program's settings that changes nothing here."""

    section: str
    key: str
    """Or '' for the whole section."""
    reason: str


class FileSettings(NamedTuple):
    """Paths and globs are as they stand in the file: relative to the project's folder."""

    source: tuple[str, ...] = ()
    source_pkgs: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    include_namespace_packages: bool = False
    context: str = ""
    run_name: str = ""
    keep_runs: int = 1
    keep_history: int = 100
    keep_logs: int = 5
    data: str = ""
    branch: bool = False
    command: tuple[str, ...] = ()
    exclude_lines: tuple[str, ...] | None = None
    exclude_also: tuple[str, ...] = ()
    partial_branches: tuple[str, ...] | None = None
    partial_also: tuple[str, ...] = ()
    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fail_under: float | None = None
    precision: int = 0
    show_missing: bool = False
    skip_covered: bool = False
    skip_empty: bool = False
    sort: str = "name"
    format: str = "text"
    report_contexts: tuple[str, ...] = ()
    report_include: tuple[str, ...] = ()
    report_omit: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    jobs: int = 1
    timeout: float = 0.0
    slowest: int = 0
    unused: tuple[UnusedKey, ...] = ()
