"""What a test's methods return and nobody runs: the test would pass without having run."""

import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any
from unittest import TestCase

from whotests.testing.supervision.awaiting import NeverRan
from whotests.testing.supervision.bridging import is_deferred

__all__ = ["Returned"]

__unittest = True


class Returned:
    """Keeps what methods of the running test return, until it is asked whether that ran.

    It looks where the frameworks drop such values: `unittest.TestCase`, testtools' `TestCase`,
    and trial's `SynchronousTestCase`. What these run, or cases made from them that run it, is
    done by then. Inner tests, that the test itself runs, are not looked at.
    """

    def __init__(self) -> None:
        self._cases: frozenset[int] = frozenset()
        self._kept: dict[int, list[tuple[object, Any]]] = {}
        self._checked: dict[type, str] = {}

    def look_at(self, cases: Iterable[object]) -> None:
        """These are the cases that run now."""
        self._cases = frozenset(map(id, cases))
        self._kept.clear()

    def install(self) -> None:
        """Look from now on, for as long as the process lives, at what is imported by now."""
        self._at_unittest()
        if (module := sys.modules.get("testtools.testcase")) is not None:
            self._at_testtools(module)
        if (module := sys.modules.get("twisted.trial._synctest")) is not None:
            self._at_trial(module)

    def wrong(self, case: object) -> NeverRan | None:
        """What is wrong with what the methods of this case returned, if anything is."""
        said = ""
        for function, value in self._kept.pop(id(case), ()):
            said = said or never_ran(function, value)
        if not said:
            kind = type(case)
            if (found := self._checked.get(kind)) is None:
                found = self._checked[kind] = unawaited_fixture(kind)
            said = found
        return NeverRan(said) if said else None

    def _at_unittest(self) -> None:
        watch = self
        # Fetched as the frameworks do, since others may have replaced them by descriptors.
        ordinary = vars(TestCase)["_callTestMethod"]
        clean = vars(TestCase)["_callCleanup"]

        def _callTestMethod(self: Any, method: Any) -> Any:  # noqa: N802
            if id(self) in watch._cases:
                method = _Keeping(self, method, watch._keep)
            return ordinary.__get__(self, type(self))(method)

        def _callCleanup(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
            if id(self) in watch._cases:
                function = _Keeping(self, function, watch._keep)
            return clean.__get__(self, type(self))(function, *args, **kwargs)

        TestCase._callTestMethod = _callTestMethod  # type: ignore[attr-defined]
        TestCase._callCleanup = _callCleanup  # type: ignore[attr-defined]

    def _at_testtools(self, module: Any) -> None:
        watch = self
        ordinary = vars(module.TestCase)["_run_test_method"]

        def _run_test_method(self: Any, result: Any) -> Any:
            value = ordinary.__get__(self, type(self))(result)
            if value is not None:
                watch._keep(self, getattr(self, self._testMethodName), value)
            return value

        module.TestCase._run_test_method = _run_test_method

    def _at_trial(self, module: Any) -> None:
        watch = self
        ordinary = module.runWithWarningsSuppressed

        def runWithWarningsSuppressed(  # noqa: N802
            suppressed: Any, function: Any, *args: Any, **kwargs: Any
        ) -> Any:
            value = ordinary(suppressed, function, *args, **kwargs)
            if value is not None:
                watch._keep(getattr(function, "__self__", None), function, value)
            return value

        module.runWithWarningsSuppressed = runWithWarningsSuppressed

    def _keep(self, case: object, function: object, value: object) -> None:
        if id(case) in self._cases and may_be_to_run(value):
            self._kept.setdefault(id(case), []).append((function, value))


class _Keeping:
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
