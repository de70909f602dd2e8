"""What a run that ended well makes superfluous, and its removal.

May import the standard library, packing and the store's own floor. Refuses to begin or end
transactions: the writer does.
"""

import math
import sqlite3
from collections.abc import Collection
from itertools import chain

from whotests.packing.ids import walk
from whotests.store.liveness import is_dead
from whotests.store.parts import parts_of
from whotests.store.schema import OUTCOMES
from whotests.types import Outcome, RunStatus

__all__ = [
    "collect_garbage",
    "current_before",
    "has_live_runs",
    "have_tests",
    "outdated",
    "over_runs",
    "reinstate",
    "remember",
    "remove_rerun_tests",
    "remove_runs",
    "supersede",
]


def over_runs(connection: sqlite3.Connection, *, here: str, now: float) -> tuple[int, ...]:
    """The ids of the runs that have ended or died by `now`, on the machine named `here`.

    A part of a run that is not over is not over either: what it has recorded is that run's.
    """
    whole = {0}
    over = {}
    for run_id, part_of, status, host, pid, heartbeat in connection.execute(
        "SELECT id, part_of, status, host, pid, heartbeat FROM run"
    ):
        whole.add(run_id)
        if status != RunStatus.RUNNING or is_dead(
            host=host, pid=pid, heartbeat=heartbeat, here=here, now=now
        ):
            over[run_id] = part_of
    return tuple(
        run_id
        for run_id, part_of in over.items()
        if not part_of or part_of in over or part_of not in whole
    )


def has_live_runs(connection: sqlite3.Connection, *, but: int, here: str, now: float) -> bool:
    """Whether a run other than `but` may still be writing: it may hold ids that no row shows."""
    over = over_runs(connection, here=here, now=now)
    runs = [run_id for (run_id,) in connection.execute("SELECT id FROM run")]
    return any(run_id != but and run_id not in over for run_id in runs)


def current_before(
    connection: sqlite3.Connection, run_id: int, *, over: Collection[int]
) -> list[int]:
    """Those of the runs `over` whose place the run takes: current, of its name and label."""
    return [
        other
        for other, superseded in _of_its_kind(connection, run_id)
        if superseded is None and other in over
    ]


def supersede(connection: sqlite3.Connection, runs: Collection[int], *, by: int, at: float) -> None:
    """Makes `runs` the generation before the run `by`, which took their place at `at`, in seconds
    since the epoch."""
    # Clocks may go back: the order of generations does not.
    before = [moment for _, moment in _of_its_kind(connection, by) if moment is not None]
    moment = max([at, *(math.nextafter(time, math.inf) for time in before)])
    connection.executemany(
        "UPDATE run SET superseded = ? WHERE id = ?", [(moment, run_id) for run_id in runs]
    )


def outdated(
    connection: sqlite3.Connection, run_id: int, *, over: Collection[int], keep_runs: int
) -> list[int]:
    """Those of the runs `over` that go when the last `keep_runs` generations of the run's name and
    label are kept, its own included; and parts of runs that are gone."""
    superseded = [
        (other, moment) for other, moment in _of_its_kind(connection, run_id) if moment is not None
    ]
    kept = sorted({moment for _, moment in superseded}, reverse=True)[: keep_runs - 1]
    orphans = connection.execute(
        "SELECT id FROM run WHERE part_of AND part_of NOT IN (SELECT id FROM run)"
    )
    gone = [other for other, moment in superseded if moment not in kept]
    return [other for other in (*gone, *(part for (part,) in orphans)) if other in over]


def reinstate(connection: sqlite3.Connection) -> None:
    """Where a name and label have no current run any more, makes the generation before current."""
    connection.execute(
        "UPDATE run SET superseded = NULL WHERE superseded = (SELECT max(other.superseded)"
        " FROM run AS other WHERE other.name = run.name AND other.label = run.label"
        " AND NOT other.part_of) AND NOT EXISTS (SELECT 1 FROM run AS other"
        " WHERE other.name = run.name AND other.label = run.label AND NOT other.part_of"
        " AND other.superseded IS NULL)"
    )


def _of_its_kind(connection: sqlite3.Connection, run_id: int) -> list[tuple[int, float | None]]:
    """The runs of a run's name and label, parts left out, and when newer ones took their place."""
    return connection.execute(
        "SELECT other.id, other.superseded FROM run JOIN run AS other"
        " ON other.name = run.name AND other.label = run.label AND NOT other.part_of"
        " WHERE run.id = ? AND other.id <> run.id",
        (run_id,),
    ).fetchall()


def remember(
    connection: sqlite3.Connection,
    runs: Collection[int],
    *,
    keep: int,
    again: int | None = None,
) -> None:
    """As `store.history.remember`, which most runs of short processes never need."""
    if runs and keep:
        from whotests.store.history import remember

        remember(connection, runs, keep=keep, again=again)


