"""The reactor of a process that runs trial's tests, from its choice to its end."""

import sys
from typing import Any

from whotests.testing.supervision.deferreds import default_reactor

__all__ = ["install_reactor", "shut_down"]


def install_reactor(name: str) -> None:
    """Let the process have the reactor of this name, unless it has one already; '': asyncio's."""
    if "twisted.internet.reactor" in sys.modules:
        return
    if name:
        from twisted.application import reactors

        reactors.installReactor(name)
        return
    import asyncio

    from twisted.internet.asyncioreactor import AsyncioSelectorReactor
    from twisted.internet.main import installReactor

    class Reactor(AsyncioSelectorReactor):
        """asyncio's, with turns that take no longer than those of Twisted's other reactors."""

        def iterate(self, timeout: float = 0) -> None:
            # Two turns of the loop: the first runs what is due, the second what that asked for.
            # Twisted's own waits for 10 ms, which trial does twice after each test; and it never
            # lets go of timers that were cancelled, as those of each test's own limit are.
            self.runUntilCurrent()
            loop = self._asyncioEventloop
            ours: list[asyncio.Handle] = []

            def turn_once_more() -> None:
                ours.append(loop.call_soon(loop.stop))

            # A timer, however short, would let epoll wait for a millisecond.
            first = loop.call_later(timeout, turn_once_more) if timeout else None
            ours.append(first or loop.call_soon(turn_once_more))
            loop.run_forever()
            for handle in ours:  # whatever has ended it: what is left would end the next run
                handle.cancel()

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    installReactor(Reactor(loop))


def shut_down() -> None:
    """Let everything that waits for the reactor's end have it, its thread pool first of all."""
    from twisted.internet import defer
    from twisted.trial.unittest import TestCase

    ended: Any = defer.Deferred()
    reactor = default_reactor()
    reactor.addSystemEventTrigger("after", "shutdown", lambda: ended.callback(None))
    reactor.fireSystemEvent("shutdown")
    TestCase("mktemp")._wait(ended)
