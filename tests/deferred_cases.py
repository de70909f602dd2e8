"""Test cases around Twisted's reactor, run by a process of their own on the reactor it names.

Prints the outcome and text of each test as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

if __name__ == "__main__" and sys.argv[1] == "asyncio":
    from twisted.internet import asyncioreactor

    asyncioreactor.install(asyncio.new_event_loop())
elif __name__ == "__main__" and sys.argv[1] == "select":
    from twisted.internet import selectreactor

    selectreactor.install()

from twisted.internet import reactor as installed
from twisted.internet.defer import CancelledError, Deferred, fail, inlineCallbacks, succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutput
from twisted.logger import Logger
from twisted.python import log

from case_runs import ran_all
from whotests.testing import TestCase, allow_leftovers

reactor: Any = installed


def later(result: object = None) -> Deferred[Any]:
    """A Deferred that the reactor fires soon."""

    def fire() -> object:
        if isinstance(result, Exception):
            raise result
        return result

    return deferLater(reactor, 0.005, fire)


class Echo(Protocol):
    transport: Any

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


def listen() -> Any:
    return reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")


class Deferreds(TestCase):
    """What is returned is waited for."""

    def test_fired(self) -> Any:
        return succeed(3)

    def test_fails_at_once(self) -> Any:
        return fail(KeyError("deliberate"))

    def test_later(self) -> Any:
        return later(3)

    def test_fails_later(self) -> Any:
        return later(KeyError("deliberate"))

    def test_assertion_later(self) -> Any:
        return later(3).addCallback(self.assertEqual, 4)

    def test_skips_later(self) -> Any:
        return later().addCallback(lambda _: self.skipTest("deliberate"))

    @inlineCallbacks
    def test_inline(self) -> Any:
        result = yield later(3)
        self.assertEqual(3, result)
        with self.assertRaises(KeyError):
            yield later(KeyError())

    def test_generator(self) -> Iterator[Any]:
        yield later(KeyError("never runs"))

    def test_thread(self) -> Any:
        return deferToThread(lambda: 3).addCallback(self.assertEqual, 3)

    def test_process(self) -> Any:
        output = getProcessOutput(sys.executable, ["-c", "print('poem')"])
        return output.addCallback(lambda told: self.assertEqual(b"poem", told.strip()))

    def test_stopped(self) -> Any:
        reactor.callLater(0, reactor.stop)
        return Deferred()

    def test_stopped_and_on(self) -> Any:
        return later(3)


class Coroutines(TestCase):
    """Coroutines are asyncio's, and await Deferreds."""

    async def test_asyncio_sleep(self) -> None:
        await asyncio.sleep(0.001)

    async def test_deferred(self) -> None:
        self.assertEqual(3, await later(3))
        with self.assertRaises(KeyError):
            await later(KeyError())
        self.assertEqual(4, await succeed(4))

    async def test_both(self) -> None:
        await asyncio.sleep(0.001)
        await later()
        told = await asyncio.gather(later(1), asyncio.sleep(0.001, 2), self.nested())
        self.assertEqual([1, 2, 3], told)

    async def nested(self) -> int:
        await asyncio.sleep(0)
        return int(await later(3))

    async def test_task(self) -> None:
        self.assertEqual(3, await asyncio.create_task(self.nested()))

    async def test_timeout(self) -> None:
        waiting: Deferred[None] = Deferred()
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.01):
                await waiting
        self.assertTrue(waiting.called)

    async def test_fails(self) -> None:
        await later(KeyError("deliberate"))

    async def test_returned(self) -> Any:
        return Deferred()

    async def test_from_coroutine(self) -> None:
        async def only_deferreds() -> int:
            return int(await later(3))

        self.assertEqual(3, await Deferred.fromCoroutine(only_deferreds()))

    async def test_network(self) -> None:
        port = listen()
        reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
        began = time.monotonic()
        for _ in range(50):
            writer.write(b"poem")
            self.assertEqual(b"poem", await reader.readexactly(4))
        self.assertLess(time.monotonic() - began, 5)
        writer.close()
        await writer.wait_closed()
        await port.stopListening()

    async def test_process(self) -> None:
        told = await getProcessOutput(sys.executable, ["-c", "print('poem')"])
        self.assertEqual(b"poem", told.strip())

    async def test_thread(self) -> None:
        self.assertEqual(3, await deferToThread(lambda: 3))


