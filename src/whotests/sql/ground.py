"""What all tables are made from: the facts of files and contexts, found once and kept a while.

May import query, store and types. Refuses to know columns.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from whotests.query.facts import ContextKey, FileFacts, Ran, file_facts, key_of
from whotests.query.files import Catalogue
from whotests.sql.wanted import Wanted
from whotests.store.reader import Reader
from whotests.store.values import Context, FileVersion, Pattern, Unit, labelled
from whotests.types import LineBits, lines_in

__all__ = ["Ground", "Owned", "Who", "who_of"]

_KEPT_FILES = 64
_KEPT_FOOTPRINTS = 512
_KEPT_LINES = 1 << 15
_AT_ONCE = 200
"""Files whose facts are held together: those of very large projects do not fit into memory."""

_FEW = 4
"""Looking at each of so many files takes less than at all: one part of them in four."""

_ONE_BY_ONE = 8
"""Of so many footprints, only the patterns that they have are read; then, all at once."""

_PLACE = 24
"""Bits for a unit's place in its file, in the id of one that nothing ran."""


class Who(NamedTuple):
    """A context as rows have it."""

    context: str
    test: str | None
    phase: str | None


class Owned(NamedTuple):
    """A unit, and the lines that belong to it and to no unit in it."""

    id: int
    unit: Unit
    lines: int


