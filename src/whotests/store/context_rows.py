"""The rows of a run's tests and contexts, with what contexts ran.

May import the standard library, types, packing, errors and the store's own floor. Refuses to
begin or end transactions: the writer does, and says afterwards which keys to keep.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from whotests.errors import InternalError
from whotests.packing.ids import pack, walk
from whotests.records import ContextRecord, TestRecord
from whotests.store.names import Names
from whotests.store.pending import Kept, Pending
from whotests.store.schema import OUTCOMES, PHASES, RUNNERS
from whotests.types import TestName

__all__ = ["ContextRows"]

_OUTCOME_NUMBERS = {outcome: number for number, outcome in enumerate(OUTCOMES)}
_PHASE_NUMBERS = {phase: number for number, phase in enumerate(PHASES)}
_RUNNER_NUMBERS = {runner: number for number, runner in enumerate(RUNNERS)}


class ContextRows:
    """Writes scopes, tests, contexts and footprints of the run `run_id`, and knows their ids."""

    __slots__ = (
        "_contexts",
        "_footprints",
        "_latest",
        "_pattern_ids",
        "_scopes",
        "_tests",
        "run_id",
    )

    def __init__(
        self, *, run_id: int, pattern_ids: Callable[[Iterable[int]], Sequence[int]]
    ) -> None:
        """`pattern_ids` gives the ids of pattern keys, ascending, maybe repeatedly."""
        self.run_id = run_id
        self._pattern_ids = pattern_ids
        self._footprints: Kept[bytes, int] = Kept()
        """Packed pattern ids -> footprint id."""
        self._latest: dict[tuple[int, ...], int] = {}
        """Pattern keys -> footprint id, of this transaction: half of its contexts or more have
        what another one has, found in the same order."""
        self._scopes = Names("scope")
        """What names begin with."""
        self._tests: Kept[TestName, int] = Kept()
        """Name -> test id."""
        self._contexts: Kept[int, tuple[int, int, bool]] = Kept()
        """Context key -> (context id, footprint id, complete)."""

    def keep(self) -> None:
        """The transaction is in the file."""
        self._footprints.keep()
        self._latest = {}
        self._scopes.keep()
        self._tests.keep()
        self._contexts.keep()

    def forget(self) -> None:
        """What was not kept did not happen."""
        self._footprints.forget()
        self._latest = {}
        self._scopes.forget()
        self._tests.forget()
        self._contexts.forget()

    def share_footprints(self, connection: sqlite3.Connection) -> None:
        """Uses the footprints that the file has already.

        Safe while the run's row is there: garbage is collected only when no run is alive.
        """
        self._footprints.update(connection.execute("SELECT patterns, id FROM footprint"))

    def share_recent_footprints(self, connection: sqlite3.Connection) -> None:
        """Uses those of the last few contexts that were written: a short process that does what
        many others do adds none, and reads no more than that. Safe as above."""
        recent = "SELECT patterns, id FROM footprint ORDER BY id DESC LIMIT 200"
        self._footprints.update(connection.execute(recent))

    def write_test(self, pending: Pending, test: TestRecord) -> None:
        """Adds the test, or replaces what was said of it before."""
        ended = (
            _RUNNER_NUMBERS[test.runner],
            _OUTCOME_NUMBERS[test.outcome],
            None if test.duration is None else round(test.duration * 1_000_000),
        )
        test_id = self._tests.get(test.name)
        if test_id is None:
            scope, name = _split(test.name)
            test_id = self._tests[test.name] = pending.next_id("test")
            pending.add(
                "INSERT INTO test (id, run_id, scope_id, name, runner, outcome, duration)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (test_id, self.run_id, self._scopes.id_of(pending.connection, scope), name, *ended),
            )
        else:
            pending.add(
                "UPDATE test SET runner = ?, outcome = ?, duration = ? WHERE id = ?",
                (*ended, test_id),
            )

    def write_context(self, pending: Pending, context: ContextRecord) -> None:
        """Adds the context, or adds to it; one that ran nothing gets no row."""
        old = self._contexts.get(context.key)
        footprint_id = self._footprint_id(pending, context.patterns, old[1] if old else 0)
        if not footprint_id:
            return
        test_id = None if context.test is None else self._test_id(context.test)
        if old is None:
            context_id = pending.next_id("context")
            pending.add(
                "INSERT INTO context (id, run_id, test_id, phase, label, footprint_id, complete)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    context_id,
                    self.run_id,
                    test_id,
                    None if context.phase is None else _PHASE_NUMBERS[context.phase],
                    None if context.test is not None else context.label,
                    footprint_id,
                    context.complete,
                ),
            )
        else:
            context_id = old[0]
            if old[1:] == (footprint_id, context.complete):
                return
            pending.add(
                "UPDATE context SET footprint_id = ?, complete = ? WHERE id = ?",
                (footprint_id, context.complete, context_id),
            )
        self._contexts[context.key] = (context_id, footprint_id, context.complete)

    def _test_id(self, name: TestName) -> int:
        test_id = self._tests.get(name)
        if test_id is None:
            raise InternalError(f"a context names {name!r}, which was never written; report this")
        return test_id

    def _footprint_id(self, pending: Pending, keys: tuple[int, ...], grown_from: int) -> int:
        """The footprint of the patterns of these keys and of those of another footprint, if there
        is one that it has grown from; 0 if there are none."""
        if grown_from:
            return self._grown_footprint_id(pending, self._pattern_ids(keys), grown_from)
        footprint_id = self._latest.get(keys)
        if footprint_id is None:
            ids = self._pattern_ids(keys)
            footprint_id = self._latest[keys] = self._footprint_of(pending, ids) if ids else 0
        return footprint_id

    def _grown_footprint_id(self, pending: Pending, ids: Iterable[int], grown_from: int) -> int:
        pending.put()  # it may be of this transaction
        query = "SELECT patterns FROM footprint WHERE id = ?"
        (blob,) = pending.connection.execute(query, (grown_from,)).fetchone()
        before = set(walk(blob))
        all_ids = before.union(ids)
        return grown_from if all_ids == before else self._footprint_of(pending, sorted(all_ids))

    def _footprint_of(self, pending: Pending, ids: Sequence[int]) -> int:
        """That of these patterns."""
        blob = pack(ids)
        footprint_id = self._footprints.get(blob)
        if footprint_id is None:
            footprint_id = self._footprints[blob] = pending.next_id("footprint")
            pending.add("INSERT INTO footprint (id, patterns) VALUES (?, ?)", (footprint_id, blob))
        return footprint_id


def _split(name: str) -> tuple[str, str]:
    """A test's name as its scope and the rest; '::' and '.' in parameters do not count."""
    head, bracket, _ = name.partition("[")
    if bracket and name.endswith("]"):
        # A function with many sets of parameters.
        return head + bracket, name[len(head) + 1 :]
    mark = "::" if "::" in head else "."
    end = head.rfind(mark)
    end = 0 if end < 0 else end + len(mark)
    return name[:end], name[end:]