def remove_runs(connection: sqlite3.Connection, runs: Collection[int]) -> None:
    """Removes these runs with their parts, tests, contexts and file states."""
    parts = [part for run_id in runs for part in parts_of(connection, run_id)]
    for run_id in [*runs, *parts]:
        for table in ("context", "test", "run_file"):
            connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
        connection.execute("DELETE FROM run WHERE id = ?", (run_id,))


def remove_rerun_tests(
    connection: sqlite3.Connection, *, runs: Collection[int], by: int, keep_history: int
) -> None:
    """Removes from `runs` the tests that the run `by` ran to their end as well; how they ended
    stays in the history.

    A run that had tests and has none left goes as a whole.
    """
    remember(connection, runs, keep=keep_history, again=by)
    unknown = OUTCOMES.index(Outcome.UNKNOWN)
    connection.execute("DROP TABLE IF EXISTS temp.rerun")
    connection.execute(
        "CREATE TEMP TABLE rerun (scope_id, name, PRIMARY KEY (scope_id, name)) WITHOUT ROWID"
    )
    connection.execute(
        "INSERT OR IGNORE INTO temp.rerun SELECT scope_id, name FROM test"
        " WHERE run_id = ? AND outcome <> ?",
        (by, unknown),
    )
    emptied = []
    for run_id in runs:
        gone = connection.execute(
            "DELETE FROM test WHERE run_id = ?"
            " AND (scope_id, name) IN (SELECT scope_id, name FROM temp.rerun)",
            (run_id,),
        ).rowcount
        if not gone:
            continue
        connection.execute(
            "DELETE FROM context WHERE run_id = ? AND test_id IS NOT NULL"
            " AND test_id NOT IN (SELECT id FROM test)",
            (run_id,),
        )
        left = connection.execute("SELECT 1 FROM test WHERE run_id = ? LIMIT 1", (run_id,))
        if left.fetchone() is None:
            emptied.append(run_id)
    connection.execute("DROP TABLE temp.rerun")
    remove_runs(connection, emptied)


def collect_garbage(connection: sqlite3.Connection) -> None:
    """Removes footprints, patterns, units, files, folders and scopes that nothing refers to, and
    makes an index of the footprints where there are very many.

    Only when no other run is alive: a writer keeps ids of rows that no context shows yet.
    """
    _remove_footprints(connection)
    connection.execute("DELETE FROM scope WHERE id NOT IN (SELECT scope_id FROM test)")
    connection.execute("DELETE FROM file WHERE id NOT IN (SELECT file_id FROM run_file)")
    connection.execute("DELETE FROM folder WHERE id NOT IN (SELECT folder_id FROM file)")
    connection.execute("DELETE FROM unit WHERE id NOT IN (SELECT unit_id FROM pattern)")
    if connection.execute("SELECT 1 FROM run WHERE branch").fetchone() is None:
        # Nothing is known of them any more.
        connection.execute("UPDATE file SET branches = x'', partial = x'' WHERE branches <> x''")
    # Short processes never come here, and most runs need no more of it than its first lines.
    from whotests.store.index import make_index

    make_index(connection)


def _remove_footprints(connection: sqlite3.Connection) -> None:
    """Removes those that no context has, and the patterns that no other one has: both are written
    together, so that there are no such patterns without such footprints. Most runs do what the
    run did whose place they take, and leave none behind."""
    unused = "footprint WHERE id NOT IN (SELECT footprint_id FROM context)"
    removed = connection.execute(f"SELECT patterns FROM {unused}").fetchall()
    if not removed:
        return
    connection.execute(f"DELETE FROM {unused}")
    # Their ids may be given out again.
    connection.execute("DELETE FROM occurrence")
    connection.execute("DELETE FROM total")
    gone = set(chain.from_iterable(walk(blob) for (blob,) in removed))
    for (blob,) in connection.execute("SELECT patterns FROM footprint"):
        gone.difference_update(walk(blob))
        if not gone:
            return
    patterns = [
        (unit_id, ran)
        for unit_id, ran, pattern_id in connection.execute("SELECT unit_id, ran, id FROM pattern")
        if pattern_id in gone
    ]
    connection.executemany("DELETE FROM pattern WHERE unit_id = ? AND ran = ?", patterns)


def have_tests(connection: sqlite3.Connection, runs: Collection[int]) -> bool:
    """Whether a test of any of these runs ran anything."""
    tested = "SELECT 1 FROM context WHERE run_id = ? AND test_id IS NOT NULL LIMIT 1"
    return any(connection.execute(tested, (run_id,)).fetchone() for run_id in runs)
