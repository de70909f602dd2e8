"""The server, the client and the transforming service, with asyncio.

A poem is all that comes until the server ends the connection. A request to the service is a line
with the name of the transformation, and the poem; the answer is a line, "ok" or what went wrong,
and the transformed poem.
"""

import asyncio
import contextlib
from collections.abc import Iterable

from slowpoetry.verses import PACE, NoPoemError, Pace, TransformError, pieces, transform

__all__ = [
    "Address",
    "answer_request",
    "fetch_poem",
    "fetch_poems",
    "read_poem",
    "send_poem",
    "serve_poem",
    "serve_transforms",
    "transformed",
]

Address = tuple[str, int]
"""A host and a port."""


async def send_poem(poem: str, writer: asyncio.StreamWriter, pace: Pace = PACE) -> None:
    """Send the poem, slowly, and end the connection."""
    try:
        for piece in pieces(poem.encode(), pace.size):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pace.pause)
    finally:
        writer.close()


async def serve_poem(
    poem: str, *, host: str = "127.0.0.1", port: int = 0, pace: Pace = PACE
) -> asyncio.Server:
    """A server that sends this poem to whoever connects. Port 0 takes a free one."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # whoever listened has left
            await send_poem(poem, writer, pace)

    return await asyncio.start_server(connected, host, port)


async def read_poem(reader: asyncio.StreamReader) -> str:
    """The poem that comes from a server; NoPoemError if it is empty."""
    poem = (await reader.read()).decode()
    if not poem:
        raise NoPoemError("the server closed the connection and had not sent anything")
    return poem


async def fetch_poem(address: Address) -> str:
    """The poem that the server at this address sends."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        return await read_poem(reader)
    finally:
        writer.close()


async def fetch_poems(addresses: Iterable[Address]) -> list[str | BaseException]:
    """The poems of several servers, fetched at once; in the place of a poem, what went wrong."""
    return await asyncio.gather(*map(fetch_poem, addresses), return_exceptions=True)


async def answer_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Transform one poem for whoever is connected."""
    name = (await reader.readline()).decode().strip()
    poem = (await reader.read()).decode()
    try:
        answer = f"ok\n{transform(name, poem)}"
    except TransformError as error:
        answer = f"{error}\n"
    writer.write(answer.encode())
    await writer.drain()
    writer.close()


async def serve_transforms(*, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
    """A service that transforms the poems of whoever connects."""
    return await asyncio.start_server(answer_request, host, port)


async def transformed(name: str, poem: str, service: Address) -> str:
    """The poem as the service transforms it; TransformError if it cannot."""
    reader, writer = await asyncio.open_connection(*service)
    try:
        writer.write(f"{name}\n{poem}".encode())
        writer.write_eof()
        status = (await reader.readline()).decode().strip()
        if status != "ok":
            raise TransformError(status)
        return (await reader.read()).decode()
    finally:
        writer.close()
