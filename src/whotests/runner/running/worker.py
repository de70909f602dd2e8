"""What a run knows of one of its workers."""

from collections import deque

from whotests.hosts.frames import Frame, FrameReader
from whotests.runner.agents.slots import Slot
from whotests.runner.assignment import Assignment

__all__ = ["Worker"]


class Worker:
    """A slot, what it has been told to do, and what is known of its host."""

    def __init__(self, slot: Slot, *, turn: int) -> None:
        self.slot = slot
        self.name = slot.name
        self.turn = turn
        """Its place among all workers: they begin with different suites where there are some."""
        self.reader = FrameReader()
        self.assignments: deque[Assignment] = deque()
        """What it does now, and what it does then; both of one host if no end is between them."""
        self.suite: int | None = None
        """That of the host which it has when all that is done; None: it has none."""
        self.refused: set[int] = set()
        """Suites that it cannot run: their hosts die as soon as they begin."""
        self.unable: set[int] = set()
        """Suites of which nothing waits that its hosts find."""
        self.since = 0.0
        """When it was told to do what it does, by the run's clock."""
        self.began: dict[str, float] = {}
        """When tests in progress began, in seconds since the epoch."""
        self.forget_host()

    def forget_host(self) -> None:
        """The next frames are those of a new host."""
        self.reader = FrameReader()
        self.found: list[tuple[str, str]] = []
        """What its host has said to have found, since it was asked."""
        self.early: list[Frame] = []
        """What its host said happened before it had found all: what it could not load. Kept until
        it is known of the suite what it has."""
        self.ordered = False
        """Whether what its host found depends on its order."""
        self.took = 0.0
        """Seconds until its host had found that."""
        self.digest: str | None = None
        """Of what its host found; None: it looks still."""
        self.lacking: frozenset[str] | None = None
        """Tests of the suite that its host did not find; None: that is not known yet."""
        self.began.clear()
        if not self.assignments:
            self.suite = None

    def told(self, assignment: Assignment, *, now: float) -> None:
        """It does this after what it does now."""
        if not self.assignments:
            self.since = now
        if assignment.collect:
            self.found = []
        self.assignments.append(assignment)
        self.suite = None if assignment.end else assignment.suite
