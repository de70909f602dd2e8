"""One statement after another over the tables, in a place where nothing can be changed.

May import apsw, query and the store. Refuses whatever is no question: what writes, attaches,
loads, or takes more time or memory than it was given.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from types import TracebackType
from typing import Final, NamedTuple, Self

import apsw
import apsw.ext

from whotests.errors import UsageError
from whotests.query.files import Catalogue
from whotests.sql.code_rows import BranchRows, FileRows, LineRows, UnitRows
from whotests.sql.fact_rows import FactRows, FootprintRows
from whotests.sql.ground import Ground
from whotests.sql.relations import Row
from whotests.sql.run_rows import ContextRows, HistoryRows, RunRows, TestRows
from whotests.sql.stored_rows import stored_relations
from whotests.sql.tables import TABLES, Table
from whotests.sql.virtual import create_tables
from whotests.store.reader import Reader

__all__ = ["MEGABYTES", "SECONDS", "Answer", "Sandbox"]

SECONDS: Final = 60.0
"""How long a statement may take, unless said otherwise."""

MEGABYTES: Final = 300
"""How much memory SQLite may take, unless said otherwise."""

_STEPS: Final = 20_000
"""Between two looks at the clock; a hundredth of a second at most."""

_LIMITS: Final = {
    apsw.SQLITE_LIMIT_LENGTH: 10_000_000,
    apsw.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
    # Matching takes time that grows with the pattern's stars, and nothing interrupts it.
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
}

_READS: Final = {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_RECURSIVE}
_PRAGMAS: Final = frozenset(
    (
        "collation_list",
        "compile_options",
        "database_list",
        "function_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "module_list",
        "table_info",
        "table_list",
        "table_xinfo",
    )
)
_FUNCTIONS: Final = frozenset(("load_extension", "fts3_tokenizer"))
_NOT_ALLOWED: Final = (
    "may not be modified",
    "not authorized",
    "triggers on virtual tables",
    "virtual tables may not be",
)
_SHOWN: Final = 60


class Answer(NamedTuple):
    """What came of a statement."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    """Found one by one; UsageError when it takes too long, or too much memory."""


class Sandbox:
    """A connection that only reads. Use it as a context manager, or `close` it."""

    def __init__(
        self,
        reader: Reader,
        catalogue: Catalogue,
        *,
        seconds: float = SECONDS,
        megabytes: int = MEGABYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` and `megabytes` are what a statement may take; 0 is no limit.

        The limit on memory is one of the process: all that SQLite does in it counts.
        """
        self.ground = Ground(reader, catalogue)
        self._seconds = seconds
        self._megabytes = megabytes
        self._clock = clock
        self._deadline = float("inf")
        self._late = False
        self.connection = apsw.Connection(":memory:")
        self._heap = apsw.hard_heap_limit(megabytes * 1_000_000)
        self._furnish(reader)
        self._shut()

    def _furnish(self, reader: Reader) -> None:
        ground = self.ground
        create_tables(
            self.connection,
            (
                FactRows(ground),
                FactRows(ground, branches=True),
                TestRows(ground),
                HistoryRows(ground),
                ContextRows(ground),
                FileRows(ground),
                LineRows(ground),
                BranchRows(ground),
                UnitRows(ground),
                RunRows(ground),
                FootprintRows(ground),
                FootprintRows(ground, branches=True),
            ),
        )
        self.connection.execute("ATTACH ':memory:' AS data")
        create_tables(self.connection, stored_relations(reader.stored), schema="data")

    def _shut(self) -> None:
        connection = self.connection
        connection.pragma("temp_store", "MEMORY")
        connection.pragma("query_only", True)
        # A name in double quotes that is none would else be a text.
        connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        for limit, most in _LIMITS.items():
            connection.limit(limit, most)
        connection.authorizer = self._authorize
        connection.set_progress_handler(self._is_late, _STEPS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends whatever is being asked."""
        self.connection.close(True)
        apsw.hard_heap_limit(self._heap)

    def ask(self, sql: str) -> Answer:
        """What one statement tells. Raises UsageError: it is not SQL, not one, or more than a
        question."""
        if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
            raise UsageError(
                "the statement is no text; write SQL in UTF-8, without null characters"
            )
        with self.limited(sql):
            details = apsw.ext.query_info(self.connection, sql)
            if not details.has_vdbe:
                raise UsageError("there is no SQL to run; give a SELECT")
            rest = details.query_remaining or ""
            if rest and _says_something(self.connection, rest):
                raise UsageError("only one statement at a time: leave out what follows the first ;")
            if details.bindings_count:
                raise UsageError("no value is given for a parameter; write the value in its place")
            if not details.is_readonly or not details.description:
                raise _refused(sql)
            columns = tuple(name for name, _ in details.description)
            cursor = self.connection.cursor().execute(sql)
        return Answer(columns, self._rows(cursor, sql))

    def _rows(self, cursor: apsw.Cursor, sql: str) -> Iterator[Row]:
        try:
            with self.limited(sql, again=False):
                yield from cursor
        finally:
            # Whoever has enough does not want the rest to be found.
            cursor.close(True)

    @contextmanager
    def limited(self, sql: str, *, again: bool = True) -> Iterator[None]:
        """`sql` has so much time from now, and fails with UsageError.

        `again`: False goes on with the time that is left.
        """
        if again:
            self._late = False
            self._deadline = self._clock() + self._seconds if self._seconds else float("inf")
        try:
            yield
        except (apsw.InterruptError, apsw.AbortError) as error:
            if not self._late:
                raise
            raise self._too_long() from error
        except (apsw.NoMemError, apsw.TooBigError, MemoryError) as error:
            raise UsageError(
                f"the statement needs more than {self._megabytes} MB of memory and was stopped; "
                "ask for less, or give it more with --megabytes"
            ) from error
        except (apsw.AuthError, apsw.ReadOnlyError) as error:
            raise _refused(sql) from error
        except apsw.Error as error:
            if any(words in str(error) for words in _NOT_ALLOWED):
                raise _refused(sql) from error
            raise UsageError(_explained(str(error), sql)) from error

    def _too_long(self) -> UsageError:
        return UsageError(
            f"the statement took longer than {self._seconds:g} s and was stopped; make it smaller "
            "(conditions on file, unit, test or context are quick), or give it more with --seconds"
        )

    def _is_late(self) -> bool:
        self._late = self._clock() > self._deadline
        return self._late

    def _authorize(
        self,
        operation: int,
        one: str | None,
        two: str | None,
        _database: str | None,
        _trigger: str | None,
    ) -> int:
        if operation in _READS:
            return apsw.SQLITE_OK
        if operation == apsw.SQLITE_FUNCTION:
            allowed = (two or "").lower() not in _FUNCTIONS
        else:
            allowed = operation == apsw.SQLITE_PRAGMA and (one or "").lower() in _PRAGMAS
        return apsw.SQLITE_OK if allowed else apsw.SQLITE_DENY


def _refused(sql: str) -> UsageError:
    what = " ".join(sql.split())
    if len(what) > _SHOWN:
        what = f"{what[:_SHOWN]}…"
    return UsageError(
        f"refused, because SQL only reads here: {what!r}; to change things in a copy, write one "
        "with `whotests export sqlite`"
    )


def _explained(message: str, sql: str) -> str:
    """SQLite's message with what may help."""
    said = f"SQL: {message}"
    if message == "no query solution":
        return f"{said}; lines_of and branches_of want a footprint: lines_of(context.footprint)"
    kind, _, name = message.partition(": ")
    name = name.partition(" ")[0]
    if kind == "no such table":
        tables = [table.name for table in TABLES]
        near = get_close_matches(name, tables, n=1)
        if near:
            return f"{said}; did you mean {near[0]}?"
        return f"{said}; there are {', '.join(tables)} (docs/schema.md describes them)"
    if kind == "no such column" and "should this be" not in message:
        column = name.rpartition(".")[2]
        asked = [table for table in TABLES if re.search(rf"\b{table.name}\b", sql)]
        meant = _nearest(column, asked)
        if not meant and (other := _nearest(column, TABLES)):
            # What another table has under this very name is seldom meant.
            meant = "" if len(asked) == 1 and other.startswith(f"{column} (") else other
        if meant:
            return f"{said}; did you mean {meant}?"
        if len(asked) == 1:
            there = ", ".join(each.name for each in asked[0].columns)
            return f"{said}; {asked[0].name} has {there}"
        return f"{said}; docs/schema.md describes all tables"
    return said


def _nearest(column: str, tables: Sequence[Table]) -> str:
    """The column of these tables with the nearest name, and which of them have it; or ''."""
    near = get_close_matches(column, sorted({c.name for one in tables for c in one.columns}), n=1)
    if not near:
        return ""
    owners = [one.name for one in tables if near[0] in [c.name for c in one.columns]]
    return f"{near[0]} (of {', '.join(owners)})"


def _says_something(connection: apsw.Connection, sql: str) -> bool:
    """Whether there is more than comments."""
    try:
        return apsw.ext.query_info(connection, sql).has_vdbe
    except apsw.Error:
        return True
