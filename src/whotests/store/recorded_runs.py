"""The runs of a data file, parts left out.

May import the standard library, types, errors and the store's own floor. Refuses to choose
among them.
"""

import json
import sqlite3
from pathlib import Path
from types import NoneType
from typing import Any, Final

from whotests.store.failures import damaged, translated
from whotests.store.liveness import is_dead
from whotests.store.values import Run
from whotests.types import RunStatus

__all__ = ["recorded_runs"]

_COLUMNS: Final[dict[str, type | tuple[type, ...]]] = {
    "id": int,
    "started": float,
    "heartbeat": float,
    "ended": (float, NoneType),
    "status": str,
    "note": str,
    "command": str,
    "root": str,
    "label": str,
    "python": str,
    "platform": str,
    "host": str,
    "pid": int,
    "whotests": str,
    "exit_status": (int, NoneType),
    "branch": int,
    "rules": str,
    "uid": bytes,
    "name": str,
    "superseded": (float, NoneType),
}
"""Columns, and what values they have: SQLite itself would take any."""


def recorded_runs(
    connection: sqlite3.Connection, path: Path, *, here: str, now: float
) -> tuple[Run, ...]:
    """The runs in the order in which they began.

    `path` is the file's, for what is wrong with it (DataError); `here` is this machine's name and
    `now` the time in seconds since the epoch: they decide which running runs are dead.
    """
    query = f"SELECT {', '.join(_COLUMNS)} FROM run WHERE NOT part_of ORDER BY id"
    try:
        rows = connection.execute(query).fetchall()
        return tuple(_run(row, here=here, now=now) for row in rows)
    except sqlite3.Error as failure:
        raise translated(path, failure) from failure
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as failure:
        raise damaged(path, failure) from failure


def _run(row: tuple[Any, ...], *, here: str, now: float) -> Run:
    for value, (column, kind) in zip(row, _COLUMNS.items(), strict=True):
        if not isinstance(value, kind):
            raise TypeError(f"run.{column} is {value!r:.40}")
    values = dict(zip(_COLUMNS, row, strict=True))
    rules = values.pop("rules")
    status = RunStatus(values["status"])
    host, pid, heartbeat = values["host"], values["pid"], values["heartbeat"]
    return Run(
        **values
        | {
            "status": status,
            "killed": status is RunStatus.RUNNING
            and is_dead(host=host, pid=pid, heartbeat=heartbeat, here=here, now=now),
            "command": tuple(map(str, json.loads(values["command"]))),
            "branch": bool(values["branch"]),
            "exclude": _rules(rules, 0),
            "partial": _rules(rules, 1),
        }
    )


def _rules(text: str, place: int) -> tuple[str, ...] | None:
    """The rules of lines (place 0) or branches (place 1) in a run's row."""
    return tuple(json.loads(text)[place]) if text else None
