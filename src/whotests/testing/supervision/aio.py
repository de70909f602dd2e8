"""The asyncio loop of one test: what runs in it, and what is left in it at the end."""

import asyncio
import contextlib
import os
import signal
import sys
import traceback
import weakref
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any

from whotests.system import System
from whotests.testing.details.frames import users_caller, without_ours
from whotests.testing.supervision.bridging import await_chain, bridged, coroutine_of, waiting_at
from whotests.testing.supervision.deferreds import (
    Guest,
    asyncio_loop_of,
    fire_later,
    installed_reactor,
    run_reactor,
)
from whotests.testing.supervision.leftovers import Leftover
from whotests.testing.supervision.logged_errors import unheard
from whotests.testing.supervision.loop_contents import Content, contents_of
from whotests.testing.supervision.timeouts import Expired, current_deadline

__all__ = ["TestLoop"]

__unittest = True

Judge = Callable[[list[Leftover]], list[Leftover]]
"""Gives those leftovers that are not allowed."""

ROUNDS = 20
"""Turns that a loop has to settle, before what is in it counts as left."""

CANCELS = 3
"""How often a task that is left is cancelled."""

PATIENCE = 0.5
"""Seconds that a task has each time to end when it is cancelled."""


class NamedTask(asyncio.Task[Any]):
    """A task that is not called "None" where nobody gives it a name."""

    def set_name(self, value: object) -> None:
        if value is not None:
            super().set_name(value)


NamedTask.__name__ = "Task"

Task = NamedTask if (3, 13) <= sys.version_info < (3, 13, 3) else asyncio.Task
"""These releases name the tasks of a loop with a task factory by str(None)."""


