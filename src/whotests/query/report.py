"""How much of each file ran, and who ran it.

May import types, errors and the store. Refuses to read a disk or to print.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from whotests.query.files import Catalogue
from whotests.query.lines import percent_run
from whotests.query.sources import Staleness
from whotests.store.reader import Reader
from whotests.store.values import FileVersion
from whotests.types import FileState, LineBits

__all__ = ["FileRow", "Report", "SortKey", "Unmeasured", "report"]

IMPORT: Final = "import"
"""The label of what runs while a module is imported."""


class SortKey(StrEnum):
    """What a report can be sorted by; ties by name."""

    NAME = "name"
    STATEMENTS = "statements"
    MISSING = "missing"
    COVER = "cover"
    TESTS = "tests"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One file: the statements that count (exclusions left out), and what became of them."""

    path: str
    imported: bool
    """False: nothing of it ran, because nothing imported it."""
    statements: LineBits
    missing: LineBits
    """Statements that nothing ran."""
    import_only: LineBits
    """Statements that ran while modules were imported, and that no test ran since."""
    tests: int
    """Tests that ran anything in it besides importing it."""
    stale: Staleness | None

    @property
    def percent(self) -> float:
        """How much ran, 0.0 to 100.0, not rounded."""
        return percent_run(statements=self.statements.bit_count(), missing=self.missing.bit_count())


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A file of which nothing is known, and why: it counts neither as run nor as missed."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer."""

    rows: tuple[FileRow, ...]
    unmeasured: tuple[Unmeasured, ...]
    statements: int
    missing: int
    import_only: int
    tests: int
    """Tests that ran anything at all of these files besides importing them."""

    @property
    def percent(self) -> float:
        """How much of all ran, 0.0 to 100.0, not rounded."""
        return percent_run(statements=self.statements, missing=self.missing)


@dataclass(slots=True)
class _Facts:
    """What is known to have run of one file's version."""

    ran: int = 0
    tested: int = 0
    """By a test or under a user's label, other than by importing."""
    imported: int = 0


def report(reader: Reader, catalogue: Catalogue, *, sort: SortKey = SortKey.NAME) -> Report:
    """What ran of every file that the data speaks of."""
    files = {path: catalogue.current(path) for path in catalogue.versions}
    facts, tests_of, all_tests = _facts(reader, {file.id for file in files.values()})
    rows, unmeasured = [], []
    for path, file in files.items():
        if file.state is FileState.NOT_MEASURED:
            unmeasured.append(Unmeasured(path=path, reason=file.reason))
            continue
        if file.reason:
            # A part of it: its lines are excluded from the row.
            unmeasured.append(Unmeasured(path=path, reason=file.reason))
        rows.append(
            _row(
                file,
                facts.get(file.id, _Facts()),
                tests=tests_of.get(file.id, 0),
                stale=catalogue.stale(file),
            )
        )
    rows.sort(key=_ORDERS[sort])
    return Report(
        rows=tuple(rows),
        unmeasured=tuple(unmeasured),
        statements=sum(row.statements.bit_count() for row in rows),
        missing=sum(row.missing.bit_count() for row in rows),
        import_only=sum(row.import_only.bit_count() for row in rows),
        tests=all_tests,
    )


def _row(file: FileVersion, facts: _Facts, *, tests: int, stale: Staleness | None) -> FileRow:
    counted = file.counted
    return FileRow(
        path=file.path,
        imported=file.state is FileState.MEASURED,
        statements=counted,
        missing=LineBits(counted & ~facts.ran),
        import_only=LineBits(counted & facts.imported & ~facts.tested),
        tests=tests,
        stale=stale,
    )


def _facts(reader: Reader, files: set[int]) -> tuple[Mapping[int, _Facts], Mapping[int, int], int]:
    """Facts by file id, number of tests by file id, and the number of tests that ran any."""
    patterns = {
        pattern_id: pattern
        for pattern_id, pattern in reader.all_patterns.items()
        if pattern.unit.file_id in files
    }
    # What counts as testing a file, for the test that ran it: not the bodies of its modules.
    owners = {
        pattern_id: pattern.unit.file_id
        for pattern_id, pattern in patterns.items()
        if not pattern.unit.runs_at_import
    }
    tests_by_footprint: dict[int, set[int]] = {}
    labels_by_footprint: dict[int, set[str]] = {}
    for context in reader.contexts():
        if context.test is not None:
            tests_by_footprint.setdefault(context.footprint_id, set()).add(context.test.id)
        else:
            labels_by_footprint.setdefault(context.footprint_id, set()).add(context.label)
    ran: set[int] = set()
    tested: set[int] = set()
    imported: set[int] = set()
    tests_of: dict[int, set[int]] = {}
    for footprint_id, ids in reader.footprints():
        tests = tests_by_footprint.get(footprint_id, set())
        labels = labels_by_footprint.get(footprint_id, set())
        if not tests and not labels:
            continue
        members = tuple(ids)
        ran.update(members)
        if tests:
            tested.update(members)
            for file_id in set(map(owners.get, members)):
                if file_id is not None:
                    tests_of.setdefault(file_id, set()).update(tests)
        if labels - {IMPORT, ""}:
            tested.update(members)
        if IMPORT in labels:
            imported.update(members)
    facts: dict[int, _Facts] = {}
    for pattern_id, pattern in patterns.items():
        if pattern_id not in ran:
            continue
        of_file = facts.setdefault(pattern.unit.file_id, _Facts())
        of_file.ran |= pattern.lines
        if pattern_id in imported or pattern.unit.runs_at_import:
            of_file.imported |= pattern.lines
        if pattern_id in tested and not pattern.unit.runs_at_import:
            of_file.tested |= pattern.lines
    everyone: set[int] = set().union(*tests_of.values())
    return facts, {file_id: len(tests) for file_id, tests in tests_of.items()}, len(everyone)


# Names and percentages ascend, the worst first; counts descend, the most first.
_ORDERS: Final[Mapping[SortKey, Callable[[FileRow], tuple[Any, ...]]]] = {
    SortKey.NAME: lambda row: (row.path,),
    SortKey.STATEMENTS: lambda row: (-row.statements.bit_count(), row.path),
    SortKey.MISSING: lambda row: (-row.missing.bit_count(), row.path),
    SortKey.COVER: lambda row: (row.percent, row.path),
    SortKey.TESTS: lambda row: (row.tests, row.path),
    SortKey.IMPORT: lambda row: (-row.import_only.bit_count(), row.path),
}
