"""Runs, tests and contexts, as rows.

May import query, store and types. Refuses to know SQL.
"""

import shlex
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from whotests.sql.ground import Ground
from whotests.sql.relations import Estimate, Row
from whotests.sql.tables import CONTEXT, HISTORY, RUN, TEST, Table
from whotests.sql.wanted import Wanted
from whotests.store.values import Context, Test

__all__ = ["ContextRows", "HistoryRows", "RunRows", "TestRows", "moment_of"]

_TESTS = 5_000
_HISTORY = 20
"""Runs."""
_CONTEXTS = 10_000
_LOOKUP = 5.0
"""To ask for one takes so many times what one more row of a walk through all of them takes."""


class RunRows:
    """The table `run`."""

    table: Table = RUN

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        return Estimate(rows=1 if "id" in known else 4, cost=4.0, unique="id" in known)

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        for run in self._ground.reader.runs:
            yield (
                run.id,
                run.name,
                run.label,
                moment_of(run.started),
                None if run.ended is None else moment_of(run.ended),
                "killed" if run.killed else run.status.value,
                run.exit_status,
                int(run.branch),
                shlex.join(run.command),
                run.root,
                run.python,
                run.platform,
                run.host,
                run.whotests,
                run.note,
                run.uid.hex(),
            )


class TestRows:
    """The table `test`."""

    __test__ = False
    table: Table = TEST

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._by_id: dict[str, Test] | None = None

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        if "id" in known:
            return Estimate(rows=1, cost=_LOOKUP, unique=True)
        rows = max(1, _TESTS // 10 ** len(known) // 2 ** len(hinted))
        return Estimate(rows=rows, cost=float(_TESTS))

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        if self._by_id is None:
            self._by_id = {test.title: test for test in self._ground.reader.tests}
        tests: Iterable[Test] = self._by_id.values()
        if (ids := wanted.values("id")) is not None:
            found = (self._by_id.get(one) for one in ids if isinstance(one, str))
            tests = [test for test in found if test is not None]
        counted = wanted.uses("lines", "files")
        for test in tests:
            if not (
                wanted.admits("id", test.title)
                and wanted.admits("name", test.name)
                and wanted.admits("outcome", test.outcome)
            ):
                continue
            lines, files = self._numbers(test) if counted else (None, None)
            yield (
                test.title,
                test.name,
                test.label,
                test.runner.value,
                test.outcome.value,
                test.duration,
                test.run_id,
                lines,
                files,
            )

    def _numbers(self, test: Test) -> tuple[int, int]:
        ground = self._ground
        contexts: list[Context] = []
        for name in ground.names_by_test.get(test.title, ()):
            contexts.extend(ground.contexts[name])
        by_file = [ran for ran in ground.of_contexts(contexts).values() if ran.lines]
        return sum(ran.lines.bit_count() for ran in by_file), len(by_file)


class HistoryRows:
    """The table `history`."""

    table: Table = HISTORY

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        if known >= {"test", "uid"}:
            return Estimate(rows=1, cost=_LOOKUP * _HISTORY, unique=True)
        rows = max(1, _TESTS * _HISTORY // 10 ** len(known) // 2 ** len(hinted))
        return Estimate(rows=rows, cost=float(_TESTS * _HISTORY))

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        for series in self._ground.reader.history.series:
            title = series.title
            if not (wanted.admits("test", title) and wanted.admits("name", series.name)):
                continue
            for run, outcome, duration, code in series.entries:
                yield (
                    title,
                    run.uid.hex(),
                    series.name,
                    series.label,
                    moment_of(run.started),
                    outcome.value,
                    duration,
                    code,
                    run.kept,
                )


class ContextRows:
    """The table `context`."""

    table: Table = CONTEXT

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        if known >= {"name", "run"}:
            return Estimate(rows=1, cost=_LOOKUP, unique=True)
        if "name" in known:
            return Estimate(rows=1, cost=_LOOKUP)
        if "test" in known:
            return Estimate(rows=3, cost=_LOOKUP)
        rows = max(1, _CONTEXTS // 3 ** len(known) // 2 ** len(hinted))
        return Estimate(rows=rows, cost=float(_CONTEXTS))

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        ground = self._ground
        counted = wanted.uses("lines")
        for name in self._names(wanted):
            for context in ground.contexts.get(name, ()):
                test = context.test
                yield (
                    name,
                    context.run_id,
                    None if test is None else test.title,
                    None if context.phase is None else context.phase.value,
                    context.label if test is None else None,
                    int(context.complete),
                    context.footprint_id,
                    self._lines(context) if counted else None,
                )

    def _names(self, wanted: Wanted) -> Iterable[str]:
        names = wanted.values("name")
        if names is not None:
            return [name for name in names if isinstance(name, str)]
        tests = wanted.values("test")
        if tests is not None and None not in tests:
            by_test = self._ground.names_by_test
            return [name for test in tests for name in by_test.get(str(test), ())]
        return self._ground.contexts

    def _lines(self, context: Context) -> int:
        by_file = self._ground.of_footprint(context.footprint_id)
        return sum(ran.lines.bit_count() for ran in by_file.values())


def moment_of(seconds: float) -> str:
    """Seconds since the epoch as SQLite's date functions take them: UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
