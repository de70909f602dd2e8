"""How a host tells the runner: a journal in a file, and a bell beside it."""

import os
from collections.abc import Sequence

from whotests.hosts.frames import COLLECTED, ENDED, EVENT, FOUND, IDLE, FrameWriter
from whotests.stream.event import Event

__all__ = ["Reporter"]

_AT_ONCE = 5_000
"""Tests in one frame."""


class Reporter:
    """A sink that writes each event into the journal, where it outlives the process.

    A file, because what is in it is there whatever ends the process, and because nobody has to
    be woken for each test: who watches looks now and then, and at once when the bell rings.
    """

    def __init__(self, journal: int, bell: int) -> None:
        """Both are open file descriptors."""
        self._frames = FrameWriter(journal)
        self._bell = bell

    def found(self, tests: Sequence[tuple[str, str]]) -> None:
        """All tests: ids, and the groups that they share fixtures in ('' for those in none)."""
        for start in range(0, len(tests), _AT_ONCE):
            self._frames.put((FOUND, list(tests[start : start + _AT_ONCE])))
        self._frames.put((COLLECTED,))
        self.ring()

    def idle(self, held: Sequence[str] = ()) -> None:
        """The orders are done but for the tests that are held back."""
        self._frames.put((IDLE, list(held)))
        self.ring()

    def ended(self, reason: str = "") -> None:
        """Nothing is run any more."""
        self._frames.put((ENDED, reason))
        self.ring()

    def ring(self) -> None:
        """Let the runner look at the journal now."""
        try:
            os.write(self._bell, b".")
        except OSError:
            return  # it is gone; the next order will say so

    def start_run(self) -> None:
        """Nothing: the runner knows."""

    def handle(self, event: Event, /) -> None:
        """Write one event."""
        test_id, status, tags, runnable, chunk, route_code, timestamp = event
        frame = (
            EVENT,
            test_id,
            None if status is None else status.value,
            None if tags is None else sorted(tags),
            runnable,
            None if chunk is None else tuple(chunk),
            route_code,
            None if timestamp is None else timestamp.timestamp(),
        )
        self._frames.put(frame)

    def stop_run(self) -> None:
        """Nothing: `ended` says more."""
