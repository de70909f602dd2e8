"""What a test leaves in Twisted's reactor: delayed calls, selectables, busy threads."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from whotests.system import System
from whotests.testing.details.frames import place_of
from whotests.testing.supervision.leftovers import Leftover

__all__ = ["ReactorContents"]

__unittest = True

ROUNDS = 10
"""Turns that a reactor has to settle, before what is in it counts as left."""

PATIENCE = 0.2
"""Seconds that the threads of the reactor's pool have to end what they do."""

Judge = Callable[[list[Leftover]], list[Leftover]]
"""Gives those leftovers that are not allowed."""


class ReactorContents:
    """What is in the reactor when this is made, to tell what came since."""

    def __init__(self, reactor: Any, *, empty: bool = False) -> None:
        """Note what is in the reactor; `empty`, if all that is in it is to count as new."""
        self._reactor = reactor
        # Somebody else's, who runs it beside the tests: nothing can be told, or ended.
        self._foreign = bool(reactor.running)
        self._calls = [] if empty or self._foreign else reactor.getDelayedCalls()
        self._selectables = [] if empty or self._foreign else selectables(reactor)
        self._pool = None if empty or self._foreign else getattr(reactor, "threadpool", None)

    def leftovers(self, forbidden: Judge) -> list[Leftover]:
        """What came since and is not allowed; all of that is ended."""
        if self._foreign or self._reactor.running:
            return []
        found = self._left(forbidden)
        pool = getattr(self._reactor, "threadpool", None)
        if pool is not None and pool is not self._pool:
            # Idle threads would keep the process from ending; those that work are not waited for.
            if pool.working:
                del pool.threads[:]
            self._reactor._stopThreadPool()
        return found

    def _left(self, forbidden: Judge) -> list[Leftover]:
        rounds = 0
        until = System.monotonic() + PATIENCE
        while new := self._new():
            rounds += 1
            busy = any(leftover.kind == "threadpool" for leftover, _ in new)
            if rounds > ROUNDS and (not busy or System.monotonic() > until):
                break
            self._reactor.iterate(0)
            if busy:
                time.sleep(0.001)
        found = []
        for leftover, thing in self._new():
            named = forbidden([leftover])
            if named:
                found += named
                end(leftover.kind, thing)
        for _ in range(ROUNDS if found else 0):
            if not self._new():
                break
            self._reactor.iterate(0)
        for leftover, thing in self._new():
            if leftover.kind == "selectables" and forbidden([leftover]):
                self._reactor.removeReader(thing)
                self._reactor.removeWriter(thing)
        return found

    def _new(self) -> list[tuple[Leftover, Any]]:
        found: list[tuple[Leftover, Any]] = []
        for call in self._reactor.getDelayedCalls():
            if all(call is not each for each in self._calls) and call.active():
                due = max(call.getTime() - self._reactor.seconds(), 0.0)
                text = f"delayed call of {place_of(call.func)}, due in {due:.3g} s"
                found.append((Leftover("delayed calls", text), call))
        for each in selectables(self._reactor):
            if all(each is not other for other in self._selectables):
                found.append((Leftover("selectables", f"in the reactor: {each}"), each))
        pool = getattr(self._reactor, "threadpool", None)
        busy = len(pool.working) if pool is not None else 0
        if busy:
            noun = "thread that works" if busy == 1 else "threads that work"
            text = f"{busy} {noun} in the reactor's thread pool"
            found.append((Leftover("threadpool", text), pool))
        return found


def selectables(reactor: Any) -> list[Any]:
    """What the reactor reads and writes, each once; its own waker is none of it."""
    own = getattr(reactor, "_internalReaders", ())
    found: list[Any] = []
    for each in (*reactor.getReaders(), *reactor.getWriters()):
        if each not in own and each not in found:
            found.append(each)
    return found


def end(kind: str, thing: Any) -> None:
    """Cancel a delayed call, close a port or connection, kill a process."""
    if kind == "delayed calls":
        thing.cancel()
    elif kind == "selectables":
        process = getattr(thing, "proc", None)
        if process is not None:
            with contextlib.suppress(Exception):  # it may have ended meanwhile
                process.signalProcess("KILL")
        for name in ("stopListening", "abortConnection", "loseConnection"):
            close = getattr(thing, name, None)
            if close is not None:
                close()
                return
