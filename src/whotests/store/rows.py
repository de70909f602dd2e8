"""The rows of one run, and what the file calls the things that the run has named.

May import the standard library, types, errors and the store's own floor. Refuses to begin
or end transactions: the writer does, and says afterwards which keys to keep.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from whotests.errors import InternalError
from whotests.records import (
    ContextRecord,
    FileRecord,
    PatternRecord,
    TestRecord,
    UnitRecord,
)
from whotests.store.branches import Branches
from whotests.store.packing import (
    pack,
    pack_bits,
    pack_branches,
    pack_outline,
    pack_ran,
    unpack_branches,
    walk,
)
from whotests.store.schema import FILE_STATES, OUTCOMES, PHASES, RUNNERS, UNIT_KINDS
from whotests.types import FileState, TestName, bits_of, lines_in

__all__ = ["RunRows", "insert"]


def insert(connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> int:
    """Runs an INSERT; the id of the new row."""
    row_id = connection.execute(sql, values).lastrowid
    if row_id is None:
        raise InternalError("SQLite gave a new row no id; please report this")
    return row_id


def _split(name: str) -> tuple[str, str]:
    """A test's name as its scope and the rest; '::' and '.' in parameters do not count."""
    head, bracket, _ = name.partition("[")
    if bracket and name.endswith("]"):
        # A function with many sets of parameters.
        return head + bracket, name[len(head) + 1 :]
    mark = "::" if "::" in head else "."
    end = head.rfind(mark)
    end = 0 if end < 0 else end + len(mark)
    return name[:end], name[end:]


class _File(NamedTuple):
    """A version of a file, as the data file has it."""

    id: int
    units: tuple[UnitRecord, ...]
    branches: Branches
    places: Sequence[int] | None
    """Where the run's branches are among `branches`; None: where they are in the run's list."""


def _outline_of(file: FileRecord) -> bytes:
    return pack_outline(
        (
            UNIT_KINDS.index(unit.kind),
            unit.first_line,
            unit.last_line,
            unit.body_line,
            unit.qualname,
        )
        for unit in file.units
    )


class _Keys:
    """What the file calls the things that the run has named so far."""

    __slots__ = (
        "contexts",
        "files",
        "footprints",
        "last_ids",
        "patterns",
        "scopes",
        "tests",
        "units",
    )

    def __init__(self) -> None:
        self.files: dict[int, _File] = {}
        """File key -> what is in the file of it."""
        self.units: dict[tuple[int, int], tuple[int, int, int]] = {}
        """File key and place of a unit -> (unit id, first line, place of its first branch)."""
        self.patterns: list[int] = []
        """Keys of patterns; of the last transaction alone."""
        self.footprints: dict[bytes, int] = {}
        """Packed pattern ids -> footprint id."""
        self.scopes: dict[str, int] = {}
        """What names begin with -> scope id."""
        self.tests: dict[TestName, int] = {}
        """Name -> test id."""
        self.contexts: dict[int, tuple[int, int, bool]] = {}
        """Context key -> (context id, footprint id, complete)."""
        self.last_ids: dict[str, int] = {}
        """Table -> the highest id in it. For one transaction: others write in between."""

    def take(self, other: "_Keys") -> None:
        self.files.update(other.files)
        self.units.update(other.units)
        self.footprints.update(other.footprints)
        self.scopes.update(other.scopes)
        self.tests.update(other.tests)
        self.contexts.update(other.contexts)


