"""Exactly one verdict per test, whatever is said of it how often."""

from collections.abc import Iterable
from datetime import UTC, datetime

from whotests.hosts.frames import Frame
from whotests.runner.scheduler import Key
from whotests.stream.event import FINAL, Chunk, Event, Status
from whotests.stream.sink import Sink
from whotests.stream.timestamps import now

__all__ = ["Book"]


class Book:
    """Stands between the workers and the sinks: passes on what is said of a test until its
    verdict, and nothing after that."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.open: dict[Key, None] = {}
        """Selected tests without a verdict, in order."""
        self.failed: list[Key] = []

    def select(self, keys: Iterable[Key]) -> None:
        """These are the tests that shall get one."""
        self.open = dict.fromkeys(keys)

    def take(self, frame: Frame, *, suite: int, worker: str) -> None:
        """Take an EVENT frame of a worker."""
        event = event_of(frame, worker=worker)
        if event.test_id is not None and event.runnable:
            key = Key(suite, event.test_id)
            if key not in self.open:
                return
            if event.status in FINAL:
                self._close(key, event.status)
        self._sink.handle(event)

    def fail(self, key: Key, reason: str, *, worker: str) -> None:
        """Give a test the verdict that it failed, if it has none."""
        if key not in self.open:
            return
        text = reason.encode("utf-8", "backslashreplace")
        chunk = Chunk("reason", text, "text/plain; charset=utf-8", eof=True)
        self._close(key, Status.FAIL)
        self._sink.handle(
            Event(key.test_id, Status.FAIL, attachment=chunk, route_code=worker, timestamp=now())
        )

    def _close(self, key: Key, status: Status | None) -> None:
        del self.open[key]
        if status is Status.FAIL:
            self.failed.append(key)


def event_of(frame: Frame, *, worker: str) -> Event:
    """The event of an EVENT frame, as it came from a worker."""
    _, test_id, status, tags, runnable, chunk, route_code, seconds = frame
    return Event(
        test_id,
        None if status is None else Status(status),
        None if tags is None else frozenset(tags),
        runnable,
        None if chunk is None else Chunk(*chunk),
        worker if route_code is None else f"{worker}/{route_code}",
        None if seconds is None else datetime.fromtimestamp(seconds, UTC),
    )
