"""coverage.py's data file (`.coverage`) read: its SQLite schema of version 7.

May import formats and what is below. Refuses to run anything that a file defines: only plain
tables are read, and nothing is written beside them.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from whotests.errors import DataError
from whotests.formats.coverage_contexts import MEANINGS, contexts_of, told_meanings
from whotests.formats.foreign import Foreign, ForeignFile, ForeignRan, Room, shown
from whotests.packing.branches import Branch
from whotests.query.facts import ContextKey
from whotests.store.schema import APPLICATION_ID
from whotests.types import LineBits

__all__ = ["SCHEMA_VERSION", "read", "recognises"]

SCHEMA_VERSION: Final = 7
"""Of coverage.py 5.0 and all that came after it."""

_MAGIC: Final = b"SQLite format 3\0"
_WITH_LOG: Final = 2
"""In the header: changes may lie in a file beside this one. coverage.py never writes so."""

_VERSION_4: Final = b"!coverage.py: This is a private format"
_LONGEST: Final = 200_000_000
"""Bytes of one value."""

_COLUMNS: Final = {
    "coverage_schema": ("version",),
    "meta": ("key", "value"),
    "file": ("id", "path"),
    "context": ("id", "context"),
    "line_bits": ("file_id", "context_id", "numbits"),
    "arc": ("file_id", "context_id", "fromno", "tono"),
    "tracer": ("file_id", "tracer"),
}


def recognises(head: bytes) -> bool:
    """Whether a file begins as one of coverage.py's: SQLite that is not ours, or older ones'."""
    if head.startswith(_VERSION_4):
        return True
    ours = APPLICATION_ID.to_bytes(4, "big")
    return head.startswith(_MAGIC) and head[68:72] != ours


def read(path: Path) -> Foreign:
    """What the file says; its files are read from the disk while they are asked for.

    Raises DataError: of another program or an old coverage.py, damaged, contradictory.
    """
    _check_head(path)
    with _opened(path) as connection:
        _check_schema(connection, path)
        meta = dict(_rows(connection, path, "SELECT key, value FROM meta", (str, object)))
        lines, arcs = (_has_rows(connection, table) for table in ("line_bits", "arc"))
        if lines and arcs:
            raise _nonsense(path, "it holds lines and pairs of lines at once")
        names = dict(_rows(connection, path, "SELECT id, context FROM context", (int, str)))
    known = contexts_of(names.values(), told=_meanings(meta.get(MEANINGS)))
    contexts = {context_id: known[name] for context_id, name in names.items()}
    version = str(meta.get("version") or "")
    return Foreign(
        format="coverage",
        files=_files(path, contexts, arcs=arcs),
        branch=arcs or str(meta.get("has_arcs")) == "1",
        unsaid=("outcomes and durations of tests", "digests of sources"),
        made_by=version if version.startswith("whotests") else f"coverage.py {version}".strip(),
        created=_moment(meta.get("when")),
    )


def _check_head(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}; name a file that is there"
        ) from error
    if head.startswith(_VERSION_4):
        raise DataError(
            f"{path} was written by coverage.py 4, whose data has no contexts; "
            "record it again with coverage.py 5.0 or newer"
        )
    if not head.startswith(_MAGIC):
        raise DataError(f"{path} is no data file of coverage.py; name one, or its --format")
    if head[68:72] == APPLICATION_ID.to_bytes(4, "big"):
        raise DataError(
            f"{path} is a data file of whotests; give it to `whotests combine`, or to any "
            "command with --data FILE"
        )
    if len(head) < 100 or _WITH_LOG in head[18:20]:
        raise DataError(
            f"{path} is cut short, or another program has it open; record it again with coverage.py"
        )


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Sees to it that the tables are those of a version that is known, and tables indeed."""
    kinds = dict(
        _rows(
            connection,
            path,
            "SELECT name, type || iif(sql LIKE 'CREATE VIRTUAL%', ' virtual', '')"
            " FROM sqlite_master WHERE type IN ('table', 'view')",
            (str, str),
        )
    )
    if "coverage_schema" not in kinds:
        raise DataError(f"{path} is no data file of coverage.py; name one, or its --format")
    _check_table(connection, path, kinds, "coverage_schema")
    versions = [
        version
        for (version,) in _rows(connection, path, "SELECT version FROM coverage_schema", (int,))
    ]
    if versions != [SCHEMA_VERSION]:
        said = ", ".join(map(str, versions)) or "none"
        age = "an older" if versions and versions[0] < SCHEMA_VERSION else "another"
        raise DataError(
            f"{path} has version {said} of coverage.py's schema, and whotests reads version "
            f"{SCHEMA_VERSION}, which coverage.py writes since 5.0: {age} coverage.py wrote it; "
            "record it again with a newer one"
        )
    for table in _COLUMNS:
        _check_table(connection, path, kinds, table)


