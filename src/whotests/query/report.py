"""How much of each file ran, and who ran it.

May import types, errors, config's patterns and the store. Refuses to read a disk or to print.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from whotests.query.files import Catalogue
from whotests.query.focus import Focus
from whotests.query.numbers import Facts, Numbers, Part
from whotests.query.regions import Region, regions_of
from whotests.query.sources import Staleness
from whotests.store.reader import Reader
from whotests.store.values import Context, FileVersion, Run, Unit
from whotests.types import FileState, LineBits

__all__ = ["FileRow", "RegionRow", "Report", "SortKey", "Unmeasured", "report"]

IMPORT: Final = "import"
"""The label of what runs while a module is imported."""


class SortKey(StrEnum):
    """What a report can be sorted by; ties by name."""

    NAME = "name"
    STATEMENTS = "statements"
    MISSING = "missing"
    BRANCHES = "branches"
    PARTIAL = "partial"
    COVER = "cover"
    TESTS = "tests"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRow:
    """A function or class of a file, or (with no unit) what is in none, and what became of it."""

    unit: Unit | None
    lines: LineBits
    """All that belong to it (`regions.Region`)."""
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One file: what counts of it (exclusions left out), and what became of that."""

    path: str
    imported: bool
    """False: nothing of it ran, because nothing imported it."""
    part: Part
    """All of it."""
    numbers: Numbers
    """Those of `part`."""
    functions: tuple[RegionRow, ...] | None
    """What is in no function is last. None when it was not asked for, or is not known: nothing
    imported the file, and the disk does not have that version any more."""
    classes: tuple[RegionRow, ...] | None
    import_only: LineBits
    """Statements that ran while modules were imported, and that no test ran since."""
    tests: int
    """Tests that ran anything in it besides importing it."""
    stale: Staleness | None


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
    total: Numbers
    branch: bool
    """Whether branches are counted: a run recorded some."""
    without_branches: tuple[Run, ...]
    """Runs that recorded none, while others did: what only they took counts as missing."""
    rules_kept: tuple[str, ...]
    """Files counted under the rules that they were recorded under, because the project has others
    by now, and the disk another text of them."""
    skipped_covered: int
    """Files that have no row, because nothing of them is missing; the total has them."""
    skipped_empty: int
    """Files that have no row, because they have no statement."""
    import_only: int
    tests: int
    """Tests that ran anything at all of these files besides importing them."""


@dataclass(slots=True)
class _Facts:
    """What is known to have run of one file's version."""

    ran: int = 0
    tested: int = 0
    """By a test or under a user's label, other than by importing."""
    imported: int = 0
    taken: int = 0
    """Bitmap over the branches of the version."""


def report(
    reader: Reader,
    catalogue: Catalogue,
    *,
    sort: str = SortKey.NAME,
    focus: Focus | None = None,
    skip_covered: bool = False,
    skip_empty: bool = False,
    regions: bool = False,
) -> Report:
    """What ran of every file that the data speaks of; of its functions and classes if asked.

    `sort` is a `SortKey`, maybe with '+' (ascending) or '-' (descending) in front.
    """
    files = {
        path: catalogue.current(path)
        for path in catalogue.versions
        if focus is None or focus.takes_file(path)
    }
    contexts = reader.contexts()
    if focus is not None:
        contexts = filter(focus.takes_context, contexts)
    facts, tests_of, all_tests = _facts(reader, {file.id for file in files.values()}, contexts)
    branch = any(run.branch for run in reader.runs)
    rows, unmeasured, rules_kept = [], [], []
    for path, file in files.items():
        if file.state is FileState.NOT_MEASURED:
            unmeasured.append(Unmeasured(path=path, reason=file.reason))
            continue
        if file.reason:
            # A part of it: its lines are excluded from the row.
            unmeasured.append(Unmeasured(path=path, reason=file.reason))
        ruled = catalogue.ruled(file)
        if ruled is None:
            rules_kept.append(path)
            ruled = file
        known = facts.get(file.id, _Facts())
        of_file = Facts(
            statements=ruled.statements,
            excluded=ruled.excluded,
            partial=ruled.partial,
            ran=known.ran,
            branches=reader.branches(file.id).all if branch else (),
            taken=known.taken,
        )
        part = of_file.of()
        functions, classes = _regions(of_file, file, catalogue) if regions else (None, None)
        rows.append(
            FileRow(
                path=path,
                imported=file.state is FileState.MEASURED,
                part=part,
                numbers=part.numbers,
                functions=functions,
                classes=classes,
                import_only=LineBits(part.statements & known.imported & ~known.tested),
                tests=tests_of.get(file.id, 0),
                stale=catalogue.stale(file),
            )
        )
    shown = [
        row
        for row in _sorted(rows, sort)
        if not (skip_covered and _is_covered(row)) and not (skip_empty and _is_empty(row))
    ]
    covered = sum(map(_is_covered, rows)) if skip_covered else 0
    return Report(
        rows=tuple(shown),
        unmeasured=tuple(unmeasured),
        total=sum((row.numbers for row in rows), Numbers()),
        branch=branch,
        without_branches=tuple(run for run in reader.runs if branch and not run.branch),
        rules_kept=tuple(rules_kept),
        skipped_covered=covered,
        skipped_empty=len(rows) - len(shown) - covered,
        import_only=sum(row.import_only.bit_count() for row in rows),
        tests=all_tests,
    )


