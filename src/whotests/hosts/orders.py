"""What the runner tells a host to do."""

from typing import Final

from whotests.hosts.frames import Frame, FrameReader
from whotests.stream.control import Control, RunControl
from whotests.system import System

__all__ = ["END", "RUN", "Orders"]

RUN: Final = "run"
"""(RUN, [ids]): run these, in this order; what was held back before comes first."""
END: Final = "end"
"""(END,): run what was held back, let go of all fixtures, and end."""

_PIECE = 1 << 16


class Orders:
    """The orders of one host's process, read from a pipe as they are wanted."""

    def __init__(self, descriptor: int, *, control: Control | None = None) -> None:
        """`control` is that of the run."""
        self._descriptor = descriptor
        self._control: Control = RunControl() if control is None else control
        self._reader = FrameReader()
        self._waiting: list[Frame] = []

    def wait_next(self) -> Frame:
        """The next order. END when the runner is gone: nobody is there to tell of more tests."""
        while not self._waiting:
            octets = System.read(self._descriptor, _PIECE)
            if not octets:
                return (END,)
            self._waiting.extend(self._reader.feed(octets))
        return self._waiting.pop(0)

    def peek(self) -> Frame:
        """The next order, which stays the next one."""
        order = self.wait_next()
        self._waiting.insert(0, order)
        return order

    @property
    def stopped(self) -> bool:
        """Whether no test is to be begun any more. To be asked before each test; what was not
        begun is told as held, and END then runs none of that."""
        return self._control.should_stop

    def stop(self) -> None:
        """Ask the whole run to stop: no worker begins a test any more."""
        self._control.stop()
