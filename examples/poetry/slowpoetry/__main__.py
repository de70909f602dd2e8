"""The command line: serve a poem, fetch poems, serve transformations."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slowpoetry import asyncio_poetry
from slowpoetry.asyncio_poetry import Address
from slowpoetry.verses import PACE, TRANSFORMS, Pace


def address(text: str) -> Address:
    """HOST:PORT, or PORT on this machine."""
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="slowpoetry", description=__doc__)
    made.add_argument("--twisted", action="store_true", help="serve with Twisted, not asyncio")
    commands = made.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="send a poem to whoever connects")
    serve.add_argument("poem", type=Path, help="a file")
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--size", type=int, default=PACE.size, help="bytes at a time")
    serve.add_argument("--pause", type=float, default=PACE.pause, help="seconds between them")
    fetch = commands.add_parser("fetch", help="print the poems of some servers")
    fetch.add_argument("servers", type=address, nargs="+", metavar="HOST:PORT")
    fetch.add_argument("--service", type=address, metavar="HOST:PORT", help="who transforms them")
    fetch.add_argument("--transform", choices=TRANSFORMS, default="lowercase")
    transforms = commands.add_parser("transforms", help="transform poems for whoever connects")
    transforms.add_argument("--port", type=int, default=0)
    return made


async def serve(server: asyncio.Server) -> None:
    """Say where the server listens, and serve until interrupted."""
    print("listening on port", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def fetch(servers: Sequence[Address], service: Address | None, transform: str) -> int:
    """Print the poems, and what went wrong; how many could not be had."""
    failed = 0
    for poem in await asyncio_poetry.fetch_poems(servers):
        if isinstance(poem, BaseException):
            print(f"no poem: {poem!r}", file=sys.stderr)
            failed += 1
        elif service is None:
            print(poem)
        else:
            print(await asyncio_poetry.transformed(transform, poem, service))
    return failed


def serve_with_twisted(factory_of: str, poem: str, pace: Pace, port: int) -> None:
    """As `serve`, with the reactor."""
    from twisted.internet import reactor as installed

    from slowpoetry.twisted_poetry import PoemFactory, TransformFactory

    reactor: Any = installed
    factory = (
        PoemFactory(poem, reactor=reactor, pace=pace)
        if factory_of == "serve"
        else TransformFactory()
    )
    listening = reactor.listenTCP(port, factory, interface="127.0.0.1")
    print("listening on port", listening.getHost().port, flush=True)
    reactor.run()


async def run(options: argparse.Namespace) -> int:
    """Do what the command line says; the exit status."""
    if options.command == "fetch":
        return await fetch(options.servers, options.service, options.transform)
    if options.command == "serve":
        pace = Pace(size=options.size, pause=options.pause)
        poem = options.poem.read_text()
        await serve(await asyncio_poetry.serve_poem(poem, port=options.port, pace=pace))
    else:
        await serve(await asyncio_poetry.serve_transforms(port=options.port))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    options = parser().parse_args(arguments)
    if options.twisted and options.command != "fetch":
        pace = Pace(size=getattr(options, "size", 1), pause=getattr(options, "pause", 0.0))
        poem = options.poem.read_text() if options.command == "serve" else ""
        serve_with_twisted(options.command, poem, pace, options.port)
        return 0
    try:
        return asyncio.run(run(options))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
