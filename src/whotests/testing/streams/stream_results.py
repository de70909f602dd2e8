"""The stream by testtools' names: results that are told of events by calls of `status`.

Each is a sink as well, so that these and sinks can follow each other in any order.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from whotests.stream.event import FAILED, Chunk, Event, Status
from whotests.stream.sink import Sink
from whotests.stream.tagger import Tagger
from whotests.stream.timestamps import Timestamper
from whotests.stream.to_queue import route_under

__all__ = [
    "CopyStreamResult",
    "SinkOf",
    "StreamFailFast",
    "StreamResult",
    "StreamTagger",
    "StreamToQueue",
    "TimestampingStreamResult",
    "as_sink",
]

STATUSES: dict[str | None, Status | None] = {None: None, **{str(each): each for each in Status}}


class StreamResult:
    """Takes a stream and does nothing with it; to be subclassed.

    A subclass overrides `status`, `startTestRun` and `stopTestRun`, which sinks before it reach
    through `handle`, `start_run` and `stop_run`.
    """

    _hears_status = False
    """Whether a subclass has a `status` of its own."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._hears_status = cls.status is not StreamResult.status

    def startTestRun(self) -> None:
        """The run begins."""

    def stopTestRun(self) -> None:
        """No event comes any more."""

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        test_tags: Iterable[str] | None = None,
        runnable: bool = True,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        eof: bool = False,
        mime_type: str | None = None,
        route_code: str | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        """One thing happened: the fields of an `Event`, those of its chunk as `file_name`,
        `file_bytes`, `mime_type` and `eof`. ValueError for a status that there is not.
        """
        try:
            status = STATUSES[test_status]
        except KeyError:
            known = ", ".join(Status)
            raise ValueError(f"there is no status {test_status!r}: use one of {known}") from None
        tags = None if test_tags is None else frozenset(test_tags)
        chunk = None
        if file_name is not None:
            chunk = Chunk(file_name, file_bytes or b"", mime_type, eof)
        self._take(Event(test_id, status, tags, runnable, chunk, route_code, timestamp))

    def start_run(self) -> None:
        """As `startTestRun`."""
        self.startTestRun()

    def handle(self, event: Event, /) -> None:
        """As `status`."""
        if self._hears_status:
            self.status(**_arguments(event))
        else:
            self._take(event)

    def stop_run(self) -> None:
        """As `stopTestRun`."""
        self.stopTestRun()

    def _take(self, event: Event) -> None:
        """What becomes of an event, however it came."""


class CopyStreamResult(StreamResult):
    """Passes all on to each of its targets: sinks, or whatever has `status`."""

    def __init__(self, targets: Iterable[Any]) -> None:
        super().__init__()
        self.targets = list(targets)

    def startTestRun(self) -> None:
        super().startTestRun()
        for target in self.targets:
            as_sink(target).start_run()

    def stopTestRun(self) -> None:
        super().stopTestRun()
        for target in self.targets:
            as_sink(target).stop_run()

    def _take(self, event: Event) -> None:
        super()._take(event)
        for target in self.targets:
            as_sink(target).handle(event)


class StreamFailFast(StreamResult):
    """Calls back at each failure, an unexpected success and an unknown end included."""

    def __init__(self, on_error: Callable[[], object]) -> None:
        super().__init__()
        self.on_error = on_error

    def _take(self, event: Event) -> None:
        if event.status in FAILED:
            self.on_error()


class StreamTagger(CopyStreamResult):
    """Adds tags to each event, then discards some. The caller's set stays as it is."""

    def __init__(
        self,
        targets: Iterable[Any],
        add: Iterable[str] | None = None,
        discard: Iterable[str] | None = None,
    ) -> None:
        super().__init__(targets)
        self.add = frozenset(add or ())
        self.discard = frozenset(discard or ())
        targets_of_all = SinkOf(super().startTestRun, super()._take, super().stopTestRun)
        self._tagger = Tagger(targets_of_all, add=self.add, discard=self.discard)

    def startTestRun(self) -> None:
        self._tagger.start_run()

    def stopTestRun(self) -> None:
        self._tagger.stop_run()

    def _take(self, event: Event) -> None:
        self._tagger.handle(event)


class TimestampingStreamResult(CopyStreamResult):
    """Gives the time to events that have none."""

    def __init__(self, target: Any) -> None:
        super().__init__([target])
        all_targets = SinkOf(super().startTestRun, super()._take, super().stopTestRun)
        self._timestamper = Timestamper(all_targets)

    def _take(self, event: Event) -> None:
        self._timestamper.handle(event)


class StreamToQueue(StreamResult):
    """Puts a dict for each call into a queue: its name as `event`, and the arguments.

    `routing_code` comes in front of each event's route code. With the start and the stop of the
    run comes `result`, which is this object. (`whotests.stream` has `ToQueue`, which puts events
    as they are and can be used between processes.)
    """

    def __init__(self, queue: Any, routing_code: str | None) -> None:
        super().__init__()
        self.queue = queue
        self.routing_code = routing_code

    def startTestRun(self) -> None:
        self.queue.put({"event": "startTestRun", "result": self})

    def stopTestRun(self) -> None:
        self.queue.put({"event": "stopTestRun", "result": self})

    def route_code(self, route_code: str | None) -> str | None:
        """The route code with which an event that comes with this one leaves."""
        return route_under(self.routing_code, route_code)

    def _take(self, event: Event) -> None:
        arguments = _arguments(event)
        arguments["route_code"] = self.route_code(event.route_code)
        self.queue.put({"event": "status", **arguments})


class SinkOf(NamedTuple):
    """A sink made of three functions."""

    start_run: Callable[[], None]
    handle: Callable[[Event], None]
    stop_run: Callable[[], None]


class _Plain(NamedTuple):
    """A sink that calls what has `status`, and `startTestRun` and `stopTestRun`, only."""

    target: Any

    def start_run(self) -> None:
        self.target.startTestRun()

    def handle(self, event: Event, /) -> None:
        self.target.status(**_arguments(event))

    def stop_run(self) -> None:
        self.target.stopTestRun()


def as_sink(target: Any) -> Sink:
    """The target, or a sink that calls it if it has `status` only."""
    if hasattr(target, "handle"):
        sink: Sink = target
        return sink
    return _Plain(target)


def _arguments(event: Event) -> dict[str, Any]:
    """What `status` is called with. The set of tags is the callee's own."""
    test_id, status, tags, runnable, chunk, route_code, timestamp = event
    # The end, or the type, of no file: some writers of subunit tell that.
    of_no_file = chunk is not None and chunk[:2] == ("", b"") and chunk[2:] != (None, False)
    return {
        "test_id": test_id,
        "test_status": None if status is None else status.value,
        "test_tags": None if tags is None else set(tags),
        "runnable": runnable,
        "file_name": None if chunk is None or of_no_file else chunk.name,
        "file_bytes": None if chunk is None or of_no_file else chunk.content,
        "eof": chunk is not None and chunk.eof,
        "mime_type": None if chunk is None else chunk.mime_type,
        "route_code": route_code,
        "timestamp": timestamp,
    }
