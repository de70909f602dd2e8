"""What stays of runs when their facts go: how their tests ended, and how long they took.

May import the standard library, packing and the store's own floor. Refuses to begin or end
transactions.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from whotests.packing.ids import pack, walk
from whotests.store.changes import changed_tests
from whotests.store.pending import insert
from whotests.store.results import (
    MOST_NAMES,
    Result,
    pack_names,
    pack_results,
    unpack_durations,
    unpack_names,
    unpack_results,
)
from whotests.store.schema import OUTCOMES
from whotests.types import Outcome

__all__ = [
    "Ended",
    "PastRun",
    "PastTests",
    "ends_of",
    "forget_all",
    "forget_run",
    "keep_results",
    "past_runs",
    "remember",
    "trim",
    "trim_all",
]

_MOST_CHARACTERS: Final = 1 << 22
"""Of the names in one row."""

_UNKNOWN: Final = OUTCOMES.index(Outcome.UNKNOWN)

_MANY_ROWS: Final = 32
"""Of names: with fewer it is not worth it to look for those that no run has any more."""

Ended = tuple[str, int, int | None, bool]
"""A test's name, outcome (its place in OUTCOMES), microseconds, and whether its code changed."""


class PastRun(NamedTuple):
    """A run of which outcomes are kept; those of all of its tests, or of some."""

    id: int
    uid: bytes
    name: str
    label: str
    started: float
    """Seconds since the epoch, UTC."""
    measured: bool
    """It recorded what its tests ran, too."""
    tests: bytes
    packed: bytes

    def numbers(self) -> Iterator[int]:
        """The numbers of its tests, ascending."""
        return walk(self.tests)

    def durations(self) -> list[float | None]:
        """How long they took, in that order."""
        return unpack_durations(self.packed)

    def results(self) -> Iterator[Result]:
        """How they ended, in that order."""
        return unpack_results(self.packed)


class PastTests:
    """The names of the tests that past runs had, by their numbers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.rows: list[tuple[int, int]] = []
        """For each row the first number, and the one after the last."""
        self.names: dict[int, str] = {}
        for first, blob in connection.execute("SELECT id, names FROM past_test ORDER BY id"):
            names = unpack_names(blob)
            self.names.update(enumerate(names, start=first))
            self.rows.append((first, first + len(names)))
        self._numbers: dict[str, int] = {}
        """The other way around, once a name is to be found."""

    def numbered(self, connection: sqlite3.Connection, names: Iterable[str]) -> Mapping[str, int]:
        """The number of each of these names; new ones get theirs."""
        if not self._numbers:
            self._numbers = {name: number for number, name in self.names.items()}
        numbers = self._numbers
        new = [name for name in dict.fromkeys(names) if name not in numbers]
        first = self.rows[-1][1] if self.rows else 1
        for some in _portions(new):
            connection.execute(
                "INSERT INTO past_test (id, names) VALUES (?, ?)", (first, pack_names(some))
            )
            here = dict(enumerate(some, start=first))
            self.names.update(here)
            numbers.update((name, number) for number, name in here.items())
            self.rows.append((first, first + len(some)))
            first += len(some)
        return numbers


def _portions(names: Sequence[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    size = 0
    for name in names:
        if len(portion) == MOST_NAMES or size + len(name) > _MOST_CHARACTERS:
            if portion:
                yield portion
            portion, size = [], 0
        portion.append(name)
        size += len(name)
    if portion:
        yield portion


def past_runs(connection: sqlite3.Connection) -> list[PastRun]:
    """All runs of which outcomes are kept, in the order in which they began."""
    rows = connection.execute(
        "SELECT id, uid, name, label, started, measured, tests, results FROM past_run"
        " ORDER BY started, id"
    )
    return [
        PastRun(id_, uid, name, label, started, bool(measured), tests, results)
        for id_, uid, name, label, started, measured, tests, results in rows
    ]


def remember(
    connection: sqlite3.Connection,
    runs: Collection[int],
    *,
    keep: int,
    again: int | None = None,
) -> None:
    """Keeps how the tests of these runs ended, which are about to be removed; with `again` only
    those that this run ran to their end, too. Of each name and label the last `keep` runs stay.
    """
    for run_id in sorted(runs) if keep else ():
        row = connection.execute(
            "SELECT uid, name, label, started FROM run WHERE id = ? AND NOT part_of", (run_id,)
        ).fetchone()
        if row is None:
            continue
        ends = ends_of(connection, run_id, again=again)
        if ends:
            uid, name, label, started = row
            keep_results(
                connection,
                ends,
                uid=uid,
                name=name,
                label=label,
                started=started,
                measured=True,
                keep=keep,
            )


def ends_of(
    connection: sqlite3.Connection, run_id: int, *, again: int | None = None
) -> list[Ended]:
    """How the tests of a run ended, and whether their code changed when a later run of its name
    and label ran them next; of those only that the run `again` ran to their end, if it is given."""
    only = ""
    if again is not None:  # mostly few of many
        only = (
            " AND (scope_id, name) IN (SELECT scope_id, name FROM test"
            f" WHERE run_id = {again:d} AND outcome <> {_UNKNOWN:d})"
        )
    query = f"SELECT id, scope_id, name, outcome, duration FROM test WHERE run_id = ?{only}"
    rows = connection.execute(query, (run_id,)).fetchall()
    tests = {(scope_id, name): number for number, scope_id, name, _, _ in rows}
    later = [again] if again is not None else _later(connection, run_id)
    changed = _changed(connection, run_id, tests, later)
    scopes = dict(connection.execute("SELECT id, name FROM scope"))
    return [
        (scopes[scope_id] + name, outcome, duration, number in changed)
        for number, scope_id, name, outcome, duration in rows
    ]


def _changed(
    connection: sqlite3.Connection,
    run_id: int,
    tests: Mapping[tuple[int, str], int],
    later: Iterable[int],
) -> Collection[int]:
    """The ids of those tests (scope and name -> id) of which the code changed when the first of
    these later runs ran them that did, and of those that none of them ran.

    To look names up here takes half the time of a join, which sorts them."""
    unknown = set(tests.values())
    changed: set[int] = set()
    for other in later:
        if not unknown:
            break
        query = "SELECT scope_id, name, id FROM test WHERE run_id = ?"
        pairs = {
            tests[scope_id, name]: number
            for scope_id, name, number in connection.execute(query, (other,))
            if tests.get((scope_id, name)) in unknown
        }
        changed |= changed_tests(connection, run_id, other, pairs)
        unknown -= pairs.keys()
    return changed | unknown


def _later(connection: sqlite3.Connection, run_id: int) -> list[int]:
    """The runs of a run's name and label that began after it, in that order."""
    rows = connection.execute(
        "SELECT other.id FROM run JOIN run AS other ON other.name = run.name"
        " AND other.label = run.label AND NOT other.part_of"
        " AND (other.started, other.id) > (run.started, run.id)"
        " WHERE run.id = ? ORDER BY other.started, other.id",
        (run_id,),
    )
    return [other for (other,) in rows]


