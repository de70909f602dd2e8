"""What becomes of a project's coverage.py configuration when it is written as `[tool.whotests]`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from whotests.config.coverage_file import CoverageFile
from whotests.config.coverage_settings import translated_settings
from whotests.config.own_table import read_own_table
from whotests.config.own_toml import table_text
from whotests.config.project import read_toml_text, shown_file
from whotests.errors import UsageError

__all__ = ["Migration", "migration_of", "with_table"]


class Migration(NamedTuple):
    """The table, and what is not as it was."""

    table: str
    changes: tuple[str, ...]
    """A sentence each: keys that mean something else now, and keys that mean nothing here."""


def migration_of(found: CoverageFile, *, root: Path, environ: Mapping[str, str]) -> Migration:
    """The equivalent of what coverage.py's file says.

    Raises `UsageError` for a value that coverage.py refuses, too.
    """
    said = translated_settings(found, root=root, environ=environ)
    changes = list(_changes(found))
    if not said.source and not said.source_pkgs:
        changes.append(
            "source: there is none, so the project's own packages are measured; coverage.py "
            "measures whatever is imported, the tests included"
        )
    changes += [
        f"[{section}]{f' {key}' if key else ''}: left out; {reason}"
        for section, key, reason in said.unused
    ]
    return Migration(table_text(said._replace(unused=())), tuple(changes))


def _changes(found: CoverageFile) -> Iterator[str]:
    """What has another name or another form here."""
    values = found.values
    for section, key in found.filled:
        yield (
            f"[{section}] {key}: variables of the environment are filled in as they are now; "
            "[tool.whotests] has none, so give what differs from run to run as an option"
        )
    if ("run", "data_file") in values:
        yield "[run] data_file: data; ours lies beside coverage.py's file, by a name of its own"
    if ("run", "command_line") in values:
        yield "[run] command_line: command, a list of words"
    if ("run", "include") in values and ("run", "source") not in values:
        yield (
            "[run] include: include, within source; files that match and that nothing imported "
            "are counted, too, with 0%"
        )
    for key in ("include", "omit", "contexts"):
        if ("report", key) in values:
            yield f"[report] {key}: report_{key}"
    if ("report", "partial_branches_always") in values:
        yield (
            "[report] partial_branches_always: partial_also; tests of constants stay excused "
            "whatever it says"
        )
    if ("report", "sort") in values:
        yield "[report] sort: the columns have their full names: statements, missing, partial"


def with_table(before: str, table: str, *, file: Path) -> str:
    """The text of a pyproject.toml with the table at its end, and otherwise as it was.

    Raises `UsageError` where there is one already, or where TOML has no room for one.
    """
    newline = "\r\n" if "\r\n" in before else "\n"
    gap = "" if not before.strip() else "\n" if before.endswith("\n") else "\n\n"
    after = before + (gap + table).replace("\n", newline)
    tool = read_toml_text(before, file=file).get("tool")
    if isinstance(tool, dict) and "whotests" in tool:
        raise UsageError(
            f"{shown_file(file)} has [tool.whotests] already, so coverage.py's settings are "
            "not looked at; delete it to migrate again, or print them with --print"
        )
    try:
        tool = read_toml_text(after, file=file)["tool"]
    except UsageError as error:
        raise UsageError(
            f"{shown_file(file)} takes no table [tool.whotests] at its end ({error}); print "
            "it with --print, and put it where it fits"
        ) from error
    assert isinstance(tool, dict)
    read_own_table(tool["whotests"], file=file)
    return after
