"""Tables of names that are stored once each, and spoken of by their ids.

May import the standard library and the store's own floor. Refuses to begin or end transactions:
the writer does, and says afterwards which ids to keep.
"""

import sqlite3
from typing import Final

from whotests.store.pending import insert
from whotests.store.rows_at_once import rows_at_once
from whotests.store.stored_text import stored_text

__all__ = ["Names"]


class Names:
    """What is in such a table, with columns `id` and `name`. It has no index, and needs none: its
    names are read together once, and then those that others have added."""

    __slots__ = ("_ids", "_last", "_last_kept", "_new", "_table")

    def __init__(self, table: str) -> None:
        self._table: Final = table
        self._ids: dict[str, int] = {}
        self._new: list[str] = []
        """Those that are known since `keep`."""
        self._last = 0
        """The last id that was looked at."""
        self._last_kept = 0

    def id_of(self, connection: sqlite3.Connection, name: str) -> int:
        """The id of the name, which has a row from now on."""
        name = stored_text(name)
        if name not in self._ids:
            self._look_for_others(connection)
        if name not in self._ids:
            sql = f"INSERT INTO {self._table} (name) VALUES (?)"
            self._know(name, insert(connection, sql, (name,)))
        return self._ids[name]

    def _look_for_others(self, connection: sqlite3.Connection) -> None:
        source = f"{self._table} WHERE id > ?"
        rows = rows_at_once(connection, source, (self._last,), numbers=("id",), blobs=("name",))
        for number, name in rows:
            self._know(name.decode("utf-8"), number)

    def _know(self, name: str, number: int) -> None:
        self._ids[name] = number
        self._new.append(name)
        self._last = max(self._last, number)

    def keep(self) -> None:
        """The transaction is in the file."""
        self._new = []
        self._last_kept = self._last

    def forget(self) -> None:
        """What was not kept did not happen."""
        for name in self._new:
            self._ids.pop(name, None)
        self._new = []
        self._last = self._last_kept
