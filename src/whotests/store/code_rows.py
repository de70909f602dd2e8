"""The rows of what a run has seen of the code: files, units and patterns.

May import the standard library, types, errors and the store's own floor. Refuses to begin
or end transactions: the writer does, and says afterwards which keys to keep.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from whotests.errors import InternalError
from whotests.records import NO_PATTERN, FileRecord, PatternRecord
from whotests.store.branches import Branches
from whotests.store.names import Names
from whotests.store.packing import (
    pack_bits,
    pack_branches,
    pack_lines,
    pack_outline,
    pack_ran,
    unpack_branches,
)
from whotests.store.pending import Kept, Pending
from whotests.store.rows_at_once import rows_at_once
from whotests.store.schema import FILE_STATES, UNIT_KINDS
from whotests.store.stored_text import stored_text
from whotests.types import FileState, bits_of, lines_in

__all__ = ["CodeRows"]

_AT_ONCE = 200
"""What is asked for in one query; SQLite takes some thousand values at most."""


class _File(NamedTuple):
    """A version of a file, as the data file has it."""

    id: int
    units: tuple[tuple[int, int, bytes], ...]
    """First line, last line and fingerprint of each. Plain tuples of plain values: the garbage
    collector does not look at these."""
    branches: Branches
    places: Sequence[int] | None
    """Where the run's branches are among `branches`; None: where they are in the run's list."""


_Facts = tuple[int, bytes, bytes, bytes, bytes, bytes]
"""A row of a file: how many lines it has, its statements, what is excluded, branches, what is
partial, and the outline."""

_NO_FACTS: _Facts = (0, b"", b"", b"", b"", b"")

_Unit = tuple[int, int, int]
"""A unit's id, its first line and the place of its first branch among the file's. Plain, too."""


class CodeRows:
    """Writes files, units and patterns of the run `run_id`, and knows their ids."""

    __slots__ = (
        "_files",
        "_folders",
        "_known",
        "_last_files",
        "_new_patterns",
        "_patterns",
        "_units",
        "run_id",
    )

    def __init__(self, *, run_id: int) -> None:
        self.run_id = run_id
        self._files: Kept[int, _File] = Kept()
        """File key -> what is in the file of it."""
        self._known: Kept[bytes, int] = Kept()
        """Digest, folder and name of a file -> its row's id, of all rows up to the last one that
        was looked at."""
        self._last_files = (0, 0)
        """That row, and the one that it was when the last transaction had succeeded."""
        self._folders = Names("folder")
        """What paths begin with."""
        self._units: Kept[tuple[int, int], _Unit] = Kept()
        """File key and place of a unit -> its row."""
        self._patterns: dict[int, int] = {NO_PATTERN: 0}
        """Pattern key -> pattern id, the new ones as well: contexts have many."""
        self._new_patterns: list[int] = []

    def keep(self) -> None:
        """The transaction is in the file."""
        self._files.keep()
        self._known.keep()
        self._last_files = (self._last_files[0], self._last_files[0])
        self._folders.keep()
        self._units.keep()
        self._new_patterns = []

    def forget(self) -> None:
        """What was not kept did not happen."""
        self._files.forget()
        self._known.forget()
        self._last_files = (self._last_files[1], self._last_files[1])
        self._folders.forget()
        self._units.forget()
        for key in self._new_patterns:
            del self._patterns[key]
        self._new_patterns = []

    def pattern_ids(self, keys: Iterable[int]) -> set[int]:
        """The ids of patterns; several keys may stand for one."""
        try:
            ids = set(map(self._patterns.__getitem__, keys))
        except KeyError as failure:
            raise InternalError(
                f"a context refers to pattern {failure}, which was never written; report this"
            ) from failure
        ids.discard(0)
        return ids

    def write_files(self, pending: Pending, files: Iterable[FileRecord]) -> None:
        """Adds the files' versions that are new, and what this run did with them."""
        self._look_for_others(pending.connection)
        placed = [(file, self._place(pending.connection, file)) for file in files]
        known = [self._known.get(_file_key(*place)) for _, place in placed]
        before = _facts_of(pending.connection, [each for each in known if each is not None])
        facts = before.copy()
        new: dict[int, tuple[int, str, bytes]] = {}
        for file, place in placed:
            key = _file_key(*place)
            file_id = self._known.get(key)
            if file_id is None:
                file_id = self._known[key] = pending.next_id("file")
                new[file_id] = place
            facts[file_id] = self._with_facts(pending, file, file_id, facts.get(file_id, _NO_FACTS))
        for file_id, values in facts.items():
            if file_id in new:
                pending.add(
                    "INSERT INTO file (id, folder_id, name, digest, line_count, statements,"
                    " excluded, branches, partial, outline) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (file_id, *new[file_id], *values),
                )
            elif values != before[file_id]:
                pending.add(
                    "UPDATE file SET line_count = ?, statements = ?, excluded = ?, branches = ?,"
                    " partial = ?, outline = ? WHERE id = ?",
                    (*values, file_id),
                )

    def _look_for_others(self, connection: sqlite3.Connection) -> None:
        """Knows the files that others have written between two transactions. Rows stay while a
        run is alive."""
        last, kept = self._last_files
        for file_id, folder_id, name, digest in rows_at_once(
            connection,
            "file WHERE id > ?",
            (last,),
            numbers=("id", "folder_id"),
            blobs=("name", "digest"),
        ):
            self._known[_file_key(folder_id, name, digest)] = file_id
            last = max(last, file_id)
        self._last_files = (last, kept)

    def _place(self, connection: sqlite3.Connection, file: FileRecord) -> tuple[int, str, bytes]:
        """What tells this version of the file from all others: folder id, name and digest."""
        head, slash, name = file.path.rpartition("/")
        return self._folders.id_of(connection, head + slash), name, file.digest

    def _with_facts(
        self, pending: Pending, file: FileRecord, file_id: int, before: _Facts
    ) -> _Facts:
        """What is known of the file from now on; its run is told of it."""
        # Of one that was imported from elsewhere, without its source, it is known what ran.
        measured = file.state is FileState.MEASURED or (
            file.state is FileState.NOT_MEASURED and bool(file.units)
        )
        *_, packed, partial, outline = before
        if measured:
            outline = _outline_of(file)
        branches, places = Branches(unpack_branches(packed)), None
        if file.branches:
            known = branches
            branches, places = known.with_all(file.branches)
            partial = pack_lines(file.partial)
            if branches is not known:
                packed = pack_branches(branches.all)
        pending.add(
            "INSERT OR REPLACE INTO run_file (run_id, file_id, state, reason) VALUES (?, ?, ?, ?)",
            (self.run_id, file_id, FILE_STATES.index(file.state), file.reason),
        )
        # Nothing runs of the others.
        units = file.units if measured else ()
        self._files[file.key] = _File(
            id=file_id,
            units=tuple((unit.first_line, unit.last_line, unit.fingerprint) for unit in units),
            branches=branches,
            places=places,
        )
        # The same text under other exclusion rules: the newest rules count.
        return (
            file.line_count,
            pack_bits(file.statements),
            pack_lines(file.excluded),
            packed,
            partial,
            outline,
        )

    def write_patterns(self, pending: Pending, patterns: Sequence[PatternRecord]) -> None:
        """Adds those sets of lines and branches that the file does not have yet."""
        self._write_units(pending, {(each.file_key, each.unit_index) for each in patterns})
        wanted = [(pattern.key, *self._packed(pattern)) for pattern in patterns]
        found = dict(_patterns_among(pending.connection, [row[1:] for row in wanted]))
        for key, unit_id, ran in wanted:
            pattern_id = found.get((unit_id, ran))
            if pattern_id is None:
                pattern_id = found[unit_id, ran] = pending.next_id("pattern")
                pending.add(
                    "INSERT INTO pattern (unit_id, ran, id) VALUES (?, ?, ?)",
                    (unit_id, ran, pattern_id),
                )
            if key not in self._patterns:
                self._new_patterns.append(key)
            self._patterns[key] = pattern_id

    def _packed(self, pattern: PatternRecord) -> tuple[int, bytes]:
        """Unit id, and lines and branches as the unit's patterns have them."""
        unit_id, first_line, first_branch = self._units[pattern.file_key, pattern.unit_index]
        branches = pattern.branches
        if branches:
            places = self._files[pattern.file_key].places
            if places is not None:
                branches = bits_of(places[branch] for branch in lines_in(branches))
        return unit_id, pack_ran(pattern.lines >> first_line, branches >> first_branch)

    def _write_units(self, pending: Pending, places: Iterable[tuple[int, int]]) -> None:
        """Sees to it that each of these units has a row."""
        by_file: dict[int, list[int]] = {}
        for file_key, place in sorted(places):
            if self._units.get((file_key, place)) is None:
                by_file.setdefault(file_key, []).append(place)
        # Several keys may stand for one version.
        rows_of = _units_of(pending.connection, {self._files[key].id for key in by_file})
        for file_key, missing in by_file.items():
            file = self._files[file_key]
            rows = rows_of[file.id]
            for place in missing:
                first_line, last_line, fingerprint = file.units[place]
                unit_id, before = rows.get(place, (0, b""))
                if not unit_id:
                    unit_id = pending.next_id("unit")
                    pending.add(
                        "INSERT INTO unit (file_id, place, id, fingerprint) VALUES (?, ?, ?, ?)",
                        (file.id, place, unit_id, fingerprint),
                    )
                elif before != fingerprint:
                    # Another Python, or another whotests, sees the same text differently.
                    pending.add(
                        "UPDATE unit SET fingerprint = ? WHERE file_id = ? AND place = ?",
                        (fingerprint, file.id, place),
                    )
                rows[place] = unit_id, fingerprint
                first_branch = file.branches.first_within(first_line, last_line)
                self._units[file_key, place] = unit_id, first_line, first_branch


