"""What a host is doing, and whether it takes too long: decisions only, no clock and no process."""

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Final

from whotests.hosts.frames import COLLECTED, ENDED, EVENT, IDLE, OUTPUT, Frame
from whotests.stream.event import FINAL

__all__ = ["DUMPING", "Step", "Watch"]

_FINAL: Final = frozenset(status.value for status in FINAL)

GRACE: Final = 3.0
"""Seconds beyond the limit, and a tenth of it, in which a test may still stop by itself: it has
been interrupted within its process, and its fixtures are being torn down."""

AT_THE_END: Final = 60.0
"""Seconds that a host has at least to let go of its fixtures, where there is a limit at all."""

DUMPING: Final = 2.0
"""Seconds from SIGABRT, at which a process writes its stacks, to SIGKILL."""


class Step(Enum):
    """What is to be done with a host now."""

    WAIT = "wait"
    ABORT = "abort"
    """Let it write its stacks and end."""
    KILL = "kill"


class Watch:
    """Reads along with what a host says. Times are seconds of one clock that never goes back."""

    def __init__(self, limit: float, *, now: float) -> None:
        """`limit` is what a test may take; 0: any time."""
        self._limit = limit
        self._since = now
        self._aborted: float | None = None
        self.running = ""
        """The test that is in progress, or ''."""
        self.collected = False
        self.ending = False
        """The host was told to end, and runs nothing any more as far as is known."""
        self.busy = False
        """It was given tests, and has not said that they are done."""
        self.left: set[str] = set()
        """Tests of those that it was given that had no verdict since."""
        self.fruitful = False
        """Whether any had one."""
        self.output: tuple[int, ...] = ()
        """The host's descriptors of the files with what the running test has written."""

    def begin(self, tests: Collection[str], *, end: bool, now: float) -> None:
        """It has been told to run tests, those that it holds among them, to end, or both."""
        self.left = set(tests)
        self.fruitful = False
        self.busy = bool(tests)
        self.ending = end
        self._since = now

    def note(self, frames: Iterable[Frame], *, now: float) -> None:
        """It has said this."""
        for frame in frames:
            kind = frame[0]
            if kind == EVENT:
                test_id, status, runnable = frame[1], frame[2], frame[4]
                if test_id is None or status is None:
                    continue
                self._since = now
                if runnable and status in _FINAL:
                    self.left.discard(test_id)
                    self.fruitful = True
                    self.running = ""
                elif runnable:
                    self.running = test_id
            elif kind == OUTPUT:
                self.output = tuple(frame[1])
            else:
                self._since = now
                self.collected = self.collected or kind == COLLECTED
                self.busy = self.busy and kind not in (IDLE, ENDED)

    def since(self, now: float) -> float:
        """Seconds since the running test began, or since the host last said anything."""
        return now - self._since

    @property
    def late(self) -> bool:
        """Whether it was told to end because it took too long."""
        return self._aborted is not None

    def step(self, now: float) -> Step:
        """What is to be done now; ABORT comes once."""
        if self._aborted is not None:
            return Step.KILL if now - self._aborted > DUMPING else Step.WAIT
        if not self._limit or not self.collected:
            return Step.WAIT
        patience = self._limit * 1.1 + GRACE
        if not self.running and not self.busy:
            if not self.ending:
                return Step.WAIT
            patience = max(patience, AT_THE_END)
        if now - self._since <= patience:
            return Step.WAIT
        self._aborted = now
        return Step.ABORT
