"""One stream to several sinks."""

from collections.abc import Iterable

from whotests.stream.event import Event
from whotests.stream.sink import Sink

__all__ = ["FanOut", "start_all", "stop_all"]


class FanOut:
    """Hands each event to all of its sinks, in their order.

    What a sink raises reaches whoever emits the event. Whatever happens, each sink that was
    started is stopped: errors of several are raised as one `ExceptionGroup`.
    """

    def __init__(self, *sinks: Sink) -> None:
        self.sinks = sinks
        self._handles = tuple(sink.handle for sink in sinks)

    def start_run(self) -> None:
        start_all(self.sinks)

    def handle(self, event: Event, /) -> None:
        for handle in self._handles:
            handle(event)

    def stop_run(self) -> None:
        stop_all(self.sinks)


def start_all(sinks: Iterable[Sink]) -> None:
    """Start every sink; where one cannot be, stop those that were, and raise its error."""
    started: list[Sink] = []
    try:
        for sink in sinks:
            sink.start_run()
            started.append(sink)
    except BaseException:
        stop_all(started)
        raise


def stop_all(sinks: Iterable[Sink]) -> None:
    """Stop every sink; then raise what went wrong, if anything did."""
    errors: list[Exception] = []
    for sink in sinks:
        try:
            sink.stop_run()
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("several sinks of the run could not be stopped", errors)
