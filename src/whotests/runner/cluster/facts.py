"""What the machines of a cluster recorded, on its way into the run's data file."""

import os
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from whotests.errors import DataError
from whotests.runner.cluster.moved import Move
from whotests.store.connection import connect_to_write
from whotests.store.failures import translated
from whotests.store.merging.merger import Merger
from whotests.store.merging.source import Source
from whotests.store.past_tests import last_outcomes
from whotests.store.schema import OUTCOMES
from whotests.types import Outcome, RunStatus

__all__ = ["Facts"]


class Facts:
    """The data files of slots as they were sent last, in a folder; one thread at a time for each
    slot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._moves: dict[str, Move] = {}
        self._tests: dict[str, frozenset[str]] = {}

    def keep(self, slot: str, octets: bytes, *, home: Move) -> frozenset[str]:
        """Keep what a slot has sent, in place of what it sent before; the ids of the tests in it
        that have ended. `home` brings paths back from there.

        Raises DataError or MachineError when it cannot be read or written.
        """
        path = self._folder / f"{slot}.db"
        unfinished = path.with_suffix(".new")
        try:
            self._folder.mkdir(exist_ok=True)
            unfinished.write_bytes(zlib.decompress(octets))
            os.replace(unfinished, path)
        except OSError as failure:
            raise translated(path, failure) from failure
        except zlib.error as failure:
            raise DataError(f"what the worker {slot} recorded came damaged: {failure}") from failure
        self._moves[slot] = home
        outcomes = last_outcomes(path)
        tests = frozenset(each for each, how in outcomes.items() if how is not Outcome.UNKNOWN)
        self._tests[slot] = tests
        return tests

    def tests(self) -> frozenset[str]:
        """The ids of all tests that have ended, and of which what they ran is kept here."""
        return frozenset().union(*self._tests.values())

    def add_to(self, data: Path, *, run: int, outcomes: Mapping[str, Outcome]) -> None:
        """Make all that was kept a part of a run that goes on in the data file.

        Of tests that ran more than once, to be recorded again, `outcomes` tells what counts.
        Raises DataError or MachineError, and then the data file is as it was.
        """
        if not self._moves:
            return
        try:
            with closing(connect_to_write(data, often=False)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    self._take(connection, run, outcomes)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        except (sqlite3.Error, OSError) as failure:
            raise translated(data, failure) from failure

    def _take(
        self, connection: sqlite3.Connection, run: int, outcomes: Mapping[str, Outcome]
    ) -> None:
        merger = Merger(connection)
        for slot, move in self._moves.items():
            with Source.open(self._folder / f"{slot}.db") as source:
                paths = _paths(source)
                merger.take(source, paths={path: move.text(path) for path in paths})
        written = ",".join(map(str, merger.written))
        # What their notes say of them is true; that none has ended is how they are sent.
        connection.execute(
            "UPDATE run SET part_of = ?, ended = heartbeat, status = CASE note WHEN '' THEN ?"
            f" ELSE ? END WHERE id IN ({written})",
            (run, RunStatus.FINISHED.value, RunStatus.INCOMPLETE.value),
        )
        _set_outcomes(connection, written, outcomes)


def _paths(source: Source) -> Sequence[str]:
    rows = source.rows(
        "SELECT folder.name || file.name FROM file JOIN folder ON folder.id = folder_id"
    )
    return [path for (path,) in rows]


def _set_outcomes(
    connection: sqlite3.Connection, runs: str, outcomes: Mapping[str, Outcome]
) -> None:
    rows = connection.execute(
        "SELECT test.id, scope.name || test.name, outcome FROM test"
        f" JOIN scope ON scope.id = scope_id WHERE run_id IN ({runs})"
    ).fetchall()
    changes = []
    for number, test_id, outcome in rows:
        counts = outcomes.get(test_id)
        if counts is not None and not _agree(counts, OUTCOMES[outcome]):
            changes.append((OUTCOMES.index(counts), number))
    connection.executemany("UPDATE test SET outcome = ? WHERE id = ?", changes)


def _agree(verdict: Outcome, recorded: Outcome) -> bool:
    """The stream does not tell errors from failures."""
    bad = (Outcome.FAILED, Outcome.ERROR)
    return verdict is recorded or (verdict in bad and recorded in bad)
