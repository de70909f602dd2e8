"""Reading a data file: typed values, and no SQL above this floor.

May import the standard library, types, packing, errors and the store's own floor. Refuses to
change what it reads.
"""

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from whotests.errors import DataError
from whotests.packing.bitmaps import unpack_ran
from whotests.packing.branches import BranchList, unpack_branches
from whotests.packing.ids import common, walk
from whotests.packing.outlines import UNIT_KINDS, Outlined, unpack_outline
from whotests.store.conditions import MANY, only, where
from whotests.store.failures import damaged, translated
from whotests.store.generations import chosen
from whotests.store.index import footprints_among
from whotests.store.liveness import this_host
from whotests.store.reading import connect_to_read
from whotests.store.recorded_files import recorded_files
from whotests.store.recorded_runs import recorded_runs
from whotests.store.schema import OUTCOMES, PHASES, RUNNERS
from whotests.store.shards import data_files
from whotests.store.totals import lines_together
from whotests.store.values import Context, FileVersion, Pattern, Run, Test, Unit
from whotests.types import LineBits, Outcome, TestName

if TYPE_CHECKING:
    from whotests.store.series import AllSeries
    from whotests.store.stored import StoredTables

__all__ = ["Reader"]

_TESTS: Final = (
    "SELECT test.id, run_id, label, scope.name || test.name, runner, outcome, duration"
    " FROM test JOIN scope ON scope.id = scope_id JOIN run ON run.id = run_id"
)


