"""A sink for tests: it keeps all it was told."""

from whotests.stream.event import Event

__all__ = ["EventLog"]


class EventLog:
    """Keeps every event of the run, and how often it was started and stopped."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.started = 0
        self.stopped = 0

    def start_run(self) -> None:
        self.started += 1
        self.events = []

    def handle(self, event: Event, /) -> None:
        self.events.append(event)

    def stop_run(self) -> None:
        self.stopped += 1
