"""Coroutines of trial's cases are tasks of asyncio's loop, where that is what the reactor runs on.

trial makes a Deferred of a coroutine and drives it by itself, so that a coroutine which awaits
`asyncio.sleep` fails: no loop runs when it begins, and nobody takes its futures. As a task it can
await both these and Deferreds.
"""

import inspect
from typing import Any

from whotests.testing.supervision.bridging import bridged
from whotests.testing.supervision.deferreds import asyncio_loop_of, fire_later, installed_reactor

__all__ = ["RunByAsyncio"]


class RunByAsyncio:
    """Stands in for `_run` of one of trial's cases."""

    __slots__ = ("_case", "_method")

    def __init__(self, case: Any, method: Any) -> None:
        """`method` is what the case's class has."""
        self._case = case
        self._method = method

    def __call__(self, function: Any, description: Any, result: Any) -> Any:
        loop = asyncio_loop_of(installed_reactor())
        if loop is not None and inspect.iscoroutinefunction(function):
            function = _AsTask(function, loop)
        method = self._method.__get__(self._case, type(self._case))
        return method(function, description, result)


class _AsTask:
    """Calls a coroutine function; gives a Deferred for what the coroutine gives."""

    def __init__(self, function: Any, loop: Any) -> None:
        self._function = function
        self._loop = loop
        self.__name__ = getattr(function, "__name__", "coroutine")

    def __call__(self) -> Any:
        return deferred_of(self._function(), self._loop)


def deferred_of(coroutine: Any, loop: Any) -> Any:
    """A Deferred that fires with what the coroutine gives; to cancel it is to cancel that."""
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    raised: list[BaseException] = []

    async def run() -> object:
        try:
            return await bridged(coroutine, lambda deferred: fire_later(deferred, future_of()))
        except (KeyboardInterrupt, SystemExit) as error:
            raised.append(error)  # these would end the loop; as trial has it, the test errs
            return None

    def future_of() -> Any:
        return loop.create_future()

    def ended(task: Any) -> None:
        if deferred.called:
            if not task.cancelled():
                task.exception()  # it was given up, and nobody asks any more
            return
        error: BaseException | None
        if task.cancelled():
            from asyncio import CancelledError

            error = CancelledError()
        else:
            error = raised[0] if raised else task.exception()
        if error is not None:
            deferred.errback(Failure(error, type(error), error.__traceback__))
        else:
            deferred.callback(task.result())

    def given_up(result: Any) -> Any:
        if not task.done():
            task.cancel()
        return result

    task = loop.create_task(run())
    deferred: Any = Deferred(lambda _: task.cancel())
    deferred.addErrback(given_up)
    task.add_done_callback(ended)
    return deferred