class RunRows:
    """Writes the rows of the run `run_id` within the caller's transaction.

    Keys that a transaction gave out count from `keep` on; `forget` drops those that were
    given out since, as when the transaction was rolled back.
    """

    __slots__ = ("_known", "_new", "_patterns", "run_id")

    def __init__(self, *, run_id: int) -> None:
        self.run_id = run_id
        self._known = _Keys()
        self._new = _Keys()
        self._patterns: dict[int, int] = {}
        """Pattern key -> pattern id, the new ones as well: contexts have many."""

    def keep(self) -> None:
        """The transaction is in the file."""
        self._known.take(self._new)
        self._new = _Keys()

    def forget(self) -> None:
        """What was not kept did not happen."""
        for key in self._new.patterns:
            del self._patterns[key]
        self._new = _Keys()

    def share_footprints(self, connection: sqlite3.Connection) -> None:
        """Uses the footprints that the file has already.

        Safe while the run's row is there: garbage is collected only when no run is alive.
        """
        self._new.footprints = dict(connection.execute("SELECT patterns, id FROM footprint"))

    def share_recent_footprints(self, connection: sqlite3.Connection) -> None:
        """Uses those of the last few contexts that were written: a short process that does what
        many others do adds none, and reads no more than that. Safe as above."""
        recent = "SELECT patterns, id FROM footprint ORDER BY id DESC LIMIT 200"
        self._new.footprints = dict(connection.execute(recent))

    def _next_id(self, connection: sqlite3.Connection, table: str) -> int:
        """An id for a row of a table that is not kept in the order of its ids.

        Finding the highest takes a walk through the whole table.
        """
        last_ids = self._new.last_ids
        if table not in last_ids:
            query = f"SELECT coalesce(max(id), 0) FROM {table}"
            (last_ids[table],) = connection.execute(query).fetchone()
        last_ids[table] += 1
        return last_ids[table]

    def write_file(self, connection: sqlite3.Connection, file: FileRecord) -> None:
        """Adds the file's version if it is new, and what this run did with it."""
        measured = file.state is FileState.MEASURED
        row = connection.execute(
            "SELECT id, branches, partial, outline FROM file"
            " WHERE substr(digest, 1, 4) = ? AND digest = ? AND path = ?",
            (file.digest[:4], file.digest, file.path),
        ).fetchone()
        file_id, packed, partial, outline = row or (0, b"", b"", b"")
        if measured:
            outline = _outline_of(file)
        branches, places = Branches(unpack_branches(packed)), None
        if file.branches:
            before = branches
            branches, places = before.with_all(file.branches)
            partial = pack_bits(file.partial)
            if branches is not before:
                packed = pack_branches(branches.all)
        # The same text under other exclusion rules: the newest rules count.
        facts = (
            file.line_count,
            pack_bits(file.statements),
            pack_bits(file.excluded),
            packed,
            partial,
            outline,
        )
        if row is None:
            file_id = insert(
                connection,
                "INSERT INTO file (path, digest, line_count, statements, excluded, branches,"
                " partial, outline) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (file.path, file.digest, *facts),
            )
        else:
            connection.execute(
                "UPDATE file SET line_count = ?, statements = ?, excluded = ?, branches = ?,"
                " partial = ?, outline = ? WHERE id = ?",
                (*facts, file_id),
            )
        connection.execute(
            "INSERT OR REPLACE INTO run_file (run_id, file_id, state, reason) VALUES (?, ?, ?, ?)",
            (self.run_id, file_id, FILE_STATES.index(file.state), file.reason),
        )
        # Nothing runs of the others.
        units = file.units if measured else ()
        self._new.files[file.key] = _File(id=file_id, units=units, branches=branches, places=places)

    def _unit(
        self, connection: sqlite3.Connection, file_key: int, place: int
    ) -> tuple[int, int, int]:
        """Id, first line and place of the first branch of a unit that something ran of.

        It gets a row when it has none.
        """
        known = self._new.units.get((file_key, place)) or self._known.units.get((file_key, place))
        if known is not None:
            return known
        file = self._file(file_key)
        file_id, unit = file.id, file.units[place]
        row = connection.execute(
            "SELECT id, fingerprint FROM unit WHERE file_id = ? AND place = ?", (file_id, place)
        ).fetchone()
        if row is None:
            row = (self._next_id(connection, "unit"),)
            connection.execute(
                "INSERT INTO unit (file_id, place, id, fingerprint) VALUES (?, ?, ?, ?)",
                (file_id, place, row[0], unit.fingerprint),
            )
        elif row[1] != unit.fingerprint:
            # Another Python, or another whotests, sees the same text differently.
            connection.execute(
                "UPDATE unit SET fingerprint = ? WHERE file_id = ? AND place = ?",
                (unit.fingerprint, file_id, place),
            )
        first_branch = file.branches.first_within(unit.first_line, unit.last_line)
        known = self._new.units[file_key, place] = (int(row[0]), unit.first_line, first_branch)
        return known

    def _file(self, file_key: int) -> _File:
        return self._new.files.get(file_key) or self._known.files[file_key]

    def write_patterns(
        self, connection: sqlite3.Connection, patterns: Sequence[PatternRecord]
    ) -> None:
        """Adds those sets of lines and branches that the file does not have yet."""
        for pattern in patterns:
            unit_id, first_line, first_branch = self._unit(
                connection, pattern.file_key, pattern.unit_index
            )
            branches = pattern.branches
            if branches:
                places = self._file(pattern.file_key).places
                if places is not None:
                    branches = bits_of(places[branch] for branch in lines_in(branches))
            ran = pack_ran(pattern.lines >> first_line, branches >> first_branch)
            row = connection.execute(
                "SELECT id FROM pattern WHERE unit_id = ? AND ran = ?", (unit_id, ran)
            ).fetchone()
            if row is None:
                row = (self._next_id(connection, "pattern"),)
                connection.execute(
                    "INSERT INTO pattern (unit_id, ran, id) VALUES (?, ?, ?)",
                    (unit_id, ran, row[0]),
                )
            if pattern.key not in self._patterns:
                self._new.patterns.append(pattern.key)
            self._patterns[pattern.key] = row[0]

    def write_test(self, connection: sqlite3.Connection, test: TestRecord) -> None:
        """Adds the test, or replaces what was said of it before."""
        ended = (
            RUNNERS.index(test.runner),
            OUTCOMES.index(test.outcome),
            None if test.duration is None else round(test.duration * 1_000_000),
        )
        test_id = self._new.tests.get(test.name) or self._known.tests.get(test.name)
        if test_id is None:
            scope, name = _split(test.name)
            self._new.tests[test.name] = insert(
                connection,
                "INSERT INTO test (run_id, scope_id, name, runner, outcome, duration)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self.run_id, self._scope_id(connection, scope), name, *ended),
            )
        else:
            connection.execute(
                "UPDATE test SET runner = ?, outcome = ?, duration = ? WHERE id = ?",
                (*ended, test_id),
            )

    def write_context(self, connection: sqlite3.Connection, context: ContextRecord) -> None:
        """Adds the context, or adds to it; one that ran nothing gets no row."""
        if not context.patterns:
            return
        test_id = None if context.test is None else self._test_id(context.test)
        old = self._new.contexts.get(context.key) or self._known.contexts.get(context.key)
        if old is None:
            footprint_id = self._footprint_id(connection, context.patterns)
            context_id = insert(
                connection,
                "INSERT INTO context (run_id, test_id, phase, label, footprint_id, complete)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self.run_id,
                    test_id,
                    None if context.phase is None else PHASES.index(context.phase),
                    None if context.test is not None else context.label,
                    footprint_id,
                    context.complete,
                ),
            )
        else:
            context_id = old[0]
            footprint_id = self._footprint_id(connection, context.patterns, grown_from=old[1])
            if old[1:] == (footprint_id, context.complete):
                return
            connection.execute(
                "UPDATE context SET footprint_id = ?, complete = ? WHERE id = ?",
                (footprint_id, context.complete, context_id),
            )
        self._new.contexts[context.key] = (context_id, footprint_id, context.complete)

    def _scope_id(self, connection: sqlite3.Connection, name: str) -> int:
        scope_id = self._new.scopes.get(name) or self._known.scopes.get(name)
        if scope_id is None:
            # There are few, and each is looked for once: they need no index.
            row = connection.execute("SELECT id FROM scope WHERE name = ?", (name,)).fetchone()
            if row is None:
                scope_id = insert(connection, "INSERT INTO scope (name) VALUES (?)", (name,))
            else:
                scope_id = int(row[0])
            self._new.scopes[name] = scope_id
        return scope_id

    def _test_id(self, name: TestName) -> int:
        test_id = self._new.tests.get(name) or self._known.tests.get(name)
        if test_id is None:
            raise InternalError(f"a context names {name!r}, which was never written; report this")
        return test_id

    def _footprint_id(
        self, connection: sqlite3.Connection, keys: Sequence[int], *, grown_from: int = 0
    ) -> int:
        """The footprint of these patterns, and of those of the footprint it has grown from."""
        try:
            ids = set(map(self._patterns.__getitem__, keys))  # several may stand for one row
        except KeyError as failure:
            raise InternalError(
                f"a context refers to pattern {failure}, which was never written; report this"
            ) from failure
        if grown_from:
            query = "SELECT patterns FROM footprint WHERE id = ?"
            before = set(walk(connection.execute(query, (grown_from,)).fetchone()[0]))
            if ids <= before:
                return grown_from
            ids |= before
        blob = pack(sorted(ids))
        footprint_id = self._new.footprints.get(blob) or self._known.footprints.get(blob)
        if footprint_id is None:
            footprint_id = insert(
                connection, "INSERT INTO footprint (patterns) VALUES (?)", (blob,)
            )
            self._new.footprints[blob] = footprint_id
        return footprint_id
