"""The one machine that copies runs from one data file to another.

May import the standard library, packing and the store's own floor. Refuses to begin or end
transactions.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from whotests.packing.ids import walk
from whotests.store.merging.choice import EVERYTHING, Choice
from whotests.store.merging.code import Code
from whotests.store.merging.contexts import Contents, Footprints, Scopes
from whotests.store.merging.history import take_history
from whotests.store.merging.runs import Row, Runs, below, kind_of
from whotests.store.merging.source import Source
from whotests.store.pending import Pending
from whotests.store.schema import OUTCOMES, PHASES
from whotests.store.values import labelled

__all__ = ["Merger"]

_CONTENTS_AT_HAND: Final = 8
"""Runs of which the contents are kept in memory; more are read again when they are needed."""

_Test = tuple[int, int, str, str, int, int, int | None]
"""Id, run, scope, name, runner, outcome and duration."""

_Context = tuple[int, int | None, int | None, str | None, int, int]
"""Run, test, phase, label, footprint and complete."""


class Merger:
    """Copies runs into a data file, within the caller's transaction.

    Runs of one name, label and rules become one: its contexts of the same test and phase, or of
    the same label, have the facts of all; so what is copied twice changes nothing.
    """

    def __init__(self, connection: sqlite3.Connection, *, partners: Collection[int] = ()) -> None:
        """`connection` is to the data file, in a transaction; nothing but this may change it
        meanwhile. `partners` are the runs in it that others may become one with."""
        self._connection = connection
        self._runs = Runs(connection, partners=frozenset(partners))
        self._code = Code(connection)
        self._scopes = Scopes(connection)
        self._footprints = Footprints(connection)
        self._contents: dict[int, Contents] = {}
        self.written: set[int] = set()
        """The runs that something was copied to, by their ids."""

    def take(
        self,
        source: Source,
        *,
        choice: Choice = EVERYTHING,
        paths: Mapping[str, str] | None = None,
        name: str | None = None,
        label: str = "",
        root: str | None = None,
        alone: bool = False,
    ) -> None:
        """Copies the chosen runs of `source`.

        `paths` has the paths here for those there that are others. The runs get this `name`,
        unless it is None, and this `root`, and their labels are below `label`. `alone`: none
        becomes one with another. Raises DataError when the source is damaged; the transaction is
        then of no use.
        """
        pending = Pending(self._connection)
        theirs = [
            row
            for row in source.dictionaries("SELECT * FROM run ORDER BY id")
            if choice.runs is None or row["id"] in choice.runs
        ]
        rows = [below(label, row) if label else row for row in theirs]
        said = {"name": name, "root": root}
        changes = {column: value for column, value in said.items() if value is not None}
        if changes:
            rows = [{**row, **changes} for row in rows]
        groups = self._grouped(pending, rows, alone=alone)
        runs = {row["id"]: row for group in groups.values() for row in group}
        tests, contexts = _chosen(source, groups.values(), runs, choice)
        wanted = {context[4] for context in contexts}
        states = [
            row
            for row in source.rows("SELECT run_id, file_id, state, reason FROM run_file")
            if row[0] in runs
        ]
        seen: dict[int, float] = {}
        for run_id, file_id, _, _ in states:
            seen[file_id] = max(seen.get(file_id, 0.0), runs[run_id]["heartbeat"])
        taken = self._code.take(
            pending,
            source,
            seen=seen,
            # What nothing refers to is garbage, and collected as such.
            patterns=_patterns(source, wanted) if choice != EVERYTHING else None,
            paths=paths or {},
            chosen=choice.file,
        )
        footprints = self._footprints.take(pending, source, wanted, taken.patterns)
        with source.intact():
            target = {row["id"]: run_id for run_id, group in groups.items() for row in group}
            contents = {run_id: self._contents_of(run_id) for run_id in groups}
            for run_id, file_id, state, reason in states:
                ours = taken.files.get(file_id)
                if ours is not None:
                    contents[target[run_id]].add_file(pending, ours, state, reason)
            if choice.file is not None:
                ran = {context[1] for context in contexts if footprints[context[4]]}
                tests = [test for test in tests if test[0] in ran]
            numbers: dict[int | None, int | None] = {None: None}
            for test_id, run_id, scope, rest, runner, outcome, duration in tests:
                numbers[test_id] = contents[target[run_id]].add_test(
                    pending, self._scopes.of(pending, scope), rest, (runner, outcome, duration)
                )
            for run_id, of_test, phase, inner, footprint_id, complete in contexts:
                footprint = footprints[footprint_id]
                if footprint:
                    contents[target[run_id]].add_context(
                        pending,
                        (numbers[of_test], phase, inner),
                        footprint,
                        complete,
                        self._footprints.union,
                    )
        pending.put()
        take_history(
            self._connection,
            source,
            kinds=None if choice.runs is None else {(row["name"], row["label"]) for row in theirs},
            choice=choice,
            name=name,
            label=label,
        )
        self.written.update(groups)
        while len(self._contents) > _CONTENTS_AT_HAND:
            del self._contents[next(iter(self._contents))]

    def _grouped(
        self, pending: Pending, rows: Iterable[Row], *, alone: bool
    ) -> dict[int, list[Row]]:
        """Run here -> those that it is made of, the one that began first first."""
        groups: dict[int, list[Row]] = {}
        current = []
        for row in rows:
            if alone:
                groups[self._new_run(pending, row)] = [row]
            elif row["superseded"] is None:
                current.append(row)
            elif not self._runs.knows_as_superseded(row):
                groups[self._new_run(pending, row)] = [row]
        for _, several in groupby(sorted(current, key=kind_of), key=kind_of):
            for row in several:
                partner = self._runs.partner(row)
                if partner is None:
                    partner = self._new_run(pending, row)
                else:
                    self._runs.unite(pending, partner, row)
                groups.setdefault(partner, []).append(row)
        return groups

    def _new_run(self, pending: Pending, row: Row) -> int:
        run_id = self._runs.add(pending, row)
        self._contents[run_id] = Contents(run_id)
        return run_id

    def _contents_of(self, run_id: int) -> Contents:
        contents = self._contents.pop(run_id, None)
        if contents is None:
            contents = Contents.read(self._connection, run_id)
        self._contents[run_id] = contents  # the last one to go
        return contents


def _chosen(
    source: Source,
    groups: Iterable[list[Row]],
    runs: Mapping[int, Row],
    choice: Choice,
) -> tuple[list[_Test], list[_Context]]:
    """The tests and contexts to copy: of a test that several runs of a group have, those of the
    newest one."""
    with source.intact():
        tests: list[_Test] = [
            row
            for row in source.rows(
                "SELECT test.id, run_id, scope.name, test.name, runner, outcome, duration"
                " FROM test JOIN scope ON scope.id = scope_id"
            )
            if row[1] in runs
        ]
        contexts: list[_Context] = [
            row
            for row in source.rows(
                "SELECT run_id, test_id, phase, label, footprint_id, complete FROM context"
            )
            if row[0] in runs
        ]
        of_run = {test[0]: test[1] for test in tests}
        for context in contexts:
            if context[1] is not None and of_run[context[1]] != context[0]:
                raise ValueError(f"a context of test {context[1]} belongs to another run")
        older = _older_tests(tests, groups)
        if older:
            tests = [test for test in tests if test[0] not in older]
            contexts = [context for context in contexts if context[1] not in older]
        if choice.of_contexts:
            tests, contexts = _filtered(tests, contexts, runs, choice)
        return tests, contexts


def _older_tests(tests: Collection[_Test], groups: Iterable[list[Row]]) -> set[int]:
    """Tests that a newer run of the same group has as well."""
    group_of = {
        row["id"]: place for place, group in enumerate(groups) if len(group) > 1 for row in group
    }
    newest: dict[tuple[int, str], int] = {}
    older = set()
    for test in sorted(tests, key=itemgetter(1)) if group_of else ():
        if test[1] in group_of:
            key = (group_of[test[1]], test[2] + test[3])
            if key in newest:
                older.add(newest[key])
            newest[key] = test[0]
    return older


def _filtered(
    tests: Collection[_Test],
    contexts: Collection[_Context],
    runs: Mapping[int, Any],
    choice: Choice,
) -> tuple[list[_Test], list[_Context]]:
    whole: set[int | None] = set()
    names: dict[int, tuple[str, str]] = {}
    for test_id, run_id, scope, rest, _, outcome, _ in tests:
        if choice.outcomes is None or OUTCOMES[outcome] in choice.outcomes:
            name = scope + rest
            names[test_id] = (name, labelled(runs[run_id]["label"], name))
            if choice.has(names[test_id]):
                whole.add(test_id)
    kept: list[_Context] = []
    for context in contexts:
        run_id, of_test, phase, inner, _, _ = context
        if of_test is None:
            label = inner or ""
            below_run = labelled(runs[run_id]["label"], label)
            chosen = choice.outcomes is None and choice.has((label, below_run))
        elif of_test in whole:
            chosen = True
        else:
            titles = names.get(of_test, ()) if phase is not None else ()
            chosen = any(choice.has([f"{title}|{PHASES[phase or 0]}"]) for title in titles)
        if chosen:
            kept.append(context)
    left = whole | {context[1] for context in kept}
    return [test for test in tests if test[0] in left], kept


def _patterns(source: Source, footprints: Collection[int]) -> Collection[int]:
    """The patterns of these footprints."""
    with source.intact():
        rows = source.rows("SELECT id, patterns FROM footprint")
        return {each for number, blob in rows if number in footprints for each in walk(blob)}
