"""Deferreds in coroutines that asyncio runs.

A coroutine of a test is a task of the test's asyncio loop. Where it awaits a Deferred, what
reaches the task is the Deferred itself, which asyncio does not take; here it is turned into a
future of the loop.
"""

import traceback
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

from whotests.testing.details.frames import innermost

if TYPE_CHECKING:
    import asyncio

__all__ = ["await_chain", "bridged", "coroutine_of", "is_deferred", "waiting_at"]

__unittest = True

MakeFuture = Callable[[Any], "asyncio.Future[None]"]
"""Makes a future that is done when a Deferred has fired, and leaves the Deferred's result alone."""


def is_deferred(value: object) -> bool:
    """Whether it is a Deferred, by what it can do: Twisted need not be there."""
    kind = type(value)
    return hasattr(kind, "addCallbacks") and hasattr(kind, "addBoth")


async def bridged(awaitable: Awaitable[object], future_of: MakeFuture) -> object:
    """What the awaitable gives; Deferreds that it awaits are waited for."""
    return await _Bridge(awaitable, future_of)


class _Bridge:
    def __init__(self, awaitable: Awaitable[object], future_of: MakeFuture) -> None:
        self.awaitable = awaitable
        self._future_of = future_of

    def __await__(self) -> Generator[Any, Any, object]:
        steps: Any = self.awaitable
        if hasattr(steps, "__await__"):  # a coroutine that is a generator has none
            steps = steps.__await__()
        send, throw = getattr(steps, "send", None), getattr(steps, "throw", None)
        error: BaseException | None = None
        given: object = None
        while True:
            try:
                if error is not None and throw is not None:
                    waited_for = throw(error)
                elif error is not None:
                    raise error
                elif send is not None:
                    waited_for = send(given)
                else:
                    waited_for = next(steps)
            except StopIteration as stop:
                return stop.value
            error = given = None
            try:
                if is_deferred(waited_for):
                    yield from self._future_of(waited_for)
                else:
                    given = yield waited_for
            except GeneratorExit:
                if hasattr(steps, "close"):
                    steps.close()
                raise
            except BaseException as thrown:
                error = thrown


def await_chain(awaitable: object) -> list[traceback.FrameSummary]:
    """Where a coroutine waits: its own line first, then that of what it awaits, and so on."""
    found: list[traceback.FrameSummary] = []
    seen: set[int] = set()
    while awaitable is not None and id(awaitable) not in seen:
        seen.add(id(awaitable))
        frame = next(
            (
                frame
                for name in ("cr_frame", "gi_frame", "ag_frame")
                if (frame := getattr(awaitable, name, None)) is not None
            ),
            None,
        )
        if frame is None:
            break
        if frame.f_code is bridged.__code__:
            awaitable = frame.f_locals["awaitable"]
            continue
        found.extend(traceback.StackSummary.extract([(frame, frame.f_lineno)]))
        awaitable = next(
            (
                inner
                for name in ("cr_await", "gi_yieldfrom", "ag_await")
                if (inner := getattr(awaitable, name, None)) is not None
            ),
            None,
        )
    return found


def waiting_at(awaitable: object) -> str:
    """The line of the user's at which a coroutine waits; empty where there is none."""
    return innermost(await_chain(awaitable))


def coroutine_of(task: "asyncio.Task[Any]") -> Any:
    """The coroutine that the user gave a task."""
    coroutine = task.get_coro()
    frame = getattr(coroutine, "cr_frame", None)
    if frame is not None and frame.f_code is bridged.__code__:
        return frame.f_locals["awaitable"]
    return coroutine
