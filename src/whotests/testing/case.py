"""The test case."""

import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from unittest import SkipTest

from whotests.testing.assertions import Assertions
from whotests.testing.awaiting import Awaiting
from whotests.testing.content import Content, text_content
from whotests.testing.details import ReportedDetails, unique_name
from whotests.testing.expecting import ExpectedFailure, UnexpectedSuccess
from whotests.testing.failures import AsyncAssertions
from whotests.testing.fixtures import use_fixture
from whotests.testing.patching import Patch
from whotests.testing.reporting import (
    report_error,
    report_expected_failure,
    report_failure,
    report_interrupt,
    report_skip,
    report_unexpected_success,
)
from whotests.testing.results import TestResult
from whotests.testing.run_test import Handlers, RunTest, made_by
from whotests.testing.subtests import SubTests
from whotests.testing.temporary import make_directory, remove_directory
from whotests.testing.traceback_content import OptExcInfo, StackLinesContent, TracebackContent

__all__ = ["TestCase"]

__unittest = True

_Fixture = TypeVar("_Fixture")


class TestCase(AsyncAssertions, Assertions):
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

    _details: ReportedDetails | None = None
    _numbers_given = 0
    _directory: Path | None = None
    _expectations: tuple[str, ...] = ()
    _on_exception: tuple[Callable[[OptExcInfo], object], ...] = ()
    _set_up = _torn_down = False
    _awaiting: Awaiting | None = None
    _subtests: SubTests | None = None
    _outcome: Any

    def __init__(self, methodName: str = "runTest", *, runTest: Any = None) -> None:
        """A test that runs this method, by the factory `runTest` if there is one."""
        super().__init__(methodName)
        if runTest is not None:
            if not callable(runTest):
                raise TypeError(f"runTest must be callable, got {type(runTest)}")
            self._run_test_factory = runTest
        self.exception_handlers: Handlers = [
            (self.skipException, report_skip),
            (self.failureException, report_failure),
            (ExpectedFailure, report_expected_failure),
            (UnexpectedSuccess, report_unexpected_success),
            (SkipTest, report_skip),
            (KeyboardInterrupt, report_interrupt),
            (BaseException, report_error),
        ]
        """Who is told of an exception: the first pair of which it is an instance."""

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
        self._forget()
        factory = self.__dict__.get("_run_test_factory") or getattr(
            self._get_test_method(), "_run_test_with", self.run_tests_with
        )
        given = self._on_exception
        try:
            return made_by(factory, self, self.exception_handlers, report_error).run(result)
        finally:
            self._on_exception = given

    def _forget(self) -> None:
        """Be as if it had never been run."""
        self._cleanups: list[tuple[Callable[..., Any], Any, Any]] = []
        self._set_up = self._torn_down = False
        self._details = self.force_failure = self._directory = None
        self._numbers_given = 0
        self._expectations = ()

    def debug(self) -> None:
        """Run the test and let exceptions pass; clean-ups run, whatever comes."""
        self._forget()
        method = self._get_test_method()
        for item in (self, method):
            if getattr(item, "__unittest_skip__", False):
                raise SkipTest(getattr(item, "__unittest_skip_why__", ""))
        try:
            for each, of in (
                (self._run_setup, "setUp"),
                (self._run_test_method, self._testMethodName),
                (self._run_teardown, "tearDown"),
            ):
                self._finish(each(None), of)
        finally:
            while self._cleanups:
                function, args, kwargs = self._cleanups.pop()
                self._finish_cleanup(self._callCleanup(function, *args, **kwargs), function)
            if self._awaiting is not None:
                self._awaiting.close()
                self._awaiting = None

    def defaultTestResult(self) -> TestResult:
        """A result for who runs the test without one."""
        return TestResult()

    def doCleanups(self) -> bool:  # type: ignore[override]
        """Run the clean-ups now; whether none of them raised. Called after tearDown anyway."""
        if self._subtests is None:
            return bool(super().doCleanups())
        return self._subtests.run_test._run_cleanups(None) is None

    def subTest(self, *args: Any, **params: Any) -> Any:
        """A context for a part of the test, which is reported by itself if it fails."""
        self._outcome = self._subtests
        return super().subTest(*args, **params)

    def setUp(self) -> None:
        """Call this first in a setUp of your own."""
        super().setUp()
        if self._set_up:
            raise ValueError(_wrong_calls(self, "setUp", "was already called"))
        self._set_up = True

    def tearDown(self) -> None:
        """Call this last in a tearDown of your own."""
        super().tearDown()
        if self._torn_down:
            raise ValueError(_wrong_calls(self, "tearDown", "was already called"))
        self._torn_down = True

    def _run_setup(self, result: object) -> Any:
        returned: Any = self.setUp()  # type: ignore[func-returns-value]
        if returned is None:
            self._check_set_up()
        return returned

    def _run_test_method(self, result: object) -> Any:
        method = self._get_test_method()
        if not self._expects_failure():
            return method()
        try:
            self._finish(method(), self._testMethodName)
        except (KeyboardInterrupt, SkipTest, self.skipException):
            raise
        except BaseException as raised:
            exc_info = (type(raised), raised, raised.__traceback__)
            self._report_traceback(exc_info)
            raise ExpectedFailure(exc_info) from None
        raise UnexpectedSuccess

    def _run_teardown(self, result: object) -> Any:
        returned: Any = self.tearDown()  # type: ignore[func-returns-value]
        if returned is None:
            self._check_torn_down()
        return returned

    def _callCleanup(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def _finish(self, returned: object, of: str) -> None:
        """Run to its end what a method returned."""
        if returned is not None:
            if self._awaiting is None:
                self._awaiting = Awaiting(self)
            self._awaiting.finish(returned, of=of)
        if of == "setUp":
            self._check_set_up()
        elif of == "tearDown":
            self._check_torn_down()

    def _finish_cleanup(self, returned: object, function: Callable[..., Any]) -> None:
        if returned is not None:
            if self._awaiting is None:
                self._awaiting = Awaiting(self)
            of = getattr(function, "__qualname__", repr(function))
            self._awaiting.finish(returned, of=of, any_value=True)

    def _check_set_up(self) -> None:
        if not self._set_up and "setUp" not in self.__dict__:
            raise ValueError(_wrong_calls(self, "setUp", "was not called"))

    def _check_torn_down(self) -> None:
        # A debugger's runner may have put another one on the instance, to call ours later.
        if not self._torn_down and "tearDown" not in self.__dict__:
            raise ValueError(_wrong_calls(self, "tearDown", "was not called"))

    def _get_test_method(self) -> Callable[[], Any]:
        name = self._testMethodName
        if name == "runTest" and not hasattr(self, name):
            return _nothing
        return getattr(self, name)  # type: ignore[no-any-return]

    def _expects_failure(self) -> bool:
        mark = "__unittest_expecting_failure__"
        return bool(getattr(self, mark, False) or getattr(self._get_test_method(), mark, False))

    # --- details

    def addDetail(self, name: str, content_object: Content) -> None:
        """Attach a detail, which is reported with the outcome."""
        self.getDetails()[name] = content_object

    def addDetailUniqueName(self, name: str, content_object: Content) -> None:
        """Attach a detail under this name or, if that is taken, one like it."""
        self.addDetail(unique_name(name, self.getDetails()), content_object)

    def getDetails(self) -> ReportedDetails:
        """The details so far: the very dictionary that will be reported."""
        if self._details is None:
            self._details = ReportedDetails()
        return self._details

    def _add_reason(self, reason: str) -> None:
        self.addDetailUniqueName("reason", text_content(reason))

    # --- exceptions

    def addOnException(self, handler: Callable[[OptExcInfo], object]) -> None:
        """Have this called with the `sys.exc_info()` of all that the test raises, at once.

        It cannot change the outcome, and is the place for details that are only wanted then.
        """
        self._on_exception = (*self._on_exception, handler)

    def onException(self, exc_info: OptExcInfo, tb_label: str = "traceback") -> None:
        """Called for what the author's code raised: attaches the traceback, calls handlers."""
        kind = exc_info[0]
        if kind not in (self.skipException, SkipTest, ExpectedFailure, UnexpectedSuccess):
            self._report_traceback(exc_info, tb_label)
        for handler in self._on_exception:
            handler(exc_info)

    def _report_traceback(self, exc_info: OptExcInfo, tb_label: str = "traceback") -> None:
        details = self.getDetails()
        name = unique_name(tb_label, details)
        result = None if self._subtests is None else self._subtests.run_test.result
        show_locals = self.tb_locals or getattr(result, "tb_locals", False)
        details[name] = TracebackContent(exc_info, self, capture_locals=show_locals)
        details.tracebacks[id(exc_info[1])] = name

    def expectThat(
        self, matchee: Any, matcher: Any, message: str = "", verbose: bool = False
    ) -> None:
        """As `assertThat`, but the test goes on, and fails at its end."""
        error = self._mismatch_error(matchee, matcher, message, verbose)
        if error is None:
            return
        frame = inspect.currentframe()
        stack = traceback.extract_stack(None if frame is None else frame.f_back)
        text = f"MismatchError: {error}"
        name = "Failed expectation"
        self.addDetailUniqueName(name, StackLinesContent(stack, postfix_content=text))
        self._expectations = (*self._expectations, str(error))
        self.force_failure = True

    def _fail_as_forced(self) -> NoReturn:
        if not self._expectations:
            raise self.failureException("Forced Test Failure")
        raise self.failureException("\n".join(self._expectations))

    def expectFailure(
        self, reason: str, predicate: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> None:
        """End the test as an expected failure if the call fails, and as a failure if not."""
        self._add_reason(reason)
        try:
            predicate(*args, **kwargs)
        except self.failureException as raised:
            exc_info = (type(raised), raised, raised.__traceback__)
            self._report_traceback(exc_info)
            raise ExpectedFailure(exc_info) from None
        raise UnexpectedSuccess(reason)

    def skipTest(self, reason: str) -> NoReturn:
        """End the test as skipped."""
        raise self.skipException(reason)

    # --- what a test uses

    def useFixture(self, fixture: _Fixture) -> _Fixture:
        """Set up a fixture, to be cleaned up after the test; its details become the test's."""
        return use_fixture(self, fixture)

    def patch(self, obj: Any, attribute: str, value: object) -> Patch:
        """Give an attribute another value until the test is over, or until `restore()`."""
        patch = Patch(obj, attribute, value)
        self.addCleanup(patch.restore)
        return patch

    def temporary_directory(self) -> Path:
        """The test's own directory, which is removed after all other clean-ups."""
        if self._directory is None:
            self._directory = make_directory(self.id())
            self._cleanups.insert(0, (remove_directory, (self._directory,), {}))
        return self._directory

    def mktemp(self) -> str:
        """A path in the test's own directory that does not exist; another one each time."""
        return str(self.temporary_directory() / f"temp-{self.getUniqueInteger()}")

    def getUniqueInteger(self) -> int:
        """1, 2, 3 …"""
        self._numbers_given += 1
        return self._numbers_given

    def getUniqueString(self, prefix: str | None = None) -> str:
        """'<prefix>-<integer>', where the prefix is the test's id unless one is given."""
        return f"{self.id() if prefix is None else prefix}-{self.getUniqueInteger()}"


def _wrong_calls(case: TestCase, name: str, what: str) -> str:
    module = sys.modules.get(type(case).__module__)
    place = getattr(module, "__file__", None) or type(case).__module__
    return (
        f"In File: {place}\nTestCase.{name} {what}. Call super().{name}() exactly once in "
        f"{type(case).__qualname__}.{name} and in each that it calls, and call {name} nowhere else."
    )


def _nothing() -> None:
    """What a case runs that was made without a method."""
