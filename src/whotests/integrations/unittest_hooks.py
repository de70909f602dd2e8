"""A context per test and phase for all that is derived from `unittest.TestCase`.

`run` of each test case class is wrapped, above the frames in which frameworks catch what
tests raise, so tracebacks stay what they are. Phases change when a framework fetches the
method that begins one, which puts no frame anywhere.
"""

import functools
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from whotests.integrations.unittest_results import ResultWatch
from whotests.recording.session import Session
from whotests.records import TestRecord
from whotests.system import System
from whotests.types import Phase, Runner, TestName

__all__ = ["hook_test_cases"]

_PHASE_METHODS = {
    # unittest, IsolatedAsyncioTestCase
    "_callTestMethod": Phase.CALL,
    "_callTearDown": Phase.TEARDOWN,
    "_callCleanup": Phase.TEARDOWN,
    # testtools
    "_run_test_method": Phase.CALL,
    "_run_teardown": Phase.TEARDOWN,
    # twisted.trial's SynchronousTestCase
    "_runCleanups": Phase.TEARDOWN,
}

_UNCOUNTED = "<frozen importlib._bootstrap>"
"""File name of frames that `warnings` leaves out when it counts `stacklevel`."""


def hook_test_cases(module: ModuleType, session: Session) -> None:
    """Hook `unittest.case.TestCase`, each of its subclasses, and those that are yet to come."""
    base: Any = module.TestCase
    hooks = _Hooks(session)
    for case_class in _family(base):
        hooks.hook(case_class)
    ordinary = base.__dict__["__init_subclass__"]

    @functools.wraps(ordinary.__func__)
    def __init_subclass__(cls: type, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        ordinary.__get__(None, cls)(*args, **kwargs)
        hooks.hook(cls)

    base.__init_subclass__ = classmethod(__init_subclass__)


def _family(base: type) -> Iterator[type]:
    yield base
    subclasses: list[type] = base.__subclasses__()
    for subclass in subclasses:
        yield from _family(subclass)


class _Hooks:
    """What the wrappers of all classes share: the session, and the test that is open."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.open_cases: dict[int, _OpenTest] = {}
        """The open tests by their case's identity: one in each thread at most."""

    def hook(self, case_class: type) -> None:
        """Wrap what the class itself defines; a class that forbids it stays as it is."""
        own = dict(vars(case_class))
        try:
            if isinstance(function := own.get("run"), FunctionType):
                case_class.run = self._wrapped_run(function)  # type: ignore[attr-defined]
            for name, phase in _PHASE_METHODS.items():
                if isinstance(function := own.get(name), FunctionType):
                    setattr(case_class, name, _PhaseMethod(function, phase, self))
            if _is_of_trial(case_class) and isinstance(function := own.get("_run"), FunctionType):
                case_class._run = self._wrapped_trial_run(function)  # type: ignore[attr-defined]
        except (AttributeError, TypeError):
            pass

    def enter(self, phase: Phase, case: object) -> None:
        if id(case) in self.open_cases:
            self.session.enter_phase(phase)

    def _wrapped_run(self, function: FunctionType) -> Callable[..., Any]:
        hooks = self

        @functools.wraps(function)
        def run(self: Any, *args: Any, **kwargs: Any) -> Any:
            opened = hooks.open(self, args, kwargs)
            if opened is None:
                return function(self, *args, **kwargs)
            try:
                return function(self, *args, **kwargs)
            finally:
                opened.close()

        return _uncounted(run)

    def _wrapped_trial_run(self, function: FunctionType) -> Callable[..., Any]:
        """trial runs setUp, the test, tearDown and cleanups through `_run`, which names them."""
        hooks = self

        @functools.wraps(function)
        def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
            opened = hooks.open_cases.get(id(self))
            if opened is not None:
                hooks.enter(_phase_in_trial(self, args), self)
                if args:
                    opened.watch.also(args[-1])
            return function(self, *args, **kwargs)

        return _uncounted(_run)

    def open(self, case: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_OpenTest | None":
        """Open the case's test, unless another one is open; never raises."""
        try:
            name = TestName(str(case.id()))
        except Exception:
            return None  # the case's own fault: it runs as it would, in no context
        try:
            runner = Runner.TRIAL if _is_of_trial(type(case)) else Runner.UNITTEST
            if not self.session.start_test(name, runner=runner):
                return None
            result = args[0] if args else kwargs.get("result")
            opened = _OpenTest(self, name, runner, case, ResultWatch(case, result))
            self.open_cases[id(case)] = opened
            return opened
        except Exception as error:
            self.session.stop_test()
            self.session.fail(error)
            return None


class _OpenTest:
    """One run of a test case, from start to end."""

    def __init__(
        self, hooks: _Hooks, name: TestName, runner: Runner, case: object, watch: ResultWatch
    ) -> None:
        self._hooks = hooks
        self._name = name
        self._runner = runner
        self._case = case
        self.watch = watch
        self._began = System.perf_counter()

    def close(self) -> None:
        duration = System.perf_counter() - self._began
        self._hooks.open_cases.pop(id(self._case), None)
        outcome = self.watch.end()
        session = self._hooks.session
        session.note_test(TestRecord(self._name, self._runner, outcome, duration))
        session.stop_test()


def _uncounted(function: Any) -> Callable[..., Any]:
    function.__code__ = function.__code__.replace(co_filename=_UNCOUNTED)
    return function  # type: ignore[no-any-return]


class _PhaseMethod:
    """A method that begins a phase as it is fetched from its test case, and is itself then."""

    def __init__(self, function: FunctionType, phase: Phase, hooks: _Hooks) -> None:
        self._function = function
        self._phase = phase
        self._hooks = hooks

    def __get__(self, case: object, case_class: type | None = None) -> Any:
        if case is None:
            return self._function
        self._hooks.enter(self._phase, case)
        return self._function.__get__(case, case_class)


def _phase_in_trial(case: Any, args: tuple[Any, ...]) -> Phase:
    named = next((arg for arg in args if isinstance(arg, str)), None)
    if named is None:
        named = next((getattr(arg, "__name__", "") for arg in args if callable(arg)), "")
    if named == "setUp":
        return Phase.SETUP
    return Phase.CALL if named == case._testMethodName else Phase.TEARDOWN


def _is_of_trial(case_class: type) -> bool:
    return any(base.__module__.startswith("twisted.trial") for base in case_class.__mro__)
