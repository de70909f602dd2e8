"""When it happened, for events that do not say so."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from whotests.stream.event import Event
from whotests.stream.sink import Sink

__all__ = ["Timestamper", "now"]

_make_tuple = tuple.__new__  # takes a third of the time of event._replace(timestamp=...)

now: Callable[[], datetime] = partial(datetime.now, UTC)
"""The machine's time."""


class Timestamper:
    """Gives the time of the clock to events that have none, and passes all on."""

    def __init__(self, sink: Sink, *, clock: Callable[[], datetime] = now) -> None:
        self.sink = sink
        self._pass_on = sink.handle
        self._clock = clock

    def start_run(self) -> None:
        self.sink.start_run()

    def handle(self, event: Event, /) -> None:
        test_id, status, tags, runnable, attachment, route_code, timestamp = event
        if timestamp is None:
            event = _make_tuple(
                Event, (test_id, status, tags, runnable, attachment, route_code, self._clock())
            )
        self._pass_on(event)

    def stop_run(self) -> None:
        self.sink.stop_run()