def _regions(
    facts: Facts, file: FileVersion, catalogue: Catalogue
) -> tuple[tuple[RegionRow, ...] | None, tuple[RegionRow, ...] | None]:
    """The functions and the classes of a file."""
    units = catalogue.units(file)
    if units is None:
        return None, None
    functions, classes = regions_of(units, file.line_count)
    return _region_rows(facts, functions), _region_rows(facts, classes)


def _region_rows(facts: Facts, regions: Iterable[Region]) -> tuple[RegionRow, ...]:
    return tuple(
        RegionRow(unit=region.unit, lines=region.lines, part=facts.of(region.lines))
        for region in regions
    )


def _is_covered(row: FileRow) -> bool:
    return not row.numbers.missing and not row.numbers.partial_branches


def _is_empty(row: FileRow) -> bool:
    return not row.numbers.statements


def _sorted(rows: Iterable[FileRow], sort: str) -> list[FileRow]:
    key = SortKey(sort.lstrip("+-"))
    value = _VALUES[key]
    if sort.startswith(("+", "-")):
        return sorted(rows, key=lambda row: (value(row), row.path), reverse=sort.startswith("-"))
    sign = -1 if key in _MOST_FIRST else 1
    return sorted(rows, key=lambda row: (sign * value(row), row.path))


def _facts(
    reader: Reader, files: set[int], contexts: Iterable[Context]
) -> tuple[Mapping[int, _Facts], Mapping[int, int], int]:
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
    for context in contexts:
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
        of_file.taken |= pattern.branches
        if pattern_id in imported or pattern.unit.runs_at_import:
            of_file.imported |= pattern.lines
        if pattern_id in tested and not pattern.unit.runs_at_import:
            of_file.tested |= pattern.lines
    everyone: set[int] = set().union(*tests_of.values())
    return facts, {file_id: len(tests) for file_id, tests in tests_of.items()}, len(everyone)


_VALUES: Final[Mapping[SortKey, Callable[[FileRow], float]]] = {
    SortKey.NAME: lambda row: 0,
    SortKey.STATEMENTS: lambda row: row.numbers.statements,
    SortKey.MISSING: lambda row: row.numbers.missing,
    SortKey.BRANCHES: lambda row: row.numbers.branches,
    SortKey.PARTIAL: lambda row: row.numbers.partial_branches,
    SortKey.COVER: lambda row: row.numbers.percent,
    SortKey.TESTS: lambda row: row.tests,
    SortKey.IMPORT: lambda row: row.import_only.bit_count(),
}

_MOST_FIRST: Final = frozenset(SortKey) - {SortKey.NAME, SortKey.COVER, SortKey.TESTS}
"""Where no direction is asked for: percentages and tests ascend, the worst first."""
