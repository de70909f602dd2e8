"""The rows of runs that are copied, and what several of them are together.

May import the standard library and the store's own floor. Refuses to know what runs have seen.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from whotests.store.pending import Pending
from whotests.store.values import labelled
from whotests.types import RunStatus

__all__ = ["UID_SIZE", "Kind", "Row", "Runs", "below", "kind_of", "put_in_order", "uids_of"]

UID_SIZE: Final = 16
"""Bytes of the uid of one run; that of several is all of theirs, ascending."""

Row = dict[str, Any]
"""A run's row, by the names of the columns."""

Kind = tuple[str, str, str]
"""Runs that can become one: of this name, label and rules."""

_STATUS_RANK: Final = {
    RunStatus.FINISHED: 0,
    RunStatus.INTERRUPTED: 1,
    RunStatus.INCOMPLETE: 2,
    RunStatus.RUNNING: 3,
}
_SETS: Final = ("python", "platform", "whotests")


def kind_of(row: Mapping[str, Any]) -> Kind:
    """What a run and another one must both be to become one."""
    return row["name"], row["label"], row["rules"]


def uids_of(uid: bytes) -> frozenset[bytes]:
    """The uids of the runs that became this one."""
    return frozenset(
        uid[start : start + UID_SIZE] for start in range(0, max(len(uid), 1), UID_SIZE)
    )


class Runs:
    """The runs of a data file that others are copied to."""

    def __init__(self, connection: sqlite3.Connection, *, partners: frozenset[int]) -> None:
        """`partners` are those that others may become one with."""
        self._rows: dict[int, Row] = {}
        self._superseded: set[tuple[str, str, bytes]] = set()
        """Name, label and uid: a file may be combined under several labels."""
        self._of_kind: dict[Kind, int] = {}
        cursor = connection.execute("SELECT * FROM run ORDER BY id")
        names = [column[0] for column in cursor.description]
        for values in cursor:
            row = dict(zip(names, values, strict=True))
            if row["superseded"] is not None:
                self._superseded |= _named_uids(row)
            elif row["id"] in partners:
                self._rows[row["id"]] = row
                self._of_kind.setdefault(kind_of(row), row["id"])

    def knows_as_superseded(self, row: Row) -> bool:
        """Whether newer runs have taken the place of this one here."""
        return _named_uids(row) <= self._superseded

    def partner(self, row: Row) -> int | None:
        """The run that this one becomes one with."""
        return self._of_kind.get(kind_of(row))

    def unite(self, pending: Pending, run_id: int, row: Row) -> None:
        """What a run has become with this one."""
        before = self._rows[run_id]
        now = _united(before, {**row, "id": run_id})
        if now != before:
            self._rows[run_id] = now
            columns = [name for name in now if name != "id"]
            pending.add(
                f"UPDATE run SET ({', '.join(columns)}) = ({', '.join('?' * len(columns))})"
                " WHERE id = ?",
                (*(now[name] for name in columns), run_id),
            )

    def add(self, pending: Pending, row: Row) -> int:
        """The id of a new run."""
        run_id = pending.next_id("run")
        ours = {**row, "id": run_id}
        pending.add(
            f"INSERT INTO run ({', '.join(ours)}) VALUES ({', '.join('?' * len(ours))})",
            tuple(ours.values()),
        )
        if row["superseded"] is None:
            self._rows[run_id] = ours
            self._of_kind.setdefault(kind_of(row), run_id)
        else:
            self._superseded |= _named_uids(row)
        return run_id


def _named_uids(row: Row) -> frozenset[tuple[str, str, bytes]]:
    return frozenset((row["name"], row["label"], uid) for uid in uids_of(row["uid"]))


def below(label: str, row: Row) -> Row:
    """The run with its label below another one: 'py3.13' and 'linux' are 'py3.13/linux'."""
    inner = row["label"]
    return {**row, "label": labelled(label, inner) if inner else label}


def _united(one: Row, other: Row) -> Row:
    """Both runs as one, in whatever order, and however often one is added."""
    earliest = min(one, other, key=lambda row: (row["started"], row["command"], row["pid"]))
    worst = max(
        one, other, key=lambda row: (_STATUS_RANK[row["status"]], row["note"], row["heartbeat"])
    )
    ends = [row["ended"] for row in (one, other) if row["ended"] is not None]
    both = {
        **earliest,
        "uid": b"".join(sorted(uids_of(one["uid"]) | uids_of(other["uid"]))),
        "heartbeat": max(one["heartbeat"], other["heartbeat"]),
        "ended": max(ends, default=None),
        "status": worst["status"],
        "note": worst["note"],
        "branch": max(one["branch"], other["branch"]),
        "exit_status": max(
            (row["exit_status"] for row in (one, other) if row["exit_status"] is not None),
            key=abs,
            default=None,
        ),
    }
    for column in _SETS:
        kinds = {kind for row in (one, other) for kind in row[column].split(", ")}
        both[column] = ", ".join(sorted(kinds))
    if worst["status"] == RunStatus.RUNNING:
        # Whether it still does is told by its process.
        both.update(ended=None, host=worst["host"], pid=worst["pid"])
        both["heartbeat"] = worst["heartbeat"]
    return both


def put_in_order(connection: sqlite3.Connection) -> None:
    """Numbers the runs in the order in which they began. Nobody may know their numbers."""
    ids = [number for (number,) in connection.execute("SELECT id FROM run ORDER BY id")]
    ordered = [
        number for (number,) in connection.execute("SELECT id FROM run ORDER BY started, id")
    ]
    if ids == ordered:
        return
    last = max(ids)
    connection.execute("CREATE TEMP TABLE moved (old INTEGER PRIMARY KEY, new INTEGER)")
    connection.executemany("INSERT INTO temp.moved VALUES (?, ?)", zip(ordered, ids, strict=True))
    # Numbers that no run has lie between the old ones and the new ones.
    for table, column in (
        ("run", "id"),
        ("run", "part_of"),
        ("run_file", "run_id"),
        ("test", "run_id"),
        ("context", "run_id"),
    ):
        connection.execute(
            f"UPDATE {table} SET {column} = (SELECT new FROM temp.moved WHERE old = {column}) + ?"
            f" WHERE {column}",
            (last,),
        )
        connection.execute(f"UPDATE {table} SET {column} = {column} - ? WHERE {column}", (last,))
    connection.execute("DROP TABLE temp.moved")
