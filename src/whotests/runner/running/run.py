"""One run: collects, chooses, hands out, and listens until every chosen test has its verdict."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

from whotests.errors import MachineError
from whotests.hosts.frames import COLLECTED, EVENT, FOUND, Frame, ReadFrames
from whotests.runner.agents.slots import Slot, SlotLostError
from whotests.runner.assignment import Assignment, Brief, Done
from whotests.runner.items import Item, Key
from whotests.runner.running.book import Book
from whotests.runner.running.collecting import Collecting
from whotests.runner.running.collection import Found
from whotests.runner.running.inbox import Inbox
from whotests.runner.running.scheduler import Scheduler
from whotests.runner.running.worker import Worker
from whotests.stream.control import Control, FileControl
from whotests.stream.event import FINAL, Status
from whotests.stream.sink import Sink

__all__ = ["Found", "Run", "Select"]

Select = Callable[[Sequence[Found]], Iterable[Item]]
"""Which of the tests that were found are to be run, in which order. May raise UsageError."""

_FINAL: Final = frozenset(status.value for status in FINAL)

_make_tuple = tuple.__new__  # takes a third of the time of Key(...)

_BEGAN: Final = Status.INPROGRESS.value

_LACKING: Final = (
    "it was found at first, but by no process that is there now: its id depends on what differs "
    "from process to process, such as the order of a set, the time or a random number"
)

_MOST_REPEATS: Final = 5

_LOOK: Final = 0.25
"""Seconds between looks at whether the run is to stop, while there is no worker."""

_SILENT: Final = "its host was told to run it, and did not say that it did"


class _Said(NamedTuple):
    worker: Worker
    assignment: Assignment
    octets: bytes


class _Over(NamedTuple):
    worker: Worker
    future: "Future[Done]"


class _Joined(NamedTuple):
    slot: Slot


_News = _Said | _Over | _Joined


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
        keep_order: bool = False,
        without_facts: Callable[[], frozenset[str]] | None = None,
        inbox: "Inbox[Any] | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """When all slots are lost, it waits `patience` seconds for one to `join`. `keep_order`:
        tests are handed out in the order of the selection, not longest first. `without_facts`
        tells, when all hosts have ended, of which tests what they ran is not in the data: where a
        host died, these run once more, and keep their verdicts. `inbox` and `clock` are those of a
        simulation."""
        self._brief = brief
        self._workers: dict[str, Worker] = {}
        for slot in slots:
            self._add(slot)
        self._select = select
        self._control = control
        self._stop_file = FileControl(brief.folder / "stop")
        self._stopping = False
        self._patience = patience
        self._keep_order = keep_order
        self._clock = clock
        self.book = Book(sink)
        self._inbox: Inbox[_News] = Inbox() if inbox is None else inbox
        self._collecting = Collecting(len(brief.suites))
        self._collection = self._collecting.collection
        self._scheduler: Scheduler | None = None
        self._without_facts = without_facts
        self._died = False
        """A host did, since tests were run again for their facts."""
        self._repeats = _MOST_REPEATS
        self._lost_slots: list[Slot] = []
        self._lost = ""
        """Why a slot was lost last."""

    def run(self) -> None:
        """Come back when each chosen test has a verdict, or the run was asked to stop and no test
        is in progress; `book.open` are then those that it did not come to.

        Raises what `select` and the sink raise, and MachineError when all workers were lost
        before the tests were found; no host is left running then.
        """
        try:
            self._loop()
        except BaseException:
            for worker in self._workers.values():
                worker.slot.kill()
            raise
        finally:
            self._inbox.open()
            for slot in (*self._lost_slots, *(each.slot for each in self._workers.values())):
                slot.close()

    def join(self, slot: Slot) -> None:
        """A slot has come while the run goes on; any thread may say so."""
        self._inbox.put_nowait(_Joined(slot))

    # -- what happens --------------------------------------------------------------------------

    def _loop(self) -> None:
        self._wake()
        while True:
            if not self._is_busy and not self._resume():
                return
            news = self._wait_news()
            if news is not None:
                self._handle(news)
            if self._is_to_stop():
                self._stop()
            if news is None:
                if not self._stopping:
                    self._give_up()
                return
            if self._stopping:
                self._wake()

    def _wait_news(self) -> _News | None:
        """What happens next; None: there is no worker, and none has come, or is wanted."""
        if self._workers:
            return self._inbox.wait_next()
        until = self._clock() + self._patience
        while True:
            left = max(until - self._clock(), 0.0)
            news = self._inbox.wait_next(min(left, _LOOK))
            # Nobody is there who could be interrupted, and would say so.
            if news is not None or not left or self._control.should_stop:
                return news

    @property
    def _is_busy(self) -> bool:
        return any(worker.assignments for worker in self._workers.values())

    def _resume(self) -> bool:
        """Whether there is more to do though nobody does anything."""
        if self._stopping:
            return False
        if self._scheduler is not None and not self._scheduler.waiting:
            return self._repeat(self._scheduler)
        if not self._workers:
            return True
        self._wake()
        if not self._is_busy:
            if self._scheduler is None:
                self._fail_unfound()
            else:
                self._fail_waiting(self._scheduler)
        return self._is_busy

    def _repeat(self, scheduler: Scheduler) -> bool:
        """Whether tests run once more of which the facts died with a host; at most so often, as
        a test may end its host each time."""
        if self._without_facts is None or not self._died or not self._repeats:
            return False
        self._died = False
        self._repeats -= 1
        lost = self._without_facts()
        scheduler.again([key for key in self.book.verdicts if key.test_id in lost])
        if not scheduler.waiting:
            return False
        self.book.note(
            f"{scheduler.waiting} tests run once more, for what they run: a host died before it "
            "had written that",
            worker="",
        )
        self._let_all_try()
        self._wake()
        return self._is_busy

    def _handle(self, news: _News) -> None:
        if isinstance(news, _Said):
            if self._has(news.worker):
                self._listen(news)
            self._inbox.read(len(news.octets))
        elif isinstance(news, _Over):
            if self._has(news.worker):
                self._finish(news.worker, news.future)
        else:
            worker = self._add(news.slot)
            if self._scheduler is not None:
                self._scheduler.workers = len(self._workers)
            self._give(worker)

    def _add(self, slot: Slot) -> Worker:
        worker = self._workers[slot.name] = Worker(slot, turn=len(self._workers))
        return worker

    def _has(self, worker: Worker) -> bool:
        """Whether it is not lost."""
        return self._workers.get(worker.name) is worker

    # -- what workers do next ------------------------------------------------------------------

    def _wake(self) -> None:
        """Give those who do nothing something to do."""
        for worker in list(self._workers.values()):
            if not worker.assignments:
                self._give(worker)

    def _give(self, worker: Worker) -> None:
        """Give an idle worker something to do, if there is anything."""
        if self._stopping:
            self._end(worker)
        elif self._scheduler is None:
            if (assignment := self._collecting.next_for(worker)) is not None:
                self._submit(worker, assignment)
        elif worker.suite is None:
            suite = self._suite_for(worker, self._scheduler)
            if suite is not None:
                self._submit(worker, Assignment(suite))
        elif worker.lacking is None:
            self._submit(worker, Assignment(worker.suite, collect=True))
        elif not self._give_tests(worker):
            if self._scheduler.waiting_in(worker.suite):
                worker.unable.add(worker.suite)
            self._end(worker)

    def _suite_for(self, worker: Worker, scheduler: Scheduler) -> int | None:
        if not scheduler.waiting:
            return None
        busy = (each for each in self._workers.values() if each.assignments)
        at = Counter(each.assignments[-1].suite for each in busy)
        return scheduler.suite_for(at=at, refused=worker.refused | worker.unable)

    def _give_tests(self, worker: Worker) -> bool:
        """Give it tests of the suite of its host, if there are any for it."""
        scheduler, suite = self._scheduler, worker.suite
        if scheduler is None or suite is None or not scheduler.waiting_in(suite):
            return False
        items = scheduler.next_for(worker.name, suite=suite, lacking=worker.lacking or ())
        if not items:
            return False
        tests = tuple(item.key.test_id for item in items)
        self._submit(worker, Assignment(suite, tests, end=not scheduler.waiting_in(suite)))
        return True

    def _give_ahead(self, worker: Worker) -> None:
        """Tell it what comes next before it is through with what it does; the last tests are
        left to whoever is free first."""
        if (
            self._scheduler is not None
            and not self._stopping
            and worker.lacking is not None
            and worker.suite is not None
            and self._scheduler.waiting_in(worker.suite) > len(self._workers)
            and len(worker.assignments) == 1
            and worker.assignments[0].tests
            and self._scheduler.is_short(worker.name)
        ):
            self._give_tests(worker)

    def _end(self, worker: Worker) -> None:
        """End its host, if it has one."""
        if worker.suite is not None:
            self._submit(worker, Assignment(worker.suite, end=True))

    def _submit(self, worker: Worker, assignment: Assignment) -> None:
        inbox = self._inbox
        worker.told(assignment, now=self._clock())

        def say(octets: bytes) -> None:
            inbox.put(_Said(worker, assignment, octets), octets=len(octets))

        future = worker.slot.submit(assignment, say)
        future.add_done_callback(lambda future: inbox.put_nowait(_Over(worker, future)))

    # -- what workers say ----------------------------------------------------------------------

    def _listen(self, news: _Said) -> None:
        worker, suite = news.worker, news.assignment.suite
        octets = news.octets
        # Only what came by way of others is read here; it may be cut anywhere.
        frames = octets.frames if isinstance(octets, ReadFrames) else worker.reader.feed(octets)
        for frame in frames:
            kind = frame[0]
            if kind == EVENT:
                if worker.digest is None:
                    worker.early.append(frame)
                else:
                    self._note(worker, suite, frame)
            elif kind == FOUND:
                worker.found.extend(frame[1])
            elif kind == COLLECTED:
                _, _, digest, ordered = frame
                for event in self._collecting.found(
                    worker, suite, digest=digest, ordered=ordered, now=self._clock()
                ):
                    self._note(worker, suite, event)
        self._give_ahead(worker)

    def _note(self, worker: Worker, suite: int, frame: Frame) -> None:
        _, test_id, status, _, runnable, _, _, seconds = frame
        key = None if test_id is None else _make_tuple(Key, (suite, test_id))
        if runnable and status is not None and key is not None:
            if status == _BEGAN:
                worker.began[test_id] = seconds
            elif status in _FINAL and self._scheduler is not None:
                began = worker.began.pop(test_id, None)
                took = None if began is None or seconds is None else seconds - began
                self._scheduler.finished(worker.name, key, seconds=took)
        self.book.take(frame, key, worker=worker.name)

    # -- what became of it ---------------------------------------------------------------------

    def _finish(self, worker: Worker, future: "Future[Done]") -> None:
        error = SlotLostError("it was cancelled") if future.cancelled() else future.exception()
        if error is not None:
            self._lose(worker, error)
            return
        done = future.result()
        assignment = worker.assignments.popleft()
        worker.since = self._clock()
        for note in done.notes:
            self.book.note(note, worker=worker.name)
        if self._scheduler is None:
            for event in self._collecting.over(worker, assignment, done):
                self._note(worker, assignment.suite, event)
        else:
            self._finish_tests(self._scheduler, worker, assignment, done)
        died = bool(done.died or done.ended)
        self._died = self._died or bool(done.deaths)
        if died or assignment.end:
            worker.forget_host()
        elif assignment.collect and worker.lacking is None:
            worker.lacking = self._collection.lacking(assignment.suite, worker.found)
        if self._scheduler is None and self._collection.complete and not self._stopping:
            self._begin()
        elif died:
            self._wake()
        elif not worker.assignments:
            self._give(worker)

    def _begin(self) -> None:
        items = list(self._select(self._collection.found))
        self.book.select(item.key for item in items)
        self._scheduler = Scheduler(
            items,
            # Where more may join, a single one is not given all at once.
            workers=max(len(self._workers), 2 if self._patience else 1),
            keep_order=self._keep_order,
            ordered=self._collection.ordered,
        )
        self._scheduler.start_seconds = self._collection.seconds()
        for worker in self._workers.values():
            if worker.suite is not None and self._collection.is_same(worker.suite, worker.digest):
                worker.lacking = frozenset()
        self._wake()

    def _finish_tests(
        self, scheduler: Scheduler, worker: Worker, assignment: Assignment, done: Done
    ) -> None:
        name, suite = worker.name, assignment.suite
        had_tests = bool(assignment.tests or assignment.end)
        if not (done.died or done.ended):
            if had_tests:
                if self._stop_file.should_stop:
                    self._stop()  # a host has asked for it
                silent = scheduler.done(name, held=done.held)
                for key in silent if not self._stopping else ():
                    self.book.fail(key, _SILENT, worker=name)
            return
        if had_tests:
            scheduler.lost(name)
            self._let_all_try()
        if self._stopping:
            return
        if done.ended and worker.digest is not None:
            for test_id in worker.began:  # one that has raised KeyboardInterrupt, say
                self.book.fail(Key(suite, test_id), done.ended, worker=name)
            self.book.note(f"the run stops: {done.ended}", worker=name)
            self._stop()
        elif done.ended or done.hopeless:
            worker.refused.add(suite)
            if all(suite in each.refused for each in self._workers.values()):
                for key in scheduler.give_up(suite):
                    self.book.fail(key, done.died or done.ended, worker=name)

    def _lose(self, worker: Worker, error: BaseException) -> None:
        """A slot is gone: what it had not done, or what went with it, is done elsewhere."""
        self._lost = str(error) or type(error).__name__
        self.book.note(f"the worker is lost: {self._lost}", worker=worker.name)
        del self._workers[worker.name]
        # Closed at the end: what it still says may have to be read before it can be.
        self._lost_slots.append(worker.slot)
        self._collecting.lost(worker)
        if self._scheduler is not None:
            self._scheduler.workers = max(len(self._workers), 2 if self._patience else 1)
            self._scheduler.gone(worker.name)
            if isinstance(error, SlotLostError):
                self._scheduler.again(error.again)
            self._let_all_try()
        self._wake()

    def _let_all_try(self) -> None:
        """Other tests wait than when somebody found that none was for him."""
        for worker in self._workers.values():
            worker.unable.clear()

    # -- ends ----------------------------------------------------------------------------------

    def _is_to_stop(self) -> bool:
        most = self._brief.max_failures
        return self._control.should_stop or (0 < most <= len(self.book.failed))

    def _stop(self) -> None:
        """Let no test begin any more."""
        if not self._stopping:
            self._stopping = True
            self._control.stop()
            self._stop_file.stop()

    def _fail_unfound(self) -> None:
        """Nobody can find the tests of suites that somebody should."""
        for suite, worker, events, why in self._collecting.give_up():
            for event in events:
                self._note(worker, suite, event)
            key = Key(suite, self._brief.suites[suite].title)
            self.book.fail(key, why, worker=worker.name, runnable=False)
        if self._collection.complete:
            self._begin()

    def _fail_waiting(self, scheduler: Scheduler) -> None:
        """Nobody can run what waits."""
        for suite in range(len(self._brief.suites)):
            for key in scheduler.give_up(suite):
                self.book.fail(key, _LACKING)

    def _give_up(self) -> None:
        waited = f", and no new one came within {self._patience:g} s" if self._patience else ""
        reason = f"all workers were lost{waited}: {self._lost}"
        if self._scheduler is None:
            raise MachineError(f"{reason}; no test was found before; look at their logs")
        for key in list(self.book.open):
            self.book.fail(key, reason)
