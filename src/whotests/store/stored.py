"""The tables of a data file as they are stored, row by row.

May import the standard library and the store's own floor. Refuses to know what rows mean.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from whotests.store.failures import translated

__all__ = ["COMPARISONS", "StoredColumn", "StoredTables"]

COMPARISONS: Final = ("=", "<", "<=", ">", ">=")


class StoredColumn(NamedTuple):
    """A column as it was created."""

    name: str
    type: str
    key: int
    """Its place in the primary key, from 1; 0: it is not part of it."""


class StoredTables:
    """Reads any table of an open data file; whoever opened it closes it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All tables, in the order in which they were created."""
        rows = self._rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")
        return tuple(name for (name,) in rows if not name.startswith("sqlite_"))

    def columns(self, table: str) -> tuple[StoredColumn, ...]:
        """The columns of one of the tables, in order."""
        rows = self._rows(f"SELECT name, type, pk FROM pragma_table_info({_text(table)})")
        return tuple(StoredColumn(*row) for row in rows)

    def rows(
        self, table: str, conditions: Sequence[tuple[str, str, Any]] = ()
    ) -> Iterator[tuple[Any, ...]]:
        """The rows that meet all conditions: a column, one of COMPARISONS, and a value."""
        sql = f"SELECT * FROM {_name(table)}"
        if conditions:
            assert all(comparison in COMPARISONS for _, comparison, _ in conditions)
            sql += " WHERE " + " AND ".join(
                f"{_name(column)} {comparison} ?" for column, comparison, _ in conditions
            )
        return self._rows(sql, [value for _, _, value in conditions])

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            for row in self._connection.execute(sql, values):  # noqa: UP028
                yield row
        except sqlite3.Error as failure:
            raise translated(self._path, failure) from failure


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
