"""Taking in the parts of a run: what other processes recorded for it in rows of their own.

May import the standard library, packing and the store's own floor. Refuses to begin or end
transactions, and to touch the rows of a process that may still write.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from whotests.packing.ids import pack, walk
from whotests.store.liveness import is_dead
from whotests.store.schema import FILE_STATES, OUTCOMES
from whotests.types import FileState, Outcome, RunStatus

__all__ = [
    "MANY_PARTS",
    "correct",
    "files_of_parts",
    "have_parts",
    "is_over",
    "notes_of_parts",
    "parts_of",
    "parts_that_are_over",
    "parts_that_have_ended",
    "take_in",
    "take_in_all",
    "tests_of_parts",
]

MANY_PARTS: Final = 64
"""So many parts that have ended become one: a run may have thousands of short processes."""


def have_parts(connection: sqlite3.Connection) -> bool:
    """Whether any run has parts that were not taken in."""
    return connection.execute("SELECT 1 FROM run WHERE part_of LIMIT 1").fetchone() is not None


def parts_of(connection: sqlite3.Connection, run_id: int) -> list[int]:
    """All parts of a run, whether they have ended or not."""
    return _numbers(connection.execute("SELECT id FROM run WHERE part_of = ?", (run_id,)))


def is_over(connection: sqlite3.Connection, run_id: int, *, here: str, now: float) -> bool | None:
    """Whether a run has ended or died; None when it is not in the file."""
    row = connection.execute(
        "SELECT status, host, pid, heartbeat FROM run WHERE id = ?", (run_id,)
    ).fetchone()
    return None if row is None else _over(row, here=here, now=now)


def parts_that_are_over(
    connection: sqlite3.Connection, run_id: int, *, here: str, now: float
) -> list[int]:
    """The parts of a run that have ended or died: nobody writes into them any more."""
    rows = connection.execute(
        "SELECT id, status, host, pid, heartbeat FROM run WHERE part_of = ? ORDER BY id", (run_id,)
    )
    return [part for part, *rest in rows if _over(rest, here=here, now=now)]


def parts_that_have_ended(connection: sqlite3.Connection, run_id: int) -> list[int]:
    """The parts of a run that said so themselves."""
    query = "SELECT id FROM run WHERE part_of = ? AND status <> ? ORDER BY id"
    return _numbers(connection.execute(query, (run_id, RunStatus.RUNNING.value)))


def files_of_parts(connection: sqlite3.Connection, run_id: int) -> frozenset[str]:
    """The paths of the files that parts of a run measured, as the data file has them."""
    rows = connection.execute(
        "SELECT DISTINCT folder.name || file.name FROM run JOIN run_file ON run_id = run.id"
        " JOIN file ON file.id = file_id JOIN folder ON folder.id = folder_id"
        " WHERE part_of = ? AND state = ?",
        (run_id, FILE_STATES.index(FileState.MEASURED)),
    )
    return frozenset(path for (path,) in rows)


def correct(connection: sqlite3.Connection, run_id: int, outcomes: Mapping[str, Outcome]) -> None:
    """Lets tests of a run have ended so, whatever its parts said."""
    rows = connection.execute(
        "SELECT scope.name || test.name, test.id FROM test JOIN scope ON scope.id = scope_id"
        " WHERE run_id = ?",
        (run_id,),
    )
    ids = dict(rows.fetchall())
    connection.executemany(
        "UPDATE test SET outcome = ? WHERE id = ?",
        [(OUTCOMES.index(outcome), ids[name]) for name, outcome in outcomes.items() if name in ids],
    )


def tests_of_parts(connection: sqlite3.Connection, run_id: int) -> Mapping[str, Outcome]:
    """How the tests ended of which parts of a run saw the end, and wrote all that they ran."""
    rows = connection.execute(
        "SELECT scope.name || test.name, outcome FROM run JOIN test ON test.run_id = run.id"
        " JOIN scope ON scope.id = scope_id WHERE part_of = ? AND outcome <> ?"
        " AND test.id NOT IN (SELECT test_id FROM context WHERE NOT complete"
        " AND test_id IS NOT NULL)",
        (run_id, OUTCOMES.index(Outcome.UNKNOWN)),
    )
    return {name: OUTCOMES[outcome] for name, outcome in rows}


def notes_of_parts(connection: sqlite3.Connection, run_id: int) -> tuple[str, ...]:
    """What parts of a run that recorded all that they ran have to say, each sentence once."""
    rows = connection.execute(
        "SELECT note FROM run WHERE part_of = ? AND status = ? AND note <> '' ORDER BY id",
        (run_id, RunStatus.FINISHED.value),
    )
    return tuple(dict.fromkeys(note for (note,) in rows))


def take_in_all(connection: sqlite3.Connection) -> None:
    """Takes in every part of every run, for a copy of the file that nobody writes into.

    A part whose run is gone goes as well.
    """
    runs = _numbers(connection.execute("SELECT DISTINCT part_of FROM run WHERE part_of"))
    for run_id in runs:
        parts = parts_of(connection, run_id)
        if connection.execute("SELECT 1 FROM run WHERE id = ?", (run_id,)).fetchone() is None:
            _remove(connection, parts)
        else:
            take_in(connection, parts, into=run_id)


def take_in(connection: sqlite3.Connection, parts: Collection[int], *, into: int) -> str:
    """Makes what `parts` recorded the run's, and removes them; why they are incomplete, or ''.

    `into` is the run itself, or one of its parts. Nothing may write to any of them meanwhile but
    the caller.
    """
    problem = _problem(connection, parts)
    if not parts:
        return ""
    tests, ended = _take_in_tests(connection, parts, into)
    _take_in_contexts(connection, parts, into, tests, ended)
    connection.execute(
        "INSERT INTO run_file (run_id, file_id, state, reason)"
        f" SELECT ?, file_id, state, reason FROM run_file WHERE run_id IN {_list(parts)}"
        " ON CONFLICT (run_id, file_id) DO UPDATE SET state = excluded.state,"
        " reason = excluded.reason WHERE excluded.state = ? OR run_file.state = ?",
        (
            into,
            FILE_STATES.index(FileState.MEASURED),
            FILE_STATES.index(FileState.NOT_IMPORTED),
        ),
    )
    if problem:
        connection.execute(
            "UPDATE run SET note = ?, status = CASE ended IS NULL WHEN 1 THEN status ELSE ? END"
            " WHERE id = ? AND status <> ?",
            (problem, RunStatus.INCOMPLETE.value, into, RunStatus.INCOMPLETE.value),
        )
    _remove(connection, parts)
    return problem


def _problem(connection: sqlite3.Connection, parts: Collection[int]) -> str:
    rows = connection.execute(
        f"SELECT pid, command, note FROM run WHERE id IN {_list(parts)} AND status = ?"
        " AND note <> ''",
        (RunStatus.INCOMPLETE.value,),
    )
    for pid, command, note in rows:
        if note.startswith("process "):  # that of a part which it has taken in
            return str(note)
        words = " ".join(json.loads(command)).replace("\n", " ")
        words = words if len(words) <= 80 else words[:79] + "…"
        return f"process {pid} ({words}): {note}"
    return ""


def _take_in_tests(
    connection: sqlite3.Connection, parts: Collection[int], into: int
) -> tuple[dict[int, int], set[int]]:
    """Gives the parts' tests to the run.

    Of those that it has already, the ids and its own for them; and the tests that have ended.
    """
    unknown = OUTCOMES.index(Outcome.UNKNOWN)
    kept: dict[tuple[int, str], int] = {}
    same: dict[int, int] = {}
    ended: set[int] = set()
    moved: list[int] = []
    rows = connection.execute(
        "SELECT id, run_id, scope_id, name, outcome FROM test"
        f" WHERE run_id IN {_list([into, *parts])} ORDER BY run_id <> ?, id",
        (into,),
    ).fetchall()
    for test_id, run_id, scope_id, name, outcome in rows:
        first = kept.setdefault((scope_id, name), test_id)
        if outcome != unknown:
            ended.add(first)
        if first != test_id:
            same[test_id] = first
            if outcome != unknown:
                connection.execute(
                    "UPDATE test SET (runner, outcome, duration) ="
                    " (SELECT runner, outcome, duration FROM test WHERE id = ?) WHERE id = ?",
                    (test_id, first),
                )
        elif run_id != into:
            moved.append(test_id)
    connection.executemany(
        "UPDATE test SET run_id = ? WHERE id = ?", [(into, test_id) for test_id in moved]
    )
    connection.executemany("DELETE FROM test WHERE id = ?", [(test_id,) for test_id in same])
    return same, ended


def _take_in_contexts(
    connection: sqlite3.Connection,
    parts: Collection[int],
    into: int,
    tests: dict[int, int],
    ended: set[int],
) -> None:
    """Gives the parts' contexts to the run; those of one label, or one test's phase, become one.

    It is complete when the run's own is. A test may well end a process that it has started.
    """
    groups: dict[tuple[int | None, int | None, str | None], list[tuple[int, int, int, int]]] = {}
    rows = connection.execute(
        "SELECT id, run_id, test_id, phase, label, footprint_id, complete FROM context"
        f" WHERE run_id IN {_list([into, *parts])} ORDER BY run_id <> ?, id",
        (into,),
    )
    for context_id, run_id, test_id, phase, label, footprint_id, complete in rows:
        key = (tests.get(test_id, test_id), phase, label)
        groups.setdefault(key, []).append((context_id, run_id, footprint_id, complete))
    footprints = _Footprints(connection)
    gone: list[tuple[int]] = []
    for (test_id, _, _), group in groups.items():
        context_id, run_id, _, complete = group[0]
        if run_id != into:
            complete = test_id in ended or min(complete for *_, complete in group)
        elif len(group) == 1:
            continue
        connection.execute(
            "UPDATE context SET run_id = ?, test_id = ?, footprint_id = ?, complete = ?"
            " WHERE id = ?",
            (
                into,
                test_id,
                footprints.union({footprint_id for _, _, footprint_id, _ in group}),
                complete,
                context_id,
            ),
        )
        gone += [(other,) for other, *_ in group[1:]]
    connection.executemany("DELETE FROM context WHERE id = ?", gone)


class _Footprints:
    """Unions of footprints; what they need is read from the file when the first one is asked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[bytes, int] = {}
        self._blobs: dict[int, bytes] = {}
        self._unions: dict[frozenset[int], int] = {}

    def union(self, footprints: Collection[int]) -> int:
        """The footprint of all patterns of these."""
        if not self._ids:
            for footprint_id, blob in self._connection.execute(
                "SELECT id, patterns FROM footprint ORDER BY id DESC"
            ):
                self._ids[blob] = footprint_id
                self._blobs[footprint_id] = blob
        if not self._blobs.keys() >= set(footprints):
            raise ValueError("contexts without their footprints")
        # The lowest id of those that are equal.
        kinds = frozenset(self._ids[self._blobs[footprint_id]] for footprint_id in footprints)
        if len(kinds) == 1:
            return next(iter(kinds))
        found = self._unions.get(kinds)
        if found is None:
            found = self._unions[kinds] = self._united(kinds)
        return found

    def _united(self, footprints: Iterable[int]) -> int:
        patterns = sorted({each for number in footprints for each in walk(self._blobs[number])})
        blob = pack(patterns)
        known = self._ids.get(blob)
        if known is not None:
            return known
        new = self._connection.execute(
            "INSERT INTO footprint (patterns) VALUES (?)", (blob,)
        ).lastrowid
        assert new is not None
        self._ids[blob] = new
        self._blobs[new] = blob
        return new


def _remove(connection: sqlite3.Connection, parts: Collection[int]) -> None:
    for table in ("context", "test", "run_file"):
        connection.execute(f"DELETE FROM {table} WHERE run_id IN {_list(parts)}")
    connection.execute(f"DELETE FROM run WHERE id IN {_list(parts)}")


def _over(row: Sequence[object], *, here: str, now: float) -> bool:
    status, host, pid, heartbeat = row
    assert isinstance(pid, int)
    assert isinstance(heartbeat, float)
    return status != RunStatus.RUNNING or is_dead(
        host=str(host), pid=pid, heartbeat=heartbeat, here=here, now=now
    )


def _numbers(rows: Iterable[tuple[int]]) -> list[int]:
    return [number for (number,) in rows]


def _list(numbers: Collection[int]) -> str:
    """Numbers as SQL: there may be more of them than a statement takes parameters."""
    return f"({','.join(map(str, numbers))})"
