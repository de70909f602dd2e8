"""How one test is run: its methods in order, and one outcome of all that they raised."""

import time
import unittest
from collections.abc import Callable
from typing import Any, TypeVar

from whotests.testing.cases.async_assertions import timeout_of
from whotests.testing.cases.case_state import state_of
from whotests.testing.cases.exception_handlers import Handler, report_skip, skip_reason, weight
from whotests.testing.cases.subtests import StopSubTests
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.results.any_result import ExtendedToOriginalDecorator
from whotests.testing.supervision.hygiene import Hygiene
from whotests.testing.supervision.leftovers import LeftoversError, not_allowed
from whotests.testing.supervision.logged_errors import LoggedErrors, LoggedErrorsError
from whotests.testing.supervision.timeouts import Deadline, Expired

__all__ = [
    "Handlers",
    "MultipleExceptions",
    "RunTest",
    "fail_as_forced",
    "is_of_several",
    "made_by",
    "run_test_with",
]

__unittest = True

_Method = TypeVar("_Method", bound=Callable[..., object])

Handlers = list[tuple[type[BaseException], Handler]]
"""What to do with an exception: the first pair counts whose class it is of."""


class MultipleExceptions(Exception):
    """Several exceptions in one; its arguments are their `sys.exc_info()`."""

    __module__ = "whotests.testing"


def is_of_several(raised: BaseException) -> bool:
    """Whether it stands for several exceptions: ours, or a package's that has its own class."""
    return (
        isinstance(raised, MultipleExceptions) or type(raised).__name__ == "MultipleExceptions"
    ) and all(isinstance(each, tuple) and len(each) == 3 for each in raised.args)


def run_test_with(test_runner: Any, **kwargs: object) -> Callable[[_Method], _Method]:
    """Decorator of a test method: run it with this factory of `RunTest`, and these arguments."""

    def decorate(method: _Method) -> _Method:
        def make(case: Any, handlers: Any = None, last_resort: Any = None) -> Any:
            return made_by(test_runner, case, handlers, last_resort, **kwargs)

        method._run_test_with = make  # type: ignore[attr-defined]
        return method

    return decorate


def made_by(factory: Any, case: Any, handlers: Any, last_resort: Any, **kwargs: object) -> Any:
    """What a factory makes; old ones do not take `last_resort`."""
    try:
        return factory(case, handlers=handlers, last_resort=last_resort, **kwargs)
    except TypeError:
        return factory(case, handlers=handlers, **kwargs)


