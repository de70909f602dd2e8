"""What a test leaves in the process: threads, and what is in Twisted's reactor."""

import sys
import threading
from typing import Any

from whotests.system import System
from whotests.testing.details.frames import place_of, users_place
from whotests.testing.supervision.leftovers import Leftover, not_allowed
from whotests.testing.supervision.timeouts import WATCHDOG

__all__ = ["Hygiene"]

__unittest = True

PATIENCE = 0.2
"""Seconds that threads have together to end after their test."""

NO_TESTS = (WATCHDOG, "whotests", "PoolThread-twisted.internet.reactor")
"""How the names of threads begin that are ours, or are found in the reactor."""


class Hygiene:
    """What is there at the beginning of a test, to tell what it left at its end.

    Whose a thread is cannot be told where tests run in several threads at once: then none is
    looked for.
    """

    __slots__ = ("_alone", "_outer", "_reactor", "_threads")

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._reactor: Any = None
        self._alone = True
        self._outer: Hygiene | None = None
        """That of the test that runs this one, in the same thread."""

    def begin(self) -> None:
        """Note what is there."""
        ident = threading.get_ident()
        self._outer = _running.get(ident)
        _running[ident] = self
        if len(_running) > 1:
            self._meet_others(ident)
        self._threads = threading.enumerate()
        if self._alone and REACTOR in sys.modules:
            from whotests.testing.supervision.reactor_contents import ReactorContents

            self._reactor = ReactorContents(sys.modules[REACTOR])

    def leftovers(self, case: Any) -> list[Leftover]:
        """What was not there at the beginning and is not allowed; it is ended, if possible."""
        ident = threading.get_ident()
        if self._outer is None:
            _running.pop(ident, None)
        else:
            _running[ident] = self._outer
        found: list[Leftover] = []
        if self._alone and REACTOR in sys.modules:  # which only one thread may touch
            from whotests.testing.supervision.reactor_contents import ReactorContents

            contents = self._reactor or ReactorContents(sys.modules[REACTOR], empty=True)
            found += contents.leftovers(lambda some: not_allowed(case, some))
        if self._alone and threading.enumerate() != self._threads:
            found += self._left_threads(case)
        return found

    def _meet_others(self, ident: int) -> None:
        """Tests in other threads, and those that run them, are not alone, and neither is this."""
        alive = {thread.ident for thread in threading.enumerate()}
        for other, test in tuple(_running.items()):
            if other != ident and other in alive:
                each: Hygiene | None = test
                while each is not None:
                    each._alone = False
                    each = each._outer
                self._alone = False

    def _left_threads(self, case: Any) -> list[Leftover]:
        new = [
            thread
            for thread in threading.enumerate()
            if thread not in self._threads and not is_ours(thread)
        ]
        if not new or not not_allowed(case, [Leftover("threads", "")]):
            return []
        until = System.monotonic() + PATIENCE
        for thread in new:
            if isinstance(thread, threading.Timer) and thread.finished.is_set():
                continue
            thread.join(max(until - System.monotonic(), 0))
        left = []
        for thread in new:
            if thread.is_alive():
                left.append(describe(thread))
                if isinstance(thread, threading.Timer):
                    thread.cancel()
        return left


REACTOR = "twisted.internet.reactor"

_running: dict[int, Hygiene] = {}
"""By thread: the innermost test that runs there."""


def is_ours(thread: threading.Thread) -> bool:
    """Whether a thread is none of the test's: one of this package, or only seen by chance."""
    return (
        thread.name.startswith(NO_TESTS)
        or type(thread).__name__ == "_DummyThread"
        or thread is threading.current_thread()
    )


def describe(thread: threading.Thread) -> Leftover:
    """The thread by its name, what it runs, and where it is now."""
    target = getattr(thread, "_target", None)
    runs = "" if target is None else f" running {place_of(target)}"
    if isinstance(thread, threading.Timer):
        runs = f", a timer of {thread.interval:g} s for {place_of(thread.function)}"
    daemon = " (daemon)" if thread.daemon else ""
    frame = sys._current_frames().get(thread.ident or 0)
    place = None if frame is None else users_place(frame)
    where = None if place is None else f"now at {place}"
    return Leftover("threads", f"thread {thread.name!r}{daemon}{runs}", where)
