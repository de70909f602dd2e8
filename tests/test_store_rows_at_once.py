"""Rows that are read in one step of SQLite's, and names that are stored once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from whotests.store.names import Names
from whotests.store.rows_at_once import rows_at_once


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A table of names, and one of numbers and bytes."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE name (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("CREATE TABLE thing (id INTEGER, size INTEGER, content BLOB, text TEXT)")
        yield connection


def test_no_row(connection: sqlite3.Connection) -> None:
    """Of an empty table there is none."""
    assert not list(rows_at_once(connection, "thing", numbers=("id",), blobs=("content",)))


def test_rows_are_those_of_a_select(connection: sqlite3.Connection) -> None:
    """Numbers of any sign, and bytes and text of any kind, none and zeros included."""
    rows = [
        (number, -number, bytes(range(number)) + b" x", text)
        for number, text in enumerate(["", " ", "a b", "ü\n", "'quoted'", "\0inside", "x"])
    ]
    rows.append((7, 1 << 62, b"", "last"))
    connection.executemany("INSERT INTO thing VALUES (?, ?, ?, ?)", rows)
    found = rows_at_once(
        connection,
        "thing WHERE id >= ?",
        (0,),
        numbers=("id", "size"),
        blobs=("content", "text"),
    )
    encoded = [(*numbers, content, text.encode()) for *numbers, content, text in rows]
    assert sorted(found) == encoded


def test_names(connection: sqlite3.Connection) -> None:
    """A name has one id, also where another writer gave it, or text cannot be encoded."""
    ours, other = Names("name"), Names("name")
    names = ["a", "", "ü", "\udcff", "a b"]
    ids = [ours.id_of(connection, name) for name in names]
    assert len(set(ids)) == len(names)
    assert [other.id_of(connection, name) for name in reversed(names)] == ids[::-1]
    assert ours.id_of(connection, "new") == other.id_of(connection, "new")
    assert [ours.id_of(connection, name) for name in names] == ids
    (count,) = connection.execute("SELECT count(*) FROM name").fetchone()
    assert count == len(names) + 1


def test_names_of_a_transaction_that_failed(connection: sqlite3.Connection) -> None:
    """They are given ids anew; those that were kept stay."""
    names = Names("name")
    kept = names.id_of(connection, "kept")
    names.keep()
    connection.execute("BEGIN")
    lost = names.id_of(connection, "lost")
    connection.execute("ROLLBACK")
    names.forget()
    connection.execute("INSERT INTO name (id, name) VALUES (?, 'of another')", (lost,))
    assert names.id_of(connection, "kept") == kept
    assert names.id_of(connection, "lost") != lost
    assert names.id_of(connection, "of another") == lost
