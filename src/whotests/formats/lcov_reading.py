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
    Room,
    ran_by_context,
    shown,
)
from whotests.query.facts import ContextKey

__all__ = ["read_lcov"]

_LONGEST_RECORD: Final = 1 << 16
"""Bytes. Paths have at most 4096, names of functions and tests a few hundred."""

_MOST_RECORDS: Final = 5_000_000
"""Of lines and branches. They are held until the end, since a file may come several times."""

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
        files=[
            file.foreign(f"{path}: {shown(name)}", keys) for name, file in reading.files.items()
        ],
        branch=any(file.branches for file in reading.files.values()),
        unsaid=tuple(unsaid),
    )


class _File:
    """All that the tracefile says of one source file."""

    def __init__(self) -> None:
        self.path = ""
        self.counted: set[int] = set()
        """Lines that have a record."""
        self.lines: dict[str, set[int]] = {}
        """Test name -> lines that ran."""
        self.branches: dict[int, dict[tuple[str, str], set[str]]] = {}
        """Line -> block and words -> names of the tests that took it."""
        self.checksums: dict[int, str] = {}

    def foreign(self, where: str, keys: Mapping[str, ContextKey]) -> ForeignFile:
        """The same as the importer takes it; `keys` tell what names of tests mean."""
        named: set[tuple[int, int]] = set()
        taken: dict[ContextKey, set[tuple[int, int]]] = {}
        forks: dict[int, ForeignFork] = {}
        for line, ways in self.branches.items():
            ends = {way: end_meant(way[1], line=line, exits=(0,)) for way in ways}
            if None in ends.values() or len(set(ends.values())) < len(ends):
                forks[line] = ForeignFork(
                    total=len(ways), taken=sum(1 for takers in ways.values() if takers)
                )
                continue
            for way, end in ends.items():
                assert end is not None
                named.add((line, end))
                for test in _only_named(ways[way]):
                    taken.setdefault(keys[test], set()).add((line, end))
        lines = self.lines
        if len(lines) > 1 and "" in lines:
            # One record has it all, the others tell who ran it.
            rest = lines[""].difference(*(some for test, some in lines.items() if test))
            lines = {**lines, "": rest}
        room = Room(where)
        return ForeignFile(
            path=self.path,
            ran=ran_by_context(
                ((keys[test], some) for test, some in lines.items() if some),
                taken,
                where=where,
            ),
            statements=room.bits(self.counted),
            branches=room.branches(named) if self.branches else None,
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
        self._test = ""
        self._file: _File | None = None
        self._number = 0
        self._records = 0
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
                text = line.decode("utf-8").strip("\r\n")
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
            self._file = None
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
        self._file = self.files.setdefault(path, _File())
        self._file.path = path

    def _line(self, value: str) -> None:
        number, count, *rest = value.split(",")
        file, line = self._current(), int(number)
        file.counted.add(line)
        if _times(count):
            file.lines.setdefault(self._test, set()).add(line)
        if rest and rest[0].strip():
            file.checksums[line] = rest[0].strip()

    def _branch(self, value: str) -> None:
        # The words may have commas in them.
        number, block, rest = value.split(",", 2)
        words, comma, count = rest.rpartition(",")
        if not comma:
            raise ValueError(value)
        takers = (
            self._current().branches.setdefault(int(number), {}).setdefault((block, words), set())
        )
        if count != "-" and _times(count):
            takers.add(self._test)

    def _current(self) -> _File:
        if self._file is None:
            raise self._wrong("stands outside of any file's record")
        self._records += 1
        if self._records > _MOST_RECORDS:
            raise DataError(
                f"{self._path} has more than {_MOST_RECORDS:,} records of lines and branches; "
                "import it in parts"
            )
        return self._file

    def _wrong(self, problem: str) -> DataError:
        return DataError(f"{self._path}, line {self._number}, {problem}; write the file again")


def _times(count: str) -> bool:
    """Whether it ran at all. Some tools write fractions, and some negative numbers, which mean
    that a counter ran over."""
    return float(count) != 0


def _only_named(tests: set[str]) -> set[str]:
    """Without the record that has it all, where others tell who it was."""
    return tests - {""} or tests