class Reader:
    """What one data file says now. Use it as a context manager, or `close` it.

    Methods raise DataError when the file turns out to be damaged. It speaks of some runs only
    (`runs`). Of a test that several of them have, only the newest one's record is seen; contexts
    without a test are seen of all of them.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        connection: sqlite3.Connection,
        *,
        here: str,
        now: float,
        run: str | None = None,
    ) -> None:
        self.paths = tuple(paths)
        """The data files."""
        self.path = self.paths[0]
        self._ref = run
        self._connection = connection
        self._here = here
        self._now = now
        self._branches: dict[int, BranchList] = {}

    @classmethod
    def open(
        cls,
        data: Path | Sequence[Path],
        *,
        run: str | None = None,
        here: str | None = None,
        clock: Callable[[], float] = time.time,
        root: str = "",
        aliases: Sequence[tuple[str, tuple[str, ...]]] = (),
    ) -> Self:
        """A reader of the data file `data`, of which nothing is changed; or of several, and of
        all those in folders, as if they were one.

        Of several, paths are what they are in the project at `root` by its `aliases`
        (`Settings.paths`), as when they are combined. It speaks of the runs that `run` means
        (`store.generations.chosen`). `here` is this machine's name and `clock` tells the seconds
        since the epoch: they decide which running runs are dead. Raises DataError: no data yet,
        cut short, of another program, or of a newer version; UsageError: there is no such run.
        """
        paths = data_files([data] if isinstance(data, Path) else data)
        if len(paths) == 1:
            connection = connect_to_read(paths[0])
        else:
            # Much to import, and not wanted elsewhere.
            from whotests.store.merging import merged

            connection = merged(paths, root=root, aliases=aliases)
        reader = cls(
            paths, connection, here=this_host() if here is None else here, now=clock(), run=run
        )
        try:
            if not (reader.all_runs and reader.runs):
                raise DataError(
                    f"no data yet: {reader.path} holds no run; record first with "
                    "`whotests test`, or give another data file with --data FILE"
                )
        except BaseException:
            reader.close()
            raise
        return reader

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    @property
    def size(self) -> int:
        """Bytes on the disk, what is not yet merged into the one file included."""
        files = [file for path in self.paths for file in (path, path.with_name(path.name + "-wal"))]
        return sum(file.stat().st_size for file in files if file.exists())

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs that it speaks of, in the order in which they began."""
        return chosen(self.all_runs, self._ref)

    @cached_property
    def all_runs(self) -> tuple[Run, ...]:
        """All runs that are kept, in the order in which they began."""
        return recorded_runs(self._connection, self.path, here=self._here, now=self._now)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of these runs, sorted. Where there are several, names stand below theirs."""
        return tuple(sorted({run.label for run in self.runs}))

    @cached_property
    def outcomes(self) -> Mapping[int, Mapping[Outcome, int]]:
        """Run id -> how many of its tests ended how, of all runs that are kept."""
        counts: dict[int, dict[Outcome, int]] = {run.id: {} for run in self.all_runs}
        for run_id, outcome, count in self._rows(
            "SELECT run_id, outcome, count(*) FROM test GROUP BY run_id, outcome ORDER BY outcome"
        ):
            counts.setdefault(run_id, {})[OUTCOMES[outcome]] = count
        return counts

    @cached_property
    def files(self) -> tuple[FileVersion, ...]:
        """All versions of all files that these runs saw, by path, the newest seen first."""
        return recorded_files(self._rows, self.runs, of_these_runs=self._of_these_runs)

    def units(self, file_id: int) -> tuple[Unit, ...]:
        """The units of one file's version, in source order, the module first.

        Those that nothing ran have negative ids and no fingerprint. Empty when no run measured
        the file.
        """
        rows = self._rows("SELECT place, id, fingerprint FROM unit WHERE file_id = ?", (file_id,))
        ran = {place: (unit_id, fingerprint) for place, unit_id, fingerprint in rows}
        return tuple(
            _unit(file_id, outlined, *ran.get(place, (-1 - place, b"")))
            for place, outlined in enumerate(self._outline(file_id))
        )

    @cached_property
    def all_units(self) -> Mapping[int, Unit]:
        """The units of all files of which something ran, by their ids."""
        return self._units_with(None)

    def _units_with(self, ids: Collection[int] | None) -> Mapping[int, Unit]:
        units = {}
        rows = self._rows(
            "SELECT file_id, place, id, fingerprint FROM unit"
            + where("" if ids is None else only("id", ids))
            + " ORDER BY file_id"
        )
        for file_id, group in groupby(rows, key=itemgetter(0)):
            outline = self._outline(file_id)
            for _, place, unit_id, fingerprint in group:
                units[unit_id] = _unit(file_id, outline[place], unit_id, fingerprint)
        return units

    def branches(self, file_id: int) -> BranchList:
        """The branches of one file's version; none when none of these runs recorded any."""
        if file_id not in self._branches:
            branches = BranchList()
            recorded = any(run.branch for run in self.runs)
            with self._intact():
                for (blob,) in self._rows("SELECT branches FROM file WHERE id = ?", (file_id,)):
                    branches = BranchList(unpack_branches(blob)) if recorded else branches
            self._branches[file_id] = branches
        return self._branches[file_id]

    def _outline(self, file_id: int) -> Sequence[Outlined]:
        with self._intact():
            for (blob,) in self._rows("SELECT outline FROM file WHERE id = ?", (file_id,)):
                return unpack_outline(blob)
        return ()

    def patterns(self, *files: int) -> tuple[Pattern, ...]:
        """The patterns of these files' versions (by id)."""
        units = {unit.id: unit for file_id in files for unit in self.units(file_id)}
        rows = [
            row
            for file_id in files
            for row in self._rows(
                "SELECT unit_id, ran, id FROM pattern WHERE unit_id IN"
                " (SELECT id FROM unit WHERE file_id = ?)",
                (file_id,),
            )
        ]
        if self._of_these_runs:
            hits = self.footprints_with([pattern_id for *_, pattern_id in rows]).values()
            of_these = frozenset().union(*hits)
            rows = [row for row in rows if row[2] in of_these]
        with self._intact():
            return tuple(
                self._pattern(pattern_id, units[unit_id], ran) for unit_id, ran, pattern_id in rows
            )

    @cached_property
    def all_patterns(self) -> Mapping[int, Pattern]:
        """The patterns of all files, by their ids."""
        units = self.all_units
        with self._intact():
            return {
                pattern_id: self._pattern(pattern_id, units[unit_id], ran)
                for unit_id, ran, pattern_id in self._rows("SELECT unit_id, ran, id FROM pattern")
                if self._patterns_of_these is None or pattern_id in self._patterns_of_these
            }

    def patterns_with(self, ids: Collection[int]) -> Mapping[int, Pattern]:
        """The patterns that have these ids, without a closer look at any others."""
        sql = "SELECT unit_id, ran, id FROM pattern" + where(only("id", ids))
        rows = [row for row in self._rows(sql) if row[2] in ids]
        units = self._units_with({unit_id for unit_id, _, _ in rows})
        with self._intact():
            return {
                pattern_id: self._pattern(pattern_id, units[unit_id], ran)
                for unit_id, ran, pattern_id in rows
            }

    def _pattern(self, pattern_id: int, unit: Unit, ran: bytes) -> Pattern:
        lines, branches = unpack_ran(ran)
        if branches:
            here = self.branches(unit.file_id)
            branches <<= here.first_within(unit.first_line, unit.last_line)
            # Another process may have added some since the list was read.
            branches &= (1 << len(here.all)) - 1
        return Pattern(
            id=pattern_id, unit=unit, lines=LineBits(lines << unit.first_line), branches=branches
        )

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """The tests, by name, each as the newest run that has it saw it."""
        return tuple(sorted(self._tests.values(), key=lambda test: (test.name, test.label)))

    def contexts(self, footprints: Collection[int] | None = None) -> Iterator[Context]:
        """The contexts that have one of these footprints (all by default), in no order.

        Those of a test's older runs are left out.
        """
        rows = list(
            self._rows(
                "SELECT run_id, test_id, phase, label, footprint_id, complete FROM context"
                + where(self._of_these_runs, only("footprint_id", footprints))
            )
        )
        tests = self._tests_among({row[1] for row in rows if row[1] is not None})
        labels = {run.id: run.label for run in self.runs}
        for run_id, test_id, phase, label, footprint_id, complete in rows:
            if footprints is not None and footprint_id not in footprints:
                continue
            test = None
            if test_id is not None:
                test = tests.get(test_id)
                if test is None:
                    continue
            yield Context(
                test=test,
                run_label=labels.get(run_id, ""),
                phase=None if phase is None else PHASES[phase],
                label=label or "",
                run_id=run_id,
                footprint_id=footprint_id,
                complete=bool(complete),
            )

    def lines_of_tests(self, tests: Collection[int]) -> Mapping[int, int]:
        """How many lines each of these tests (by id) ran; a line of several phases counts once."""
        footprints: dict[int, set[int]] = {}
        wanted = frozenset(tests)
        for test_id, footprint_id in self._rows(
            "SELECT test_id, footprint_id FROM context"
            + where("test_id IS NOT NULL", only("test_id", tests))
        ):
            if test_id in wanted:
                footprints.setdefault(test_id, set()).add(footprint_id)
        kinds = {frozenset(those) for those in footprints.values()}
        with self._intact():
            counts = dict(lines_together(self._rows, kinds))
        return {test_id: counts[frozenset(those)] for test_id, those in footprints.items()}

    def footprints(self) -> Iterator[tuple[int, Iterator[int]]]:
        """Each footprint's id and its pattern ids, ascending; read the latter at once."""
        with self._intact():
            for footprint_id, blob in self._rows(
                "SELECT id, patterns FROM footprint" + where(self._footprints_of_these)
            ):
                yield footprint_id, walk(blob)

    def pattern_ids(self, footprints: Collection[int]) -> Mapping[int, tuple[int, ...]]:
        """Of these footprints (by id), the ids of their patterns, ascending."""
        found = {}
        with self._intact():
            for footprint_id, blob in self._rows(
                "SELECT id, patterns FROM footprint"
                + where(only("id", footprints), self._footprints_of_these)
            ):
                if footprint_id in footprints:
                    found[footprint_id] = tuple(walk(blob))
        return found

    @property
    def past_runs(self) -> int:
        """Of how many runs that are not kept it is known how their tests ended."""
        kept = {run.uid for run in self.all_runs}
        return sum(uid not in kept for (uid,) in self._rows("SELECT uid FROM past_run"))

    @cached_property
    def history(self) -> "AllSeries":
        """How tests ended in all runs of the names that these runs have, past ones included."""
        from whotests.store.series import series_of  # not wanted by most questions

        names = {run.name for run in self.runs}
        return series_of(self._connection, self.paths, kept=self.all_runs, names=names)

    @property
    def stored(self) -> "StoredTables":
        """What stands in the file itself, all of its runs included."""
        from whotests.store.stored import StoredTables  # not wanted by most questions

        return StoredTables(self.path, self._connection)

    def footprints_with(self, patterns: Collection[int]) -> Mapping[int, frozenset[int]]:
        """The footprints that have any of these patterns: id -> those that it has."""
        wanted = frozenset(patterns)
        if not wanted:
            return {}
        with self._intact():
            found, known = footprints_among(self._rows, wanted)
            if known and self._footprints_of_these:
                ids = self._rows(f"SELECT id FROM footprint WHERE {self._footprints_of_these}")
                found = {id_: found[id_] for (id_,) in ids if id_ in found}
            for footprint_id, blob in self._rows(
                "SELECT id, patterns FROM footprint"
                + where(f"id > {known}", self._footprints_of_these)
            ):
                hits = common(blob, wanted)
                if hits:
                    found[footprint_id] = hits
        return found

    @contextmanager
    def _intact(self) -> Iterator[None]:
        try:
            yield
        except ValueError as failure:
            raise damaged(self.path, failure) from failure

    @cached_property
    def _tests(self) -> Mapping[int, Test]:
        rows = self._rows(f"{_TESTS}{where(self._of_these_runs)} ORDER BY run_id")
        newest = {row[2:4]: row for row in rows}
        return {row[0]: _test(row) for row in newest.values()}

    def _tests_among(self, ids: Collection[int]) -> Mapping[int, Test]:
        """Those of these tests that no newer run has."""
        if len(self.runs) > 1 or len(ids) > MANY:
            return self._tests
        return {row[0]: _test(row) for row in self._rows(_TESTS + where(only("test.id", ids)))}

    @cached_property
    def _of_these_runs(self) -> str:
        """A condition on `run_id`; '' when it speaks of all runs that are kept."""
        if len(self.runs) == len(self.all_runs):
            return ""
        return f"run_id IN ({','.join(str(run.id) for run in self.runs)})"

    @cached_property
    def _footprints_of_these(self) -> str:
        """The same on the `id` of footprints."""
        runs = self._of_these_runs
        return runs and f"id IN (SELECT footprint_id FROM context WHERE {runs})"

    @cached_property
    def _patterns_of_these(self) -> frozenset[int] | None:
        """The ids of the patterns that these runs have; None when it speaks of all."""
        if not self._of_these_runs:
            return None
        return frozenset(pattern_id for _, ids in self.footprints() for pattern_id in ids)

    def _rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            # Not `yield from`: that closes the cursor of a question that was broken off, and
            # fails where the connection was closed before.
            for row in self._connection.execute(sql, values):  # noqa: UP028
                yield row
        except sqlite3.Error as failure:
            raise translated(self.path, failure) from failure
        except UnicodeDecodeError as failure:
            raise damaged(self.path, failure) from failure


def _unit(file_id: int, outlined: Outlined, unit_id: int, fingerprint: bytes) -> Unit:
    kind, first_line, last_line, body_line, qualname = outlined
    return Unit(
        id=unit_id,
        file_id=file_id,
        qualname=qualname,
        kind=UNIT_KINDS[kind],
        first_line=first_line,
        last_line=last_line,
        body_line=body_line,
        fingerprint=fingerprint,
    )


def _test(row: tuple[Any, ...]) -> Test:
    test_id, run_id, label, name, runner, outcome, duration = row
    return Test(
        id=test_id,
        run_id=run_id,
        label=label,
        name=TestName(name),
        runner=RUNNERS[runner],
        outcome=OUTCOMES[outcome],
        duration=None if duration is None else duration / 1_000_000,
    )
