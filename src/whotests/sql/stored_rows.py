"""The tables of the data file itself, as rows of the schema `data`.

May import the store. Refuses to know what is in them.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, cast

from whotests.sql.relations import Estimate, Row
from whotests.sql.tables import Column, Table
from whotests.sql.wanted import Wanted
from whotests.store.stored import StoredTables

__all__ = ["StoredRows", "stored_relations"]

_ROWS: Final = 10_000
_BEYOND: Final = 1 << 63
_DECLARED: Final = ("TEXT", "INTEGER", "REAL", "BLOB")


class StoredRows:
    """One table as it is stored."""

    def __init__(self, stored: StoredTables, name: str) -> None:
        self._stored = stored
        columns = stored.columns(name)
        keys = sorted((column.key, column.name) for column in columns if column.key)
        self._key = tuple(name for _, name in keys)
        self._table = Table(
            name=name,
            description="",
            key=self._key,
            columns=tuple(Column(column.name, _type(column.type), "") for column in columns),
        )

    @property
    def table(self) -> Table:
        return self._table

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        if known.issuperset(self._key):
            return Estimate(rows=1, cost=1.0, unique=True)
        # The first column of a key finds rows; others only spare reading them here.
        found = _ROWS // 100 if self._key[0] in known else _ROWS
        rows = max(1, found // 4 ** len(known - {self._key[0]}) // 2 ** len(hinted))
        return Estimate(rows=rows, cost=float(found))

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        conditions: list[tuple[str, str, Any]] = []
        for column in self._table.columns:
            values = wanted.values(column.name)
            if values is not None and len(values) == 1 and None not in values:
                (value,) = values
                conditions.append((column.name, "=", value))
            low, high = wanted.bounds(column.name)
            # What is beyond the numbers that SQLite has is left to the one that asks.
            if low is not None and low < _BEYOND:
                conditions.append((column.name, ">=", low))
            if high is not None and high >= -_BEYOND:
                conditions.append((column.name, "<=", high))
        return self._stored.rows(self._table.name, conditions)


def stored_relations(stored: StoredTables) -> tuple[StoredRows, ...]:
    """All tables of a data file."""
    return tuple(StoredRows(stored, name) for name in stored.names)


def _type(declared: str) -> Literal["TEXT", "INTEGER", "REAL", "BLOB", ""]:
    return cast(Literal["TEXT"], declared) if declared in _DECLARED else ""
