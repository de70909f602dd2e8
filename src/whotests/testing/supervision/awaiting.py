"""What test methods return is run to its end: awaitables by asyncio, Deferreds by a reactor.

Who runs what:

- A coroutine, and whatever else can be awaited, is a task of the test's asyncio loop; so
  `asyncio.sleep` works under each reactor. Deferreds that it awaits are waited for.
- A Deferred is waited for by running the reactor. Where the test has a loop already, because its
  setUp was a coroutine, the loop runs.
- Where Twisted's reactor runs on asyncio, its loop is the test's. Any other reactor that is
  installed has its turns while the loop runs.
"""

import inspect
import sys
from collections.abc import Awaitable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from whotests.testing.supervision.bridging import is_deferred
from whotests.testing.supervision.deferreds import (
    ReactorWait,
    asyncio_loop_of,
    default_reactor,
    outcome_of,
)
from whotests.testing.supervision.leftovers import Leftover, not_allowed
from whotests.testing.supervision.logged_errors import LoggedErrors
from whotests.testing.supervision.timeouts import Expired

if TYPE_CHECKING:
    from whotests.testing.supervision.aio import TestLoop

__all__ = ["Awaiting", "NeverRan"]

__unittest = True


class NeverRan(TypeError):
    """A method returned what nobody runs: the test would have passed without running."""

    __module__ = "whotests.testing"


class Awaiting:
    """One test's loop and context, for whatever its methods return.

    setUp, the method, tearDown and the clean-ups share one asyncio loop and one context, as in
    `unittest.IsolatedAsyncioTestCase`. To be made when something other than None is returned for
    the first time, in the thread that runs the test; and to be closed after the clean-ups.
    """

    def __init__(self, case: Any, *, context: Context | None = None) -> None:
        """For one run of a case; `context` is that in which its plain methods run, if any.

        `finish` must be called outside of it. Without it, the values of context variables are
        carried over from the caller's context to that of the loop, and back.
        """
        self._case = case
        self._shared = context is not None
        self._context = context or copy_context()
        self._loop: TestLoop | None = None

    def finish(self, returned: object, *, of: str, any_value: bool = False) -> None:
        """Run what `of` returned to its end; raises what that raises.

        :raises NeverRan: for generators, and for other values that nobody awaits, unless
            `any_value`: clean-ups may return what they like. What was awaited may give any value
            except one that would have to be run in its turn.
        """
        if returned is None:
            return
        if is_deferred(returned):
            refuse_given(self._finish_deferred(returned, of), of)
        elif inspect.isawaitable(returned):
            refuse_given(self._finish_awaitable(returned, of), of)
        else:
            refuse(returned, of, any_value)

    def close(self) -> list[Leftover]:
        """End the loop; what was left in it and is not allowed, all of which was ended."""
        loop, self._loop = self._loop, None
        if loop is None:
            return []
        try:
            return loop.close(lambda found: not_allowed(self._case, found))
        except (Exception, Expired) as error:
            said = "took too long" if isinstance(error, Expired) else f"raised {error!r}"
            return [Leftover("tasks", f"its asyncio loop: to close it {said}")]

    def _finish_awaitable(self, awaitable: Awaitable[object], of: str) -> object:
        try:
            loop = self._opened()
        except BaseException:
            if inspect.iscoroutine(awaitable):
                awaitable.close()
            raise
        if not self._shared:
            carry_over(copy_context(), self._context)
        try:
            return loop.run(awaitable, name=of, context=self._context)
        finally:
            if not self._shared:
                for variable, value in self._context.items():
                    if variable.get(_NOTHING) is not value:
                        variable.set(value)

    def _finish_deferred(self, deferred: Any, of: str) -> object:
        if deferred.called and not deferred.paused:
            return outcome_of(take_result(deferred))
        reactor = default_reactor()
        if self._loop is not None or asyncio_loop_of(reactor) is not None:
            return self._finish_awaitable(deferred, of)
        return outcome_of(ReactorWait(reactor, deferred, of).result())

    def _opened(self) -> "TestLoop":
        """The test's loop, made now if it was not yet."""
        if self._loop is None:
            import asyncio

            from whotests.testing.supervision.aio import TestLoop

            if asyncio._get_running_loop() is not None:
                raise RuntimeError(
                    "an asynchronous test needs a loop of its own, and a running event loop is "
                    "around it: run it in another thread, as by `await asyncio.to_thread(...)`"
                )
            errors = getattr(self._case, "_logged_errors", None) or LoggedErrors()
            factory = getattr(self._case, "loop_factory", None)
            self._loop = TestLoop(factory=factory, on_error=errors.note_of_loop)
        return self._loop


_NOTHING = object()


def carry_over(source: Context, target: Context) -> None:
    """Give each variable of one context its value in another."""
    for variable, value in source.items():
        if target.get(variable, _NOTHING) is not value:
            target.run(variable.set, value)


def take_result(deferred: Any) -> Any:
    """What a Deferred that has fired holds: a value, or a failure, which counts as seen."""
    taken: list[Any] = []
    deferred.addBoth(taken.append)
    return taken[0]


def refuse_given(value: object, of: str) -> None:
    """Raise what is wrong with a value that was awaited, if it would have to be run itself."""
    if value is None:
        return
    if inspect.iscoroutine(value):
        value.close()
    elif not (inspect.isgenerator(value) or inspect.isasyncgen(value) or is_deferred(value)):
        return
    raise NeverRan(
        f"{of} was awaited and gave {value!r}, which nobody runs: await it in the test, "
        "or iterate over it"
    )


def refuse(returned: object, of: str, any_value: bool) -> None:
    """Raise what is wrong with a value that nobody awaits."""
    if inspect.isgenerator(returned) or inspect.isasyncgen(returned):
        kind = "an async generator" if inspect.isasyncgen(returned) else "a generator"
        hint = ""
        if "twisted.internet.defer" in sys.modules and inspect.isgenerator(returned):
            hint = "; if it yields Deferreds, decorate it with inlineCallbacks"
        raise NeverRan(
            f"{of} is {kind} function, so that none of it ran: take out its `yield`, "
            f"or iterate over it in the test{hint}"
        )
    if inspect.iscoroutinefunction(returned) or inspect.isgeneratorfunction(returned):
        raise NeverRan(f"{of} returned the function {returned.__name__!r}, which nobody calls")
    if not any_value:
        raise NeverRan(
            f"{of} returned {returned!r}, which nobody looks at: a test returns None, "
            "or what can be awaited"
        )
