"""Threads that take jobs: never more of them than a limit, whatever the number of jobs."""

import threading
from collections.abc import Callable
from queue import Queue, SimpleQueue
from typing import Any, NamedTuple

__all__ = ["DEFAULT_WORKERS", "JobEnded", "Workers"]

DEFAULT_WORKERS = 64
"""Jobs at once where nobody says otherwise: most wait for processes, so more than processors."""


class JobEnded(NamedTuple):
    """A worker says so when its job is over."""

    job: int
    """The number under which it was begun."""
    error: BaseException | None
    """What left the job, which nobody has handled."""


class Workers:
    """At most `limit` threads, started when they are needed and kept for the next job.

    What a worker has to say goes to `outbox`, a `JobEnded` at the end of each job. They are
    daemons: `finish` waits for them, and who does not wait, as after a second Ctrl-C, can end.
    """

    def __init__(self, limit: int, *, name: str, outbox: "Queue[Any]") -> None:
        if limit < 1:
            raise ValueError(f"workers must be at least 1, not {limit!r}")
        self.active = 0
        """Jobs that were begun and have not ended, as far as `ended` was called."""
        self._limit = limit
        self._name = name
        self._outbox = outbox
        self._inbox: SimpleQueue[tuple[int, Callable[[], object]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def is_free(self) -> bool:
        """Whether one more job can begin."""
        return self.active < self._limit

    def begin(self, number: int, job: Callable[[], object]) -> None:
        """Hand over a job, only while `is_free`."""
        self.active += 1
        self._inbox.put((number, job))
        if len(self._threads) < self.active:
            thread = threading.Thread(
                target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def ended(self) -> None:
        """A `JobEnded` was read from the outbox."""
        self.active -= 1

    def finish(self) -> None:
        """Let go of the threads, which have no job any more."""
        for _ in self._threads:
            self._inbox.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (item := self._inbox.get()) is not None:
            number, job = item
            error: BaseException | None = None
            try:
                job()
            except BaseException as caught:
                error = caught
            item = job = None  # type: ignore[assignment]  # a test may be large
            self._outbox.put(JobEnded(number, error))
            error = None
