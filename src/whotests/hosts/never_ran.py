"""What a test's methods return and nobody runs: the test would pass without having run."""

import inspect
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType
from typing import Any
from unittest import TestCase

from whotests.testing.supervision.awaiting import NeverRan
from whotests.testing.supervision.bridging import is_deferred

__all__ = ["Returned"]

__unittest = True


class Returned:
    """Keeps what the methods of running tests return, until it is asked whether that ran.

    It looks where frameworks drop such values: `unittest.TestCase` and trial's
    `SynchronousTestCase`. What these run, or cases made from them that run it, is done by then.
    It stands in for methods of the cases that it is told of, for as long as they run; classes
    stay as they are, and so do tests that a test itself makes and runs. testtools would show
    frames of ours in its tracebacks: there, it has to do what kind of method it is.
    """

    def __init__(self) -> None:
        self._kept: dict[int, list[tuple[object, Any]]] = {}
        self._places: dict[type, tuple[tuple[str, Any], ...]] = {}
        self._checked: dict[type, str] = {}

    def begin(self, case: Any) -> None:
        """Look at this case, until `end`."""
        kind = type(case)
        if (places := self._places.get(kind)) is None:
            places = self._places[kind] = tuple(
                (name, _listener(method, place, self._keep))
                for name, method, place in _places_of(kind)
            )
        if places:
            own = case.__dict__
            for name, listener in places:
                own[name] = MethodType(listener, case)

    def end(self, case: Any) -> None:
        """Look at it no more."""
        places = self._places.get(type(case))
        if places:
            own = case.__dict__
            for name, _ in places:
                own.pop(name, None)
        if self._kept:
            self._kept.pop(id(case), None)

    def wrong(self, case: object) -> NeverRan | None:
        """What is wrong with what the methods of this case returned, if anything is."""
        said: str | None = ""
        if self._kept:
            for function, value in self._kept.pop(id(case), ()):
                said = said or never_ran(function, value)
        if not said and "testtools.runtest" in sys.modules:
            said = unrun_by_testtools(case)
        if not said and (said := self._checked.get(type(case))) is None:
            said = self._checked[type(case)] = unawaited_fixture(type(case))
        return NeverRan(said) if said else None

    def _keep(self, case: object, function: object, value: object) -> None:
        if may_be_to_run(value):
            self._kept.setdefault(id(case), []).append((function, value))


def _places_of(kind: type) -> Iterator[tuple[str, Any, int]]:
    """The methods of a class that drop what the user's return: their names, themselves, and
    where among their arguments the user's method is."""
    where = (
        ("_callTestMethod", "unittest.case", 0),
        ("_callCleanup", "unittest.case", 0),
        ("_run", "twisted.trial._synctest", 2),
    )
    if not hasattr(kind, "__dict__") or getattr(kind, "__dictoffset__", 0) == 0:
        return
    for name, module, place in where:
        for base in kind.__mro__:
            if name in vars(base):
                # Others may have put descriptors there, which want to be asked by a case.
                if base.__module__ == module:
                    yield name, vars(base)[name], place
                break


def _listener(method: Any, place: int, keep: Callable[[object, object, object], None]) -> Any:
    """A function that calls this method of a case, and hears what the user's method returns."""
    plain = isinstance(method, FunctionType)

    def listen(case: Any, *args: Any, **kwargs: Any) -> Any:
        bound = MethodType(method, case) if plain else method.__get__(case, type(case))
        function = args[place]
        if not place:
            return bound(_Heard(case, function, keep), *args[1:], **kwargs)
        if inspect.isgeneratorfunction(function):  # trial itself has an eye on these
            return bound(*args, **kwargs)
        heard = _Heard(case, function, keep)
        return bound(*args[:place], heard, *args[place + 1 :], **kwargs)

    return listen


class _Heard:
    """Calls a function, and tells what it returned."""

    __slots__ = ("_case", "_function", "_keep")

    def __init__(
        self,
        case: object,
        function: Callable[..., Any],
        keep: Callable[[object, object, object], None],
    ) -> None:
        self._case = case
        self._function = function
        self._keep = keep

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value = self._function(*args, **kwargs)
        if value is not None:
            self._keep(self._case, self._function, value)
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __repr__(self) -> str:
        return repr(self._function)


def may_be_to_run(value: object) -> bool:
    """Whether it does something only once somebody awaits it or iterates over it."""
    return (
        inspect.iscoroutine(value)
        or inspect.isgenerator(value)
        or inspect.isasyncgen(value)
        or is_deferred(value)
    )


def never_ran(function: object, value: Any) -> str:
    """Why what the function returned did not run, or did not fire; '' if it did."""
    name = getattr(function, "__name__", repr(function))
    if inspect.iscoroutine(value):
        if inspect.getcoroutinestate(value) != inspect.CORO_CREATED:
            return ""
        value.close()
        return (
            f"{name} returned a coroutine that nobody awaited, so that none of it ran: "
            "its case does not run coroutines (unittest.IsolatedAsyncioTestCase does)"
        )
    if inspect.isgenerator(value):
        if inspect.getgeneratorstate(value) != inspect.GEN_CREATED:
            return ""
        return (
            f"{name} is a generator function, so that none of it ran: take out its `yield`, "
            "or iterate over it in the test"
        )
    if inspect.isasyncgen(value):
        return f"{name} is an async generator function, so that none of it ran"
    if is_deferred(value) and not value.called:
        return (
            f"{name} returned a Deferred that has not fired, and its case does not wait for it "
            "(twisted.trial.unittest.TestCase does)"
        )
    if is_deferred(value) and hasattr(getattr(value, "result", None), "getErrorMessage"):
        failure, value.result = value.result, None
        return f"{name} returned a Deferred that has failed: {failure.getErrorMessage()}"
    return ""


def unrun_by_testtools(case: Any) -> str:
    """Why a method of a testtools case did not run, or ''. testtools is loaded."""
    module: Any = sys.modules["testtools.runtest"]
    if getattr(case, "_TestCase__RunTest", None) is not module.RunTest:
        return ""  # it is none of testtools', or what runs it may well await
    method = getattr(case, getattr(case, "_testMethodName", ""), None)
    if inspect.iscoroutinefunction(method):
        return (
            f"{method.__name__} is a coroutine function, so that none of it ran: testtools awaits "
            "coroutines only with a runner of testtools.twistedsupport"
        )
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        return f"{method.__name__} is a generator function, so that none of it ran"
    return ""


def unawaited_fixture(kind: type) -> str:
    """Which of setUp and tearDown is one that this class of cases calls and never runs, or ''."""
    modules = [base.__module__ for base in kind.__mro__]
    of_trial = "twisted.trial._synctest" in modules
    if "twisted.trial._asynctest" in modules or not issubclass(kind, TestCase):
        return ""
    if kind.run is not TestCase.run and not of_trial:
        return ""  # it has a way of its own
    for name, caller in (("setUp", "_callSetUp"), ("tearDown", "_callTearDown")):
        function = getattr(kind, name)
        if getattr(kind, caller, None) is not getattr(TestCase, caller, None):
            continue
        if inspect.iscoroutinefunction(function):
            return f"{name} of {kind.__qualname__} is a coroutine function, so that none of it ran"
        if inspect.isgeneratorfunction(function):
            return f"{name} of {kind.__qualname__} is a generator function, so that none of it ran"
    return ""
