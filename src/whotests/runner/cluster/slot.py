"""A slot of the cluster as a run sees it: work goes there, and frames come back."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple
from uuid import uuid4

from whotests.errors import WhotestsError
from whotests.runner.agents.agent import Say
from whotests.runner.agents.slots import SlotLostError
from whotests.runner.assignment import Assignment, Done
from whotests.runner.cluster import at_work
from whotests.runner.cluster.facts import Facts
from whotests.runner.cluster.moved import Move
from whotests.runner.cluster.orders import ANSWER, Report, Work, request
from whotests.runner.items import Key

__all__ = ["ClusterSlot"]

_LATE: Final = 10.0
"""Seconds that frames may come after the word that they were sent."""

_DEAD: Final = 10.0
"""Seconds that a machine may take to end what it was told to kill."""


class _Turn(NamedTuple):
    assignment: Assignment
    say: Say
    future: "Future[Done]"


class ClusterSlot:
    """One thread of a Dask worker. Any thread may call anything."""

    def __init__(
        self,
        name: str,
        *,
        run: str,
        process: str,
        executor: Any,
        facts: Facts | None,
        home: Move,
        command: Callable[[Callable[..., object], str], None],
        later: Callable[[Callable[[], None]], object],
        on_lost: Callable[["ClusterSlot", str], None],
    ) -> None:
        """`process` is the worker's own word for its process, `executor` Dask's for its threads:
        `concurrent.futures`', but that `submit` takes a key besides. `facts` keeps what is recorded
        there, None when nothing is. `command` calls a function of `at_work` with the run and a
        slot, beside what the worker does. `later` has another thread call something: what comes
        from Dask comes in its own, which must not wait. `on_lost` is told once, with the
        reason."""
        self._name = name
        self._run = run
        self._process = process
        self._executor = executor
        self._facts = facts
        self._home = home
        self._command = command
        self._later = later
        self._on_lost = on_lost
        self._lock = threading.RLock()
        self._waiting: deque[_Turn] = deque()
        self._now: _Turn | None = None
        self._inner: Future[Any] | None = None
        self._turn = 0
        self._heard = 0
        self._report: Report | None = None
        self._late: threading.Timer | None = None
        self._unsaved: set[Key] = set()
        """Tests that were done there, whose facts are there only."""
        self._lost = ""
        self._closed = False

    @property
    def name(self) -> str:
        """'w0', 'w1'...: never that of another slot of the run."""
        return self._name

    def submit(self, assignment: Assignment, say: Say) -> "Future[Done]":
        """As `Slot.submit`."""
        future: Future[Done] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            self._waiting.append(_Turn(assignment, say, future))
            if self._lost:
                self._fail()
            elif self._now is None:
                self._begin()
        return future

    def interrupt(self) -> None:
        """As `Slot.interrupt`."""
        self._command(at_work.interrupt, self._name)

    def kill(self) -> None:
        """As `Slot.kill`."""
        self._command(at_work.kill, self._name)
        late = threading.Timer(_DEAD, self.lose, ["it does not say that it has ended its hosts"])
        late.daemon = True
        late.start()

    def close(self) -> None:
        """As `Slot.close`: what is there goes when the cluster is left."""
        self._closed = True

    # -- what comes from there -----------------------------------------------------------------

    def hear(self, turn: int, offset: int, octets: bytes) -> None:
        """Frames of an assignment, from that octet of them on. Of one thread at a time."""
        with self._lock:
            now = self._now
            if turn != self._turn or now is None or offset != self._heard:
                return  # said twice, or after octets that were lost: counting will tell
        # Who listens may have to be waited for.
        now.say(octets)
        with self._lock:
            if turn == self._turn:
                self._heard += len(octets)
                self._settle()

    def lose(self, reason: str) -> None:
        """The machine is gone, or as good as gone."""
        with self._lock:
            if self._lost or (self._closed and self._now is None):
                return
            self._lost = reason
            if self._late is not None:
                self._late.cancel()
            if self._inner is not None:
                self._inner.cancel()
            self._fail()
        self._on_lost(self, reason)

    # -- how it is done ------------------------------------------------------------------------

    def _begin(self) -> None:
        self._now = self._waiting.popleft()
        self._turn += 1
        self._heard = 0
        self._report = None
        told = Work(self._run, self._name, self._process, self._turn, self._now.assignment)
        key = f"whotests-{self._name}-{uuid4().hex}"
        try:
            inner = self._executor.submit(eval, ANSWER, request(at_work.work, told), key=key)
        except Exception as failure:  # Dask's own, of many kinds
            reason = f"it takes no work: {failure}"
            self._later(lambda: self.lose(reason))
            return
        self._inner = inner
        self._inner.add_done_callback(self._over)

    def _over(self, inner: "Future[Any]") -> None:
        with self._lock:
            if self._lost or inner is not self._inner:
                return
            self._inner = None
        reason = ""
        if inner.cancelled():
            reason = "Dask gave its work up, as it does when its scheduler is gone"
        elif (failure := inner.exception()) is not None:
            reason = f"{type(failure).__name__}: {failure}"
        if reason:
            self._later(lambda: self.lose(reason))
        else:
            report = inner.result()
            with self._lock:
                self._report = report
                self._late = threading.Timer(_LATE, self._miss, [self._turn])
                self._late.daemon = True
                self._late.start()
                self._settle()

    def _miss(self, turn: int) -> None:
        if turn == self._turn and self._report is not None:
            said = self._report.done.said
            self.lose(f"of {said} octets that it has said only {self._heard} came")

    def _settle(self) -> None:
        """The assignment is done when all of its frames have come."""
        report, now = self._report, self._now
        if report is None or now is None or self._heard < report.done.said:
            return
        if self._late is not None:
            self._late.cancel()
        self._report = None
        self._later(lambda: self._conclude(now, report))

    def _conclude(self, now: _Turn, report: Report) -> None:
        with self._lock:
            if self._now is not now:
                return  # it was lost meanwhile
            try:
                self._save(now.assignment, report)
            except WhotestsError as failure:
                self.lose(str(failure))
                return
            self._now = None
            if self._waiting:
                self._begin()
        now.future.set_result(report.done)

    def _save(self, assignment: Assignment, report: Report) -> None:
        if self._facts is None:
            return
        self._unsaved |= _keys(assignment)
        if report.facts:
            there = self._facts.keep(self._name, report.facts, home=self._home)
            if assignment.end:
                # What is not in there now never will be.
                self._unsaved.clear()
            self._unsaved = {key for key in self._unsaved if key.test_id not in there}

    def _fail(self) -> None:
        """Let the run know that nothing comes of what it submitted."""
        turns = [*([self._now] if self._now is not None else []), *self._waiting]
        self._now = None
        self._waiting.clear()
        again = set(self._unsaved)
        if self._facts is not None:
            again.update(key for turn in turns for key in _keys(turn.assignment))
        for turn in turns:
            turn.future.set_exception(SlotLostError(self._lost, again=again))


def _keys(assignment: Assignment) -> set[Key]:
    return {Key(assignment.suite, test_id) for test_id in assignment.tests}
