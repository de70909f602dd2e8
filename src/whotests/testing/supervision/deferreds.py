"""Twisted's reactor, for as long as a test needs it. Nothing here imports Twisted by itself.

A Deferred that a test returns is waited for by running the reactor. Where the test has an asyncio
loop as well, and the reactor is not asyncio's, the loop runs and gives the reactor its turns.
"""

import contextlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from whotests.testing.supervision.timeouts import Expired, current_deadline

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "Guest",
    "ReactorStopped",
    "ReactorWait",
    "asyncio_loop_of",
    "default_reactor",
    "fire_later",
    "installed_reactor",
    "outcome_of",
    "run_reactor",
]

__unittest = True

PERIOD = 0.001
"""Seconds after which a reactor beside a loop has its turn, at the latest."""


class ReactorStopped(RuntimeError):
    """The reactor was stopped before what the test waits for had happened."""

    def __init__(self) -> None:
        super().__init__(
            "the reactor was stopped before the Deferred had fired; "
            "a test must not call reactor.stop() or reactor.crash()"
        )


def installed_reactor() -> Any:
    """The process's reactor; None where no reactor is installed."""
    return sys.modules.get("twisted.internet.reactor")


def default_reactor() -> Any:
    """The process's reactor, which is installed now if there is none."""
    from twisted.internet import reactor

    return reactor


def asyncio_loop_of(reactor: Any) -> "asyncio.AbstractEventLoop | None":
    """The asyncio loop on which a reactor runs; None for other reactors."""
    return getattr(reactor, "_asyncioEventloop", None)


def outcome_of(result: Any) -> object:
    """What a Deferred was fired with, or the exception of the failure is raised."""
    if hasattr(result, "raiseException") and isinstance(
        getattr(result, "value", None), BaseException
    ):
        raise result.value.with_traceback(result.getTracebackObject() or result.value.__traceback__)
    return result


def fire_later(deferred: Any, future: "asyncio.Future[None]") -> "asyncio.Future[None]":
    """The future, done as soon as the Deferred has fired; the Deferred keeps its result.

    To cancel the future is to cancel the Deferred.
    """

    def fired(result: object) -> object:
        if not future.done():
            future.set_result(None)
        return result

    def cancelled(future: "asyncio.Future[None]") -> None:
        if future.cancelled():
            deferred.addErrback(unless_cancelled)
            deferred.cancel()

    deferred.addBoth(fired)
    future.add_done_callback(cancelled)
    return future


def unless_cancelled(failure: Any) -> Any:
    """The failure, unless it is what comes of cancelling a Deferred."""
    return None if type(failure.value).__name__ == "CancelledError" else failure


def run_reactor(reactor: Any, start: Callable[[Callable[[], None]], None]) -> None:
    """Run the reactor until what `start` was given is called.

    :raises KeyboardInterrupt: if a signal stopped the reactor.
    :raises ReactorStopped: if anything else did.
    """
    ended = False

    def end() -> None:
        nonlocal ended
        if not ended:
            ended = True
            reactor.crash()

    in_main = threading.current_thread() is threading.main_thread()
    with kept_signals(in_main), stops_by_crash(reactor):
        reactor.callWhenRunning(start, end)
        reactor.run(installSignalHandlers=in_main)
    if not ended:
        ended = True
        revive(reactor)
        if getattr(reactor, "_exitSignal", None) is not None:
            reactor._exitSignal = None
            raise KeyboardInterrupt
        raise ReactorStopped


def revive(reactor: Any) -> None:
    """Let a reactor that was really stopped run again, for the tests that follow."""
    if getattr(reactor, "_startedBefore", False):
        reactor._startedBefore = False
        reactor.addSystemEventTrigger("during", "shutdown", reactor.crash)
        reactor.addSystemEventTrigger("during", "shutdown", reactor.disconnectAll)


@contextlib.contextmanager
def stops_by_crash(reactor: Any) -> Iterator[None]:
    """Meanwhile `reactor.stop` lets the reactor be run again."""
    reactor.stop = reactor.crash
    try:
        yield
    finally:
        with contextlib.suppress(AttributeError):
            del reactor.stop


@contextlib.contextmanager
def kept_signals(in_main: bool) -> Iterator[None]:
    """Put back what a reactor replaces and does not put back itself."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK") if in_main else ()
    kept = {
        number: signal.getsignal(number)
        for name in names
        if (number := getattr(signal, name, None)) is not None
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            if handler is not None:
                signal.signal(number, handler)


class Guest:
    """A reactor that has its turns in an asyncio loop which is not its own."""

    def __init__(self, reactor: Any, loop: "asyncio.AbstractEventLoop") -> None:
        self._reactor = reactor
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._poller: int | None = None
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        """Let it have turns from now on."""
        in_main = threading.current_thread() is threading.main_thread()
        self._stack.enter_context(stops_by_crash(self._reactor))
        with kept_signals(in_main):
            self._reactor.startRunning(installSignalHandlers=in_main)
        # The file descriptor of an epoll or kqueue is readable when one of its own is.
        reactor = self._reactor
        poller: Any = getattr(reactor, "_poller", None) or getattr(reactor, "_kq", None)
        if hasattr(poller, "fileno"):
            with contextlib.suppress(NotImplementedError, OSError):
                self._loop.add_reader(poller.fileno(), self._turn)
                self._poller = poller.fileno()
        self._later()

    def stop(self) -> None:
        """No more turns."""
        if self._handle is not None:
            self._handle.cancel()
        if self._poller is not None:
            self._loop.remove_reader(self._poller)
        signals = getattr(self._reactor, "_signals", None)
        if signals is not None:
            signals.uninstall()
        if self._reactor.running:
            self._reactor.crash()
        revive(self._reactor)
        self._stack.close()

    def _later(self) -> None:
        self._reactor.runUntilCurrent()
        self._reactor.doIteration(0)
        wait = self._reactor.timeout()
        self._handle = self._loop.call_later(
            PERIOD if wait is None else min(max(wait, 0), PERIOD), self._later
        )

    def _turn(self) -> None:
        self._reactor.doIteration(0)
        self._reactor.runUntilCurrent()


class ReactorWait:
    """A Deferred that is waited for by running the reactor; a deadline may end that."""

    def __init__(self, reactor: Any, deferred: Any, name: str) -> None:
        self._reactor = reactor
        self._deferred = deferred
        self._name = name
        self._outcome: list[Any] = []
        self._gave_up = False
        self._end: Callable[[], None] = lambda: None
        self.heard = False

    def result(self) -> Any:
        """What the Deferred was fired with; a failure is returned, not raised."""
        deadline = current_deadline()
        before = None if deadline is None else deadline.interrupted_by(self)
        try:
            run_reactor(self._reactor, self._start)
        finally:
            if deadline is not None:
                deadline.interrupted_by(before)
        if self._gave_up:
            raise Expired
        return self._outcome[0]

    def _start(self, end: Callable[[], None]) -> None:
        self._end = end
        self._deferred.addBoth(self._fired)

    def _fired(self, result: object) -> None:
        if not self._outcome:
            self._outcome.append(result)
            self._end()

    def ask(self) -> None:
        """Cancel the Deferred, and stop to wait for it."""
        self.heard = False
        self._reactor.callFromThread(self._give_up)

    def _give_up(self) -> None:
        self.heard = True
        if not self._outcome:
            self._gave_up = True
            self._deferred.cancel()
            self._fired(None)

    def stacks(self) -> list[tuple[str, list[traceback.FrameSummary]]]:
        """The Deferred by its name: it does not know who is to fire it."""
        return [(f"the Deferred of {self._name}", [])]
