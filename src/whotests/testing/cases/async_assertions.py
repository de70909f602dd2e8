"""Assertions about what is awaited, and about what was logged: for test cases to inherit."""

import inspect
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from whotests.testing.supervision.bridging import is_deferred, waiting_at
from whotests.testing.supervision.leftovers import known
from whotests.testing.supervision.logged_errors import LoggedError, LoggedErrors

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncAssertions", "timeout_of"]

__unittest = True

_Entered = TypeVar("_Entered")


class AsyncAssertions:
    """What a test case says about time, leftovers and logged errors, and asserts about them.

    In `async def` tests, `with self.assertRaises(...)` works around an `await` as well. The
    runner of the case gives it `_logged_errors` for the time of a test.
    """

    timeout: float | None = None
    """Seconds that a test may take, with setUp, tearDown and clean-ups; a method may have its own.

    What still runs then is ended; tearDown and clean-ups run, and have a second each.
    """

    allow_leftovers: Collection[str] | bool = ()
    """Kinds of things that tests may leave (`supervision.leftovers.KINDS`); True: all."""

    fail_on_logged_errors: bool = True
    """Whether errors that are logged and not flushed fail the test."""

    loop_factory: "Callable[[], asyncio.AbstractEventLoop] | None" = None
    """Makes the loop of each test; None for asyncio's own."""

    failureException: type[BaseException] = AssertionError

    _logged_errors: LoggedErrors | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        """A misspelt kind in `allow_leftovers` is an error when the class is defined."""
        super().__init_subclass__(**options)
        allowed = cls.__dict__.get("allow_leftovers", ())
        if not isinstance(allowed, bool):
            known(allowed)

    def flush_logged_errors(self, *types: type[BaseException]) -> list[LoggedError]:
        """Take out the errors of these types that were logged so far, of any type without."""
        found = self._logged_errors
        return [] if found is None else found.flush(*types)

    def flushLoggedErrors(self, *types: type[BaseException]) -> list[LoggedError]:
        """As `flush_logged_errors`, by trial's name."""
        return self.flush_logged_errors(*types)

    addCleanup: Callable[..., Any]

    def addAsyncCleanup(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """As `addCleanup`, by the name of `unittest.IsolatedAsyncioTestCase`."""
        self.addCleanup(function, *args, **kwargs)

    async def enterAsyncContext(self, cm: AbstractAsyncContextManager[_Entered]) -> _Entered:
        """What the asynchronous context manager gives; it is left when the test is over."""
        entered = await cm.__aenter__()
        self.addCleanup(cm.__aexit__, None, None, None)
        return entered

    def assertFailure(self, awaitable: Any, *exceptions: type[BaseException]) -> Any:
        """To be awaited, or returned from the test: the exception with which `awaitable` fails.

        Without exceptions, any Exception will do. Of a Deferred it is that Deferred.
        """
        expected = exceptions or (Exception,)
        if is_deferred(awaitable):
            return awaitable.addCallbacks(
                lambda result: self._not_failed(result, expected),
                lambda failure: self._as_expected(failure.value, expected),
            )
        if not inspect.isawaitable(awaitable):
            raise TypeError(f"{awaitable!r} is neither a Deferred nor can it be awaited")
        return self._failure_of(awaitable, expected)

    failUnlessFailure = assertFailure

    def successResultOf(self, awaitable: Any) -> Any:
        """The result that a Deferred, future or coroutine gives without waiting for anything.

        A Deferred's result is taken out of it.
        """
        outcome = outcome_now(awaitable)
        if outcome is None:
            self._no_result(awaitable)
        if outcome.error is not None:
            raise self.failureException(
                f"{awaitable!r} failed, where a result was expected: {outcome.error!r}"
            ) from outcome.error
        return outcome.value

    def failureResultOf(self, awaitable: Any, *exceptions: type[BaseException]) -> Any:
        """The failure that a Deferred, future or coroutine gives without waiting for anything.

        Of a Deferred that is its Failure, which is taken out of it; else the exception. With
        exceptions given, it has to be of one of them.
        """
        outcome = outcome_now(awaitable)
        if outcome is None:
            self._no_result(awaitable)
        if outcome.error is None:
            self._not_failed(outcome.value, exceptions or (Exception,))
        else:
            self._as_expected(outcome.error, exceptions or (BaseException,))
        return outcome.failure or outcome.error

    def assertNoResult(self, awaitable: Any) -> None:
        """Fail if a Deferred or future has a result or a failure already."""
        if inspect.iscoroutine(awaitable):
            raise TypeError(
                f"{awaitable!r} would have to be run to tell: make a task of it, "
                "and let the loop turn by `await asyncio.sleep(0)`"
            )
        outcome = outcome_now(awaitable, keep=True)
        if outcome is not None:
            found = outcome.value if outcome.error is None else outcome.error
            raise self.failureException(
                f"{awaitable!r} has a result, where none was expected: {found!r}"
            ) from outcome.error

    async def _failure_of(
        self, awaitable: Awaitable[object], expected: tuple[type[BaseException], ...]
    ) -> BaseException:
        try:
            result = await awaitable
        except expected as error:
            return error
        except Exception as error:
            return self._as_expected(error, expected)
        else:
            self._not_failed(result, expected)

    def _as_expected(
        self, error: BaseException, expected: tuple[type[BaseException], ...]
    ) -> BaseException:
        """The exception, if it is as expected."""
        if not isinstance(error, expected):
            raise self.failureException(
                f"failed with {error!r}, where {names_of(expected)} was expected"
            ) from error
        return error

    def _no_result(self, awaitable: Any) -> NoReturn:
        place = waiting_at(awaitable)
        waits = f"; it waits at {place}" if place else ""
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise self.failureException(f"{awaitable!r} has no result yet{waits}")

    def _not_failed(self, result: object, expected: tuple[type[BaseException], ...]) -> NoReturn:
        raise self.failureException(f"did not fail with {names_of(expected)}: it gave {result!r}")


class Outcome(NamedTuple):
    """What something that is awaited gave."""

    value: Any = None
    error: BaseException | None = None
    failure: Any = None
    """Of a Deferred, the Failure that holds the error."""


def outcome_now(awaitable: Any, *, keep: bool = False) -> Outcome | None:
    """What a Deferred, future or coroutine gives without waiting; None if it would wait.

    A coroutine is run for that. A Deferred's result is taken out of it unless `keep`.
    """
    if is_deferred(awaitable):
        return outcome_of_deferred(awaitable, keep)
    if hasattr(awaitable, "done") and hasattr(awaitable, "exception"):
        return outcome_of_future(awaitable)
    if inspect.iscoroutine(awaitable):
        return outcome_of_coroutine(awaitable)
    raise TypeError(f"{awaitable!r} is no Deferred, future or coroutine")


def outcome_of_deferred(deferred: Any, keep: bool) -> Outcome | None:
    taken: list[Any] = []

    def take(result: Any) -> Any:
        if not taken:
            taken.append(result)
            return result if keep else None
        return result

    if not deferred.called or deferred.paused:
        return None
    deferred.addBoth(take)
    if not taken:  # it waits for another Deferred
        return None
    result = taken[0]
    if hasattr(result, "raiseException") and hasattr(result, "value"):
        return Outcome(error=result.value, failure=result)
    return Outcome(result)


def outcome_of_future(future: Any) -> Outcome | None:
    if not future.done():
        return None
    if future.cancelled():
        import asyncio

        return Outcome(error=asyncio.CancelledError())
    error = future.exception()
    return Outcome(future.result()) if error is None else Outcome(error=error)


def outcome_of_coroutine(coroutine: Any) -> Outcome | None:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return Outcome(stop.value)
    except Exception as error:
        return Outcome(error=error)
    return None


def names_of(kinds: tuple[type[BaseException], ...]) -> str:
    return " or ".join(kind.__qualname__ for kind in kinds)


def timeout_of(case: Any) -> float | None:
    """The limit for the case: its method's, or its own; None without one."""
    method = getattr(case, getattr(case, "_testMethodName", ""), None)
    limit = getattr(method, "timeout", None)
    return case.timeout if limit is None else limit  # type: ignore[no-any-return]
