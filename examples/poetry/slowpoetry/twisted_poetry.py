"""The server, the client and the transforming service, with Twisted.

They speak as those of `asyncio_poetry` do, and with them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from slowpoetry.asyncio_poetry import Address
from slowpoetry.verses import PACE, NoPoemError, Pace, TransformError, pieces, transform

__all__ = [
    "PoemClient",
    "PoemFactory",
    "PoemServer",
    "TransformClient",
    "TransformFactory",
    "TransformServer",
    "fetch_poem",
    "fetch_poems",
    "transformed",
]


class PoemServer(Protocol):
    """Sends its factory's poem, slowly, and ends the connection."""

    factory: "PoemFactory"
    transport: Any

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._pieces: Iterator[bytes] = iter(())
        self._next: Any = None

    def connectionMade(self) -> None:
        self._pieces = pieces(self.factory.poem.encode(), self.factory.pace.size)
        self._send()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()

    def _send(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            self.transport.loseConnection()
        else:
            self.transport.write(piece)
            self._next = self._reactor.callLater(self.factory.pace.pause, self._send)


class PoemFactory(Factory):
    """Serves one poem to whoever connects."""

    def __init__(self, poem: str, *, reactor: Any, pace: Pace = PACE) -> None:
        self.poem = poem
        self.pace = pace
        self._reactor = reactor

    def buildProtocol(self, addr: object) -> Any:
        server = PoemServer(self._reactor)
        server.factory = self
        return server


class PoemClient(Protocol):
    """Fires `poem` with all that came, once the server has ended the connection."""

    transport: Any

    def __init__(self) -> None:
        self.poem: Deferred[str] = Deferred(self._cancel)
        self._received: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self._received.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.poem.called:
            return
        if not reason.check(ConnectionDone):
            self.poem.errback(reason)
        elif not self._received:
            said = "the server closed the connection and had not sent anything"
            self.poem.errback(NoPoemError(said))
        else:
            self.poem.callback(b"".join(self._received).decode())

    def _cancel(self, poem: Deferred[str]) -> None:
        self.transport.abortConnection()


async def fetch_poem(address: Address, *, reactor: Any) -> str:
    """The poem that the server at this address sends."""
    endpoint = HostnameEndpoint(reactor, *address)
    client: PoemClient = await connectProtocol(endpoint, PoemClient())
    return await client.poem


def fetch_poems(addresses: Iterable[Address], *, reactor: Any) -> Deferred[list[tuple[bool, Any]]]:
    """The poems of several servers, fetched at once: (True, poem) or (False, Failure) each."""
    fetched = [
        Deferred.fromCoroutine(fetch_poem(address, reactor=reactor)) for address in addresses
    ]
    return DeferredList(fetched, consumeErrors=True)


@implementer(IHalfCloseableProtocol)
class TransformServer(Protocol):
    """Transforms one poem, as soon as all of it has come."""

    transport: Any

    def __init__(self) -> None:
        self._received: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self._received.append(data)

    def writeConnectionLost(self) -> None:
        """Nothing: the answer goes in one piece."""

    def readConnectionLost(self) -> None:
        """The other side has said all that it has to say."""
        name, _, poem = b"".join(self._received).decode().partition("\n")
        try:
            answer = f"ok\n{transform(name, poem)}"
        except TransformError as error:
            answer = f"{error}\n"
        self.transport.write(answer.encode())
        self.transport.loseConnection()


class TransformFactory(Factory):
    """Serves transformations to whoever connects."""

    protocol = TransformServer


class TransformClient(PoemClient):
    """Asks for one transformation."""

    def __init__(self, name: str, poem: str) -> None:
        super().__init__()
        self._request = f"{name}\n{poem}"

    def connectionMade(self) -> None:
        self.transport.write(self._request.encode())
        self.transport.loseWriteConnection()


async def transformed(name: str, poem: str, service: Address, *, reactor: Any) -> str:
    """The poem as the service transforms it; TransformError if it cannot."""
    endpoint = HostnameEndpoint(reactor, *service)
    client: PoemClient = await connectProtocol(endpoint, TransformClient(name, poem))
    status, _, answer = (await client.poem).partition("\n")
    if status != "ok":
        raise TransformError(status)
    return answer
