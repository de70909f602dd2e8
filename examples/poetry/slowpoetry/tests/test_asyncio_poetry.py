"""The asyncio half: real sockets, streams in memory, failures and limits."""

import asyncio
import socket
import time
from pathlib import Path

from slowpoetry.asyncio_poetry import (
    Address,
    fetch_poem,
    fetch_poems,
    read_poem,
    serve_poem,
    serve_transforms,
    transformed,
)
from slowpoetry.verses import NoPoemError, Pace, TransformError
from whotests.testing import TestCase, allow_leftovers

POEM = Path(__file__).parent.parent.parent.joinpath("hope.txt").read_text()
FAST = Pace(size=100, pause=0)


class OverSockets(TestCase):
    """Servers on this machine, each on a free port. No test may take longer than 5 seconds."""

    timeout = 5

    def address_of(self, server: asyncio.Server) -> Address:
        """Where the server listens, until the test is over."""
        self.addCleanup(self.close, server)
        host, port = server.sockets[0].getsockname()
        return host, port

    async def close(self, server: asyncio.Server) -> None:
        server.close()
        await server.wait_closed()

    async def test_a_poem_arrives(self) -> None:
        """The client has the poem when the server has sent all of it."""
        address = self.address_of(await serve_poem(POEM, pace=FAST))
        self.assertEqual(POEM, await fetch_poem(address))

    async def test_poems_arrive_at_once(self) -> None:
        """Fetching three slow poems takes as long as one."""
        pace = Pace(size=len(POEM) // 4, pause=0.02)
        addresses = [self.address_of(await serve_poem(POEM, pace=pace)) for _ in range(3)]
        began = time.monotonic()
        self.assertEqual([POEM] * 3, await fetch_poems(addresses))
        self.assertLess(time.monotonic() - began, 3 * 4 * 0.02)

    async def test_a_failure_spares_the_others(self) -> None:
        """In the place of a poem that cannot be had is what went wrong."""
        here = self.address_of(await serve_poem(POEM, pace=FAST))
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))  # and does not listen
            failure, poem = await fetch_poems([deaf.getsockname(), here])
        self.assertIsInstance(failure, ConnectionRefusedError)
        self.assertEqual(POEM, poem)

    async def test_no_poem(self) -> None:
        """A server that sends nothing is an error of its own."""
        address = self.address_of(await serve_poem(""))
        error = await self.assertFailure(fetch_poem(address), NoPoemError)
        self.assertIn("had not sent anything", str(error))

    @allow_leftovers("tasks", "transports")
    async def test_giving_up(self) -> None:
        """Who does not want to wait any longer leaves, though the server's task sleeps on."""
        server = await serve_poem(POEM, pace=Pace(size=1, pause=60))
        self.addCleanup(server.close)
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.05):
                await fetch_poem(server.sockets[0].getsockname())

    async def test_a_poem_is_transformed(self) -> None:
        """The service gives the poem back, in its own way."""
        service = self.address_of(await serve_transforms())
        self.assertEqual(POEM.lower(), await transformed("lowercase", POEM, service))

    async def test_a_transformation_that_is_not_there(self) -> None:
        """What went wrong in the service is raised here."""
        service = self.address_of(await serve_transforms())
        with self.assertRaisesRegex(TransformError, "no transformation 'rhyme'"):
            await transformed("rhyme", POEM, service)


class InMemory(TestCase):
    """A stream that is fed by hand: no sockets, and every cut is tried."""

    async def test_every_cut(self) -> None:
        """Wherever the network cuts the poem, also within a letter, it arrives whole."""
        poem = "Hope — the thing with feathers"
        data = poem.encode()
        for cut in range(len(data)):
            reader = asyncio.StreamReader()
            reader.feed_data(data[:cut])
            reader.feed_data(data[cut:])
            reader.feed_eof()
            self.assertEqual(poem, await read_poem(reader))

    async def test_waiting(self) -> None:
        """There is no poem before the end of the connection."""
        reader = asyncio.StreamReader()
        reading = asyncio.create_task(read_poem(reader))
        reader.feed_data(b"Hope")
        await asyncio.sleep(0)
        self.assertNoResult(reading)
        reader.feed_eof()
        self.assertEqual("Hope", await reading)

    async def test_a_lost_connection(self) -> None:
        """What the transport reports is raised to who reads."""
        reader = asyncio.StreamReader()
        reader.set_exception(ConnectionResetError("gone"))
        await self.assertFailure(read_poem(reader), ConnectionResetError)
