"""What an LCOV tracefile says, of any version and tool.

May import formats.foreign and what is below. Refuses to believe its summaries: it counts.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from whotests.errors import DataError
from whotests.formats.branch_words import end_meant
from whotests.formats.coverage_contexts import contexts_of
from whotests.formats.foreign import (
    Foreign,
    ForeignFile,
    ForeignFork,
    ForeignRan,
    Lines,
    Room,
    shown,
)
from whotests.packing.branches import Branch
from whotests.query.facts import ContextKey
from whotests.types import NO_LINES, LineBits, bits_of, lines_in

__all__ = ["read_lcov"]

_LONGEST_RECORD: Final = 1 << 16
"""Bytes. Paths have at most 4096, names of functions and tests a few hundred."""

_MOST_BRANCHES: Final = 500_000
"""They are held until the end, since a file may come several times; the largest projects have a
tenth of that."""

_MOST_FILES: Final = 200_000

_MOST_LINES: Final = 10_000_000_000
"""The last lines of all records added up: what a record takes grows with that."""

_CHECKSUM_SIZE: Final = 150
"""Bytes that one takes in memory."""

_WITHOUT_MEANING: Final = frozenset(
    (
        "VER",
        "FN",
        "FNDA",
        "FNL",
        "FNA",
        "FNF",
        "FNH",
        "LF",
        "LH",
        "BRF",
        "BRH",
        "MCDC",
        "MCF",
        "MCH",
    )
)
"""Records that tell nothing that is not in the others, or in the source."""


def read_lcov(path: Path) -> Foreign:
    """What the tracefile says. Raises DataError for what is none, or is cut short."""
    reading = _Reading(path)
    with path.open("rb") as lines:
        reading.read(iter(lambda: lines.readline(_LONGEST_RECORD + 1), b""))
    unsaid = ["outcomes and durations of tests", "excluded lines"]
    if reading.tests == {""}:
        unsaid.insert(0, "contexts")
    keys = contexts_of(reading.tests)
    return Foreign(
        format="lcov",
        files=(
            file.foreign(f"{path}: {shown(name)}", keys) for name, file in reading.files.items()
        ),
        branch=any(file.ways for file in reading.files.values()),
        unsaid=tuple(unsaid),
    )


class _File:
    """All that the tracefile says of one source file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.counted = NO_LINES
        """Lines that have a record."""
        self.lines: dict[str, LineBits] = {}
        """Test name -> lines that ran."""
        self.ways: dict[tuple[int, str, str], int] = {}
        """Line, block and words of each branch -> its place."""
        self.taken: dict[str, int] = {}
        """Test name -> places of branches that it took, as a bitmap."""
        self.checksums: dict[int, str] = {}

    def foreign(self, where: str, keys: Mapping[str, ContextKey]) -> ForeignFile:
        """The same as the importer takes it; `keys` tell what names of tests mean."""
        every = 0
        for places in self.taken.values():
            every |= places
        named: dict[int, Branch] = {}
        forks: dict[int, ForeignFork] = {}
        by_line: dict[int, list[tuple[int, int | None]]] = {}
        for (line, _, words), place in self.ways.items():
            end = end_meant(words, line=line, exits=(0,))
            by_line.setdefault(line, []).append((place, end))
        for line, ways in by_line.items():
            ends = {end for _, end in ways}
            if None in ends or len(ends) < len(ways):
                taken = sum(1 for place, _ in ways if every >> place & 1)
                forks[line] = ForeignFork(total=len(ways), taken=taken)
            else:
                named.update((place, (line, end)) for place, end in ways if end is not None)
        room = Room(where)
        lines = {test: room.take(bits) for test, bits in _without_sum(self.lines).items()}
        ran = {keys[test]: ForeignRan(bits) for test, bits in lines.items() if bits}
        for test, places in _without_sum(self.taken).items():
            took = room.branches(named[place] for place in lines_in(places) if place in named)
            if took:
                before = ran.get(keys[test], ForeignRan(NO_LINES))
                ran[keys[test]] = before._replace(branches=took)
        return ForeignFile(
            path=self.path,
            ran=ran,
            statements=room.take(self.counted),
            branches=room.branches(named.values()) if self.ways else None,
            forks=forks,
            checksums=self.checksums,
        )


