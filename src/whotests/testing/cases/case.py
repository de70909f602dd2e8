"""The test case."""

from collections.abc import Callable
from typing import Any, NoReturn
from unittest import SkipTest

from whotests.testing.cases.assertions import Assertions, attach_details_of, stack_of_author
from whotests.testing.cases.async_assertions import AsyncAssertions
from whotests.testing.cases.belongings import Belongings
from whotests.testing.cases.case_state import CaseState, expects_failure, state_of, wrong_calls
from whotests.testing.cases.exception_handlers import UsualHandlers, report_error
from whotests.testing.cases.expecting import ExpectedFailure, UnexpectedSuccess
from whotests.testing.cases.matching import mismatch_error
from whotests.testing.cases.runtest import Handlers, RunTest, fail_as_forced, made_by
from whotests.testing.cases.subtests import SubTests
from whotests.testing.details.content import Content, text_content
from whotests.testing.details.reported import ReportedDetails, unique_name
from whotests.testing.details.traceback_content import (
    OptExcInfo,
    StackLinesContent,
    TracebackContent,
)
from whotests.testing.results.result import TestResult
from whotests.testing.supervision.awaiting import NeverRan

__all__ = ["TestCase"]

__unittest = True

_NOT_RUN_BY_A_CALL = 0x20 | 0x80 | 0x200
"""Flags of code: a generator, a coroutine, an async generator."""


