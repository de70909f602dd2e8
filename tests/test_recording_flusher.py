"""When a run writes what it has found out, and in which thread."""

import gc
import sys
import threading
from pathlib import Path

import pytest

from whotests import records
from whotests.recording.flusher import INTERVAL, Flusher
from whotests.recording.ledger import Ledger
from whotests.records import Batch
from whotests.store.writer import Writer
from whotests.system import System
from whotests.types import Outcome, Runner, TestName


class OneTest(Ledger):
    """Has a test to tell of, each time."""

    def __init__(self) -> None:
        """Without contexts and files."""

        self.batches = []

    def make_batch(self) -> None:
        test = records.TestRecord(TestName("test"), Runner.OTHER, Outcome.PASSED, None)
        self.batches.append(Batch(tests=(test,)))


class Listening(Writer):
    """Notes in which thread it is told of a batch, and whether the collector looks then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, clock=System.since_the_epoch)
        self.heard: list[tuple[int, bool]] = []

    def write(self, batch: Batch) -> None:
        self.heard.append((threading.get_ident(), gc.isenabled()))


class Clock:
    """What the flusher takes for the time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def writer(tmp_path: Path) -> Listening:
    """Of a file that is not made."""
    return Listening(tmp_path / "data.sqlite")


def test_between_modules(clock: Clock, writer: Listening) -> None:
    """What imports take long is written by the thread that imports, just before the flusher's
    own would; meanwhile the collector does not look."""
    flusher = Flusher(OneTest(), writer, clock=clock)
    flusher.between_modules()
    clock.now += INTERVAL / 2
    flusher.between_modules()
    assert writer.heard == []
    clock.now += INTERVAL * 0.45
    flusher.between_modules()
    flusher.between_modules()
    assert writer.heard == [(threading.get_ident(), False)]
    assert gc.isenabled()


def test_between_tests(clock: Clock, writer: Listening) -> None:
    """A test's end is a moment to write when most of the time is over."""
    flusher = Flusher(OneTest(), writer, clock=clock)
    clock.now += INTERVAL * 0.75
    flusher.between_tests()
    assert writer.heard == []
    clock.now += INTERVAL * 0.1
    flusher.between_tests()
    assert writer.heard == [(threading.get_ident(), False)]


def test_deep_imports_are_no_moment(clock: Clock, writer: Listening) -> None:
    """Where few frames are left, the thread of the flusher's has to do it: nothing fails here."""
    flusher = Flusher(OneTest(), writer, clock=clock)
    clock.now += INTERVAL

    def go_down(left: int) -> None:
        if left:
            go_down(left - 1)
        else:
            flusher.between_modules()

    depth = 0
    while sys._getframe(depth).f_back is not None:
        depth += 1
    go_down(sys.getrecursionlimit() - depth - 50)
    assert writer.heard == []
    assert not flusher.problem
    flusher.between_modules()
    assert len(writer.heard) == 1
