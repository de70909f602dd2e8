"""The tests and contexts of the runs that others are copied to, and the footprints of all.

May import the standard library, packing and the store's own floor. Refuses to know of files and
units.
"""

import sqlite3
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Final

from whotests.packing.ids import pack, walk
from whotests.store.merging.source import Source
from whotests.store.pending import Pending
from whotests.store.schema import FILE_STATES, OUTCOMES
from whotests.types import FileState, Outcome

__all__ = ["Contents", "Footprints", "Scopes"]

# The one that says most of a test that several runs have, and of a file.
_OUTCOME_RANK: Final = {
    OUTCOMES.index(outcome): rank
    for rank, outcome in enumerate(
        (
            Outcome.UNKNOWN,
            Outcome.SKIPPED,
            Outcome.EXPECTED_FAILURE,
            Outcome.PASSED,
            Outcome.UNEXPECTED_SUCCESS,
            Outcome.FAILED,
            Outcome.ERROR,
        )
    )
}
_STATE_RANK: Final = {
    FILE_STATES.index(state): rank
    for rank, state in enumerate(
        (FileState.NOT_IMPORTED, FileState.NOT_MEASURED, FileState.MEASURED)
    )
}

_Ended = tuple[int, int, int | None]
"""Runner, outcome and duration of a test."""

_Label = tuple[int | None, int | None, str | None]
"""Test, phase and label of a context."""


class Footprints:
    """The footprints of the data file, and unions of them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._ids: dict[bytes, int] = {}
        self._blobs: dict[int, bytes] = {}
        self._by_patterns: dict[bytes, int] = {}
        """Digest of the ids of the patterns -> footprint: packing them takes much longer."""
        self._unions: dict[tuple[int, int], int] = {}
        for number, blob in connection.execute("SELECT id, patterns FROM footprint"):
            self._ids.setdefault(blob, number)
            self._blobs[number] = blob

    def of(self, pending: Pending, ordered: Sequence[int]) -> int:
        """That of these patterns, ascending; 0 when there are none."""
        if not ordered:
            return 0
        key = blake2b(array("Q", ordered), digest_size=16).digest()
        number = self._by_patterns.get(key)
        if number is None:
            number = self._by_patterns[key] = self._added(pending, pack(ordered))
        return number

    def _added(self, pending: Pending, blob: bytes) -> int:
        number = self._ids.get(blob)
        if number is None:
            number = self._ids[blob] = pending.next_id("footprint")
            self._blobs[number] = blob
            pending.add("INSERT INTO footprint (id, patterns) VALUES (?, ?)", (number, blob))
        return number

    def union(self, pending: Pending, one: int, other: int) -> int:
        """That of all patterns of both."""
        key = (one, other) if one < other else (other, one)
        number = self._unions.get(key)
        if number is None:
            both = {*walk(self._blobs[one]), *walk(self._blobs[other])}
            number = self._unions[key] = self.of(pending, sorted(both))
        return number

    def take(
        self,
        pending: Pending,
        source: Source,
        wanted: Collection[int],
        patterns: Mapping[int, int],
    ) -> Mapping[int, int]:
        """The ids here of these footprints of a source; 0: nothing is left of it."""
        with source.intact():
            here = patterns.__getitem__
            known = frozenset(patterns)
            alike = all(theirs == ours for theirs, ours in patterns.items())
            # Several may have become one, or none.
            as_many = 0 not in (ours := {*patterns.values()}) and len(ours) == len(patterns)
            taken = {}
            for number, blob in source.rows("SELECT id, patterns FROM footprint"):
                if number not in wanted:
                    continue
                theirs = islice(walk(blob), len(patterns) + 1)
                if alike:
                    if not known.issuperset(theirs):
                        raise ValueError(f"footprint {number} has patterns that are not there")
                    taken[number] = self._added(pending, blob)
                    continue
                moved = map(here, theirs)
                ordered = sorted(moved if as_many else {*moved} - {0})
                if len(ordered) > len(patterns):
                    raise ValueError(f"footprint {number} has a pattern twice")
                taken[number] = self.of(pending, ordered)
            return taken


class Scopes:
    """What the names of tests begin with, in the data file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._ids: dict[str, int] = {
            name: number for number, name in connection.execute("SELECT id, name FROM scope")
        }

    def of(self, pending: Pending, name: str) -> int:
        """The id of this one, which is added if it is new."""
        number = self._ids.get(name)
        if number is None:
            number = self._ids[name] = pending.next_id("scope")
            pending.add("INSERT INTO scope (id, name) VALUES (?, ?)", (number, name))
        return number


