"""A suite whose tests share one fixture."""

import sys
import unittest
from collections.abc import Iterable
from typing import Any, cast

from whotests.testing.ordering import iterate_tests, sorted_tests
from whotests.testing.placeholders import ErrorHolder

__all__ = ["FixtureSuite"]


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
        except unittest.SkipTest as skip:
            for test in iterate_tests(self):
                result.startTest(test)
                result.addSkip(test, str(skip))
                result.stopTest(test)
            return result
        except Exception:
            error = sys.exc_info()
            for test in iterate_tests(self):
                result.startTest(test)
                result.addError(test, error)
                result.stopTest(test)
            return result
        try:
            super().run(result, debug)
        finally:
            try:
                self._fixture.cleanUp()
            except Exception:
                name = f"cleanUp of {type(self._fixture).__qualname__}"
                ErrorHolder(name, error=sys.exc_info()).run(result)
        return result

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