class _Reading:
    """One pass through a tracefile."""

    def __init__(self, path: Path) -> None:
        self.files: dict[str, _File] = {}
        self.tests = {""}
        """The names of tests that it has."""
        self._path = path
        self._room = Room(str(path))
        self._words: dict[str, str] = {}
        """Each block and each branch's words, once."""
        self._branches = 0
        self._lines = 0
        self._number = 0
        self._test = ""
        self._file: _File | None = None
        self._counted = self._ran = Lines(self._room)
        self._taken: set[int] = set()
        self._takers: dict[str, Callable[[str], None]] = {
            "TN": self._test_name,
            "SF": self._source_file,
            "DA": self._line,
            "BRDA": self._branch,
        }

    def read(self, lines: Iterator[bytes]) -> None:
        """Takes all records."""
        for self._number, line in enumerate(lines, 1):
            if len(line) > _LONGEST_RECORD:
                raise self._wrong(f"is longer than {_LONGEST_RECORD} bytes")
            try:
                # Tools of Windows begin files with a mark.
                text = line.decode("utf-8-sig" if self._number == 1 else "utf-8").strip("\r\n")
            except UnicodeDecodeError as error:
                raise self._wrong("is not UTF-8") from error
            if text.strip() and not text.startswith("#"):
                self._take(text)
        if self._file is not None:
            raise DataError(
                f"{self._path} ends within the record of {shown(self._file.path)}: it was cut "
                "short; write it again"
            )
        if not self.files:
            raise DataError(f"{self._path} has no record of a source file: it is no LCOV tracefile")

    def _take(self, text: str) -> None:
        if text.rstrip() == "end_of_record":
            self._end()
            return
        kind, colon, value = text.partition(":")
        if kind in _WITHOUT_MEANING and colon:
            return
        take = self._takers.get(kind)
        if take is None or not colon:
            raise self._wrong(f"is no record of LCOV: {shown(text)}")
        try:
            take(value)
        except ValueError as error:
            raise self._wrong(f"is no record of this kind: {shown(text)}") from error

    def _test_name(self, name: str) -> None:
        self._test = name.strip()
        self.tests.add(self._test)

    def _source_file(self, path: str) -> None:
        if self._file is not None:
            raise self._wrong("begins a file before the last one has ended")
        self._file = self.files.get(path)
        if self._file is None:
            self._file = self.files[path] = _File(path)
            if len(self.files) > _MOST_FILES:
                raise self._too_much(f"{_MOST_FILES:,} files")
        self._counted, self._ran, self._taken = Lines(self._room), Lines(self._room), set()

    def _end(self) -> None:
        """What was told of the file since its record began goes to the rest of it."""
        file = self._file
        if file is None:
            return
        for lines, kept in ((self._ran, file.lines.get(self._test)), (self._counted, file.counted)):
            bits = lines.bits()
            if kept and bits & ~kept:
                bits = self._room.take(bits | kept)
            elif kept:
                bits = kept
            if lines is self._ran:
                file.lines[self._test] = bits
            else:
                file.counted = bits
        self._lines += file.counted.bit_length()
        if self._lines > _MOST_LINES:
            raise self._too_much(f"{_MOST_LINES:,} lines in its records")
        if self._taken:
            places = int(bits_of(self._taken)) | file.taken.get(self._test, 0)
            self._room.claim(places.bit_length() // 8)
            file.taken[self._test] = places
        self._file = None

    def _line(self, value: str) -> None:
        number, count, *rest = value.split(",")
        file, line = self._current(), int(number)
        self._counted.add(line)
        if _times(count):
            self._ran.add(line)
        if rest and rest[0].strip():
            self._room.claim(_CHECKSUM_SIZE)
            file.checksums[line] = rest[0].strip()

    def _branch(self, value: str) -> None:
        # The words may have commas in them.
        number, block, rest = value.split(",", 2)
        words, comma, count = rest.rpartition(",")
        if not comma:
            raise ValueError(value)
        file = self._current()
        way = (int(number), self._once(block), self._once(words))
        place = file.ways.setdefault(way, len(file.ways))
        if place == len(file.ways) - 1:
            self._branches += 1
            if self._branches > _MOST_BRANCHES:
                raise self._too_much(f"{_MOST_BRANCHES:,} branches")
        if count != "-" and _times(count):
            self._taken.add(place)

    def _once(self, words: str) -> str:
        return self._words.setdefault(words, words)

    def _current(self) -> _File:
        if self._file is None:
            raise self._wrong("stands outside of any file's record")
        return self._file

    def _too_much(self, what: str) -> DataError:
        return DataError(f"{self._path} has more than {what}; import it in parts")

    def _wrong(self, problem: str) -> DataError:
        return DataError(f"{self._path}, line {self._number}, {problem}; write the file again")


def _times(count: str) -> bool:
    """Whether it ran at all. Some tools write fractions, and some negative numbers, which mean
    that a counter ran over."""
    return float(count) != 0


def _without_sum(by_test: Mapping[str, int]) -> dict[str, int]:
    """The same, where the record without a name has only what no other one has: it may be that of
    all tests together."""
    named = 0
    for test, bits in by_test.items():
        if test:
            named |= bits
    return {test: bits if test else bits & ~named for test, bits in by_test.items()}
