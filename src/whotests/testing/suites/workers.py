"""Threads that take jobs: never more of them than a limit, whatever the number of jobs."""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Queue, SimpleQueue
from typing import Any, NamedTuple

__all__ = ["DEFAULT_WORKERS", "Job", "Workers"]

DEFAULT_WORKERS = 64
"""Jobs at once where nobody says otherwise: most wait for processes, so more than processors."""

OUTBOX = 1_000
"""What workers may have said before it was read; then they wait."""

LOOK = 0.5
"""Seconds after which a wait for what workers say is looked up from."""

POLL = 0.05
"""Seconds between looks at threads that end, after an error only."""


class Job(NamedTuple):
    """What one worker does, once."""

    run: Callable[[], object]
    stop: Callable[[], object]
    """Asks it to end soon; any thread may."""


class _Ended(NamedTuple):
    """In the outbox: a job is over."""

    number: int
    error: BaseException | None
    """What left the job."""


class Workers:
    """Runs jobs in at most `limit` threads, which are started when they are needed.

    Jobs may put what they have to say into `outbox`, which is bounded: the thread that calls
    `run` hands it on. The threads are daemons, so that a program can end while a job hangs.
    """

    def __init__(self, limit: int, *, name: str) -> None:
        if limit < 1:
            raise ValueError(f"there must be at least one worker, not {limit!r}")
        self.outbox: Queue[Any] = Queue(OUTBOX)
        self._limit = limit
        self._name = name
        self._inbox: SimpleQueue[tuple[int, Job] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._active: dict[int, Job] = {}

    def run(
        self,
        jobs: Iterator[Job],
        *,
        hear: Callable[[Any], object],
        should_stop: Callable[[], bool],
    ) -> None:
        """Do all jobs, taken one by one as workers are free, and `hear` what comes of them.

        After `should_stop` says so, jobs in progress end and no other begins. An error, be it of
        `jobs`, of `hear`, out of a job, or Ctrl-C in this thread, stops all jobs; it is raised
        when they have ended, and what they say until then is heard. A second Ctrl-C does not
        wait for them.
        """
        try:
            self._supervise(enumerate(jobs), hear, should_stop)
        except BaseException as error:
            for job in list(self._active.values()):
                job.stop()
            self._wind_up(hear, error)
            raise
        self._let_go()
        for thread in self._threads:
            thread.join()

    def _supervise(
        self,
        jobs: Iterator[tuple[int, Job]],
        hear: Callable[[Any], object],
        should_stop: Callable[[], bool],
    ) -> None:
        more = True
        while True:
            while more and len(self._active) < self._limit:
                following = None if should_stop() else next(jobs, None)
                if following is None:
                    more = False
                else:
                    self._begin(*following)
            if not self._active:
                return
            said = self._next_said()
            if isinstance(said, _Ended):
                del self._active[said.number]
                if said.error is not None:
                    raise said.error
            else:
                hear(said)

    def _next_said(self) -> Any:
        """A signal that comes just before this thread begins to wait does not wake it, nor does
        one that the system gives to a worker: so the wait is looked up from now and then."""
        while True:
            try:
                return self.outbox.get(timeout=LOOK)
            except Empty:
                continue

    def _begin(self, number: int, job: Job) -> None:
        self._active[number] = job
        self._inbox.put((number, job))
        if len(self._threads) < len(self._active):
            # By their names, threads of ours are told from what tests leave behind.
            name = f"whotests {self._name}-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (item := self._inbox.get()) is not None:
            number, job = item
            error: BaseException | None = None
            try:
                job.run()
            except BaseException as caught:
                error = caught
            del item, job  # a job holds its test, which may be large
            self.outbox.put(_Ended(number, error))
            del error

    def _let_go(self) -> None:
        """The threads end after the jobs that they have."""
        for _ in self._threads:
            self._inbox.put(None)

    def _wind_up(self, hear: Callable[[Any], object], first: BaseException) -> None:
        """Hear what is still said until the threads have ended.

        It is not counted how many jobs are yet to end: Ctrl-C may have come between the end of
        one and the note of it.
        """
        while not self._inbox.empty():
            self._inbox.get()  # nobody has begun these
        self._let_go()
        heard = True
        while not self.outbox.empty() or any(thread.is_alive() for thread in self._threads):
            try:
                said = self.outbox.get(timeout=POLL)
            except Empty:
                continue
            try:
                if isinstance(said, _Ended):
                    if said.error is not None:
                        first.add_note(f"Another worker failed, too: {said.error!r}")
                elif heard:
                    hear(said)
            except Exception as error:
                heard = False
                first.add_note(f"What came later was not passed on: {error!r}")