class TestCase(AsyncAssertions, Assertions, Belongings):
    """A `unittest.TestCase` of which nothing passes that was not run.

    Test methods, setUp, tearDown and clean-ups may be `async def`, or return a Deferred; they
    share one loop. All that they raise is reported; what is worst counts, once. setUp and
    tearDown have to call those of the base class.
    """

    skipException: type[BaseException] = SkipTest
    """Raised by `skipTest`; a test that raises it is skipped."""

    run_tests_with: Any = RunTest
    """Makes what runs a test: called with the case, `handlers` and `last_resort`."""

    tb_locals = False
    """Whether tracebacks show local variables; also where the result has a true `tb_locals`."""

    force_failure: bool | None = None
    """Set it to true, and the test fails at its end."""

    exception_handlers: Handlers = UsualHandlers()  # type: ignore[assignment]
    """Who is told of an exception: the first pair of which it is an instance. A list of each
    case's own, to which an author may add."""

    __unittest_skip__ = __unittest_expecting_failure__ = False  # found sooner than missed

    _whotests_state: CaseState | None = None
    _whotests_factory: Any = None
    _outcome: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Raise TypeError for class fixtures that unittest would call and nobody would run."""
        super().__init_subclass__(**kwargs)
        for name in ("setUpClass", "tearDownClass"):
            function = getattr(cls.__dict__.get(name), "__func__", None)
            if getattr(getattr(function, "__code__", None), "co_flags", 0) & _NOT_RUN_BY_A_CALL:
                raise TypeError(
                    f"{cls.__qualname__}.{name} is a coroutine or generator function, which "
                    "nobody runs: suites call it without a loop. Make it an ordinary function, "
                    "or do its work in setUp."
                )

    def __init__(self, methodName: str = "runTest", *, runTest: Any = None) -> None:
        """A test that runs this method, by the factory `runTest` if there is one."""
        super().__init__(methodName)
        if runTest is not None:
            if not callable(runTest):
                raise TypeError(f"runTest must be callable, got {type(runTest)}")
            self._whotests_factory = runTest

    def __eq__(self, other: object) -> bool:
        """Whether it is the same test: of the same class and method, and with the same id."""
        if self is other:
            return True
        same = super().__eq__(other)
        if same is not True:
            return same
        return bool(self.id() == other.id())  # type: ignore[attr-defined]

    __hash__ = Assertions.__hash__

    # --- running

    def run(self, result: Any = None) -> Any:
        """Run the test and tell the result, or a new one, which is returned."""
        state = self._forget_last_run()
        method = self._get_test_method()
        marks = getattr(method, "__dict__", True)
        state.marked = bool(marks or self.__unittest_skip__ or self.__unittest_expecting_failure__)
        factory = self._whotests_factory or (marks and getattr(method, "_run_test_with", None))
        given = state.on_exception
        try:
            made = made_by(
                factory or self.run_tests_with, self, self.exception_handlers, report_error
            )
            return made.run(result)
        finally:
            state.on_exception = given

    def _forget_last_run(self) -> CaseState:
        before = self._whotests_state
        self._whotests_state = state = CaseState()
        if before is not None:
            state.on_exception = before.on_exception
        self._cleanups = []
        if "force_failure" in self.__dict__:
            del self.force_failure
        return state

    def debug(self) -> None:
        """Run the test and let exceptions pass; clean-ups run, whatever comes."""
        state = self._forget_last_run()
        for item in (self, self._get_test_method()):
            if getattr(item, "__unittest_skip__", False):
                raise SkipTest(getattr(item, "__unittest_skip_why__", ""))
        try:
            state.finish(self, self._run_setup(None), "setUp")
            state.finish(self, getattr(self, "asyncSetUp", _nothing)(), "asyncSetUp")
            state.finish(self, self._run_test_method(None), self._testMethodName)
            state.finish(self, getattr(self, "asyncTearDown", _nothing)(), "asyncTearDown")
            state.finish(self, self._run_teardown(None), "tearDown")
        finally:
            while self._cleanups:
                function, args, kwargs = self._cleanups.pop()
                returned = self._callCleanup(function, *args, **kwargs)
                state.finish_cleanup(self, returned, function)
            if state.awaiting is not None:
                state.awaiting.close()
        if self.force_failure:
            fail_as_forced(self)

    @classmethod
    def addClassCleanup(cls, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Have this called after tearDownClass; a coroutine, which nobody awaits there, errs."""
        super().addClassCleanup(_call_not_awaited, function, *args, **kwargs)

    def defaultTestResult(self) -> TestResult:
        """A result for who runs the test without one."""
        return TestResult()

    def doCleanups(self) -> bool:  # type: ignore[override]
        """Run the clean-ups now; whether none of them raised. Called after tearDown anyway."""
        run_test = state_of(self).run_test
        if run_test is None:
            return bool(super().doCleanups())
        return run_test._run_cleanups(None) is None

    def subTest(self, *args: Any, **params: Any) -> Any:
        """A context for a part of the test, which is reported by itself if it fails."""
        state = state_of(self)
        if state.subtests is None and state.run_test is not None:
            state.subtests = self._outcome = SubTests(state.run_test)
        return super().subTest(*args, **params)

    def setUp(self) -> None:
        """Call this first in a setUp of your own."""
        super().setUp()
        state = state_of(self)
        if state.set_up:
            raise ValueError(wrong_calls(self, "setUp", "was already called"))
        state.set_up = True

    def tearDown(self) -> None:
        """Call this last in a tearDown of your own."""
        super().tearDown()
        state = state_of(self)
        if state.torn_down:
            raise ValueError(wrong_calls(self, "tearDown", "was already called"))
        state.torn_down = True

    # These are fetched where a phase of the test begins, by these names: see unittest_hooks.

    def _run_setup(self, result: object) -> Any:
        returned: Any = self.setUp()  # type: ignore[func-returns-value]
        if returned is None:
            state_of(self).check_set_up(self)
        elif hasattr(returned, "addCallback"):
            _check_later(returned, state_of(self).check_set_up, self)
        return returned

    def _run_test_method(self, result: object) -> Any:
        method = self._get_test_method()
        state = state_of(self)
        if not (state.marked and expects_failure(self, method)):
            return method()
        try:
            state.finish(self, method(), self._testMethodName)
            if state.expectations:
                told, state.expectations, self.force_failure = state.expectations, (), None
                raise self.failureException("\n".join(told))
        except (KeyboardInterrupt, SkipTest, NeverRan, self.skipException):
            raise
        except BaseException as raised:
            self._failed_as_expected(raised)
        raise UnexpectedSuccess

    def _run_teardown(self, result: object) -> Any:
        returned: Any = self.tearDown()  # type: ignore[func-returns-value]
        if returned is None:
            state_of(self).check_torn_down(self)
        elif hasattr(returned, "addCallback"):
            _check_later(returned, state_of(self).check_torn_down, self)
        return returned

    def _callCleanup(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def _get_test_method(self) -> Callable[[], Any]:
        name = self._testMethodName
        if name == "runTest" and not hasattr(self, name):
            return _nothing
        return getattr(self, name)  # type: ignore[no-any-return]

    # --- details

    def addDetail(self, name: str, content_object: Content) -> None:
        """Attach a detail, which is reported with the outcome."""
        self.getDetails()[name] = content_object

    def addDetailUniqueName(self, name: str, content_object: Content) -> None:
        """Attach a detail under this name or, if that is taken, one like it."""
        self.addDetail(unique_name(name, self.getDetails()), content_object)

    def getDetails(self) -> ReportedDetails:
        """The details so far: the very dictionary that will be reported."""
        state = state_of(self)
        if state.details is None:
            state.details = ReportedDetails()
        return state.details

    def _add_reason(self, reason: str) -> None:
        self.addDetailUniqueName("reason", text_content(reason))

    # --- exceptions

    def addOnException(self, handler: Callable[[OptExcInfo], object]) -> None:
        """Have this called with the `sys.exc_info()` of all that the test raises, at once.

        It cannot change the outcome, and is the place for details that are only wanted then.
        """
        state = state_of(self)
        state.on_exception = (*state.on_exception, handler)

    def onException(self, exc_info: OptExcInfo, tb_label: str = "traceback") -> None:
        """Called for what the author's code raised: attaches the traceback, calls handlers."""
        kind = exc_info[0]
        told = (self.skipException, SkipTest, ExpectedFailure, UnexpectedSuccess)
        if kind is None or not issubclass(kind, told):
            self._report_traceback(exc_info, tb_label)
        for handler in state_of(self).on_exception:
            handler(exc_info)

    def _report_traceback(self, exc_info: OptExcInfo, tb_label: str = "traceback") -> None:
        details = self.getDetails()
        name = unique_name(tb_label, details)
        result = getattr(state_of(self).run_test, "result", None)
        show_locals = self.tb_locals or getattr(result, "tb_locals", False)
        details[name] = TracebackContent(exc_info, self, capture_locals=show_locals)
        details.tracebacks[id(exc_info[1])] = name

    def expectThat(
        self, matchee: Any, matcher: Any, message: str = "", verbose: bool = False
    ) -> None:
        """As `assertThat`, but the test goes on, and fails at its end."""
        error = mismatch_error(matchee, matcher, message, verbose)
        if error is None:
            return
        attach_details_of(error, self)
        told = str(error)
        stack = StackLinesContent(stack_of_author(), postfix_content=f"MismatchError: {told}")
        self.addDetailUniqueName("Failed expectation", stack)
        state = state_of(self)
        state.expectations = (*state.expectations, told)
        self.force_failure = True

    def expectFailure(
        self, reason: str, predicate: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> None:
        """End the test as an expected failure if the call fails, and as a failure if not."""
        self._add_reason(reason)
        try:
            predicate(*args, **kwargs)
        except self.failureException as raised:
            self._failed_as_expected(raised)
        raise UnexpectedSuccess(reason)

    def _failed_as_expected(self, raised: BaseException) -> NoReturn:
        exc_info = (type(raised), raised, raised.__traceback__)
        self._report_traceback(exc_info)
        raise ExpectedFailure(exc_info) from None

    def skipTest(self, reason: str) -> NoReturn:
        """End the test as skipped."""
        raise self.skipException(reason)


def _check_later(deferred: Any, check: Callable[[Any], None], case: TestCase) -> None:
    """Check when a Deferred has its value: a `RunTest` of somebody else's only waits for that."""

    def checked(value: object) -> object:
        check(case)
        return value

    deferred.addCallback(checked)


def _call_not_awaited(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    returned = function(*args, **kwargs)
    if hasattr(returned, "__await__"):
        if hasattr(returned, "close"):
            returned.close()
        raise NeverRan(
            f"{getattr(function, '__qualname__', function)} is awaited by nobody as a clean-up "
            "of a class: make it an ordinary function, or add it as a clean-up of a test"
        )


def _nothing() -> None:
    """What a case runs that was made without a method."""
