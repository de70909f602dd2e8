"""What a data file says of tests before a run: how they ended last, how long they take.

May import the standard library and the store's own floor. Refuses to change what it reads.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from whotests.store.failures import damaged, translated
from whotests.store.reading import connect_to_read
from whotests.store.schema import OUTCOMES
from whotests.types import Outcome

__all__ = ["last_outcomes", "past_durations"]


def past_durations(data: Path) -> dict[str, float]:
    """How long each test takes, in seconds, by its id; tests of which that is not known are not
    in there. Empty when there is no data file yet.

    Raises DataError or MachineError as a reader does.
    """
    durations: dict[str, float] = {}
    known = "SELECT scope.name || test.name, duration FROM test JOIN scope ON scope.id = scope_id"
    for test_id, duration in _rows(data, f"{known} WHERE duration IS NOT NULL ORDER BY run_id"):
        durations[test_id] = duration / 1_000_000
    return durations


def last_outcomes(data: Path) -> dict[str, Outcome]:
    """How each test ended in the newest run that has it, by its id. Empty when there is no data
    file yet.

    Raises DataError or MachineError as a reader does.
    """
    outcomes: dict[str, Outcome] = {}
    ended = "SELECT scope.name || test.name, outcome FROM test JOIN scope ON scope.id = scope_id"
    for test_id, outcome in _rows(data, f"{ended} ORDER BY run_id"):
        outcomes[test_id] = OUTCOMES[outcome]
    return outcomes


def _rows(data: Path, sql: str) -> Iterator[tuple[Any, ...]]:
    if not data.exists():
        return
    with closing(connect_to_read(data)) as connection:
        try:
            yield from connection.execute(sql)
        except sqlite3.Error as failure:
            raise translated(data, failure) from failure
        except UnicodeDecodeError as failure:
            raise damaged(data, failure) from failure