def keep_results(
    connection: sqlite3.Connection,
    ends: Iterable[Ended],
    *,
    uid: bytes,
    name: str,
    label: str,
    started: float,
    measured: bool,
    keep: int,
    known: PastTests | None = None,
) -> None:
    """Keeps how tests of a run ended; where some of that run are kept already, these come to them,
    and those stay as they are. Of its name and label the last `keep` runs are kept.

    `known` spares reading the names again, when nothing was trimmed since they were read."""
    known = known or PastTests(connection)
    ends = list(ends)
    numbers = known.numbered(connection, [test for test, *_ in ends])
    results = {
        numbers[test]: (outcome, duration, changed) for test, outcome, duration, changed in ends
    }
    before = connection.execute(
        "SELECT id, tests, results FROM past_run WHERE uid = ? AND name = ? AND label = ?",
        (uid, name, label),
    ).fetchone()
    if before is not None:
        old = zip(walk(before[1]), unpack_results(before[2]), strict=True)
        results.update((number, _plain(result)) for number, result in old)
    ordered = sorted(results)
    values = (pack(ordered), pack_results([results[number] for number in ordered]))
    if before is None:
        insert(
            connection,
            "INSERT INTO past_run (uid, name, label, started, measured, tests, results)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (uid, name, label, started, measured, *values),
        )
        trim(connection, name=name, label=label, keep=keep)
    else:
        connection.execute(
            "UPDATE past_run SET tests = ?, results = ? WHERE id = ?", (*values, before[0])
        )


def _plain(result: Result) -> tuple[int, int | None, bool]:
    outcome, duration, changed = result
    return OUTCOMES.index(outcome), None if duration is None else round(duration * 1e6), changed


def trim(connection: sqlite3.Connection, *, name: str, label: str, keep: int) -> None:
    """Forgets all but the last `keep` past runs of this name and label."""
    rows = connection.execute(
        "SELECT id FROM past_run WHERE name = ? AND label = ? ORDER BY started DESC, id DESC",
        (name, label),
    ).fetchall()
    connection.executemany("DELETE FROM past_run WHERE id = ?", rows[keep:])
    if rows[keep:]:
        _drop_names(connection)


def trim_all(connection: sqlite3.Connection, *, keep: int) -> None:
    """The same of each name and label."""
    kinds = connection.execute("SELECT DISTINCT name, label FROM past_run").fetchall()
    for name, label in kinds:
        trim(connection, name=name, label=label, keep=keep)


def forget_run(connection: sqlite3.Connection, uid: bytes) -> None:
    """Forgets what is kept of this run."""
    connection.execute("DELETE FROM past_run WHERE uid = ?", (uid,))
    _drop_names(connection)


def forget_all(connection: sqlite3.Connection) -> int:
    """Forgets all past runs; how many they were."""
    gone = connection.execute("DELETE FROM past_run").rowcount
    connection.execute("DELETE FROM past_test")
    return gone


def _drop_names(connection: sqlite3.Connection) -> None:
    """Removes rows of names of which no run has any, once there are many."""
    if connection.execute("SELECT 1 FROM past_run LIMIT 1").fetchone() is None:
        connection.execute("DELETE FROM past_test")
        return
    firsts = [first for (first,) in connection.execute("SELECT id FROM past_test ORDER BY id")]
    if len(firsts) < _MANY_ROWS:
        return
    used: set[int] = set()
    for (blob,) in connection.execute("SELECT tests FROM past_run"):
        used.update(walk(blob))
    ends = [*firsts[1:], max(used) + 1]
    # The last row stays: it says which number is the next.
    gone = [
        (first,)
        for first, end in zip(firsts[:-1], ends, strict=False)
        if used.isdisjoint(range(first, end))
    ]
    connection.executemany("DELETE FROM past_test WHERE id = ?", gone)
