"""One run: collects, chooses, hands out, and listens until every chosen test has its verdict."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import NamedTuple

from whotests.errors import MachineError
from whotests.hosts.frames import EVENT, FOUND, FrameReader
from whotests.runner.assignment import Assignment, Brief, Done
from whotests.runner.book import Book
from whotests.runner.scheduler import Item, Key, Scheduler
from whotests.runner.slots import Slot, SlotLostError
from whotests.stream.control import Control
from whotests.stream.sink import Sink

__all__ = ["Found", "Run", "Select"]


class Found(NamedTuple):
    """A test that a host found."""

    key: Key
    group: str


Select = Callable[[Sequence[Found]], Iterable[Item]]
"""Which of the tests that were found are to be run, in which order. May raise UsageError."""


class _Said(NamedTuple):
    worker: str
    octets: bytes


class _Over(NamedTuple):
    worker: str
    future: "Future[Done]"


class _Joined(NamedTuple):
    slot: Slot


class _Worker:
    """What the run knows of one slot."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.reader = FrameReader()
        self.assignment: Assignment | None = None
        """What it does now."""
        self.suite: int | None = None
        """That of its host; None: it has none."""


class Run:
    """Runs the suites of a brief in slots; `run` once."""

    def __init__(
        self,
        brief: Brief,
        slots: Sequence[Slot],
        *,
        sink: Sink,
        select: Select,
        control: Control,
        patience: float = 0.0,
    ) -> None:
        """When all slots are lost, it waits `patience` seconds for one to `join`."""
        self._brief = brief
        self._workers = {slot.name: _Worker(slot) for slot in slots}
        self._select = select
        self._control = control
        self._patience = patience
        self.book = Book(sink)
        self._queue: SimpleQueue[_Said | _Over | _Joined] = SimpleQueue()
        self._found: list[list[Found]] = [[] for _ in brief.suites]
        self._to_collect = list(range(len(brief.suites)))
        self._collectors: dict[str, int] = {}
        """Whose word on a suite's tests counts."""
        self._scheduler: Scheduler | None = None

    def run(self) -> None:
        """Come back when each chosen test has a verdict, or the control was asked to stop."""
        for worker in self._workers.values():
            self._give(worker)
        while any(worker.assignment for worker in self._workers.values()) or self._is_alone():
            try:
                news = self._queue.get(timeout=None if self._workers else self._patience)
            except Empty:
                self._give_up()
                break
            if isinstance(news, _Joined):
                worker = self._workers[news.slot.name] = _Worker(news.slot)
                self._give(worker)
                continue
            worker = self._workers[news.worker]
            if isinstance(news, _Said):
                self._listen(worker, news.octets)
            else:
                self._finished(worker, news.future)
        for worker in self._workers.values():
            worker.slot.close()

    def join(self, slot: Slot) -> None:
        """A slot has come while the run goes on; any thread may say so."""
        self._queue.put(_Joined(slot))

    def _is_alone(self) -> bool:
        """Whether there is nobody left for what is to be done."""
        return not self._workers and (self._scheduler is None or self._scheduler.waiting > 0)

    def _give_up(self) -> None:
        if self._scheduler is None:
            raise MachineError(
                "all workers were lost before the tests were found, and no new one came within "
                f"{self._patience:g} s; look at their logs, and run again"
            )
        for key in list(self.book.open):
            reason = f"all workers were lost, and no new one came within {self._patience:g} s"
            self.book.fail(key, reason, worker="")

    # -- what workers do next ----------------------------------------------------------------

    def _give(self, worker: _Worker) -> None:
        """Give an idle worker something to do, if there is anything."""
        name = worker.slot.name
        if self._scheduler is None:
            if self._to_collect and worker.suite is None:
                suite = self._to_collect.pop(0)
                self._collectors[name] = suite
                self._submit(worker, Assignment(suite, collect=True))
            elif worker.suite is None:
                self._submit(worker, Assignment(0, collect=True))
            return
        items = (
            () if self._control.should_stop else self._scheduler.next_for(name, suite=worker.suite)
        )
        if items:
            suite = items[0].key.suite
            tests = tuple(item.key.test_id for item in items)
            self._submit(worker, Assignment(suite, tests, end=not self._scheduler.waiting))
        elif worker.suite is not None:
            self._submit(worker, Assignment(worker.suite, end=True))

    def _submit(self, worker: _Worker, assignment: Assignment) -> None:
        name = worker.slot.name
        worker.assignment = assignment
        worker.suite = assignment.suite
        future = worker.slot.submit(assignment, lambda octets: self._queue.put(_Said(name, octets)))
        future.add_done_callback(lambda future: self._queue.put(_Over(name, future)))

    # -- what workers say --------------------------------------------------------------------

    def _listen(self, worker: _Worker, octets: bytes) -> None:
        assert worker.assignment is not None
        suite = worker.assignment.suite
        name = worker.slot.name
        for frame in worker.reader.feed(octets):
            if frame[0] == EVENT:
                self.book.take(frame, suite=suite, worker=name)
            elif frame[0] == FOUND and self._collectors.get(name) == suite:
                self._found[suite].extend(
                    Found(Key(suite, test_id), group) for test_id, group in frame[1]
                )

    def _finished(self, worker: _Worker, future: "Future[Done]") -> None:
        assignment, worker.assignment = worker.assignment, None
        assert assignment is not None
        name = worker.slot.name
        if future.cancelled() or (lost := future.exception()) is not None:
            self._lose(
                worker, assignment, lost if isinstance(lost, SlotLostError) else SlotLostError("")
            )
            return
        done = future.result()
        if assignment.end or done.died or done.ended:
            worker.suite = None
        if self._scheduler is None:
            if not self._to_collect and not any(
                other.assignment for other in self._workers.values()
            ):
                self._begin()
            else:
                self._give(worker)
            return
        if done.died or done.ended:
            self._scheduler.lost(name, finished=())
        else:
            self._scheduler.done(name, held=done.held)
        self._give(worker)

    def _lose(self, worker: _Worker, assignment: Assignment, lost: SlotLostError) -> None:
        """A slot is gone: what it had not done, or what went with it, is done elsewhere."""
        name = worker.slot.name
        del self._workers[name]
        worker.slot.close()
        if self._scheduler is None:
            if self._collectors.pop(name, None) is not None:
                self._found[assignment.suite].clear()
                self._to_collect.append(assignment.suite)
        else:
            said = (Key(assignment.suite, test_id) for test_id in assignment.tests)
            finished = {key for key in said if key not in self.book.open} - lost.again
            self._scheduler.lost(name, finished=finished)
            self._scheduler.again(lost.again)
        for other in self._workers.values():
            if other.assignment is None:
                self._give(other)

    def _begin(self) -> None:
        items = list(self._select([found for suite in self._found for found in suite]))
        self.book.select(item.key for item in items)
        self._scheduler = Scheduler(items, workers=len(self._workers))
        for worker in self._workers.values():
            self._give(worker)
