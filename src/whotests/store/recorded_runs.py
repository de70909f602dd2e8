"""The runs of a data file, parts left out.

May import the standard library, types, errors and the store's own floor. Refuses to choose
among them.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any, Final

from whotests.store.failures import damaged, translated
from whotests.store.liveness import is_dead
from whotests.store.values import Run
from whotests.types import RunStatus

__all__ = ["recorded_runs"]

_RUNS: Final = (
    "SELECT id, started, heartbeat, ended, status, note, command, root, label, python,"
    " platform, host, pid, whotests, exit_status, branch, rules, uid, name, superseded"
    " FROM run WHERE NOT part_of ORDER BY id"
)


def recorded_runs(
    connection: sqlite3.Connection, path: Path, *, here: str, now: float
) -> tuple[Run, ...]:
    """The runs in the order in which they began.

    `path` is the file's, for what is wrong with it (DataError); `here` is this machine's name and
    `now` the time in seconds since the epoch: they decide which running runs are dead.
    """
    try:
        return tuple(_run(row, here=here, now=now) for row in connection.execute(_RUNS))
    except sqlite3.Error as failure:
        raise translated(path, failure) from failure
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as failure:
        raise damaged(path, failure) from failure


def _run(row: tuple[Any, ...], *, here: str, now: float) -> Run:
    return Run(
        id=row[0],
        started=row[1],
        heartbeat=row[2],
        ended=row[3],
        status=RunStatus(row[4]),
        killed=row[4] == RunStatus.RUNNING
        and is_dead(host=row[11], pid=row[12], heartbeat=row[2], here=here, now=now),
        note=row[5],
        command=tuple(json.loads(row[6])),
        root=row[7],
        label=row[8],
        branch=bool(row[15]),
        exclude=_rules(row[16], 0),
        partial=_rules(row[16], 1),
        python=row[9],
        platform=row[10],
        host=row[11],
        pid=row[12],
        whotests=row[13],
        exit_status=row[14],
        uid=row[17],
        name=row[18],
        superseded=row[19],
    )


def _rules(text: str, place: int) -> tuple[str, ...] | None:
    """The rules of lines (place 0) or branches (place 1) in a run's row."""
    return tuple(json.loads(text)[place]) if text else None
