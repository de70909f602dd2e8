"""Writing one run into a data file, from within the measured process.

May import the standard library, types, errors and the store's own floor. Refuses to lose
anything on a failure: a batch that could not be written can be written again.
"""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from whotests import __version__
from whotests.errors import DataError, InternalError
from whotests.records import Batch, RunRecord
from whotests.store.connection import compact, connect_to_write, prepare_folder
from whotests.store.failures import translated
from whotests.store.parts import (
    MANY_PARTS,
    correct,
    files_of_parts,
    have_parts,
    is_over,
    notes_of_parts,
    parts_of,
    parts_that_are_over,
    parts_that_have_ended,
    take_in,
    tests_of_parts,
)
from whotests.store.pending import insert
from whotests.store.removal import (
    collect_garbage,
    current_before,
    has_live_runs,
    have_tests,
    outdated,
    over_runs,
    remember,
    remove_rerun_tests,
    remove_runs,
    supersede,
)
from whotests.store.rows import RunRows
from whotests.types import Outcome, RunStatus

__all__ = ["Writer"]

_T = TypeVar("_T")


class Writer:
    """One run's way into a data file; for one thread at a time, not always the same one.

    Open it, `begin_run`, `write` as often as there is something, `finish_run`, `close`.
    Every method raises DataError (the file is not ours, cut short, newer) or MachineError
    (no space, no permission, in use for more than 30 s), and then nothing has changed:
    the same call can be made again. So it can when a signal's handler raised in the middle.
    """

    def __init__(
        self, path: Path, *, clock: Callable[[], float], max_pages: int | None = None
    ) -> None:
        self._path = path
        self._clock = clock
        self._max_pages = max_pages
        self._connection: sqlite3.Connection | None = None
        self._host = ""
        self._uid = b""
        self._to_begin: RunRecord | None = None
        self._over: tuple[int, ...] = ()
        self._pages_before: int | None = None
        self._rows = RunRows(run_id=0)
        self._commits = False
        """COMMIT is being said, and has not failed."""
        self._committed = False
        """The last transaction is in the file, and what it brought is not yet counted on."""
        self._in_hand = 0
        """The number of the batch that is in the current transaction."""
        self._written = 0
        """That of the last one that is in the file."""
        self._beginning: tuple[RunRows, str, bytes, tuple[int, ...]] | None = None
        """The current transaction begins a run: its rows, host and uid, and the runs that were
        over before."""
        self._finishing: str | None = None
        """The current transaction ends the run: why that is incomplete, or ''."""
        self._finished: str | None = None
        """The run has ended, with that."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        max_pages: int | None = None,
    ) -> "Writer":
        """A writer of the data file at `path`, which is made if it is not there.

        `clock` tells the seconds since the epoch. `max_pages` bounds the file's size in
        SQLite pages: writing past it fails as on a full disk.
        """
        path = Path(path)
        writer = cls(path, clock=clock, max_pages=max_pages)
        try:
            prepare_folder(path)
            writer._connected()
        except (sqlite3.Error, OSError) as failure:
            raise translated(path, failure) from failure
        return writer

    def begin_run(self, run: RunRecord) -> None:
        """Adds the run; what has ended or died by now is what its end may remove."""
        uid = os.urandom(16)

        def begin(connection: sqlite3.Connection) -> None:
            if self._rows.run_id:
                return  # it was, by a signal's handler
            (self._pages_before,) = connection.execute("PRAGMA page_count").fetchone()
            now = self._clock()
            over = () if run.part_of else over_runs(connection, here=run.host, now=now)
            run_id = insert(
                connection,
                "INSERT INTO run (uid, name, started, heartbeat, status, note, command, root,"
                " label, branch, rules, python, platform, host, pid, part_of, whotests)"
                " VALUES (?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    uid,
                    run.name,
                    run.started,
                    now,
                    RunStatus.RUNNING.value,
                    json.dumps(run.command, ensure_ascii=False),
                    run.root,
                    run.label,
                    run.branch,
                    _as_text(run.exclude, run.partial),
                    run.python,
                    run.platform,
                    run.host,
                    run.pid,
                    run.part_of,
                    __version__,
                ),
            )
            rows = RunRows(run_id=run_id)
            rows.share_footprints(connection, recent=bool(run.part_of))
            self._beginning = rows, run.host, uid, over

        self._transact(begin)

    @classmethod
    def later(
        cls, path: Path, run: RunRecord, *, clock: Callable[[], float] = time.time
    ) -> "Writer":
        """A writer that opens the file and begins the run when there is something to write."""
        writer = cls(Path(path), clock=clock)
        writer._to_begin = run
        return writer

    @property
    def run_id(self) -> int:
        """The run's id in the file; 0 before it has begun and after it has ended."""
        return self._rows.run_id

    @property
    def has_finished(self) -> bool:
        """Whether the run has ended in the file: then ending it again does nothing more than to
        tidy up, and gives what it gave."""
        self._settle()
        return self._finished is not None

    def write(self, batch: Batch) -> None:
        """Adds the batch, all of it or (when this raises an error of ours) nothing. One that has
        a number and is in the file already is not added again."""
        if self._to_begin is not None:
            if not self._rows.run_id:
                self.begin_run(self._to_begin)
            self._to_begin = None
        self._settle()
        if batch.number and batch.number <= self._written:
            return

        def add(connection: sqlite3.Connection) -> None:
            self._beat(connection)
            self._rows.write(connection, batch)
            self._in_hand = batch.number or self._written

        self._transact(add)

    def finish_run(
        self,
        *,
        ended: float,
        status: RunStatus,
        exit_status: int | None,
        note: str,
        append: bool,
        keep_runs: int = 1,
        keep_history: int = 0,
        corrected: Mapping[str, Outcome] | None = None,
    ) -> str:
        """Marks the run as ended, takes in its parts, and takes the place of the runs of its name
        and label that were over when it began. Gives why a part is incomplete, or ''.

        FINISHED: those are superseded, and go when `keep_runs` generations came after them, this
        one included. FINISHED with `append`, or without a test where they had some, and
        INTERRUPTED: those of their tests that this run ran again go. Any other status: nothing.
        How the tests that go ended stays in the history, of the last `keep_history` runs. Tests
        that are `corrected` ended so, whatever the parts say.
        Leaves one compact file behind when no other process has it open.
        """

        incomplete = ""

        def finish(connection: sqlite3.Connection) -> None:
            nonlocal incomplete, status
            self._beat(connection)
            mine = self._rows.run_id
            connection.execute(
                "UPDATE run SET ended = ?, status = ?, exit_status = ?, note = ? WHERE id = ?",
                (ended, status.value, exit_status, note, mine),
            )
            for run_id in (mine, *self._over) if have_parts(connection) else ():
                parts = parts_that_are_over(connection, run_id, here=self._host, now=self._clock())
                problem = take_in(connection, parts, into=run_id)
                if problem and run_id == mine:
                    incomplete = incomplete or problem
                    status = RunStatus.INCOMPLETE
            if corrected:
                correct(connection, mine, corrected)
            before = current_before(connection, mine, over=self._over)
            # A run whose tests ran nothing (a broken conftest, a mistyped path) is no reason to
            # forget those of before. Its tests may be in parts that have not ended.
            only_rerun = append or (
                have_tests(connection, before)
                and not have_tests(connection, [mine, *parts_of(connection, mine)])
            )
            if status is RunStatus.INTERRUPTED or (status is RunStatus.FINISHED and only_rerun):
                remove_rerun_tests(connection, runs=before, by=mine, keep_history=keep_history)
            elif status is RunStatus.FINISHED:
                supersede(connection, before, by=mine, at=ended)
                gone = outdated(connection, mine, over=self._over, keep_runs=keep_runs)
                remember(connection, gone, keep=keep_history)
                remove_runs(connection, gone)
            self._collect_garbage(connection)
            self._finishing = incomplete

        if not self.has_finished:
            self._transact(finish)
        self._tidy_up()
        return self._finished or ""

    def finish_part(self, *, ended: float, status: RunStatus, note: str) -> None:
        """Marks the run, which is a part of another one, as ended; one that never wrote needs none.

        When the run that it is a part of is over, that takes in all parts now, since nobody else
        will. While it goes on, parts that have ended become one when there are many of them. A
        process that became another program, which is this, ends with this.
        """
        if self.has_finished or not self._rows.run_id:
            return
        last = False

        def finish(connection: sqlite3.Connection) -> None:
            nonlocal last
            self._beat(connection)
            mine, here, now = self._rows.run_id, self._host, self._clock()
            connection.execute(
                "UPDATE run SET ended = ?, status = ?, note = ? WHERE id = ?",
                (ended, status.value, note, mine),
            )
            (whole,) = connection.execute(
                "SELECT part_of FROM run WHERE id = ?", (mine,)
            ).fetchone()
            over = is_over(connection, whole, here=here, now=now)
            if over is False and self._goes_on_as(connection, whole):
                connection.execute(
                    "UPDATE run SET ended = ?, status = ? WHERE id = ?",
                    (ended, status.value, whole),
                )
                over = True
            if over is None:
                remove_runs(connection, [mine])
            elif over:
                parts = parts_that_are_over(connection, whole, here=here, now=now)
                take_in(connection, parts, into=whole)
                last = True
                self._collect_garbage(connection)
            else:
                parts = parts_that_have_ended(connection, whole)
                if len(parts) >= MANY_PARTS:
                    take_in(connection, parts[1:], into=parts[0])
            self._finishing = ""

        self._transact(finish)
        if last:
            self._tidy_up()

    def _goes_on_as(self, connection: sqlite3.Connection, run_id: int) -> bool:
        """Whether this process is the run's, after an `exec`."""
        query = "SELECT 1 FROM run WHERE id = ? AND pid = ? AND host = ?"
        return connection.execute(query, (run_id, os.getpid(), self._host)).fetchone() is not None

    def files_of_parts(self) -> frozenset[str] | None:
        """The paths of the files that parts of this run have measured so far; None when it has no
        parts that have written anything."""
        return self._of_parts(files_of_parts)

    def tests_of_parts(self) -> Mapping[str, Outcome]:
        """How the tests ended of which parts of this run saw the end, and wrote all that they
        ran."""
        return self._of_parts(tests_of_parts) or {}

    def notes_of_parts(self) -> tuple[str, ...]:
        """What parts of this run that recorded all that they ran have to say."""
        return self._of_parts(notes_of_parts) or ()

    def has_killed_parts(self) -> bool:
        """Whether a part of this run ended without a word: it may not have written all."""
        here, now = self._host, self._clock()

        def look(connection: sqlite3.Connection, run_id: int) -> bool:
            over = parts_that_are_over(connection, run_id, here=here, now=now)
            return len(over) > len(parts_that_have_ended(connection, run_id))

        return bool(self._of_parts(look))

    def _of_parts(self, look: Callable[[sqlite3.Connection, int], _T]) -> _T | None:
        """What `look` finds of the parts of this run; None when there are none."""
        found: list[_T] = []

        def work(connection: sqlite3.Connection) -> None:
            if have_parts(connection) and parts_of(connection, self._rows.run_id):
                found.append(look(connection, self._rows.run_id))

        self._transact(work)
        return found[0] if found else None

    def _collect_garbage(self, connection: sqlite3.Connection) -> None:
        mine = self._rows.run_id
        if not has_live_runs(connection, but=mine, here=self._host, now=self._clock()):
            collect_garbage(connection)

    def _tidy_up(self) -> None:
        try:
            compact(self._connected(), pages_before=self._pages_before)
        except sqlite3.Error as failure:
            raise translated(self._path, failure) from failure
        except BaseException as failure:
            self._let_go_after(failure)
            raise

    def suspend(self) -> None:
        """Lets go of the file (before a fork); the next write takes it up again."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if sys.version_info >= (3, 12):
                # Merging the log into the file would wait for the disk, and again at each fork.
                connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
            connection.close()

    def close(self) -> None:
        """Lets go of the file for good. A run that was not finished stays as it is."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect_to_write(self._path, max_pages=self._max_pages)
        return self._connection

    def _transact(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Runs `work` in one transaction; the keys that it gave out count only if it succeeds."""
        self._settle()
        try:
            connection = self._connected()
            if connection.in_transaction:
                # A signal's handler has come in the middle of one, which is given up. What that
                # is reading would keep the file locked.
                connection.execute("ROLLBACK")
                self.close()
                connection = self._connected()
            try:
                connection.execute("BEGIN IMMEDIATE")
                work(connection)
                self._commits = True
                connection.execute("COMMIT")
            except BaseException as failure:
                if connection is not self._connection:  # it was given up
                    raise
                # SQLite may have rolled back by itself (a full disk).
                if connection.in_transaction or isinstance(failure, sqlite3.Error):
                    self._commits = False
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._settle()
                self._let_go_after(failure)
                raise
        except sqlite3.Error as failure:
            raise translated(self._path, failure) from failure
        self._settle()

    def _let_go_after(self, failure: BaseException) -> None:
        """What a signal's handler interrupts may be reading, and its frames live as long as the
        exception: that would keep the file in use."""
        if not isinstance(failure, sqlite3.Error):
            self.close()

    def _settle(self) -> None:
        """What the last transaction brought counts if it is in the file, else it did not happen.
        Each step may have been taken before."""
        if self._commits:
            # Whatever has come up since COMMIT was said: it did not fail.
            if self._connection is not None and not self._connection.in_transaction:
                self._committed = True
            self._commits = False
        if self._committed:
            if self._beginning is not None:
                self._rows, self._host, self._uid, self._over = self._beginning
                self._finished, self._in_hand = None, 0
            self._rows.keep()
            self._written = self._in_hand
            if self._finishing is not None:
                self._finished = self._finishing
                self._rows = RunRows(run_id=0)
            self._committed = False
        else:
            self._rows.forget()
            self._in_hand = self._written
        self._beginning = self._finishing = None

    def _beat(self, connection: sqlite3.Connection) -> None:
        if not self._rows.run_id:
            raise InternalError("nothing can be written before begin_run or after finish_run")
        # Another run may have the id of one that was removed.
        beaten = connection.execute(
            "UPDATE run SET heartbeat = ? WHERE id = ? AND uid = ?",
            (self._clock(), self._rows.run_id, self._uid),
        )
        if not beaten.rowcount:
            raise DataError(
                f"this run is no longer in {self._path}: the file was replaced, or another run "
                "took this one for dead and removed it; record again with another --data FILE"
            )


def _as_text(exclude: tuple[str, ...] | None, partial: tuple[str, ...] | None) -> str:
    """The rules as a run's row has them."""
    if exclude is None or partial is None:
        return ""
    return json.dumps([exclude, partial], ensure_ascii=False)
