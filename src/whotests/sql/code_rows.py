"""Files, units, lines and branches, as rows.

May import query, store and types. Refuses to know SQL.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from whotests.query.facts import FileFacts
from whotests.sql.ground import Ground
from whotests.sql.relations import Estimate, Row
from whotests.sql.tables import BRANCH, FILE, LINE, UNIT, Table
from whotests.sql.wanted import Wanted
from whotests.store.values import labelled
from whotests.types import FileState, UnitKind, lines_in

__all__ = ["BranchRows", "FileRows", "LineRows", "UnitRows"]

_UNKNOWN = (None, None)
_FILES = 1_000
_PER_FILE = 200


class FileRows:
    """The table `file`."""

    table: Table = FILE

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        return _estimate(known, hinted, column="path", per_file=1, unique=("path",))

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        ground = self._ground
        paths = ground.wanted_paths(wanted, column="path")
        if not wanted.uses(*_COUNTED):
            for path in ground.files if paths is None else paths:
                yield self._row(path, None)
            return
        for facts in ground.facts(paths):
            yield self._row(facts.path, facts)

    def _row(self, path: str, facts: FileFacts | None) -> Row:
        file = self._ground.files[path]
        numbers: Row = (None,) * len(_COUNTED)
        if facts is not None:
            counted = facts.counted.of().numbers
            skipped = file.state is FileState.NOT_MEASURED
            numbers = (
                0 if skipped else counted.statements,
                counted.excluded,
                0 if skipped else counted.missing,
                counted.branches,
                counted.partial_branches,
                counted.missing_branches,
                None if skipped else counted.percent,
                self._tests(facts),
                int(facts.stale is not None),
            )
        return (
            path,
            file.state.value,
            file.reason,
            *numbers,
            file.line_count,
            file.digest.hex(),
            file.id,
        )

    def _tests(self, facts: FileFacts) -> int:
        inside = 0
        for owned in self._ground.owned(facts.path):
            if not owned.unit.runs_at_import:
                inside |= owned.lines
        tests = {
            (key.run_label, key.test)
            for key, ran in facts.contexts.items()
            if key.test is not None and ran.lines & inside
        }
        return len(tests)


_COUNTED = tuple(
    column.name for column in FILE.columns[3 : [c.name for c in FILE.columns].index("line_count")]
)


class UnitRows:
    """The table `unit`."""

    table: Table = UNIT

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        known = known | {"file"} if "id" in known else known
        return _estimate(known, hinted, column="file", per_file=20, unique=("id",))

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        ground = self._ground
        paths = ground.wanted_paths(wanted)
        if (ids := wanted.values("id")) is not None:
            of_ids = {ground.paths.get(ground.file_of_unit(one), "") for one in ids}
            paths = [
                path for path in of_ids if path in ground.files and (paths is None or path in paths)
            ]
        if wanted.uses("statements", "missing", "tests"):
            for facts in ground.facts(paths):
                yield from self._of(facts.path, facts, wanted)
        else:
            for path in ground.files if paths is None else paths:
                yield from self._of(path, None, wanted)

    def _of(self, path: str, facts: FileFacts | None, wanted: Wanted) -> Iterator[Row]:
        tests = _tests_by_lines(facts) if facts is not None and wanted.uses("tests") else {}
        for unit_id, unit, lines in self._ground.owned(path):
            if not wanted.admits("id", unit_id) or not wanted.admits("name", unit.name):
                continue
            statements = missing = None
            if facts is not None:
                part = facts.counted.of(lines).numbers
                statements, missing = part.statements, part.missing
            yield (
                unit_id,
                path,
                unit.name,
                UnitKind(unit.kind).value,
                unit.first_line,
                unit.last_line,
                statements,
                missing,
                sum(1 for ran in tests.values() if ran & lines),
            )


class LineRows:
    """The table `line`."""

    table: Table = LINE

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        return _estimate(known, hinted, column="file", per_file=_PER_FILE, unique=("file", "line"))

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        ground = self._ground
        for facts in ground.facts(ground.wanted_paths(wanted)):
            path = facts.path
            if facts.file.state is FileState.NOT_MEASURED:
                continue
            inside = ground.lines_of_units(path, wanted)
            statements: int = facts.file.statements
            lines = wanted.lines(statements if inside is None else statements & inside)
            owners = ground.owners(path) if wanted.uses("unit", "unit_name") else {}
            tests = _counts(facts, lines) if wanted.uses("tests") else {}
            for line in lines_in(lines):
                yield (
                    path,
                    line,
                    *owners.get(line, _UNKNOWN),
                    facts.file.excluded >> line & 1,
                    facts.ran >> line & 1,
                    tests.get(line, 0),
                )


class BranchRows:
    """The table `branch`."""

    table: Table = BRANCH

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        return _estimate(
            known,
            hinted,
            column="file",
            per_file=_PER_FILE // 2,
            unique=("file", "line", "next_line"),
        )

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        ground = self._ground
        for facts in ground.facts(ground.wanted_paths(wanted)):
            if not facts.branches:
                continue
            path = facts.path
            begun = 0
            for line, _ in facts.branches:
                begun |= 1 << line
            inside = ground.lines_of_units(path, wanted)
            lines = wanted.lines(begun if inside is None else begun & inside)
            owners = ground.owners(path) if wanted.uses("unit", "unit_name") else {}
            missed = frozenset(facts.counted.of().missed)
            tests = _branch_counts(facts) if wanted.uses("tests") else {}
            for place, (line, end) in enumerate(facts.branches):
                if lines >> line & 1:
                    yield (
                        path,
                        line,
                        end,
                        *owners.get(line, _UNKNOWN),
                        facts.taken >> place & 1,
                        int((line, end) in missed),
                        tests.get(place, 0),
                    )


def _estimate(
    known: frozenset[str],
    hinted: frozenset[str],
    *,
    column: str,
    per_file: int,
    unique: tuple[str, ...],
) -> Estimate:
    files = 1 if column in known else _FILES // 4 if column in hinted else _FILES
    rows = files * per_file
    for _ in known - {column}:
        rows = max(1, rows // 20)
    if known.issuperset(unique):
        rows = 1
    return Estimate(rows=rows, cost=float(files * 200), unique=rows == 1 and known >= set(unique))


def _tests_by_lines(facts: FileFacts) -> Mapping[str, int]:
    """Title of a test -> the lines that it ran, whatever the phase."""
    tests: dict[str, int] = {}
    for key, ran in facts.contexts.items():
        if key.test is not None:
            title = labelled(key.run_label, key.test)
            tests[title] = tests.get(title, 0) | ran.lines
    return tests


def _counts(facts: FileFacts, lines: int) -> Mapping[int, int]:
    """Line -> how many tests ran it."""
    return _counted(bits & lines for bits in _tests_by_lines(facts).values())


def _branch_counts(facts: FileFacts) -> Mapping[int, int]:
    """Place of a branch -> how many tests took it."""
    tests: dict[str, int] = {}
    for key, ran in facts.contexts.items():
        if key.test is not None and ran.branches:
            title = labelled(key.run_label, key.test)
            tests[title] = tests.get(title, 0) | ran.branches
    return _counted(tests.values())


def _counted(bitmaps: Iterable[int]) -> Mapping[int, int]:
    """Bit -> in how many of the bitmaps it is; many of them are the same."""
    counts: dict[int, int] = {}
    for bits, times in Counter(bitmaps).items():
        for bit in lines_in(bits):
            counts[bit] = counts.get(bit, 0) + times
    return counts
