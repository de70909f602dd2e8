"""All rows of a query in one step of SQLite's.

For each row, sqlite3 lets go of the interpreter and takes it again. A thread that writes while the
program computes waits 5 ms each time, and the program is stopped each time: the files of a large
project would take longer than its tests.

May import the standard library only. Refuses to know what is in the rows.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["AT_ONCE", "portions", "rows_at_once"]

AT_ONCE = 200
"""What is asked for in one query; SQLite takes some thousand values at most."""


def rows_at_once(
    connection: sqlite3.Connection,
    source: str,
    values: Sequence[object] = (),
    *,
    numbers: Sequence[str],
    blobs: Sequence[str] = (),
) -> Iterator[tuple[Any, ...]]:
    """The rows of `SELECT … FROM source`, in any order: first the columns of integers, then those
    of bytes; of text, its UTF-8. None of them may be NULL. Lets sqlite3.Error through."""
    columns = [*numbers, *(f"'x' || hex({blob})" for blob in blobs)]
    row = " || ' ' || ".join(columns)
    query = f"SELECT group_concat({row}, ' ') FROM {source}"
    (text,) = connection.execute(query, values).fetchone()
    words = text.split(" ") if text else []
    read: list[Iterator[Any]] = []
    for place in range(len(columns)):
        column = words[place :: len(columns)]
        if place < len(numbers):
            read.append(map(int, column))
        else:
            read.append(bytes.fromhex(word[1:]) for word in column)
    return zip(*read, strict=True)


def portions(ids: Sequence[int]) -> Iterator[str]:
    """Ids as a query has them, some at a time."""
    for start in range(0, len(ids), AT_ONCE):
        yield ", ".join(map(str, ids[start : start + AT_ONCE]))