class Mixed(TestCase):
    """One method is a coroutine, another returns a Deferred."""

    steps: list[str]

    async def setUp(self) -> None:  # type: ignore[override]
        super().setUp()
        await asyncio.sleep(0)
        self.steps = ["setUp"]
        self.addCleanup(later)

    def test_it(self) -> Any:
        return later("test").addCallback(self.steps.append)

    def test_fails(self) -> Any:
        return later(KeyError("deliberate"))

    def tearDown(self) -> Any:
        super().tearDown()
        return later("tearDown").addCallback(self.steps.append)


class Limits(TestCase):
    """Whatever never fires ends."""

    timeout = 0.05

    def test_never(self) -> Any:
        self.waiting: Deferred[None] = Deferred()
        self.addCleanup(self.assertTrue, self.waiting)
        return self.waiting

    async def test_never_awaited(self) -> None:
        await Deferred()

    def test_blocked(self) -> Any:
        return later().addCallback(lambda _: time.sleep(20))

    def test_on(self) -> Any:
        return later()


class Left(TestCase):
    """What is left in the reactor."""

    def test_call(self) -> None:
        reactor.callLater(60, str)

    def test_port(self) -> None:
        listen()

    async def test_from_coroutine(self) -> None:
        reactor.callLater(60, str)
        await asyncio.sleep(0)

    @allow_leftovers("delayed calls")
    def test_allowed(self) -> None:
        self.addCleanup(reactor.callLater(0.01, str).reset, 0.01)

    def test_closed(self) -> Any:
        return listen().stopListening()

    def test_soon(self) -> None:
        reactor.callLater(0, str)

    async def test_thread(self) -> None:
        reactor.callInThread(time.sleep, 0.6)
        await asyncio.sleep(0.001)

    def test_zz_nothing(self) -> None:
        """Finds none of it."""


class Logged(TestCase):
    """Failures in Twisted's log."""

    def test_err(self) -> None:
        log.err(KeyError("deliberate"), "why")

    def test_logger(self) -> None:
        try:
            raise KeyError("deliberate")
        except KeyError:
            Logger().failure("why not")

    def test_unhandled(self) -> None:
        fail(KeyError("deliberate"))

    def test_raised_unhandled(self) -> None:
        empty: dict[str, int] = {}
        succeed("deliberate").addCallback(lambda name: empty[name])

    def test_flushed(self) -> None:
        log.err(KeyError("deliberate"))
        self.assertEqual("'deliberate'", str(self.flushLoggedErrors(KeyError)[0].value))


class Asserted(TestCase):
    """Assertions about Deferreds."""

    def test_failure(self) -> Any:
        return self.assertFailure(later(KeyError("x")), KeyError).addCallback(
            lambda error: self.assertEqual("'x'", str(error))
        )

    def test_no_failure(self) -> Any:
        return self.assertFailure(later(3), KeyError)

    def test_other_failure(self) -> Any:
        return self.assertFailure(later(KeyError("x")), ValueError)

    def test_results(self) -> None:
        self.assertEqual(3, self.successResultOf(succeed(3)))
        self.assertIsInstance(self.failureResultOf(fail(KeyError()), KeyError).value, KeyError)
        waiting: Deferred[int] = Deferred()
        self.assertNoResult(waiting)
        waiting.callback(4)
        self.assertEqual(4, self.successResultOf(waiting))

    def test_cancelled(self) -> None:
        waiting: Deferred[int] = Deferred()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)

    def test_no_result(self) -> None:
        self.successResultOf(Deferred())

    def test_a_result(self) -> None:
        self.assertNoResult(succeed(3))


CASES = (Deferreds, Coroutines, Mixed, Limits, Left, Logged, Asserted)

if __name__ == "__main__":
    told = {case.__name__: ran_all(case) for case in CASES}
    told["reactor"] = type(reactor).__name__  # type: ignore[assignment]
    print(json.dumps(told))
