"""Exactly one verdict per test, whatever is said of it how often."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from whotests.hosts.frames import Frame
from whotests.runner.items import Key
from whotests.stream.attached_text import TEXT, encoded
from whotests.stream.event import FAILED, Chunk, Event, Status
from whotests.stream.sink import Sink
from whotests.stream.timestamps import now

__all__ = ["Book"]

_STATUS: Final = {status.value: status for status in Status}

_time_of = datetime.fromtimestamp
_INPROGRESS = Status.INPROGRESS  # CPython 3.11 looks members of enumerations up slowly
_make_tuple = tuple.__new__  # takes a third of the time of Event(...)


class Book:
    """Stands between the workers and the sinks: passes on what is said of a test until its
    verdict, and nothing after that.

    A test that begins a second time, as its first worker was lost, keeps its first route code:
    for whoever listens it is one test that takes long. What is said of a test that was not
    selected is passed on too, until its first verdict: a host knows why it ran it.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.open: dict[Key, None] = {}
        """Selected tests without a verdict, in order."""
        self.verdicts: dict[Key, Status] = {}
        """Of tests, and of what was reported like one and cannot be selected."""
        self.failed: list[Key] = []
        """Those whose verdict is that they failed, in the order in which it came."""
        self._routes: dict[Key, str] = {}
        """Where tests in progress began."""

    def select(self, keys: Iterable[Key]) -> None:
        """These are the tests that shall get one."""
        self.open = dict.fromkeys(keys)

    def take(self, frame: Frame, key: Key | None, *, worker: str) -> None:
        """Take an EVENT frame of a worker; `key` is of its test, None if it has none."""
        _, test_id, word, tags, runnable, chunk, route_code, seconds = frame
        route = worker if route_code is None else f"{worker}/{route_code}"
        status = _STATUS[word] if word is not None else None
        if key is not None:
            if key in self.verdicts:
                return
            if status is _INPROGRESS:
                route = self._routes.setdefault(key, route)
            elif status is None:
                route = self._routes.get(key, route)
            else:
                route = self._routes.pop(key, route)
                self._close(key, status)
        self._sink.handle(
            _make_tuple(
                Event,
                (
                    test_id,
                    status,
                    None if tags is None else frozenset(tags),
                    runnable,
                    None if chunk is None else Chunk(*chunk),
                    route,
                    None if seconds is None else _time_of(seconds, UTC),
                ),
            )
        )

    def fail(self, key: Key, reason: str, *, worker: str = "", runnable: bool = True) -> None:
        """Let it have failed for this reason, if it has no verdict; what is not `runnable` is no
        test, but is told of like one."""
        if key in self.verdicts:
            return
        route = self._routes.pop(key, worker or None)
        self._close(key, Status.FAIL)
        self._sink.handle(
            Event(
                key.test_id,
                Status.FAIL,
                runnable=runnable,
                attachment=_text("reason", reason),
                route_code=route,
                timestamp=now(),
            )
        )

    def note(self, sentence: str, *, worker: str) -> None:
        """Tell something that is no verdict."""
        self._sink.handle(
            Event(attachment=_text("note", sentence), route_code=worker, timestamp=now())
        )

    def _close(self, key: Key, status: Status) -> None:
        self.open.pop(key, None)
        self.verdicts[key] = status
        if status in FAILED:
            self.failed.append(key)


def _text(name: str, text: str) -> Chunk:
    return Chunk(name, encoded(text), TEXT, eof=True)