class Ground:
    """One reader and its catalogue, asked for rows by several tables."""

    def __init__(self, reader: Reader, catalogue: Catalogue) -> None:
        self.reader = reader
        self.catalogue = catalogue
        self.decoded = 0
        """How many footprints were looked into so far: tests count them."""
        self._looked_up = 0
        self._lines_asked: set[str] = set()
        self.lines_in = lru_cache(maxsize=_KEPT_LINES)(_lines_in)
        self.of_footprint = lru_cache(maxsize=_KEPT_FOOTPRINTS)(self._of_footprint)
        self.owned = lru_cache(maxsize=_KEPT_FILES)(self._owned)
        self.owners = lru_cache(maxsize=_KEPT_FILES)(self._owners)
        self._ran_in = lru_cache(maxsize=_KEPT_FILES)(self._read_ran_in)
        self._facts_of = lru_cache(maxsize=_KEPT_FILES)(self._read_facts_of)

    @cached_property
    def files(self) -> Mapping[str, FileVersion]:
        """Path -> the version to speak of, by path."""
        catalogue = self.catalogue
        return {path: catalogue.current(path) for path in sorted(catalogue.versions)}

    @cached_property
    def paths(self) -> Mapping[int, str]:
        """Id of a version to speak of -> its path."""
        return {file.id: path for path, file in self.files.items()}

    @cached_property
    def contexts(self) -> Mapping[str, Sequence[Context]]:
        """The contexts by name; one name may stand in several runs that are asked."""
        found: dict[str, list[Context]] = {}
        for context in self.reader.contexts():
            found.setdefault(context.name, []).append(context)
        return found

    @cached_property
    def names_by_test(self) -> Mapping[str, Sequence[str]]:
        """Title of a test -> the names of its contexts."""
        found: dict[str, list[str]] = {}
        for name, contexts in self.contexts.items():
            test = contexts[0].test
            if test is not None:
                found.setdefault(test.title, []).append(name)
        return found

    def wanted_paths(self, wanted: Wanted, *, column: str = "file") -> Collection[str] | None:
        """The files that rows may be of; None: all, or so many that it is not worth it."""
        paths: Collection[str] | None = None
        if (values := wanted.values(column)) is not None:
            paths = [path for path in values if isinstance(path, str) and path in self.files]
        elif wanted.restricts(column):
            paths = self.files
        if (units := wanted.values("unit")) is not None:
            of_units = {self.paths.get(self.file_of_unit(unit), "") for unit in units}
            paths = of_units if paths is None else of_units & set(paths)
        if paths is None and wanted.restricts("unit_name"):
            paths = [path for path in self.files if self.lines_of_units(path, wanted)]
        if paths is None:
            return None
        return [path for path in paths if path in self.files and wanted.admits(column, path)]

    def few(self, paths: Collection[str]) -> bool:
        """Whether it is quicker to look at these files one by one than at everything."""
        return len(paths) <= max(1, len(self.files) // _FEW)

    def facts(self, paths: Collection[str] | None) -> Iterator[FileFacts]:
        """The facts of these files, or of all, by path."""
        chosen = sorted(self.files if paths is None else paths)
        if self.few(chosen):
            for path in chosen:
                yield self._facts_of(path)
        elif len(chosen) <= _AT_ONCE:
            yield from file_facts(self.reader, self.catalogue, paths=paths)
        else:
            for first in range(0, len(chosen), _AT_ONCE):
                some = chosen[first : first + _AT_ONCE]
                yield from file_facts(self.reader, self.catalogue, paths=some)

    def ran_in(self, path: str) -> Sequence[tuple[Who, Ran]]:
        """What each context ran of one file."""
        return self._ran_in(path)

    def ran_on(self, path: str, lines: int) -> Sequence[tuple[Who, Ran]]:
        """What each context ran of some lines of a file; branches are left out.

        Only these lines are looked at the first time, which is much less where many tests go
        through the file. A query may come back for each line: then it is the whole file.
        """
        if path in self._lines_asked:
            return [(who, ran) for who, ran in self.ran_in(path) if ran.lines & lines]
        self._lines_asked.add(path)
        patterns = {
            pattern.id: pattern.lines & lines
            for pattern in self.reader.patterns(self.files[path].id)
            if pattern.lines & lines
        }
        footprints = self.reader.footprints_with(patterns)
        if not footprints:
            return ()
        found: dict[ContextKey, int] = {}
        for context in self.reader.contexts(footprints):
            key = key_of(context)
            bits = found.get(key, 0)
            for pattern_id in footprints[context.footprint_id]:
                bits |= patterns[pattern_id]
            found[key] = bits
        entries = [(who_of(key), Ran(LineBits(bits), 0)) for key, bits in found.items()]
        entries.sort(key=_context)
        return entries

    def _read_ran_in(self, path: str) -> Sequence[tuple[Who, Ran]]:
        return [(who_of(key), ran) for key, ran in self._facts_of(path).contexts.items()]

    def _read_facts_of(self, path: str) -> FileFacts:
        (facts,) = file_facts(self.reader, self.catalogue, paths=[path])
        return facts

    def footprints(self) -> Iterator[tuple[int, Mapping[str, Ran]]]:
        """Each footprint's id and what it is, file by file."""
        patterns = self.reader.all_patterns
        for footprint_id, ids in self.reader.footprints():
            yield footprint_id, self._by_file(map(patterns.__getitem__, ids))

    def of_contexts(self, contexts: Sequence[Context]) -> Mapping[str, Ran]:
        """What some contexts ran together: path -> lines and branches."""
        footprints = {context.footprint_id for context in contexts}
        if len(footprints) == 1:
            return self.of_footprint(footprints.pop())
        united: dict[str, Ran] = {}
        for footprint_id in footprints:
            for path, ran in self.of_footprint(footprint_id).items():
                known = united.get(path)
                united[path] = ran if known is None else _both(known, ran)
        return united

    def _of_footprint(self, footprint_id: int) -> Mapping[str, Ran]:
        """What a footprint is, file by file; nothing when there is none of this id."""
        ids = frozenset(self.reader.pattern_ids([footprint_id]).get(footprint_id, ()))
        self._looked_up += 1
        if self._looked_up <= _ONE_BY_ONE:
            patterns = self.reader.patterns_with(ids)
        else:
            patterns = self.reader.all_patterns
        return self._by_file(map(patterns.__getitem__, ids))

    def _by_file(self, patterns: Iterable[Pattern]) -> Mapping[str, Ran]:
        self.decoded += 1
        paths = self.paths
        found: dict[str, Ran] = {}
        for pattern in patterns:
            path = paths.get(pattern.unit.file_id)
            if path is not None:
                known = found.get(path)
                ran = Ran(pattern.lines, pattern.branches)
                found[path] = ran if known is None else _both(known, ran)
        return found

    def _owned(self, path: str) -> Sequence[Owned]:
        """The units of a file in source order, the module first; none when they are not known."""
        file = self.files[path]
        units = self.catalogue.units(file) or ()
        left = (1 << file.line_count + 2) - 2
        found = []
        # What is inside comes later, and takes its lines first.
        for place, unit in reversed(tuple(enumerate(units))):
            first = unit.body_line or unit.first_line
            lines = left & ((1 << unit.last_line + 1) - (1 << first)) if place else left
            left &= ~lines
            known = unit.id if unit.id > 0 else -(file.id << _PLACE | place + 1)
            found.append(Owned(known, unit, lines))
        return tuple(reversed(found))

    def _owners(self, path: str) -> Mapping[int, tuple[int, str]]:
        """Line -> id and name of the unit that it belongs to."""
        return {
            line: (owned.id, owned.unit.name)
            for owned in self.owned(path)
            for line in lines_in(owned.lines)
        }

    def lines_of_units(self, path: str, wanted: Wanted) -> int | None:
        """The lines of a file that belong to the units that rows may be of; None: all."""
        if not wanted.restricts("unit", "unit_name"):
            return None
        lines = 0
        for owned in self.owned(path):
            if wanted.admits("unit", owned.id) and wanted.admits("unit_name", owned.unit.name):
                lines |= owned.lines
        return lines

    def file_of_unit(self, unit: object) -> int:
        """The id of the file that a unit's id is of; 0 when there is none."""
        if not isinstance(unit, int):
            return 0
        if unit < 0:
            return -unit >> _PLACE
        known = self.reader.all_units.get(unit)
        return 0 if known is None else known.file_id


def who_of(key: ContextKey) -> Who:
    """The context as rows have it."""
    test = None if key.test is None else labelled(key.run_label, key.test)
    return Who(key.name, test, None if key.phase is None else key.phase.value)


def _context(entry: tuple[Who, Ran]) -> str:
    return entry[0].context


def _both(one: Ran, other: Ran) -> Ran:
    return Ran(LineBits(one.lines | other.lines), one.branches | other.branches)


def _lines_in(bits: int) -> tuple[int, ...]:
    return tuple(lines_in(bits))