class RunTest:
    """Runs one test case, once.

    A subclass changes how: `_run_user` is called for each piece of the author's code,
    `_run_core` for all of them. What they raise is kept; when all is done, the worst of it is
    reported by its handler, the rest is in the details.
    """

    exception_caught: object = object()
    """What `_run_user` returns if there was an exception."""

    def __init__(
        self,
        case: Any,
        handlers: Handlers | None = None,
        last_resort: Handler | None = None,
    ) -> None:
        """Run `case`. Where no handler fits, `last_resort` is told, and the exception goes on."""
        self.case = case
        self.handlers: Handlers = handlers or []
        self.last_resort = last_resort or _ignore
        self._exceptions: list[BaseException] = []
        self.result: Any = None

    def run(self, result: Any = None) -> Any:
        """Run the case and tell `result`, or one of the case's making, which is returned."""
        if result is not None:
            return self._run_one(result)
        own = self.case.defaultTestResult()
        own.startTestRun()
        try:
            return self._run_one(own)
        finally:
            own.stopTestRun()

    def _run_one(self, result: Any) -> Any:
        return self._run_prepared_result(ExtendedToOriginalDecorator(result))

    def _run_prepared_result(self, result: Any) -> Any:
        """Run the case and tell a result that knows details."""
        result.startTest(self.case)
        self.result = result
        self._exceptions = []
        state = state_of(self.case)
        state.run_test = self
        try:
            self._run_core()
            if self._exceptions:
                self._report()
        finally:
            self._exceptions = []
            state.run_test = state.subtests = self.case._outcome = None
            result.stopTest(self.case)
            if state.details is not None:
                state.details.exc_info = None  # it holds all frames, and results keep the case
        return result

    def _run_core(self) -> None:
        """Run the author's code. Report what is no exception: a skipped test, a success."""
        case, state = self.case, state_of(self.case)
        limit = case.timeout
        if state.marked:
            for item in (case, case._get_test_method()):
                if getattr(item, "__unittest_skip__", False):
                    reason = getattr(item, "__unittest_skip_why__", None)
                    self.result.addSkip(case, reason=reason or "")
                    return
            limit = timeout_of(case)
        began = time.perf_counter()
        if limit is None:
            self._run_clean()
        else:
            self._run_user(Deadline(limit, of=case.id()).run, self._run_clean)
            self._run_cleanups_left()
        if case.force_failure:
            self._run_user(fail_as_forced, case)
        if isinstance(getattr(self.result, "decorated", None), unittest.TestResult):
            self.result.addDuration(case, time.perf_counter() - began)
        if state.subtests is not None and state.subtests.failed:
            if state.details and not self._exceptions:
                parts = case.failureException("parts of it failed; these are its own details")
                self._run_user(_raise, parts)
            return
        if self._exceptions:
            return
        if state.details:
            self.result.addSuccess(case, details=state.details)
        else:
            self.result.addSuccess(case)

    def _run_clean(self) -> None:
        """All phases; then what they left behind, and what was logged."""
        case, state = self.case, state_of(self.case)
        case._logged_errors = logged = LoggedErrors()
        hygiene = Hygiene()
        logged.begin()
        hygiene.begin()
        try:
            self._run_phases()
        finally:
            left = [] if state.awaiting is None else state.awaiting.close()
            left += hygiene.leftovers(case)
            errors = logged.end()
            case._logged_errors = state.awaiting = None
        if left and (left := not_allowed(case, left)):
            self._run_user(_raise, LeftoversError(left))
        if errors and case.fail_on_logged_errors:
            self._run_user(_raise, LoggedErrorsError(errors))

    def _run_cleanups_left(self) -> None:
        """Run what is left of the clean-ups if time was up while none of the phases ran."""
        if self.case._cleanups:
            state = state_of(self.case)
            self._run_user(self._run_cleanups, self.result)
            if state.awaiting is not None:
                state.awaiting.close()
                state.awaiting = None

    def _run_phases(self) -> None:
        """setUp, the test, tearDown; then the clean-ups, whatever came of these."""
        case = self.case
        if self._done(case._run_setup, "setUp") and self._done_if_any("asyncSetUp"):
            self._done(case._run_test_method, case._testMethodName)
            self._done_if_any("asyncTearDown")
            self._done(case._run_teardown, "tearDown")
        self._run_user(self._run_cleanups, self.result)

    def _done(self, method: Callable[[Any], Any], of: str) -> bool:
        """Whether a method of the case went through, with all that it returned."""
        try:
            returned = self._run_user(method, self.result)
            if returned is None:
                return True
            if returned is not self.exception_caught:
                returned = self._run_user(state_of(self.case).finish, self.case, returned, of)
        except BaseException as raised:
            self._keep_handlers_own(raised)
            return False
        return returned is not self.exception_caught

    def _done_if_any(self, of: str) -> bool:
        """As `_done`, for a method of `unittest.IsolatedAsyncioTestCase` that is not ours."""
        method = getattr(self.case, of, None)
        return method is None or self._done(lambda result: method(), of)

    def _run_cleanups(self, result: Any) -> object | None:
        """Run the case's clean-ups, the last first; `exception_caught` if one raised."""
        case = self.case
        failed = None
        while case._cleanups:
            function, args, kwargs = case._cleanups.pop()
            try:
                returned = self._run_user(case._callCleanup, function, *args, **kwargs)
                if returned is not None and returned is not self.exception_caught:
                    finish = state_of(case).finish_cleanup
                    returned = self._run_user(finish, case, returned, function)
            except BaseException as raised:
                returned = self._keep_handlers_own(raised)
            if returned is self.exception_caught:
                failed = returned
        return failed

    def _run_user(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What `fn` returns, or `exception_caught`."""
        try:
            return fn(*args, **kwargs)
        except BaseException as raised:
            return self._got_user_exception((type(raised), raised, raised.__traceback__))

    def _got_user_exception(self, exc_info: OptExcInfo, tb_label: str = "traceback") -> object:
        """Keep an exception, each one of several; returns `exception_caught`.

        Even KeyboardInterrupt is raised only after tearDown and the clean-ups: they may have to
        end processes.
        """
        kind, raised, _ = exc_info
        if kind is None or raised is None or kind is StopSubTests or kind is Expired:
            return self.exception_caught  # told otherwise: by a subtest, by the deadline
        if is_of_several(raised) and raised.args:
            for each in raised.args:
                self._got_user_exception(each, tb_label)
            return self.exception_caught
        try:
            self.case.onException(exc_info, tb_label=tb_label)
        finally:
            self._exceptions.append(raised)
        return self.exception_caught

    def _keep_handlers_own(self, raised: BaseException) -> object:
        """Keep what a handler of `addOnException` raised; what it was called for is kept, too."""
        if isinstance(raised, Expired):
            return self.exception_caught
        self.case._report_traceback((type(raised), raised, raised.__traceback__))
        self._exceptions.append(raised)
        return self.exception_caught

    def _report(self) -> None:
        """Tell the result the worst of what was raised; the first, where several are as bad."""
        handled = [(self._handler(raised), raised) for raised in self._exceptions]
        handler, worst = max(handled, key=lambda each: weight(each[0]))
        for other, raised in handled:
            if other is report_skip and raised is not worst:
                self.case._add_reason(skip_reason(raised))
        if handler is None:
            self.last_resort(self.case, self.result, worst)
            raise worst
        handler(self.case, self.result, worst)

    def _handler(self, raised: BaseException) -> Handler | None:
        for kind, handler in self.handlers:
            if isinstance(raised, kind):
                return handler
        return None


def fail_as_forced(case: Any) -> None:
    """Raise what a case fails with that went through, and is to fail all the same."""
    expectations = state_of(case).expectations
    raise case.failureException("\n".join(expectations) or "Forced Test Failure")


def _raise(error: BaseException) -> None:
    raise error


def _ignore(case: object, result: object, raised: BaseException) -> None:
    """What is done without a handler of last resort."""
