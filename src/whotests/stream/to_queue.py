"""From one thread or process to another, through a queue."""

from typing import NamedTuple, Protocol

from whotests.stream.event import Event

__all__ = ["QueueItem", "RunStarted", "RunStopped", "ToQueue", "route_under"]

_make_tuple = tuple.__new__  # takes a third of the time of event._replace(route_code=...)


class RunStarted(NamedTuple):
    """In the queue: the sink that puts events under this route code was started."""

    route_code: str | None


class RunStopped(NamedTuple):
    """In the queue: the sink that puts events under this route code was stopped."""

    route_code: str | None


QueueItem = RunStarted | Event | RunStopped


class Queue(Protocol):
    """What is needed of a queue: those of `queue` and of `multiprocessing` have it."""

    def put(self, item: QueueItem, /) -> object:
        """Add one item at the end."""


class ToQueue:
    """Puts each event into a queue at once, its route code under this one.

    The start and the stop of the run are items of their own, so that whoever takes from a queue
    that several sinks fill knows when each is done. All items can be pickled. Any thread may
    call if any thread may put into the queue.
    """

    def __init__(self, queue: Queue, route_code: str | None) -> None:
        self._put = queue.put
        self.route_code = route_code

    def start_run(self) -> None:
        self._put(RunStarted(self.route_code))

    def handle(self, event: Event, /) -> None:
        test_id, status, tags, runnable, attachment, route_code, timestamp = event
        nearest = self.route_code
        if nearest is not None:
            route_code = nearest if route_code is None else f"{nearest}/{route_code}"
        self._put(
            _make_tuple(Event, (test_id, status, tags, runnable, attachment, route_code, timestamp))
        )

    def stop_run(self) -> None:
        self._put(RunStopped(self.route_code))


def route_under(nearest: str | None, route_code: str | None) -> str | None:
    """The route code of what came by `route_code` and then through `nearest`."""
    if nearest is None or route_code is None:
        return route_code if nearest is None else nearest
    return f"{nearest}/{route_code}"
