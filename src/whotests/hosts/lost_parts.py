"""Parts of tests (`subTest`) that fail, where a result between the test and ours drops them."""

from functools import partial
from typing import Any
from unittest import TestCase, TestResult

__all__ = ["HeardRun"]

__unittest = True


class HeardRun:
    """Stands in for `run` of a case within a suite that runs in its own way.

    Such a suite may put a result of its own in front of ours, as testtools' ConcurrentTestSuite
    does, which keeps what it is told of failed parts to itself: the test would have no verdict.
    """

    __slots__ = ("_case", "_ours")

    def __init__(self, case: TestCase, ours: TestResult) -> None:
        self._case = case
        self._ours = ours

    def __call__(self, result: Any = None) -> Any:
        case = self._case
        if isinstance(result, TestResult) and result is not self._ours:
            drops = getattr(type(result), "addSubTest", None) is TestResult.addSubTest
            if drops and "addSubTest" not in vars(result):
                result.addSubTest = partial(add_as_failure, result)  # type: ignore[method-assign]
        return type(case).run(case, result)


def add_as_failure(result: TestResult, test: TestCase, subtest: TestCase, err: Any) -> None:
    """Tell a result of a part that failed what it passes on: that its test has."""
    if err is None:
        return
    if issubclass(err[0], test.failureException):
        result.addFailure(test, err)
    else:
        result.addError(test, err)
