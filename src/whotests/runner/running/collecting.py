"""Who finds out which tests the suites have, and what came of that: decisions only."""

from collections.abc import Sequence
from typing import NamedTuple

from whotests.hosts.frames import Frame
from whotests.runner.assignment import Assignment, Done
from whotests.runner.running.collection import Collection
from whotests.runner.running.worker import Worker

__all__ = ["Collecting", "Findings"]


class Findings(NamedTuple):
    """What an assignment by which tests were to be found has come to."""

    events: Sequence[Frame] = ()
    """EVENT frames that count from now on: of what the host could not load."""
    failure: str = ""
    """Why the tests of the suite cannot be found, or ''."""


class Collecting:
    """One worker's host tells the tests of a suite for all others, which look for them meanwhile,
    since they have to before they run any. Where it is lost, another one is asked."""

    def __init__(self, suites: int) -> None:
        self.collection = Collection(suites)
        self._suites = range(suites)
        self._asked: dict[int, Worker] = {}
        """Who tells the tests of a suite."""

    def next_for(self, worker: Worker) -> Assignment | None:
        """What a worker that does nothing does now, if there is anything."""
        wanted = self.collection.open
        if worker.suite is None:
            if wanted:
                return self._ask(worker, wanted[0])
            suites = [suite for suite in self._suites if suite not in worker.refused]
            return Assignment(suites[worker.turn % len(suites)]) if suites else None
        if worker.suite in wanted:
            return self._ask(worker, worker.suite)
        # There may be more suites than workers.
        return Assignment(worker.suite, end=True) if wanted else None

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

    def over(
        self, worker: Worker, assignment: Assignment, done: Done, *, stopping: bool
    ) -> Findings:
        """What a worker did is done. `stopping`: nobody is asked any more."""
        suite = assignment.suite
        failure = (done.died or done.ended) if done.ended or done.hopeless else ""
        if not self._is_asked(worker, suite):
            if failure:
                worker.refused.add(suite)
            return Findings()
        if worker.digest is not None and not (done.died or done.ended):
            # It had found them already when who was asked before it was lost.
            return Findings(self._settle(worker, suite))
        if failure and not stopping:
            self.collection.settle(suite, (), digest="")
            return Findings(worker.early, failure)
        self.collection.open.append(suite)
        del self._asked[suite]
        return Findings()

    def lost(self, worker: Worker) -> None:
        """A worker is gone: what it was asked for, another one is."""
        for suite in self._suites:
            if self._is_asked(worker, suite):
                self.collection.open.append(suite)
                del self._asked[suite]
