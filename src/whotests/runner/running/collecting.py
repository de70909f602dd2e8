"""Who finds out which tests the suites have, and what came of that: decisions only."""

from collections.abc import Sequence
from typing import NamedTuple

from whotests.hosts.frames import Frame
from whotests.runner.assignment import Assignment, Done
from whotests.runner.running.collection import Collection
from whotests.runner.running.worker import Worker

__all__ = ["Collecting", "Failure"]


class Failure(NamedTuple):
    """The tests of a suite cannot be found."""

    suite: int
    worker: Worker
    """Whose hosts could not."""
    events: Sequence[Frame]
    """EVENT frames: of what its host could not load."""
    why: str


class Collecting:
    """One worker's host tells the tests of a suite for all others, which look for them meanwhile,
    since they have to before they run any. Where it is lost, or its hosts die, another one is
    asked."""

    def __init__(self, suites: int) -> None:
        self.collection = Collection(suites)
        self._suites = range(suites)
        self._asked: dict[int, Worker] = {}
        """Who tells the tests of a suite."""
        self._failures: dict[int, Failure] = {}
        """What came of looking for tests where nobody has found them yet; what it has come to with
        those who were asked to tell them says more."""

    def next_for(self, worker: Worker) -> Assignment | None:
        """What a worker that does nothing does now, if there is anything."""
        wanted = self.collection.open
        able = [suite for suite in wanted if suite not in worker.refused]
        if worker.suite is None:
            if able:
                return self._ask(worker, able[0])
            suites = [suite for suite in self._suites if suite not in worker.refused]
            return Assignment(suites[worker.turn % len(suites)]) if suites else None
        if worker.suite in able:
            return self._ask(worker, worker.suite)
        # There may be more suites than workers.
        return Assignment(worker.suite, end=True) if able else None

    def _ask(self, worker: Worker, suite: int) -> Assignment:
        self.collection.open.remove(suite)
        self._asked[suite] = worker
        return Assignment(suite, collect=True)

    def found(
        self, worker: Worker, suite: int, *, digest: str, ordered: bool, now: float
    ) -> Sequence[Frame]:
        """A worker's host has found its tests. The events of before that count now."""
        worker.digest, worker.ordered, worker.took = digest, ordered, now - worker.since
        return self._settle(worker, suite)

    def _settle(self, worker: Worker, suite: int) -> Sequence[Frame]:
        """Take its word for what the suite has, if it was asked for that and nobody's was taken."""
        collection, events = self.collection, worker.early
        asked = self._is_asked(worker, suite)
        if asked:
            assert worker.digest is not None
            collection.settle(
                suite,
                worker.found,
                digest=worker.digest,
                seconds=worker.took,
                ordered=worker.ordered,
            )
        if collection.is_settled(suite):
            worker.early = []
        worker.lacking = frozenset() if collection.is_same(suite, worker.digest) else None
        return events if asked else ()

    def _is_asked(self, worker: Worker, suite: int) -> bool:
        return self._asked.get(suite) is worker and not self.collection.is_settled(suite)

    def over(self, worker: Worker, assignment: Assignment, done: Done) -> Sequence[Frame]:
        """What a worker did is done. The EVENT frames that count from now on."""
        suite = assignment.suite
        asked = self._is_asked(worker, suite)
        if done.ended or done.hopeless:
            worker.refused.add(suite)
            if asked or suite not in self._failures:
                why = done.died or done.ended
                self._failures[suite] = Failure(suite, worker, worker.early, why)
        if not asked:
            return ()
        if worker.digest is not None and not (done.died or done.ended):
            # It had found them already when who was asked before it was lost.
            return self._settle(worker, suite)
        self._open_again(suite)
        return ()

    def give_up(self) -> list[Failure]:
        """Nobody is left who could find the tests of these suites: they have none."""
        failures = [self._failures[suite] for suite in self.collection.open]
        self.collection.open.clear()
        for failure in failures:
            self.collection.settle(failure.suite, (), digest="")
        return failures

    def lost(self, worker: Worker) -> None:
        """A worker is gone: what it was asked for, another one is."""
        for suite in self._suites:
            if self._is_asked(worker, suite):
                self._open_again(suite)

    def _open_again(self, suite: int) -> None:
        self.collection.open.append(suite)
        del self._asked[suite]
