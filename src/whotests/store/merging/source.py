"""A data file that is copied from: opened, of our schema, and whole as far as SQL can tell.

May import the standard library, source and the store's own floor. Refuses to change what it reads.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from whotests.errors import DataError
from whotests.source.exclusions import matched_lines
from whotests.store.failures import brief, damaged, translated
from whotests.store.reading import connect_to_read
from whotests.store.schema import FILE_STATES, OUTCOMES, PHASES, RUNNERS, SCHEMA

__all__ = ["Source", "Stamp"]

_TABLES: Final = (
    "run",
    "folder",
    "file",
    "run_file",
    "unit",
    "pattern",
    "footprint",
    "scope",
    "test",
    "context",
    "past_run",
    "past_test",
)
Stamp = tuple[tuple[int, int, int], ...]
"""Inode, size and time of change of a data file, and of what SQLite keeps beside it."""

_LONGEST_PATH: Final = 32_768
"""Characters; systems know no longer ones."""

# SQLite takes any value for any column, and leaves what a number refers to to whoever reads.
_BLOB: Final = "typeof({0}) = 'blob'"
_TEXT: Final = "typeof({0}) = 'text'"
_WHOLE: Final = "typeof({0}) = 'integer' AND {0} >= 0"
_ID: Final = "typeof({0}) = 'integer' AND {0} > 0"
_TIME: Final = "typeof({0}) IN ('real', 'integer')"
_NO_TIME: Final = "typeof({0}) IN ('real', 'integer', 'null')"
_UIDS: Final = _BLOB + " AND length({0}) > 0 AND length({0}) % 16 = 0"
_STATUS: Final = "{0} IN ('running', 'finished', 'interrupted', 'incomplete')"
_NAME: Final = f"{_TEXT} AND length({{0}}) <= {_LONGEST_PATH} AND instr({{0}}, char(0)) = 0"


_MOST_LINES: Final = 1 << 24
"""Of a source file, and more: bitmaps of lines have room for all of them."""


def _below(count: int) -> str:
    return f"typeof({{0}}) = 'integer' AND {{0}} BETWEEN 0 AND {count - 1}"


_SOUND: Final[Mapping[str, Mapping[str, str]]] = {
    "run": {
        "id": _ID,
        "uid": _UIDS,
        "name": _TEXT,
        "started": _TIME,
        "heartbeat": _TIME,
        "ended": _NO_TIME,
        "status": _STATUS,
        "note": _TEXT,
        "command": "json_type({0}) = 'array'",
        "root": _NAME,
        "label": _TEXT,
        "superseded": _NO_TIME,
        "branch": _below(2),
        "rules": "{0} = '' OR json_type({0}) = 'array'",
        "python": _TEXT,
        "platform": _TEXT,
        "host": _TEXT,
        "pid": "typeof({0}) = 'integer'",
        "whotests": _TEXT,
        "exit_status": "typeof({0}) IN ('integer', 'null')",
    },
    "folder": {"id": _ID, "name": _NAME},
    "file": {
        "id": _ID,
        "name": _NAME + " AND {0} <> ''",
        "folder_id": "{0} IN (SELECT id FROM folder)",
        "digest": _BLOB,
        "line_count": _below(_MOST_LINES),
        "statements": _BLOB,
        "excluded": _BLOB,
        "branches": _BLOB,
        "partial": _BLOB,
        "outline": _BLOB,
    },
    "run_file": {
        "run_id": "{0} IN (SELECT id FROM run)",
        "file_id": "{0} IN (SELECT id FROM file)",
        "state": _below(len(FILE_STATES)),
        "reason": _TEXT,
    },
    "unit": {"place": _WHOLE, "id": _ID, "fingerprint": _BLOB},
    "pattern": {"ran": _BLOB, "id": _ID},
    "footprint": {"id": _ID, "patterns": _BLOB},
    "scope": {"id": _ID, "name": _TEXT},
    "test": {
        "id": _ID,
        "run_id": "{0} IN (SELECT id FROM run)",
        "scope_id": "{0} IN (SELECT id FROM scope)",
        "name": _TEXT,
        "runner": _below(len(RUNNERS)),
        "outcome": _below(len(OUTCOMES)),
        "duration": "typeof({0}) IN ('integer', 'null')",
    },
    "context": {
        "id": _ID,
        "run_id": "{0} IN (SELECT id FROM run)",
        "phase": f"{{0}} IS NULL AND test_id IS NULL OR test_id > 0 AND {_below(len(PHASES))}",
        "label": "typeof({0}) = 'text' AND test_id IS NULL OR {0} IS NULL AND test_id > 0",
        "complete": _below(2),
    },
    "past_run": {
        "id": _ID,
        "uid": _UIDS,
        "name": _TEXT,
        "label": _TEXT,
        "started": _TIME,
        "measured": _below(2),
        "tests": _BLOB,
        "results": _BLOB,
    },
    "past_test": {"id": _ID, "names": _BLOB},
}
"""What holds for each value of a column: what others do not notice when they use it."""


class Source:
    """A data file to copy from, as it was at one moment. Use it as a context manager.

    Whatever is asked of it raises DataError when it turns out to be damaged.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, *, stamp: Stamp | None = None
    ) -> None:
        self.path = path
        self.stamp = stamp
        """What changes when the file does; None when it cannot be told."""
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, known: Stamp | None = None) -> Self:
        """The data file at `path`, of which nothing is changed, with all parts of its runs.

        `known` is the stamp of one that was opened before: as long as it is the same, the values
        are not looked at again. Raises DataError: no such file, cut short, of another program,
        newer, or its tables are not ours or hold values that no writer ever made.
        """
        stamp = _stamp(path)
        connection = connect_to_read(path)
        source = cls(path, connection, stamp=stamp)
        try:
            with source.intact():
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("BEGIN")
                if known is None or known != stamp:
                    _check_tables(path, connection)
                    _check_values(path, connection)
                    _check_rules(connection)
                    _check_paths(path, connection)
        except BaseException:
            connection.close()
            raise
        return source

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """For what reads by itself, within `intact`."""
        return self._connection

    def rows(self, sql: str) -> list[Any]:
        """All rows of a query, as tuples."""
        with self.intact():
            return self._connection.execute(sql).fetchall()

    def dictionaries(self, sql: str) -> list[dict[str, Any]]:
        """All rows of a query, by the names of their columns."""
        with self.intact():
            cursor = self._connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    @contextmanager
    def intact(self) -> Iterator[None]:
        """What goes wrong within is the file's fault: it becomes a DataError that names it."""
        try:
            yield
        except sqlite3.OperationalError as failure:
            # Text that is no UTF-8 has no code; a column that is not there has this one.
            code = getattr(failure, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            if code & 0xFF == sqlite3.SQLITE_ERROR:
                raise damaged(self.path, failure) from failure
            raise translated(self.path, failure) from failure
        except sqlite3.Error as failure:
            raise translated(self.path, failure) from failure
        except (ValueError, LookupError, TypeError) as failure:
            raise damaged(self.path, failure) from failure


def _stamp(path: Path) -> Stamp | None:
    try:
        found = [path.stat()]
        for suffix in ("-wal", "-journal"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                found.append(beside.stat())
    except OSError:
        return None
    return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in found)


def _check_tables(path: Path, connection: sqlite3.Connection) -> None:
    """Nothing but tables of ours is read: a view of that name might never end."""
    columns = _columns(connection)
    for table in _TABLES:
        if columns.get(table) != _columns_by_us()[table]:
            raise DataError(
                f"{path} has no table {table!r} as whotests makes it; record again with "
                "`whotests test`"
            )


def _columns(connection: sqlite3.Connection) -> Mapping[str, list[tuple[object, ...]]]:
    """The plain tables, and what tells one column from another."""
    plain = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE %'"
    names = {name for (name,) in connection.execute(plain)}
    return {
        table: connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
        for table in _TABLES
        if table in names
    }


@cache
def _columns_by_us() -> Mapping[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(SCHEMA)
        return _columns(connection)
    finally:
        connection.close()


def _check_values(path: Path, connection: sqlite3.Connection) -> None:
    for table in _TABLES:
        columns = _SOUND[table]
        sound = " AND ".join(f"({_condition(columns, column)})" for column in columns)
        query = f"SELECT 1 FROM {table} WHERE ({sound}) IS NOT TRUE LIMIT 1"
        if connection.execute(query).fetchone() is not None:
            culprit = _culprit(connection, table, columns)
            raise ValueError(f"a value of {table}.{culprit} makes no sense")


def _condition(columns: Mapping[str, str], column: str) -> str:
    return columns[column].format(column)


def _culprit(connection: sqlite3.Connection, table: str, columns: Mapping[str, str]) -> str:
    found: Sequence[str] = [
        column
        for column in columns
        if connection.execute(
            f"SELECT 1 FROM {table} WHERE ({_condition(columns, column)}) IS NOT TRUE LIMIT 1"
        ).fetchone()
    ]
    return found[0] if found else "*"


def _check_rules(connection: sqlite3.Connection) -> None:
    for (text,) in connection.execute("SELECT DISTINCT rules FROM run WHERE rules <> ''"):
        lines, branches = json.loads(text)
        for rules in (lines, branches):
            try:
                matched_lines("", tuple(rules))
            except (re.error, RecursionError) as failure:
                raise ValueError(f"a run has rules that are no expressions: {failure}") from failure


def _check_paths(path: Path, connection: sqlite3.Connection) -> None:
    for (name,) in connection.execute(
        "SELECT folder.name || file.name FROM file JOIN folder ON folder.id = folder_id"
    ):
        if ".." in name and ".." in name.replace("\\", "/").split("/"):
            raise DataError(
                f"{path} names the file {brief(name)!r}, which climbs out of the project that it "
                "was recorded in; no run of whotests does that: take the data for forged, and "
                "leave it out"
            )
