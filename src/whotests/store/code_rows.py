"""The rows of what ran of a run's files: units and patterns.

May import the standard library, types, packing, errors and the store's own floor. Refuses to
begin or end transactions: the writer does, and says afterwards which keys to keep.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from whotests.errors import InternalError
from whotests.packing.bitmaps import pack_ran
from whotests.records import FileRecord, PatternRecord
from whotests.store.file_rows import FileRows
from whotests.store.pending import Kept, Pending
from whotests.store.rows_at_once import AT_ONCE, rows_at_once
from whotests.types import bits_of, lines_in

__all__ = ["CodeRows"]

_Unit = tuple[int, int, int]
"""A unit's id, its first line and the place of its first branch among the file's. Plain, which
the garbage collector does not look at."""


class CodeRows:
    """Writes files, units and patterns of the run `run_id`, and knows their ids."""

    __slots__ = ("_files", "_new_patterns", "_patterns", "_units")

    def __init__(self, *, run_id: int) -> None:
        self._files = FileRows(run_id=run_id)
        self._units: Kept[tuple[int, int], _Unit] = Kept()
        """File key and place of a unit -> its row."""
        self._patterns: dict[int, int] = {}
        """Pattern key -> pattern id, the new ones as well: contexts have many. 0 for one that has
        neither lines nor branches."""
        self._new_patterns: list[int] = []

    def keep(self) -> None:
        """The transaction is in the file."""
        self._files.keep()
        self._units.keep()
        self._new_patterns = []

    def forget(self) -> None:
        """What was not kept did not happen."""
        self._files.forget()
        self._units.forget()
        for key in self._new_patterns:
            self._patterns.pop(key, None)
        self._new_patterns = []

    def pattern_ids(self, keys: Iterable[int]) -> Sequence[int]:
        """The ids of patterns, ascending; several keys may stand for one, which is there several
        times."""
        try:
            ids = sorted(map(self._patterns.__getitem__, keys))
        except KeyError as failure:
            raise InternalError(
                f"a context refers to pattern {failure}, which was never written; report this"
            ) from failure
        return ids if not ids or ids[0] else ids[bisect_right(ids, 0) :]

    def write_files(self, pending: Pending, files: Iterable[FileRecord]) -> None:
        """Adds the files' versions that are new, and what this run did with them."""
        self._files.write(pending, files)

    def write_patterns(self, pending: Pending, patterns: Sequence[PatternRecord]) -> None:
        """Adds those sets of lines and branches that the file does not have yet."""
        some = [pattern for pattern in patterns if pattern.lines or pattern.branches]
        self._write_units(pending, {(each.file_key, each.unit_index) for each in some})
        wanted = [(pattern.key, *self._packed(pattern)) for pattern in some]
        found = dict(_patterns_among(pending.connection, [row[1:] for row in wanted]))
        ids = {pattern.key: 0 for pattern in patterns}
        for key, unit_id, ran in wanted:
            pattern_id = found.get((unit_id, ran))
            if pattern_id is None:
                pattern_id = found[unit_id, ran] = pending.next_id("pattern")
                pending.add(
                    "INSERT INTO pattern (unit_id, ran, id) VALUES (?, ?, ?)",
                    (unit_id, ran, pattern_id),
                )
            ids[key] = pattern_id
        self._new_patterns += [key for key in ids if key not in self._patterns]
        self._patterns.update(ids)

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
        missing = [each for each in sorted(places) if self._units.get(each) is None]
        # Several keys may stand for one version.
        wanted = {(self._files[file_key].id, place) for file_key, place in missing}
        rows = dict(_units_among(pending.connection, sorted(wanted)))
        for file_key, place in missing:
            file = self._files[file_key]
            first_line, _, _, fingerprint = file.units[place]
            unit_id, before = rows.get((file.id, place), (0, b""))
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
            rows[file.id, place] = unit_id, fingerprint
            self._units[file_key, place] = unit_id, first_line, file.first_branch(place)


def _units_among(
    connection: sqlite3.Connection, wanted: Iterable[tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], tuple[int, bytes]]]:
    """Those of the wanted pairs of file id and place that have a row: its id and fingerprint."""
    rest = iter(wanted)
    while some := tuple(islice(rest, AT_ONCE)):
        rows = ", ".join(map(str, some))
        source = f"(VALUES {rows}) CROSS JOIN unit ON file_id = column1 AND place = column2"
        for file_id, place, unit_id, fingerprint in rows_at_once(
            connection, source, numbers=("file_id", "place", "id"), blobs=("fingerprint",)
        ):
            yield (file_id, place), (unit_id, fingerprint)


def _patterns_among(
    connection: sqlite3.Connection, wanted: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[tuple[int, bytes], int]]:
    """Those of the wanted pairs of unit id and bitmaps that the file has, with their ids."""
    rest = iter(wanted)
    while some := tuple(islice(rest, AT_ONCE)):
        # Named by their place: what was asked for needs no reading.
        rows = ", ".join([f"({place}, ?, ?)" for place in range(len(some))])
        source = (
            f"(VALUES {rows}) AS wanted CROSS JOIN pattern ON unit_id = column2 AND ran = column3"
        )
        for place, pattern_id in rows_at_once(
            connection, source, tuple(chain(*some)), numbers=("column1", "pattern.id")
        ):
            yield some[place], pattern_id
