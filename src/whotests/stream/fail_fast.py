"""Hearing of failures at once."""

from collections.abc import Callable

from whotests.stream.event import FAILED, Event

__all__ = ["FailFast"]


class FailFast:
    """Calls back at each failure, as it comes: `FailFast(control.stop)` ends a run early.

    A failure is a status with which a run is not successful: fail, uxsuccess and unknown.
    """

    def __init__(self, on_failure: Callable[[], object]) -> None:
        self._on_failure = on_failure

    def start_run(self) -> None:
        """Nothing is kept from one run to the next."""

    def handle(self, event: Event, /) -> None:
        if event.status in FAILED:
            self._on_failure()

    def stop_run(self) -> None:
        """Nothing is held."""
