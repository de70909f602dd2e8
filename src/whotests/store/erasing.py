"""Erasing runs from a data file, or all that it holds.

May import the standard library, errors and the store's own floor. Refuses to take anything from
a run that still writes, and to touch a file that is not ours.
"""

import sqlite3
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from whotests.errors import DataError, UsageError
from whotests.store.connection import compact, connect_to_write
from whotests.store.failures import damaged, not_ours, translated
from whotests.store.generations import chosen
from whotests.store.history import forget_all, forget_run
from whotests.store.liveness import this_host
from whotests.store.parts import parts_of, parts_that_are_over
from whotests.store.recorded_runs import recorded_runs
from whotests.store.removal import collect_garbage, has_live_runs, reinstate, remove_runs
from whotests.store.schema import VERSION
from whotests.store.shards import version_in_header
from whotests.store.values import Run
from whotests.types import RunStatus

__all__ = ["Erased", "erase_all", "erase_history", "erase_runs"]

_T = TypeVar("_T")

_NO_RUN = -1


class Erased(NamedTuple):
    """What went, and how much is left."""

    runs: tuple[Run, ...]
    left: int
    """How many runs the file still holds."""
    file_gone: bool = False
    """The file itself went, whatever it held."""


def erase_runs(
    path: Path,
    refs: Sequence[str],
    *,
    here: str | None = None,
    clock: Callable[[], float] = time.time,
) -> Erased:
    """Erases the runs that `refs` mean, as `--run` does, all of them or (when this raises) none.

    Where the current run of a name and label goes, the generation before takes its place again.
    Raises UsageError when one of them is no run, or still writes; DataError and MachineError as
    writing does.
    """
    if not _version(path):
        raise DataError(
            f"no data yet: {path} holds nothing to erase; give the data file with --data FILE"
        )
    with _Work(path, here=here, now=clock()) as work:
        return work.erase(refs)


def erase_all(
    path: Path, *, here: str | None = None, clock: Callable[[], float] = time.time
) -> Erased:
    """Erases every run of the file; the file itself where it is damaged, or too old to be used.

    Raises UsageError when a run still writes; DataError for a file that is not ours, or newer.
    """
    version = _version(path)
    if not version:
        return Erased(runs=(), left=0)
    if version < VERSION:
        return _unlinked(path)
    try:
        with _Work(path, here=here, now=clock()) as work:
            return work.erase(None)
    except DataError:
        if version == VERSION:
            return _unlinked(path)
        raise


def erase_history(path: Path) -> int:
    """Erases what is kept of past runs, and nothing of those that are there; how many they were.

    Raises DataError and MachineError as writing does.
    """
    if not _version(path):
        return 0
    with _Work(path, here=None, now=0.0) as work:
        return work.do(lambda: forget_all(work.connection))


def _version(path: Path) -> int:
    """The version of its schema; 0: there is no such file, or nothing in it."""
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return 0
    # To open a pipe would take until somebody writes into it.
    version = version_in_header(path) if path.is_file() else None
    if version is None:
        raise not_ours(path)
    return version


def _unlinked(path: Path) -> Erased:
    try:
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as failure:
        raise translated(path, failure) from failure
    return Erased(runs=(), left=0, file_gone=True)


class _Work:
    """One transaction on a data file, which is made compact at the end."""

    def __init__(self, path: Path, *, here: str | None, now: float) -> None:
        self._path = path
        self._here = this_host() if here is None else here
        self._now = now

    def __enter__(self) -> "_Work":
        try:
            self.connection = connect_to_write(self._path)
        except (sqlite3.Error, OSError) as failure:
            raise translated(self._path, failure) from failure
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def erase(self, refs: Sequence[str] | None) -> Erased:
        """Erases what `refs` mean; None: all runs."""
        return self.do(lambda: self._erased(refs))

    def do(self, work: Callable[[], _T]) -> _T:
        """What the work comes to, in a transaction."""
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                with suppress(sqlite3.Error):
                    compact(connection)
                raise
            compact(connection)
        except sqlite3.Error as failure:
            raise translated(self._path, failure) from failure
        except (LookupError, TypeError, ValueError, zlib.error) as failure:
            raise damaged(self._path, failure) from failure
        return done

    def _erased(self, refs: Sequence[str] | None) -> Erased:
        connection = self.connection
        runs = recorded_runs(connection, self._path, here=self._here, now=self._now)
        if refs is None:
            for run in runs:
                self._check_over(run)
            self._empty()
            return Erased(runs=runs, left=0)
        meant = {run.id for ref in refs for run in chosen(runs, ref)}
        going = tuple(run for run in runs if run.id in meant)
        for run in going:
            self._check_over(run)
        remove_runs(connection, sorted(meant))
        for run in going:
            forget_run(connection, run.uid)
        reinstate(connection)
        if not has_live_runs(connection, but=_NO_RUN, here=self._here, now=self._now):
            collect_garbage(connection)
        return Erased(runs=going, left=len(runs) - len(going))

    def _empty(self) -> None:
        tables = self.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (table,) in tables.fetchall():
            self.connection.execute(f'DELETE FROM "{table}"')

    def _check_over(self, run: Run) -> None:
        over = parts_that_are_over(self.connection, run.id, here=self._here, now=self._now)
        alive = set(parts_of(self.connection, run.id)) - set(over)
        if (run.status is RunStatus.RUNNING and not run.killed) or alive:
            whose = f"process {run.pid} on {run.host}" if not alive else "a process that it started"
            raise UsageError(
                f"run {run.id} (`{' '.join(run.command)}`) still runs ({whose}); nothing was "
                "erased, do it again when it has ended"
            )
