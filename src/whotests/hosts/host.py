"""What each kind of host does, and the loop that drives it."""

from typing import Protocol

__all__ = ["Host"]


class Host(Protocol):
    """Tests of one kind, in this process.

    `run` blocks until the runner has told it to end, and tells its reporter all that happens:
    which tests there are, once; the events of each test; that orders are done. Every test that
    it was told to run gets one final status, and an id that it does not have gets a failure.
    What cannot be loaded is a failure that is not runnable. It raises nothing but what ends the
    process.
    """

    def run(self) -> None:
        """Collect, tell, run what is ordered, end."""
