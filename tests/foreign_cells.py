"""Damage to SQLite files by chance: other values in whole rows, and rows that are not there."""

import sqlite3
from contextlib import closing, suppress
from random import Random

__all__ = ["edited"]

_VALUES: tuple[object, ...] = (
    None,
    -1,
    0,
    1,
    2,
    7,
    1_000_001,
    2**31,
    2**62,
    -(2**63),
    1.5,
    float("inf"),
    "",
    "nonsense",
    "a\0b",
    "../../etc/passwd",
    "src/shop/basket.py",
    "/etc/passwd",
    "x" * 70_000,
    "[" * 5000,
    "\u202e\U0001f600",
    b"",
    b"\0",
    b"\xff" * 9,
    b"\xff" * 200_000,
    b"\x80" * 40,
    b"x\x9c\x03\x00\x00\x00\x00\x01",
)


def edited(whole: bytes, random: Random) -> bytes:
    """The database with one to four cells, rows or tables other than they were."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(whole)
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = [name for (name,) in connection.execute(query)]
        for _ in range(random.choice((1, 1, 2, 4))):
            # Keys and what is NOT NULL refuse some of it.
            with suppress(sqlite3.Error, IndexError):
                _edit(connection, random.choice(tables), random)
        return connection.serialize()


def _edit(connection: sqlite3.Connection, table: str, random: Random) -> None:
    columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    column = random.choice(columns)
    kind = random.randrange(12)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    keys = ", ".join(columns)
    place = f"({keys}) = (SELECT {keys} FROM {table} LIMIT 1 OFFSET {random.randrange(count or 1)})"
    if kind < 7:
        value = random.choice(_VALUES)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {place}", (value,))
    elif kind == 7:
        connection.execute(f"UPDATE {table} SET {column} = ?", (random.choice(_VALUES),))
    elif kind == 8:
        connection.execute(f"DELETE FROM {table} WHERE {place}")
    elif kind == 9:
        connection.execute(f"INSERT INTO {table} SELECT * FROM {table}")
    elif kind == 10:
        other = random.choice(columns)
        connection.execute(f"UPDATE {table} SET {column} = {other}")
    else:
        random.choice((_drop, _rename, _delete))(connection, table, column)


def _drop(connection: sqlite3.Connection, table: str, _: str) -> None:
    connection.execute(f"DROP TABLE {table}")


def _rename(connection: sqlite3.Connection, table: str, column: str) -> None:
    connection.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO other")


def _delete(connection: sqlite3.Connection, table: str, _: str) -> None:
    connection.execute(f"DELETE FROM {table}")
