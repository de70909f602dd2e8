"""A connection to a data file that is only read, however its last writer left it.

May import the standard library and the store's own floor. Refuses to change what it reads.
"""

import sqlite3
from pathlib import Path
from typing import Final

from whotests.errors import DataError
from whotests.store.connection import check
from whotests.store.failures import damaged, translated
from whotests.store.parts import have_parts, take_in_all

__all__ = ["connect_to_read"]

_PATIENCE: Final = 5.0


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection to the data file at `path` as it is going to be when all processes of its runs
    have ended: where parts of runs were not taken in, to a copy in memory.

    Raises DataError (no such file, cut short, of another program, newer) or MachineError.
    """
    if not path.exists():
        raise DataError(
            f"no data yet: {path} does not exist; record first with `whotests test`, "
            "or give the data file with --data FILE"
        )
    if not path.is_file():
        raise DataError(f"{path} is not a file; give the data file with --data FILE")
    try:
        connection = _connect(path)
        try:
            return _whole(connection)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as failure:
        raise translated(path, failure) from failure
    except (ValueError, LookupError, TypeError) as failure:
        raise damaged(path, failure) from failure


def _whole(connection: sqlite3.Connection) -> sqlite3.Connection:
    if not have_parts(connection):
        return connection
    whole = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.backup(whole)
        whole.execute("BEGIN")
        take_in_all(whole)
        whole.execute("COMMIT")
    except BaseException:
        whole.close()
        raise
    connection.close()
    return whole


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that reads; where a killed run left things to tidy up, as they were meant."""
    try:
        return _opened(path, mode="ro")
    except sqlite3.OperationalError as failure:
        # A half-done transaction, or a log without its index: SQLite wants to write for that.
        refused = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
        if failure.sqlite_errorcode & 0xFF not in refused:
            raise
    try:
        return _opened(path, mode="rw")
    except sqlite3.OperationalError:
        return _opened_copy(path)


def _opened_copy(path: Path) -> sqlite3.Connection:
    """The same in memory, for a folder in which nothing may be written."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="whotests-") as folder:
        copy = Path(folder) / path.name
        for suffix in ("", "-wal", "-journal"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                shutil.copyfile(part, copy.with_name(copy.name + suffix))
        on_disk = _opened(copy, mode="rw")
        try:
            in_memory = sqlite3.connect(":memory:", isolation_level=None)
            on_disk.backup(in_memory)
        finally:
            on_disk.close()
    return in_memory


def _opened(path: Path, *, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE, isolation_level=None
    )
    try:
        check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
