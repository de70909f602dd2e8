"""When a run writes what it has found out, and in which thread."""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

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


class Slow(Listening):
    """Takes long, and tells when the file was let go of meanwhile."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun = threading.Event()
        self.writes = False
        self.disturbed = False

    def write(self, batch: Batch) -> None:
        super().write(batch)
        self.writes = True
        self.begun.set()
        time.sleep(1.5)
        self.writes = False

    def suspend(self) -> None:
        self.disturbed = self.disturbed or self.writes


def test_nobody_lets_go_of_the_file_while_another_thread_writes(
    clock: Clock, tmp_path: Path
) -> None:
    """A fork, or the end, waits for a thread that is at the end of a test of its own."""
    writer = Slow(tmp_path / "data.sqlite")
    flusher = Flusher(OneTest(), writer, clock=clock)
    clock.now += INTERVAL
    other = threading.Thread(target=flusher.between_tests)
    other.start()
    assert writer.begun.wait(20)
    flusher.resume()
    flusher.pause()
    assert not writer.writes
    assert not writer.disturbed
    other.join()


class Handler:
    """Acts where a function of this name is called, once, as a signal's might."""

    def __init__(self, function: str, act: Callable[[], None]) -> None:
        self._function = function
        self._act = act

    def __enter__(self) -> None:
        sys.setprofile(self._look)

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == self._function:
            sys.setprofile(None)
            self._act()


def interrupt() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def threads() -> set[str]:
    """The threads of this process; one of an earlier test may be about to go."""
    return set(os.listdir("/proc/self/task"))


counts_threads = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="the system tells threads otherwise"
)


@counts_threads
def test_a_thread_that_a_handler_starts_is_ended(clock: Clock, writer: Listening) -> None:
    """Whatever comes in the middle of pausing: nothing is left of the thread."""
    flusher = Flusher(OneTest(), writer, clock=clock)
    before = threads()
    for function in ("_end_thread", "let_stop", "_take", "suspend"):
        flusher.resume()
        assert len(threads() - before) == 1
        with Handler(function, flusher.resume):
            flusher.pause()
        assert threads() <= before, function
        flusher.resume()
        with pytest.raises(KeyboardInterrupt), Handler(function, interrupt):
            flusher.pause()
        assert threads() <= before, function


@pytest.mark.parametrize("function", ["hold", "_take", "write", "make_batch", "let_go"])
def test_an_interrupted_write_keeps_nobody_from_writing(
    clock: Clock, writer: Listening, function: str
) -> None:
    """Not the next one, in whichever thread."""
    flusher = Flusher(OneTest(), writer, clock=clock)
    with suppress(KeyboardInterrupt), Handler(function, interrupt):
        flusher.write_and_hold()
        flusher.let_go()
    flusher.let_go()
    del writer.heard[:]
    clock.now += INTERVAL
    other = threading.Thread(target=flusher.between_tests)
    other.start()
    other.join()
    assert len(writer.heard) >= 1


@counts_threads
def test_no_thread_starts_while_nobody_is_to_write(clock: Clock, writer: Listening) -> None:
    """As before `exec`, and in the end."""
    flusher = Flusher(OneTest(), writer, clock=clock)
    before = threads()
    flusher.hold()
    flusher.resume()
    assert threads() <= before
    flusher.let_go()
    flusher.resume()
    assert len(threads() - before) == 1
    flusher.pause()