class TestLoop:
    """A loop of its own for one test; that of Twisted's reactor where this runs on asyncio."""

    __test__ = False

    def __init__(
        self,
        *,
        factory: Callable[[], asyncio.AbstractEventLoop] | None,
        on_error: Callable[[dict[str, Any]], None],
    ) -> None:
        """A loop that is made now, by the factory if there is one; errors go to `on_error`."""
        reactor = installed_reactor()
        shared = None if reactor is None else asyncio_loop_of(reactor)
        self._reactor = None if shared is None else reactor
        self.loop = shared or (factory or asyncio.new_event_loop)()
        self._made: weakref.WeakKeyDictionary[asyncio.Task[Any], str | None]
        self._made = weakref.WeakKeyDictionary()
        self._own: list[asyncio.Task[Any]] = []
        self._current: tuple[asyncio.Task[Any], Awaitable[object]] | None = None
        self.heard = False
        self._cancelled = False
        self._on_error = on_error
        self._before = self.loop.get_task_factory()
        self.loop.set_task_factory(self._make_task)
        self.loop.set_exception_handler(self._handle_error)
        asyncio.set_event_loop(self.loop)
        self._here = contents_of(self.loop) if shared is not None else ()
        self._tasks_here = asyncio.all_tasks(self.loop) if shared is not None else set()

    def run(self, awaitable: Awaitable[object], *, name: str, context: Context) -> object:
        """What the awaitable gives, or raises, as a task in this context."""
        own = bridged(awaitable, self._future_of)
        task = self.loop.create_task(own, name=name, context=context)
        self._own.append(task)
        self._current = (task, awaitable)
        self._cancelled = False
        deadline = current_deadline()
        before = None if deadline is None else deadline.interrupted_by(self)
        try:
            self._run(task)
            return task.result()
        except asyncio.CancelledError as error:
            error.__traceback__ = without_ours(error.__traceback__)
            if self._cancelled:
                raise Expired().with_traceback(error.__traceback__) from None
            raise
        except BaseException as error:
            error.__traceback__ = without_ours(error.__traceback__)
            raise
        finally:
            if deadline is not None:
                deadline.interrupted_by(before)
            self._current = None

    def _run(self, task: asyncio.Task[object]) -> None:
        """Run the loop until the task is done."""
        if self._reactor is not None:
            run_reactor(self._reactor, lambda end: task.add_done_callback(lambda _: end()))
            return
        reactor = installed_reactor()
        if reactor is None or reactor.running:
            self.loop.run_until_complete(task)
            return
        guest = Guest(reactor, self.loop)
        guest.start()
        try:
            self.loop.run_until_complete(task)
        finally:
            guest.stop()

    # --- as a deadline sees it

    def ask(self) -> None:
        """Cancel what runs; `heard` as soon as the loop does so."""
        self.heard = False
        self.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self.heard = True
        if self._current is not None:
            self._cancelled = True
            self._current[0].cancel()

    def stacks(self) -> list[tuple[str, list[traceback.FrameSummary]]]:
        """What waits: the test first, then all other tasks."""
        found = []
        if self._current is not None:
            task, awaitable = self._current
            found.append((f"task of {task.get_name()}", await_chain(awaitable)))
        for task in asyncio.all_tasks(self.loop):
            if task not in self._own:
                found.append((f"task {task.get_name()!r}", await_chain(coroutine_of(task))))
        return found

    # --- what is made in it

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        if "twisted.internet.defer" in sys.modules and not is_bridged(coroutine):
            coroutine = bridged(coroutine, self._future_of)
        task: asyncio.Task[Any]
        if self._before is not None:
            task = self._before(loop, coroutine, **options)  # type: ignore[assignment]
        else:
            task = Task(coroutine, loop=loop, **options)
        self._made[task] = users_caller()
        return task

    def _future_of(self, deferred: Any) -> asyncio.Future[None]:
        return fire_later(deferred, self.loop.create_future())

    def _handle_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), asyncio.CancelledError):
            return  # Python 3.11 tells so of streams whose task was cancelled
        self._on_error(context)
        loop.default_exception_handler(context)

    # --- what is left in it

    def close(self, forbidden: Judge) -> list[Leftover]:
        """What is left and forbidden. A loop of its own is closed, with all that is in it;
        in a reactor's loop, what is allowed stays.
        """
        found: list[Leftover] = []
        try:
            self._settle()
            found += self._end_tasks(forbidden)
            self._settle()
            found += self._end_contents(forbidden)
            self._report_unretrieved()
        finally:
            self.loop.set_task_factory(self._before)
            if self._reactor is None:
                self.loop.set_exception_handler(handle_late_error)
                self.loop.close()
                asyncio.set_event_loop(None)
            else:
                self.loop.set_exception_handler(None)
        return found

    def _settle(self) -> None:
        """Give what is about to end the turns that it needs."""
        for _ in range(ROUNDS):
            self._turn()
            if not (self._left_tasks() or self._left_contents()):
                return

    def _turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def _left_tasks(self) -> list[asyncio.Task[Any]]:
        return [task for task in asyncio.all_tasks(self.loop) if task not in self._tasks_here]

    def _left_contents(self) -> list[Content]:
        here = {id(content.thing) for content in self._here}
        return [each for each in contents_of(self.loop) if id(each.thing) not in here]

    def _end_tasks(self, forbidden: Judge) -> list[Leftover]:
        found = []
        doomed = []
        for task in self._left_tasks():
            leftover = Leftover("tasks", describe_task(task), self._where(task))
            stays = not forbidden([leftover])
            if stays and self._reactor is not None:
                continue
            doomed.append((task, leftover))
        for _ in range(CANCELS):
            pending = [task for task, _ in doomed if not task.done()]
            if not pending:
                break
            for task in pending:
                task.cancel()
            self._turn()  # which takes a stop that was asked for by what ran last
            self.loop.run_until_complete(asyncio.wait(pending, timeout=PATIENCE))
        for task, leftover in doomed:
            if task in self._own:
                continue
            if not task.done():
                leftover = leftover._replace(
                    description=f"{leftover.description}, which does not end when it is cancelled"
                )
            elif not task.cancelled() and (error := task.exception()) is not None:
                leftover = leftover._replace(
                    description=f"{leftover.description}, which raised {error!r} when cancelled"
                )
            found.append(leftover)
        return forbidden(found)

    def _where(self, task: asyncio.Task[Any]) -> str | None:
        waits = waiting_at(coroutine_of(task))
        started = self._made.get(task)
        parts = [f"waiting at {waits}" if waits else "", f"started at {started}" if started else ""]
        return ", ".join(part for part in parts if part) or None

    def _end_contents(self, forbidden: Judge) -> list[Leftover]:
        found = []
        ended = []
        for leftover, thing in self._left_contents():
            named = forbidden([leftover])
            if named or self._reactor is None:
                ended.append(leftover)
                try:
                    self._end(leftover.kind, thing)
                except Exception as error:
                    said = f"{leftover.description}, which raised {error!r} when it was ended"
                    named = forbidden([leftover._replace(description=said)])
            found += named
        self._settle()
        if any(leftover.kind == "processes" for leftover in ended):
            self._await_processes()
        return found

    def _await_processes(self) -> None:
        """Let the loop learn of the processes' ends, so that their transports are closed."""
        until = System.monotonic() + PATIENCE
        while System.monotonic() < until:
            self.loop.run_until_complete(asyncio.sleep(0.001))
            if all(leftover.kind != "processes" for leftover, _ in self._left_contents()):
                break
        for _ in range(ROUNDS):
            self._turn()

    def _end(self, kind: str, thing: Any) -> None:
        match kind:
            case "async generators":
                self.loop.run_until_complete(asyncio.wait_for(thing.aclose(), PATIENCE))
            case "servers":
                thing.close()
            case "transports":
                abort = getattr(thing, "abort", None) or thing.close
                abort()
            case "timers":
                thing.cancel()
            case "processes":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(thing, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
            case "descriptors":
                self.loop.remove_reader(thing.fd)
                self.loop.remove_writer(thing.fd)

    def _report_unretrieved(self) -> None:
        """Errors of tasks that nobody asked for: asyncio tells when the task is collected."""
        for task in list(self._made):
            unseen: Any = task
            if task.done() and task not in self._own and getattr(unseen, "_log_traceback", False):
                unseen._log_traceback = False
                self._on_error(
                    {
                        "message": "Task exception was never retrieved",
                        "exception": task.exception(),
                        "task": task,
                    }
                )


def is_bridged(coroutine: Any) -> bool:
    return getattr(coroutine, "cr_code", None) is bridged.__code__


def describe_task(task: asyncio.Task[Any]) -> str:
    coroutine = coroutine_of(task)
    name = getattr(coroutine, "__qualname__", None) or repr(coroutine)
    return f"task {task.get_name()!r} of {name}"


def handle_late_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What comes after a test is over belongs to no other: it is printed, as asyncio does."""
    with unheard():
        loop.default_exception_handler(context)
