"""What takes events."""

from typing import Protocol

from whotests.stream.event import Event

__all__ = ["Sink"]


class Sink(Protocol):
    """Takes the events of a run: `start_run` once, `handle` for each, `stop_run` once.

    A sink that passes events on calls all three of the next one. `handle` is called by one
    thread at a time unless the sink says otherwise; events of many tests may interleave.
    """

    def start_run(self) -> None:
        """The run begins: forget what an earlier run left."""

    def handle(self, event: Event, /) -> None:
        """One thing happened."""

    def stop_run(self) -> None:
        """No event comes any more: report what is incomplete, let go of what is held."""
