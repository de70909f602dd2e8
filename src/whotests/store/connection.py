"""A connection to a data file that is ours, whole and of a version that we know.

May import the standard library and the schema. Refuses to read or write rows.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from whotests.errors import DataError
from whotests.store.failures import cut_short, newer, not_ours, older
from whotests.store.schema import APPLICATION_ID, PAGE_SIZE, SCHEMA, VERSION
from whotests.store.stored_text import stored_text

__all__ = ["check", "compact", "connect_to_write", "prepare_folder"]

BUSY_SECONDS: Final = 30.0
_JOURNAL_ATTEMPTS: Final = 50
_HEADER_SIZE: Final = 100
_LEAST_PAGE: Final = 512
_WASTE_WORTH_A_VACUUM: Final = 0.1


class _Connection(sqlite3.Connection):
    """Writes text that UTF-8 does not have, too: names of files that cannot be decoded."""

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        try:
            return super().execute(sql, values)
        except UnicodeEncodeError:
            return super().execute(sql, [_encodable(value) for value in values])

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
        """All rows of a list, or none."""
        super().execute("SAVEPOINT many")
        try:
            cursor = super().executemany(sql, rows)
        except UnicodeEncodeError:
            super().execute("ROLLBACK TO many")
            encodable = [[_encodable(value) for value in row] for row in rows]
            cursor = super().executemany(sql, encodable)
        super().execute("RELEASE many")
        return cursor


def _encodable(value: object) -> object:
    r"""Text with what cannot be encoded as `\udcff`."""
    return stored_text(value) if isinstance(value, str) else value


def prepare_folder(path: Path) -> None:
    """Makes the folder of a data file, or of the cache; our own `.whotests` also says that git
    should ignore it."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    if folder.name == ".whotests":
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")


def connect_to_write(
    path: Path, *, max_pages: int | None = None, often: bool = True
) -> sqlite3.Connection:
    """A connection in autocommit mode, with the schema in place, for one thread at a time.

    `max_pages` bounds the file's size in SQLite pages, as a full disk would. `often`: there will
    be many small transactions, so that they had better go to a log; otherwise one that fails
    changes no byte. Raises DataError for a file that is not ours and lets sqlite3.Error through.
    """
    if path.exists() and 0 < path.stat().st_size < _HEADER_SIZE:
        raise not_ours(path)  # SQLite would take it for an empty one
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
    )
    try:
        _create_if_new(connection)
        check(connection, path)
        if often:
            _prefer_write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count = {max_pages:d}")
    except BaseException:
        connection.close()
        raise
    return connection


def compact(connection: sqlite3.Connection, *, pages_before: int | None = None) -> None:
    """Makes one file of what was written, without much waste, when no other process has it open.

    `pages_before` is how many pages it had. When it has grown by a tenth, it is written anew:
    pages that were filled in no order are two thirds full. Lets sqlite3.Error through.
    """
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    # Others may be reading or writing: they go first, and the last run to end tidies up.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        grown = pages_before is not None and pages * 10 > pages_before * 11
        if grown or free > pages * _WASTE_WORTH_A_VACUUM:
            connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as failure:
        # All is written. Without the room for a tidier copy, the next run tidies up.
        if failure.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL):
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises DataError unless this is a data file of ours, of a version that we know.

    A file that is shorter than its header says makes SQLite itself raise here.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables and not application and not path.stat().st_size:
            raise DataError(
                f"{path} is empty; record first with `whotests test`, "
                "or give another file with --data FILE"
            )
        raise not_ours(path)
    if version > VERSION:
        raise newer(path, version=version, known=VERSION, made_by=_maker(connection))
    if version < VERSION:
        raise older(path, version=version, made_by=_maker(connection))
    if path.stat().st_size % _LEAST_PAGE and not _has_log(path):
        # Of a last page that is cut short SQLite takes the rest for zeros.
        raise cut_short(path)


def _has_log(path: Path) -> bool:
    """Whether there is a log beside the file: it has whole what a full disk let begin only."""
    beside = (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))
    return any(log.exists() and log.stat().st_size for log in beside)


def _maker(connection: sqlite3.Connection) -> str:
    # What a newer schema calls things cannot be known; this one column is a promise.
    try:
        row = connection.execute("SELECT whotests FROM run ORDER BY id DESC LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        return ""
    return str(row[0]) if row else ""


def _create_if_new(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    # Of two processes that come here at once, one waits and then finds the tables made.
    connection.execute("BEGIN IMMEDIATE")
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables and not application:
            # SQLite keeps the text: of comments and spaces that were 8 KB in each file.
            lines = (line.partition("--")[0] for line in SCHEMA.splitlines())
            for statement in " ".join(" ".join(lines).split()).split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _prefer_write_ahead(connection: sqlite3.Connection) -> None:
    # The switch wants the file for itself and does not wait: another process may be
    # just at this same point. Where the file system has no shared memory (some network
    # mounts), SQLite keeps the old mode, which is slower and as safe.
    for attempt in range(_JOURNAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as failure:
            if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if attempt == _JOURNAL_ATTEMPTS - 1:
                return
            time.sleep(0.01)
        else:
            return
