"""What test methods return is run to its end: awaitables by asyncio, Deferreds by a reactor."""

import inspect
from collections.abc import Awaitable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from whotests.testing.leftovers import Leftover

if TYPE_CHECKING:
    import asyncio

__all__ = ["Awaiting", "NeverRan"]

__unittest = True


class NeverRan(TypeError):
    """What a method returned can not be run: the test would have passed without running."""


class Awaiting:
    """One test's loop and context, for whatever its methods return.

    setUp, the method, tearDown and the clean-ups share one asyncio loop and one context, as in
    `unittest.IsolatedAsyncioTestCase`. Made when something other than None is returned for the
    first time; to be closed after the clean-ups.
    """

    def __init__(self, case: Any, *, context: Context | None = None) -> None:
        """For one run of a case; `context` is that in which its plain methods run, if any.

        Without it values of context variables are carried over between the caller's context
        and that of the loop.
        """
        self._case = case
        self._given = context
        self._context = context or copy_context()
        self._loop: asyncio.AbstractEventLoop | None = None

    def finish(self, returned: object, *, of: str, any_value: bool = False) -> None:
        """Run what `of` returned to its end; raises what that raises.

        :raises NeverRan: for generators, and for other values that nobody awaits, unless
            `any_value`, as clean-ups may return what they like.
        """
        import asyncio

        if returned is None:
            return
        if inspect.isgenerator(returned) or inspect.isasyncgen(returned):
            raise NeverRan(f"{of} is a generator function: its body never ran")
        if not inspect.isawaitable(returned):
            if any_value:
                return
            raise NeverRan(f"{of} returned {returned!r}, which nobody awaits")
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._loop.create_task(wait(returned), context=self._context))

    def close(self) -> list[Leftover]:
        """End the loop; what was left in it, which is cancelled and closed."""
        if self._loop is not None:
            self._loop.close()
        return []


async def wait(awaitable: Awaitable[object]) -> object:
    """An awaitable as a coroutine."""
    return await awaitable
