"""The Twisted half: real sockets, transports and a clock in memory, failures and limits."""

import socket
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from slowpoetry import asyncio_poetry
from slowpoetry.asyncio_poetry import Address
from slowpoetry.twisted_poetry import (
    PoemClient,
    PoemFactory,
    TransformFactory,
    fetch_poem,
    fetch_poems,
    transformed,
)
from slowpoetry.verses import NoPoemError, Pace, TransformError
from whotests.testing import TestCase

POEM = Path(__file__).parent.parent.parent.joinpath("hope.txt").read_text()
FAST = Pace(size=100, pause=0)
reactor: Any = installed


class OverSockets(TestCase):
    """Servers on this machine, each on a free port. No test may take longer than 5 seconds."""

    timeout = 5

    def serve(self, factory: Any) -> Address:
        """Where a server with this factory listens, until the test is over."""
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return "127.0.0.1", port.getHost().port

    @inlineCallbacks
    def test_a_poem_arrives(self) -> Any:
        """A test may return a Deferred, as all that is decorated by inlineCallbacks does."""
        address = self.serve(PoemFactory(POEM, reactor=reactor, pace=FAST))
        poem = yield Deferred.fromCoroutine(fetch_poem(address, reactor=reactor))
        self.assertEqual(POEM, poem)

    async def test_poems_arrive(self) -> None:
        """Or it is a coroutine, which awaits Deferreds."""
        factories = [PoemFactory(POEM, reactor=reactor, pace=FAST) for _ in range(3)]
        addresses = [self.serve(factory) for factory in factories]
        self.assertEqual([(True, POEM)] * 3, await fetch_poems(addresses, reactor=reactor))

    async def test_a_failure_spares_the_others(self) -> None:
        """In the place of a poem that cannot be had is what went wrong."""
        here = self.serve(PoemFactory(POEM, reactor=reactor, pace=FAST))
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))  # and does not listen
            addresses = [deaf.getsockname(), here]
            (succeeded, failure), (_, poem) = await fetch_poems(addresses, reactor=reactor)
        self.assertFalse(succeeded)
        self.assertIsInstance(failure.value, ConnectionRefusedError)
        self.assertEqual(POEM, poem)

    def test_no_poem(self) -> Any:
        """A server that sends nothing is an error of its own."""
        address = self.serve(PoemFactory("", reactor=reactor))
        return self.assertFailure(fetch_poem(address, reactor=reactor), NoPoemError)

    async def test_a_poem_is_transformed(self) -> None:
        """The service gives the poem back, in its own way, or says why not."""
        service = self.serve(TransformFactory())
        self.assertEqual(
            POEM.lower(), await transformed("lowercase", POEM, service, reactor=reactor)
        )
        with self.assertRaisesRegex(TransformError, "no transformation 'rhyme'"):
            await transformed("rhyme", POEM, service, reactor=reactor)

    async def test_asyncio_fetches_from_twisted(self) -> None:
        """Both halves run in one test, whichever reactor is installed."""
        address = self.serve(PoemFactory(POEM, reactor=reactor, pace=FAST))
        self.assertEqual(POEM, await asyncio_poetry.fetch_poem(address))

    async def test_twisted_fetches_from_asyncio(self) -> None:
        """And the other way around."""
        server = await asyncio_poetry.serve_poem(POEM, pace=FAST)
        host, port = server.sockets[0].getsockname()
        self.assertEqual(POEM, await fetch_poem((host, port), reactor=reactor))
        server.close()
        await server.wait_closed()


class InMemory(TestCase):
    """Transports and a clock of `twisted.internet.testing`: no sockets, and no time passes."""

    def test_the_pace(self) -> None:
        """A piece is sent at once, and one after each pause; then the connection ends."""
        clock = Clock()
        factory = PoemFactory("Hope is", reactor=clock, pace=Pace(size=3, pause=10))
        server, transport = factory.buildProtocol(None), StringTransport()
        server.makeConnection(transport)
        for expected in (b"Hop", b"Hope i", b"Hope is"):
            self.assertEqual(expected, transport.value())
            self.assertFalse(transport.disconnecting)
            clock.advance(10)
        self.assertTrue(transport.disconnecting)

    def test_leaving_early(self) -> None:
        """When the listener leaves, nothing is sent any more."""
        clock = Clock()
        server: Any = PoemFactory("Hope", reactor=clock).buildProtocol(None)
        server.makeConnection(StringTransport())
        server.connectionLost(Failure(ConnectionDone()))
        self.assertEqual([], clock.getDelayedCalls())

    def test_the_end_of_a_poem(self) -> None:
        """There is no poem before the end of the connection."""
        client: Any = PoemClient()
        client.makeConnection(StringTransport())
        client.dataReceived(b"Ho")
        self.assertNoResult(client.poem)
        client.dataReceived(b"pe")
        client.connectionLost(Failure(ConnectionDone()))
        self.assertEqual("Hope", self.successResultOf(client.poem))

    def test_a_lost_connection(self) -> None:
        """What the transport reports is the failure, whatever came before."""
        client: Any = PoemClient()
        client.makeConnection(StringTransport())
        client.dataReceived(b"Ho")
        client.connectionLost(Failure(ConnectionLost()))
        self.failureResultOf(client.poem, ConnectionLost)
