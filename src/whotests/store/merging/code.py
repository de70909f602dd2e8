"""What a data file has of the code, and what becomes of another one's: files, units, patterns.

May import the standard library, packing and the store's own floor. Refuses to mix versions of a
file: what it takes goes to the file of the same path and digest.
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from whotests.errors import DataError
from whotests.packing.bitmaps import pack_ran, unpack_lines, unpack_ran
from whotests.packing.branches import BranchList, pack_branches, unpack_branches
from whotests.packing.outlines import Outlined, unpack_outline
from whotests.store.merging.source import Source
from whotests.store.pending import Pending
from whotests.types import bits_of, lines_in

__all__ = ["Code", "Taken"]

_FILES = (
    "SELECT file.id, folder.name || file.name, digest, line_count, statements, excluded, branches,"
    " partial, outline FROM file JOIN folder ON folder.id = folder_id"
)
_SEEN = "SELECT file_id, max(heartbeat) FROM run_file JOIN run ON run.id = run_id GROUP BY file_id"
_NEVER: Final = -1.0


@dataclass(slots=True)
class _File:
    """A version of a file."""

    id: int
    path: str
    digest: bytes
    line_count: int
    statements: bytes
    excluded: bytes
    branches: bytes
    partial: bytes
    outline: bytes
    seen: float = 0.0
    """When the newest run that saw it wrote last."""
    units: list[Outlined] = field(default_factory=list)
    """Those of the outline, once they are asked for."""

    def facts(self) -> tuple[int, bytes, bytes, bytes, bytes, bytes]:
        """What may change of it."""
        return (
            self.line_count,
            self.statements,
            self.excluded,
            self.branches,
            self.partial,
            self.outline,
        )

    def check(self) -> None:
        """Raises ValueError unless all of it unpacks: nobody could read what it was copied to."""
        for lines in (self.excluded, self.partial):
            unpack_lines(lines)
        unpack_branches(self.branches)
        if self.outline:
            self.outlined()

    def outlined(self) -> list[Outlined]:
        """Its units in source order."""
        if not self.units:
            self.units = unpack_outline(self.outline)
        return self.units


@dataclass(frozen=True, slots=True)
class Taken:
    """What the ids of a source are here."""

    files: Mapping[int, int]
    patterns: Mapping[int, int]
    """0: that of a file which was not chosen."""


class Code:
    """The files, units and patterns of a data file that others are copied to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._folders: dict[str, int] = {
            name: folder_id for folder_id, name in connection.execute("SELECT id, name FROM folder")
        }
        self._files: dict[tuple[str, bytes], _File] = {}
        seen = dict(connection.execute(_SEEN))
        for row in connection.execute(_FILES):
            file = self._files[row[1], row[2]] = _File(*row)
            file.seen = seen.get(file.id, 0.0)
        self._units: dict[tuple[int, int], tuple[int, bytes]] = {
            (file_id, place): (unit_id, fingerprint)
            for file_id, place, unit_id, fingerprint in connection.execute(
                "SELECT file_id, place, id, fingerprint FROM unit"
            )
        }
        self._patterns: dict[tuple[int, bytes], int] = {
            (unit_id, ran): pattern_id
            for unit_id, ran, pattern_id in connection.execute(
                "SELECT unit_id, ran, id FROM pattern"
            )
        }

    def take(
        self,
        pending: Pending,
        source: Source,
        *,
        seen: Mapping[int, float],
        patterns: Collection[int] | None,
        paths: Mapping[str, str],
        chosen: Callable[[str], bool] | None,
    ) -> Taken:
        """Adds the files `seen` (id -> when the newest run that saw it wrote last), and the
        patterns (None: all) of those.

        `paths` has the paths here for those there that are others, and `chosen` tells by the path
        here which files to take. Raises DataError when the source is damaged.
        """
        with source.intact():
            there: dict[int, _File] = {}
            here: dict[int, _File] = {}
            for row in source.rows(_FILES):
                file = _File(*row)
                file.seen = seen.get(file.id, _NEVER)
                file.path = paths.get(file.path, file.path)
                there[file.id] = file
                if file.id in seen and (chosen is None or chosen(file.path)):
                    here[file.id] = self._file(pending, source, file)
            taken = self._take_patterns(pending, source, there, here, patterns)
            for number, file in here.items():
                file.seen = max(file.seen, there[number].seen)
            return Taken(files={number: file.id for number, file in here.items()}, patterns=taken)

    def _file(self, pending: Pending, source: Source, theirs: _File) -> _File:
        """The file here, with what theirs knows beyond it."""
        ours = self._files.get((theirs.path, theirs.digest))
        if ours is None:
            theirs.check()
            head, slash, name = theirs.path.rpartition("/")
            ours = _File(
                pending.next_id("file"), theirs.path, theirs.digest, *theirs.facts(), theirs.seen
            )
            self._files[ours.path, ours.digest] = ours
            pending.add(
                "INSERT INTO file (id, folder_id, name, digest, line_count, statements, excluded,"
                " branches, partial, outline) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (ours.id, self._folder(pending, head + slash), name, ours.digest, *ours.facts()),
            )
            return ours
        before = ours.facts()
        newer = theirs.seen > ours.seen
        if newer:
            # The same text under other exclusion rules, or seen by another Python.
            ours.line_count = theirs.line_count
            ours.statements, ours.excluded = theirs.statements, theirs.excluded
        if theirs.branches and (newer or not ours.branches):
            ours.partial = theirs.partial
        ours.branches = _all_branches(ours.branches, theirs.branches)
        ours.outline = ours.outline or theirs.outline
        if ours.facts() != before:
            theirs.check()
            pending.add(
                "UPDATE file SET line_count = ?, statements = ?, excluded = ?, branches = ?,"
                " partial = ?, outline = ? WHERE id = ?",
                (*ours.facts(), ours.id),
            )
        return ours

    def _folder(self, pending: Pending, name: str) -> int:
        folder_id = self._folders.get(name)
        if folder_id is None:
            folder_id = self._folders[name] = pending.next_id("folder")
            pending.add("INSERT INTO folder (id, name) VALUES (?, ?)", (folder_id, name))
        return folder_id

    def _take_patterns(
        self,
        pending: Pending,
        source: Source,
        there: Mapping[int, _File],
        here: Mapping[int, _File],
        wanted: Collection[int] | None,
    ) -> dict[int, int]:
        # Ascending, so that those which come together stay close to each other.
        rows = source.rows("SELECT id, unit_id, ran FROM pattern")
        if wanted is not None:
            rows = [row for row in rows if row[0] in wanted]
        rows.sort(key=itemgetter(0))
        units = self._take_units(pending, source, there, here, {row[1] for row in rows})
        # Where there are none yet, they keep their ids, and so footprints what they are.
        alike = wanted is None and not self._patterns
        taken: dict[int, int] = {}
        for pattern_id, unit_id, ran in rows:
            if pattern_id in taken:
                raise ValueError(f"there are two patterns {pattern_id}")
            if unit_id not in units:
                continue  # garbage, or damage if anything refers to it
            unit = units[unit_id]
            if unit is None:
                taken[pattern_id] = 0
                continue
            ours, moved = unit
            key = (ours, ran if moved is None else moved.ran(ran))
            number = self._patterns.get(key)
            if number is None:
                unpack_ran(ran)  # nobody could read it where it is copied to
                number = pattern_id if alike else pending.next_id("pattern")
                self._patterns[key] = number
                pending.add(
                    "INSERT INTO pattern (unit_id, ran, id) VALUES (?, ?, ?)", (*key, number)
                )
            taken[pattern_id] = number
        return taken

    def _take_units(
        self,
        pending: Pending,
        source: Source,
        there: Mapping[int, _File],
        here: Mapping[int, _File],
        wanted: Collection[int],
    ) -> dict[int, "tuple[int, _Moved | None] | None"]:
        """Each unit's id here, and how its branches have moved; None: not of a chosen file."""
        units: dict[int, tuple[int, _Moved | None] | None] = {}
        places: dict[int, _Places] = {}
        for file_id, place, unit_id, fingerprint in source.rows(
            "SELECT file_id, place, id, fingerprint FROM unit"
        ):
            if unit_id not in wanted or there[file_id].seen < 0:
                continue
            if unit_id in units:
                raise ValueError(f"there are two units {unit_id}")
            theirs, ours = there[file_id], here.get(file_id)
            if ours is None:
                units[unit_id] = None
                continue
            if file_id not in places:
                places[file_id] = _Places(source, theirs, ours)
            at = places[file_id].units
            key = (ours.id, place if at is None else at[place])
            if at is None and place >= len(ours.outlined()):
                raise ValueError(f"unit {unit_id} is none of {theirs.path}")
            known = self._units.get(key)
            if known is None:
                known = self._units[key] = (pending.next_id("unit"), fingerprint)
                pending.add(
                    "INSERT INTO unit (file_id, place, id, fingerprint) VALUES (?, ?, ?, ?)",
                    (*key, *known),
                )
            elif known[1] != fingerprint and theirs.seen >= ours.seen:
                self._units[key] = (known[0], fingerprint)
                pending.add(
                    "UPDATE unit SET fingerprint = ? WHERE file_id = ? AND place = ?",
                    (fingerprint, *key),
                )
            units[unit_id] = (known[0], places[file_id].moved(place, key[1]))
        return units


