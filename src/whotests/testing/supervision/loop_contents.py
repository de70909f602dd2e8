"""What is in an asyncio loop: servers, transports, processes, timers, async generators.

asyncio tells of tasks only. The rest is read off the loops of the standard library, where it has
stood under the same names since Python 3.7; of other loops nothing is found but tasks.
"""

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from whotests.testing.details.frames import is_library, place_of
from whotests.testing.supervision.leftovers import Leftover

__all__ = ["Content", "contents_of"]

__unittest = True

WAITING = "asyncio-waitpid-"
"""How the names of the threads begin that wait for processes."""


class Content(NamedTuple):
    """One thing in a loop."""

    leftover: Leftover
    thing: Any
    """The server, transport, handle or generator; a selector's key; a process's number."""


def contents_of(loop: asyncio.AbstractEventLoop) -> tuple[Content, ...]:
    """What is open in the loop, tasks aside; each thing once."""
    found: dict[int, Content] = {}
    parts = (
        *generators(loop),
        *selected(loop),
        *transports(loop),
        *waited_for(loop),
        *timers(loop),
    )
    for content in parts:
        found.setdefault(id(content.thing), content)
    return tuple(found.values())


def generators(loop: Any) -> Iterator[Content]:
    for generator in list(getattr(loop, "_asyncgens", ())):
        frame = generator.ag_frame
        if frame is not None:
            yield Content(
                Leftover(
                    "async generators",
                    f"async generator {generator.__qualname__!r}, not closed",
                    f"at {frame.f_code.co_filename}:{frame.f_lineno}",
                ),
                generator,
            )


def selected(loop: Any) -> Iterator[Content]:
    """Servers and transports by what the loop's selector watches, and what else it watches."""
    selector = getattr(loop, "_selector", None)
    watched = None if selector is None else selector.get_map()
    for key in list(watched.values()) if watched else ():
        for handle, verb in zip(key.data, ("reads", "writes"), strict=True):
            if handle is None or handle.cancelled():
                continue
            callback, arguments = handle._callback, handle._args or ()
            owner = getattr(callback, "__self__", None)
            if owner is loop and callback.__name__ == "_read_from_self":
                continue
            servers = [each for each in arguments if isinstance(each, asyncio.AbstractServer)]
            if servers:
                yield Content(Leftover("servers", describe_server(servers[0])), servers[0])
            elif isinstance(owner, asyncio.BaseTransport):
                yield from open_transport(owner)
            elif getattr(callback, "__name__", "") == "_do_wait" and arguments:
                yield process(arguments[0])
            elif not is_twisted(callback):
                description = f"descriptor {key.fd} that {place_of(callback)} {verb}"
                yield Content(Leftover("descriptors", description), key)


def waited_for(loop: Any) -> Iterator[Content]:
    """Processes for which the loop has a thread each, on systems that have no other way."""
    for thread in threading.enumerate():
        if thread.name.startswith(WAITING):
            of, number, *_ = getattr(thread, "_args", None) or (None, 0)
            if of is loop and exists(number):  # else it was waited for: only the thread goes on
                yield process(number)


def exists(number: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def process(number: int) -> Content:
    return Content(Leftover("processes", f"process {number}, not waited for"), number)


def transports(loop: Any) -> Iterator[Content]:
    for transport in list(getattr(loop, "_transports", {}).values()):
        yield from open_transport(transport)


def open_transport(transport: asyncio.BaseTransport) -> Iterator[Content]:
    if not transport.is_closing():
        yield Content(Leftover("transports", describe_transport(transport)), transport)


def timers(loop: Any) -> Iterator[Content]:
    now = loop.time()
    for handle in list(getattr(loop, "_scheduled", ())):
        callback = handle._callback
        if handle.cancelled() or callback is None or is_twisted(callback) or is_asyncios(callback):
            continue
        due = max(handle.when() - now, 0.0)
        description = f"timer for {place_of(callback)}, due in {due:.3g} s"
        yield Content(Leftover("timers", description), handle)


def is_twisted(callback: Any) -> bool:
    """Whether a reactor put this into its loop, which tells of it by itself."""
    return (getattr(callback, "__module__", None) or "").startswith("twisted.")


def is_asyncios(callback: Any) -> bool:
    """Whether asyncio put this into the loop, for something that is found by itself."""
    code = getattr(getattr(callback, "__func__", callback), "__code__", None)
    return code is not None and is_library(code.co_filename) and "asyncio" in code.co_filename


def describe_server(server: asyncio.AbstractServer) -> str:
    sockets: Iterable[Any] = getattr(server, "sockets", ())
    names = ", ".join(name_of(each.getsockname()) for each in sockets)
    return f"server on {names}" if names else "server"


def describe_transport(transport: asyncio.BaseTransport) -> str:
    sides = [transport.get_extra_info(name) for name in ("sockname", "peername")]
    names = " to ".join(name_of(side) for side in sides if side)
    protocol = ""
    if isinstance(transport, asyncio.Transport):
        protocol = f" of {type(transport.get_protocol()).__name__}"
    return f"transport {names or type(transport).__name__}{protocol}, not closed"


def name_of(address: Any) -> str:
    """A socket's address as people write it."""
    if isinstance(address, tuple) and len(address) >= 2:
        return f"{address[0]}:{address[1]}"
    return address if isinstance(address, str) else repr(address)
