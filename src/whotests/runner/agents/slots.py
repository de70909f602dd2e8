"""Where workers are: each slot is an executor with one lane."""

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from whotests.runner.agents.agent import Agent, Say
from whotests.runner.assignment import Assignment, Brief, Done
from whotests.runner.items import Key

__all__ = ["LocalSlot", "Slot", "SlotLostError", "local_slots"]


class SlotLostError(Exception):
    """A machine is gone, and its slot with it: nothing is submitted there any more."""

    def __init__(self, reason: str, *, again: Collection[Key] = ()) -> None:
        super().__init__(reason)
        self.again = frozenset(again)
        """Tests that it had run, whose facts went with it: they are run again for these."""


class Slot(Protocol):
    """One worker, wherever it is. It takes the next assignment when the one before is done."""

    @property
    def name(self) -> str:
        """'w0', 'w1'...: the route code of its events."""

    def submit(self, assignment: Assignment, say: Say) -> "Future[Done]":
        """Let it do the assignment. `say` gets frames as they come, from any thread, before the
        future is done. A future with an exception: the machine was lost, not the host alone;
        SlotLostError where it is known what went with it."""

    def interrupt(self) -> None:
        """Let its host end now as by Ctrl-C: fixtures are let go of, how the test in progress ends
        is unknown, and the assignment is done, with `ended`. A host that does not listen is killed
        some seconds later. Any thread may, a signal's handler too."""

    def kill(self) -> None:
        """End what its host runs at once; the assignment is then done, with `ended`, and how the
        test in progress ends is unknown. Any thread may, a signal's handler too."""

    def close(self) -> None:
        """Let go of it, and of a host that is still there; nothing is submitted any more."""


class LocalSlot:
    """A worker of this machine: its agent has a thread here, and its hosts are processes."""

    def __init__(self, brief: Brief, name: str) -> None:
        self.name = name
        self._agent = Agent(brief, name)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"whotests {name}")

    def submit(self, assignment: Assignment, say: Say) -> "Future[Done]":
        return self._executor.submit(self._agent.work, assignment, say)

    def interrupt(self) -> None:
        self._agent.interrupt()

    def kill(self) -> None:
        self._agent.kill()

    def close(self) -> None:
        self._executor.submit(self._agent.close)
        self._executor.shutdown()


def local_slots(brief: Brief, count: int) -> list[Slot]:
    """So many workers of this machine."""
    return [LocalSlot(brief, f"w{number}") for number in range(count)]
