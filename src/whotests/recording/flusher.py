"""Writes what a run has found out, at least once a second.

Between two tests, if one ends in time: there it is in nobody's way, and no other thread waits
for the interpreter. During a long test a thread of ours does it. That is started below
`threading`, so that the program under measurement does not see it among its threads, and is
gone while the process forks: a forked child has neither the thread nor a connection to the
data file, and Python does not warn of forking with threads.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from whotests.errors import WhotestsError
from whotests.garbage import uncollected
from whotests.recording.interruptions import is_the_programs
from whotests.recording.ledger import Ledger
from whotests.recording.originals import RLock, allocate_lock, start_new_thread
from whotests.store.writer import Writer
from whotests.system import System

__all__ = ["Flusher"]

INTERVAL = 0.7
"""Seconds between two writes at most; with the time that a write takes, under a second."""

_FRAMES = 100
"""More than a write takes, one in another."""

_FREE_SECONDS = 0.1
"""What writing soon may take in all before its share counts, and how long it waits its turn."""


class Flusher:
    """The thread that writes a ledger's batches, and the last write of all.

    A signal's handler may raise in the middle of a write, which goes its way; what was to be
    written then is written the next time, once.
    """

    def __init__(
        self, ledger: Ledger, writer: Writer, *, clock: Callable[[], float] = System.monotonic
    ) -> None:
        """`clock` tells seconds, and never goes back."""
        self._ledger = ledger
        self._writer = writer
        self._clock = clock
        self._turns = RLock()
        """Held by the one that starts or ends the thread."""
        self._thread: _Thread | None = None
        self._writes = RLock()
        """Held by the thread that writes. A signal's handler may come in the middle of that, and
        is not to wait for its own thread."""
        self._held: list[bool] = []
        """Whether it is held until `let_go`."""
        self._written_at = self._clock()
        self._began = self._clock()
        self._soon = 0.0
        """Seconds that it took to write soon."""
        self.problem = ""
        """Why a batch could not be written, until it could."""

    def resume(self) -> None:
        """Starts the thread, unless it runs."""
        if self._thread is not None or True in self._held:
            return
        with self._turns:
            if self._thread is not None:
                return
            thread = self._thread = _Thread()
            try:
                start_new_thread(self._run, (thread,))
                thread.started = True
            except BaseException as error:
                thread.let_stop()
                self._thread = None
                # No more threads, or the interpreter is ending: the end writes.
                if not isinstance(error, RuntimeError):
                    raise

    def pause(self) -> None:
        """Ends the thread and lets go of the data file; `resume` or `write` go on."""
        with self._turns:
            while (thread := self._thread) is not None:  # a handler may start another one
                try:
                    self._end_thread(thread)
                except BaseException:  # a signal's handler raised: forks want it gone all the same
                    self._end_thread(thread)
                    raise

    def _end_thread(self, thread: "_Thread") -> None:
        threads = _operating_system_threads()
        thread.let_stop()
        if thread.started:
            with thread.ended:  # by one call, so that nothing comes between its two ends
                pass
        if self._thread is thread:
            self._thread = None
        # The thread's last Python code is over; wait until the system has seen it go.
        waiting = allocate_lock()
        waiting.acquire()
        for _ in range(100):
            if not threads or _operating_system_threads() < threads:
                break
            waiting.acquire(timeout=0.0002)
        # Another thread may be writing between two tests of its own. (Where a signal's handler
        # forks in the middle of a write, that is tried again.)
        held: list[bool] = []
        try:
            _take(self._writes, held)
            self._writer.suspend()
        finally:
            if True in held:
                self._writes.release()

    def _run(self, thread: "_Thread") -> None:
        try:
            pause = INTERVAL
            while not thread.stop.acquire(timeout=pause):
                pause = self._written_at + INTERVAL - self._clock()
                if pause < INTERVAL / 10:
                    self._write_unless_another_does()
                    pause = INTERVAL
        finally:
            thread.ended.release()

    def between_tests(self) -> None:
        """A good moment to write, if the thread would soon."""
        if self._clock() - self._written_at > 0.8 * INTERVAL:
            self._write_here()

    def between_modules(self) -> None:
        """The same, just before it would: imports may take seconds, and more files."""
        if self._clock() - self._written_at > 0.9 * INTERVAL and _has_room():
            self._write_here()

    def _write_here(self) -> None:
        """In the program's own thread, which waits for it."""
        with uncollected():
            self._write_unless_another_does()

    def write_soon(self, *, share: float) -> None:
        """Writes what is new, now, as long as such writes take no more than this share of the
        time; the first few always may."""
        began = self._clock()
        if self._soon > _FREE_SECONDS + share * (began - self._began):
            return
        self._write_unless_another_does(patience=_FREE_SECONDS)
        self._soon += self._clock() - began

    def write_and_hold(self) -> None:
        """Writes what is new, now. From then on nobody else writes, until `let_go`."""
        try:
            self.hold()
            self.write()
        except BaseException:
            self.let_go()
            raise

    def hold(self) -> None:
        """Nobody else writes, until `let_go`."""
        if True not in self._held:
            _take(self._writes, self._held)

    def let_go(self) -> None:
        """Others may write again."""
        if True in self._held:
            del self._held[:]
            self._writes.release()

    def _write_unless_another_does(self, *, patience: float = 0.0) -> None:
        if self._writes._is_owned():  # a handler has come in the middle of a write
            return
        held: list[bool] = []
        try:
            _take(self._writes, held, patience=patience)
            if True in held:
                self.write()
        finally:
            if True in held:
                self._writes.release()

    def write(self) -> None:
        """Writes what is new, and what could not be written before; raises nothing of
        its own."""
        try:
            self._ledger.make_batch()
            batches = self._ledger.batches
            while batches:
                self._writer.write(batches[0])
                del batches[0]
            self.problem = ""
        except WhotestsError as error:
            self.problem = str(error)
        except Exception as error:
            if is_the_programs(error):
                raise
            self.problem = f"a bug in whotests, please report it: {error!r}"
        self._written_at = self._clock()


class _Thread:
    """The locks of one thread."""

    def __init__(self) -> None:
        self.started = False
        self.stop = allocate_lock()
        """Let go of when it is to end."""
        self.stop.acquire()
        self.ended = allocate_lock()
        """Let go of when it has ended."""
        self.ended.acquire()

    def let_stop(self) -> None:
        """It is to end."""
        with suppress(RuntimeError):  # that was said before
            self.stop.release()


def _take(lock: Any, held: list[bool], *, patience: float = -1) -> None:
    """Takes the lock, within so many seconds or whenever it can, and notes whether it could: by
    one call, so that no signal's handler that raises makes us lose sight of it."""
    held.extend(map(lock.acquire, (True,), (patience,)))


def _has_room() -> bool:
    """Whether there are frames enough left of those that may be in each other."""
    try:
        sys._getframe(sys.getrecursionlimit() - _FRAMES)
    except ValueError:
        return True
    return False


def _operating_system_threads() -> int:
    """How many threads the system says this process has; 0 where it does not say."""
    try:
        return len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 0
    except OSError:
        return 0