def _check_table(
    connection: sqlite3.Connection, path: Path, kinds: Mapping[str, str], table: str
) -> None:
    """Views, virtual tables and computed columns would run what the file defines."""
    if kinds.get(table) != "table":
        raise _nonsense(path, f"it has no table {table!r}")
    query = "SELECT name, hidden FROM pragma_table_xinfo(?)"
    there = dict(_rows(connection, path, query, (str, int), (table,)))
    for column in _COLUMNS[table]:
        if there.get(column) != 0:
            raise _nonsense(path, f"its table {table!r} has no column {column!r}")


def _files(path: Path, contexts: Mapping[int, ContextKey], *, arcs: bool) -> Iterator[ForeignFile]:
    """The files, in the order of their numbers."""
    with _opened(path) as connection:
        paths = dict(_rows(connection, path, "SELECT id, path FROM file", (int, str)))
        plugins = dict(_rows(connection, path, "SELECT file_id, tracer FROM tracer", (int, str)))
        facts = (_taken if arcs else _lines)(connection, path, contexts)
        for file_id, ran in facts:
            if file_id not in paths:
                raise _nonsense(path, f"it speaks of file {file_id}, of which it has no name")
            yield ForeignFile(path=paths.pop(file_id), ran=ran, plugin=plugins.get(file_id, ""))
        for file_id, name in sorted(paths.items()):
            yield ForeignFile(path=name, ran={}, plugin=plugins.get(file_id, ""))


_Facts = Iterator[tuple[int, Mapping[ContextKey, ForeignRan]]]


def _lines(
    connection: sqlite3.Connection, path: Path, contexts: Mapping[int, ContextKey]
) -> _Facts:
    """What ran of each file that anything ran of, where lines were recorded."""
    query = "SELECT file_id, context_id, numbits FROM line_bits ORDER BY file_id, context_id"
    rows = _rows(connection, path, query, (int, int, bytes))
    for file_id, group in groupby(rows, key=itemgetter(0)):
        room = Room(str(path))
        ran: dict[ContextKey, ForeignRan] = {}
        for _, context_id, numbits in group:
            bits = room.take(int.from_bytes(numbits, "little") & ~1)
            key = _context(contexts, context_id, path)
            if key in ran:
                bits = LineBits(bits | ran[key].lines)
            ran[key] = ForeignRan(bits)
        yield file_id, ran


def _taken(
    connection: sqlite3.Connection, path: Path, contexts: Mapping[int, ContextKey]
) -> _Facts:
    """The same where pairs of lines were recorded."""
    query = "SELECT file_id, context_id, fromno, tono FROM arc ORDER BY file_id, context_id"
    rows = _rows(connection, path, query, (int, int, int, int))
    for file_id, of_file in groupby(rows, key=itemgetter(0)):
        room = Room(str(path))
        ran: dict[ContextKey, ForeignRan] = {}
        known: dict[Branch, Branch] = {}  # the same pairs come in context after context
        same: dict[frozenset[Branch], ForeignRan] = {}
        for context_id, group in groupby(of_file, key=itemgetter(1)):
            pairs = frozenset([known.setdefault(pair := row[2:], pair) for row in group])
            key = _context(contexts, context_id, path)
            if key in ran:
                pairs |= ran[key].branches
            if pairs not in same:
                ends = set().union(*pairs)
                bits = room.bits(end for end in ends if end > 0)
                room.bits(-end for end in ends if end < 0)
                same[pairs] = ForeignRan(bits, pairs)
            ran[key] = same[pairs]
        yield file_id, ran


def _context(contexts: Mapping[int, ContextKey], context_id: int, path: Path) -> ContextKey:
    try:
        return contexts[context_id]
    except KeyError:
        raise _nonsense(
            path, f"it speaks of context {context_id}, of which it has no name"
        ) from None


def _meanings(text: object) -> dict[str, ContextKey]:
    """What our own exports say of names; nothing where that is not what we write."""
    try:
        return told_meanings(json.loads(text)) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}


def _moment(text: object) -> float | None:
    """When coverage.py says that it made the file: local time, to the second."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").timestamp()
    except (ValueError, OverflowError):
        return None


# -- SQLite ---------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read, and that runs nothing that the file defines."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
            opened.execute("PRAGMA trusted_schema = OFF")
            opened.execute("PRAGMA cell_size_check = ON")
            opened.execute("PRAGMA query_only = ON")
            yield opened
    except sqlite3.Error as error:
        raise _damaged(path, error) from error


def _rows(
    connection: sqlite3.Connection,
    path: Path,
    query: str,
    types: tuple[type, ...],
    values: tuple[object, ...] = (),
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, whose values have these types."""
    try:
        for row in connection.execute(query, values):
            # The types of all rows as one tuple: there may be millions.
            if (*map(type, row),) != types and not all(map(isinstance, row, types)):
                shown = tuple(value if isinstance(value, int) else type(value) for value in row)
                raise _nonsense(path, f"a row of it is {shown}")
            yield row
    except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError) as error:
        raise _damaged(path, error) from error


def _has_rows(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is cut short or damaged ({shown(error)}); record it again with coverage.py"
    )


def _nonsense(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} makes no sense as a data file of coverage.py: {what}; record it again"
    )