class _Places:
    """Where the units and branches of their file are in ours."""

    def __init__(self, source: Source, theirs: _File, ours: _File) -> None:
        self._theirs = theirs
        self._ours = ours
        self.units: Sequence[int] | None = None
        """None: where they are there."""
        if theirs.outline != ours.outline:
            known = {_identity(unit): place for place, unit in enumerate(ours.outlined())}
            try:
                self.units = [known[_identity(unit)] for unit in theirs.outlined()]
            except KeyError as failure:
                raise DataError(
                    f"{source.path} says of {theirs.path} that {failure.args[0][2] or 'the module'}"
                    f" is on lines {failure.args[0][0]} to {failure.args[0][1]}, which other data"
                    " of the same source does not; record again, all with one version of whotests"
                ) from failure
        self._branches: Sequence[int] | None = None
        if theirs.branches != ours.branches:
            self._of_ours = BranchList(unpack_branches(ours.branches))
            self._of_theirs = BranchList(unpack_branches(theirs.branches))
            _, self._branches = self._of_ours.with_all(self._of_theirs.all)

    def moved(self, place: int, here: int) -> "_Moved | None":
        """How the branches of a unit's patterns have moved; None: not at all."""
        if self._branches is None:
            return None
        _, first_line, last_line, _, _ = self._theirs.outlined()[place]
        first_there = self._of_theirs.first_within(first_line, last_line)
        _, first_line, last_line, _, _ = self._ours.outlined()[here]
        return _Moved(
            self._branches, first_there, self._of_ours.first_within(first_line, last_line)
        )


class _Moved:
    """Branches of a unit, from their places in one list to those in another one."""

    __slots__ = ("_first_here", "_first_there", "_places")

    def __init__(self, places: Sequence[int], first_there: int, first_here: int) -> None:
        self._places = places
        self._first_there = first_there
        self._first_here = first_here

    def ran(self, blob: bytes) -> bytes:
        """What a pattern there is here."""
        lines, branches = unpack_ran(blob)
        if not branches:
            return blob
        here = bits_of(self._places[place + self._first_there] for place in lines_in(branches))
        return pack_ran(lines, here >> self._first_here)


def _all_branches(ours: bytes, theirs: bytes) -> bytes:
    """Our branches, and behind them those of theirs that are new."""
    if not theirs or ours == theirs:
        return ours
    if not ours:
        return theirs
    known = BranchList(unpack_branches(ours))
    grown, _ = known.with_all(unpack_branches(theirs))
    return ours if grown is known else pack_branches(grown.all)


def _identity(unit: Outlined) -> tuple[int, int, str]:
    _, first_line, last_line, _, name = unit
    return first_line, last_line, name