def _file_key(folder_id: int, name: str | bytes, digest: bytes) -> bytes:
    """Bytes, which the garbage collector does not look at."""
    if isinstance(name, str):
        name = stored_text(name).encode("utf-8")
    return b"%b%d %b" % (digest, folder_id, name)


def _facts_of(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, _Facts]:
    """What is known of these files."""
    return {
        file_id: (line_count, statements, excluded, branches, partial, outline)
        for some in _portions(ids)
        for file_id, line_count, statements, excluded, branches, partial, outline in rows_at_once(
            connection,
            f"file WHERE id IN ({some})",
            numbers=("id", "line_count"),
            blobs=("statements", "excluded", "branches", "partial", "outline"),
        )
    }


def _units_of(
    connection: sqlite3.Connection, files: Iterable[int]
) -> dict[int, dict[int, tuple[int, bytes]]]:
    """The rows of these files' units: their ids and fingerprints, by file id and place."""
    rows: dict[int, dict[int, tuple[int, bytes]]] = {file_id: {} for file_id in files}
    for some in _portions(sorted(rows)):
        for file_id, place, unit_id, fingerprint in rows_at_once(
            connection,
            f"unit WHERE file_id IN ({some})",
            numbers=("file_id", "place", "id"),
            blobs=("fingerprint",),
        ):
            rows[file_id][place] = unit_id, fingerprint
    return rows


def _portions(ids: Sequence[int]) -> Iterator[str]:
    """Ids as a query has them, some at a time."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ", ".join(map(str, ids[start : start + _AT_ONCE]))


def _patterns_among(
    connection: sqlite3.Connection, wanted: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[tuple[int, bytes], int]]:
    """Those of the wanted pairs of unit id and bitmaps that the file has, with their ids."""
    rest = iter(wanted)
    while some := tuple(islice(rest, _AT_ONCE)):
        # Named by their place: what was asked for needs no reading.
        rows = ", ".join([f"({place}, ?, ?)" for place in range(len(some))])
        source = (
            f"(VALUES {rows}) AS wanted CROSS JOIN pattern ON unit_id = column2 AND ran = column3"
        )
        for place, pattern_id in rows_at_once(
            connection, source, tuple(chain(*some)), numbers=("column1", "pattern.id")
        ):
            yield some[place], pattern_id


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
