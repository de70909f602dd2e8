"""What tests leave behind: each thing is named, ended, and a failure unless it is allowed."""

import asyncio
import contextlib
import gc
import os
import socket
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from case_runs import Ran, ran, ran_all
from whotests.errors import UsageError
from whotests.testing import LeftoversError, TestCase, allow_leftovers
from whotests.testing.supervision.leftovers import KINDS, Leftover

FOREVER = 60.0


OPEN: list[socket.socket] = []
"""What the tests opened on purpose, to be closed when they are over."""


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Nothing that a test opened outlives it."""
    yield
    while OPEN:
        OPEN.pop().close()


def pair() -> tuple[socket.socket, socket.socket]:
    here, there = socket.socketpair()
    OPEN.extend((here, there))
    return here, there


async def poll() -> None:
    await asyncio.sleep(FOREVER)


async def leave_a_task(case: Any) -> None:
    case.task = asyncio.create_task(poll(), name="poller")
    await asyncio.sleep(0)


async def leave_a_timer(case: Any) -> None:
    asyncio.get_running_loop().call_later(FOREVER, case.called)


async def leave_a_server(case: Any) -> None:
    case.server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)


async def leave_a_transport(case: Any) -> None:
    case.here, _ = pair()
    case.streams = await asyncio.open_connection(sock=case.here)


async def leave_a_descriptor(case: Any) -> None:
    case.here, _ = pair()
    asyncio.get_running_loop().add_reader(case.here.fileno(), case.called)


PROCESSES: list[int] = []
"""Those that the test has left: Python warns of their transports when it comes to them."""


@pytest.fixture(autouse=True)
def warned_of_here() -> Iterator[None]:
    """What a test leaves on purpose is warned of now, not in the middle of another test."""
    yield
    if PROCESSES:
        PROCESSES.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


async def leave_a_process(case: Any) -> None:
    code = "import time; time.sleep(60)"
    case.process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    PROCESSES.append(case.process.pid)


async def leave_a_generator(case: Any) -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            case.called()

    case.generator = numbers()
    async for _ in case.generator:
        break


def leave_a_thread(case: Any) -> None:
    case.release = threading.Event()
    case.thread = threading.Thread(target=case.release.wait, name="worker", daemon=True)
    case.thread.start()


LEAVE: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "tasks": (leave_a_task, ["task 'poller' of poll", "waiting at", "started at", " in poll"]),
    "timers": (leave_a_timer, ["timer for ", "Leaves.called", "due in "]),
    "servers": (leave_a_server, ["server on 127.0.0.1:"]),
    "transports": (leave_a_transport, ["transport ", "of StreamReaderProtocol, not closed"]),
    "descriptors": (leave_a_descriptor, ["descriptor ", "Leaves.called", " reads"]),
    "processes": (leave_a_process, ["process ", "not waited for"]),
    "async generators": (leave_a_generator, ["async generator ", "numbers", "not closed"]),
    "threads": (leave_a_thread, ["thread 'worker' (daemon) running Event.wait"]),
}
needs_unix = pytest.mark.skipif(os.name == "nt", reason="proactor loops do not tell")


class Leaves(TestCase):
    """Leaves one thing behind."""

    __test__ = False
    leave: Callable[[Any], Any]
    calls: int = 0

    def called(self) -> None:
        self.calls += 1

    def test_it(self) -> object:
        return type(self).leave(self)

    def test_again(self) -> None:
        """Leaves nothing."""


def case_that_leaves(kind: str, **attributes: object) -> type[TestCase]:
    leave = staticmethod(LEAVE[kind][0])
    return type("Case", (Leaves,), {"leave": leave, **attributes})


@needs_unix
@pytest.mark.parametrize("kind", LEAVE)
def test_what_is_left_is_named_and_fails(kind: str) -> None:
    """The failure names the thing, and how to allow it; the next test is clean."""
    found = ran(case_that_leaves(kind))
    assert found.outcome == "failed"
    assert "the test left behind:\n" in found.text
    for words in LEAVE[kind][1]:
        assert words in found.text
    assert f'@allow_leftovers("{kind}")' in found.text
    assert found.text.count("\n  ") - found.text.count("\n  File") == 1
    assert ran(case_that_leaves(kind), "test_again").outcome == "passed"


@needs_unix
@pytest.mark.parametrize("kind", LEAVE)
def test_what_is_allowed_passes(kind: str) -> None:
    """A class may allow a kind, or all; a method, too."""

    @allow_leftovers(kind)
    def on_method(self: Any) -> object:
        return LEAVE[kind][0](self)

    @allow_leftovers()
    def anything(self: Any) -> object:
        return LEAVE[kind][0](self)

    passed = Ran("passed", "")
    assert ran(case_that_leaves(kind, allow_leftovers={kind})) == passed
    assert ran(case_that_leaves(kind, allow_leftovers=True)) == passed
    assert ran(case_that_leaves(kind, test_it=on_method)) == passed
    assert ran(case_that_leaves(kind, test_it=anything)) == passed
    others = KINDS - {kind}
    assert ran(case_that_leaves(kind, allow_leftovers=others)).outcome == "failed"


@needs_unix
def test_what_is_left_is_ended() -> None:
    """Tasks are cancelled, timers too; servers, transports and generators closed."""
    cases = {}

    class Case(Leaves):
        async def test_it(self) -> None:
            cases["it"] = self
            await leave_a_task(self)
            await leave_a_timer(self)
            await leave_a_server(self)
            await leave_a_transport(self)
            await leave_a_generator(self)
            await leave_a_process(self)

    found = ran(Case)
    case: Any = cases["it"]
    assert found.text.count("\n  ") == 6
    assert case.task.cancelled()
    assert not case.server.is_serving()
    assert case.here.fileno() == -1
    assert case.calls == 1  # by the generator's `finally`, not by the timer
    with pytest.raises(ProcessLookupError):
        os.kill(case.process.pid, 0)


def test_what_ends_by_itself_is_not_left() -> None:
    """Transports that are being closed and threads that are about to end are no leftovers."""

    class Case(TestCase):
        async def test_it(self) -> None:
            async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(await reader.read())
                writer.close()

            server = await asyncio.start_server(echo, "127.0.0.1", 0)
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await asyncio.sleep(0.01)
            writer.write(b"x")
            writer.close()
            server.close()
            threading.Thread(target=threading.Event().wait, args=(0.02,)).start()

        async def test_executor(self) -> None:
            await asyncio.to_thread(str)

    assert {each.outcome for each in ran_all(Case).values()} == {"passed"}


def test_what_was_there_before_is_not_left() -> None:
    """Threads of the class's or module's fixtures belong to no test."""
    release = threading.Event()
    thread = threading.Thread(target=release.wait)

    class Case(TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            thread.start()

        def test_it(self) -> None:
            pass

    Case.setUpClass()
    try:
        assert ran(Case).outcome == "passed"
    finally:
        release.set()
        thread.join()


def test_a_timer_s_thread_is_cancelled() -> None:
    """A `threading.Timer` is named with its time and function, and does not go off."""
    rung: list[str] = []
    timers = []

    class Case(TestCase):
        def test_it(self) -> None:
            timers.append(threading.Timer(FOREVER, rung.append, ["rung"]))
            timers[0].start()

    found = ran(Case)
    assert "a timer of 60 s for list.append" in found.text
    timers[0].join(5)
    assert (timers[0].is_alive(), rung) == (False, [])


def test_a_task_that_cannot_be_cancelled_is_told() -> None:
    """What a task does when it is cancelled stands beside its name, and nothing waits for ever."""
    tasks = []

    class Case(TestCase):
        async def test_raises(self) -> None:
            async def clumsy() -> None:
                try:
                    await asyncio.sleep(FOREVER)
                finally:
                    raise KeyError("clumsy")

            tasks.append(asyncio.create_task(clumsy()))
            await asyncio.sleep(0)

        async def test_refuses(self) -> None:
            async def stubborn() -> None:
                for _ in range(10):
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.sleep(FOREVER)

            asyncio.create_task(stubborn(), name="stubborn")  # noqa: RUF006
            await asyncio.sleep(0)

    found = ran_all(Case)
    assert "which raised KeyError('clumsy') when cancelled" in found["raises"].text
    assert "which does not end when it is cancelled" in found["refuses"].text
    gc.collect()


def test_a_failure_and_what_is_left() -> None:
    """A test that fails and leaves something is told both; the failure comes first."""

    class Case(TestCase):
        async def test_it(self) -> None:
            await leave_a_task(self)
            self.fail("in the test")

    found = ran(Case)
    assert found.outcome == "failed"
    assert found.text.index("in the test") < found.text.index("task 'poller'")


def test_a_kind_that_does_not_exist_is_refused() -> None:
    """A misspelt kind is an error that names the ones there are, not a pass."""
    with pytest.raises(UsageError, match=r"'thread', which is no kind of leftover.*threads"):
        allow_leftovers("thread")
    with pytest.raises(UsageError, match="no kind of leftover"):
        case_that_leaves("threads", allow_leftovers={"thread"})


def test_the_error_has_what_was_found() -> None:
    """`LeftoversError` is a failure, and gives the things by kind."""
    left = Leftover("threads", "thread 'x'", "now at y.py:3 in z")
    error = LeftoversError([left])
    assert isinstance(error, AssertionError)
    assert error.leftovers == (left,)
    assert "  thread 'x', now at y.py:3 in z\n" in str(error)


def test_variables_of_a_loop_do_not_outlive_it() -> None:
    """After a test the loop is closed, and the thread has no current one."""
    loops = []

    class Case(TestCase):
        async def test_it(self) -> None:
            loops.append(asyncio.get_running_loop())

    ran(Case)
    assert loops[0].is_closed()
    assert asyncio._get_running_loop() is None