@dataclass(slots=True)
class Contents:
    """What one run of the data file has: files, tests and contexts."""

    run_id: int
    files: dict[int, tuple[int, str]] = field(default_factory=dict)
    """File -> state and reason."""
    tests: dict[tuple[int, str], int] = field(default_factory=dict)
    """Scope and name -> id."""
    ends: dict[int, _Ended] = field(default_factory=dict)
    """Test -> how it ended."""
    contexts: dict[_Label, tuple[int, int, int]] = field(default_factory=dict)
    """Of what -> context id, footprint id, complete."""

    @classmethod
    def read(cls, connection: sqlite3.Connection, run_id: int) -> "Contents":
        """What the data file has of this run."""
        contents = cls(run_id)
        for file_id, state, reason in connection.execute(
            "SELECT file_id, state, reason FROM run_file WHERE run_id = ?", (run_id,)
        ):
            contents.files[file_id] = (state, reason)
        for test_id, scope_id, name, runner, outcome, duration in connection.execute(
            "SELECT id, scope_id, name, runner, outcome, duration FROM test WHERE run_id = ?",
            (run_id,),
        ):
            contents.tests[scope_id, name] = test_id
            contents.ends[test_id] = (runner, outcome, duration)
        for test_id, phase, label, *rest in connection.execute(
            "SELECT test_id, phase, label, id, footprint_id, complete FROM context"
            " WHERE run_id = ?",
            (run_id,),
        ):
            context_id, footprint_id, complete = rest
            contents.contexts[test_id, phase, label] = (context_id, footprint_id, complete)
        return contents

    def add_file(self, pending: Pending, file_id: int, state: int, reason: str) -> None:
        """The run saw this file: 'measured' counts before 'not measured', and that before 'not
        imported'."""
        before = self.files.get(file_id)
        if before is not None and _STATE_RANK[before[0]] >= _STATE_RANK[state]:
            return
        self.files[file_id] = (state, reason)
        pending.add(
            "INSERT OR REPLACE INTO run_file (run_id, file_id, state, reason) VALUES (?, ?, ?, ?)",
            (self.run_id, file_id, state, reason),
        )

    def add_test(self, pending: Pending, scope_id: int, name: str, ended: _Ended) -> int:
        """The id of this test; of several ends of one the worst counts, 'unknown' least."""
        test_id = self.tests.get((scope_id, name))
        if test_id is None:
            test_id = self.tests[scope_id, name] = pending.next_id("test")
            self.ends[test_id] = ended
            pending.add(
                "INSERT INTO test (id, run_id, scope_id, name, runner, outcome, duration)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (test_id, self.run_id, scope_id, name, *ended),
            )
        elif ended != self.ends[test_id] and _how_bad(ended) > _how_bad(self.ends[test_id]):
            self.ends[test_id] = ended
            pending.add(
                "UPDATE test SET runner = ?, outcome = ?, duration = ? WHERE id = ?",
                (*ended, test_id),
            )
        return test_id

    def add_context(
        self,
        pending: Pending,
        of_what: _Label,
        footprint_id: int,
        complete: int,
        union: Callable[[Pending, int, int], int],
    ) -> None:
        """This ran under that label too; it is complete where some run saw its end."""
        before = self.contexts.get(of_what)
        if before is None:
            context_id = pending.next_id("context")
            self.contexts[of_what] = (context_id, footprint_id, complete)
            test_id, phase, label = of_what
            pending.add(
                "INSERT INTO context (id, run_id, test_id, phase, label, footprint_id, complete)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (context_id, self.run_id, test_id, phase, label, footprint_id, complete),
            )
            return
        context_id, known, ended = before
        if footprint_id != known:
            footprint_id = union(pending, known, footprint_id)
        if footprint_id != known or complete > ended:
            complete = max(complete, ended)
            self.contexts[of_what] = (context_id, footprint_id, complete)
            pending.add(
                "UPDATE context SET footprint_id = ?, complete = ? WHERE id = ?",
                (footprint_id, complete, context_id),
            )


def _how_bad(ended: _Ended) -> tuple[int, int, int]:
    runner, outcome, duration = ended
    return _OUTCOME_RANK[outcome], -1 if duration is None else duration, runner
