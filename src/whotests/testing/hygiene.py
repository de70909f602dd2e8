"""What a test leaves in the process: threads, and what is in Twisted's reactor."""

import threading

from whotests.testing.leftovers import Leftover

__all__ = ["Hygiene"]

__unittest = True


class Hygiene:
    """What is there at the beginning of a test, to tell what it left at its end."""

    __slots__ = ("_threads",)

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Note what is there."""
        self._threads = threading.enumerate()

    def leftovers(self) -> list[Leftover]:
        """What was not there at the beginning; it is ended where that is possible."""
        now = threading.enumerate()
        if now == self._threads:
            return []
        return [
            Leftover("threads", f"thread {thread.name!r}")
            for thread in now
            if thread not in self._threads
        ]
