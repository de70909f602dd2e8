"""A suite whose tests share one fixture."""

import sys
import unittest
from collections.abc import Iterable
from typing import Any, cast

from whotests.testing.cases.fixtures import gather_of_setup_error
from whotests.testing.cases.runtest import is_of_several
from whotests.testing.details.reported import ReportedDetails, unique_name
from whotests.testing.details.traceback_content import TracebackContent, without_internal
from whotests.testing.results.any_result import ExtendedToOriginalDecorator
from whotests.testing.results.placeholders import ErrorHolder
from whotests.testing.suites.ordering import iterate_tests, sorted_tests

__all__ = ["FixtureSuite"]

__unittest = True


class FixtureSuite(unittest.TestSuite):
    """Sets up a fixture, runs the tests, cleans up: once for all of them."""

    def __init__(self, fixture: Any, tests: Iterable[Any]) -> None:
        """The fixture is whatever has `setUp()` and `cleanUp()`."""
        super().__init__(tests)
        self._fixture = fixture

    def run(self, result: Any, debug: bool = False) -> Any:
        """Run the tests between `setUp` and `cleanUp` of the fixture, and return the result.

        If the fixture cannot be set up each test is an error with that reason, or skipped where
        the fixture raises `SkipTest`. That it cannot be cleaned up is an error of its own.
        """
        if debug:
            return self._run_debugging(result)
        try:
            self._fixture.setUp()
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # SystemExit, too, which may say that all is well
            self._tell_all(result, raised)
            return result
        try:
            super().run(result, debug)
        finally:
            try:
                self._fixture.cleanUp()
            except KeyboardInterrupt:
                raise
            except BaseException:
                name = f"cleanUp of {type(self._fixture).__qualname__}"
                ErrorHolder(name, error=sys.exc_info()).run(result)
        return result

    def _tell_all(self, result: Any, raised: BaseException) -> None:
        """Give each test the verdict of a fixture that could not be set up."""
        kind, first, tb = type(raised), raised, raised.__traceback__
        details = ReportedDetails()
        if is_of_several(raised) and raised.args:
            kind, first, tb = raised.args[0]
            gather_of_setup_error(raised, details)
        name = unique_name("traceback", details)
        details[name] = TracebackContent((kind, first, tb))
        details.tracebacks[id(first)] = name
        details.exc_info = (kind, first, without_internal(tb))
        told = ExtendedToOriginalDecorator(result)
        for test in iterate_tests(self):
            told.startTest(test)
            if isinstance(first, unittest.SkipTest):
                told.addSkip(test, reason=str(first))
            else:
                told.addError(test, details=details)
            told.stopTest(test)

    def _run_debugging(self, result: Any) -> Any:
        """Let exceptions pass, as `unittest` does."""
        self._fixture.setUp()
        try:
            return super().run(result, True)
        finally:
            self._fixture.cleanUp()

    def sort_tests(self) -> None:
        """Put the tests in order of their ids."""
        self._tests[:] = list(cast(Any, sorted_tests(self, unpack_outer=True)))
