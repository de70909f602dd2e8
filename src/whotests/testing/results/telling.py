"""Telling a result what happened, in the words that it knows."""

import unittest
from collections.abc import Callable
from typing import Any

from whotests.testing.details.content import Details
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.results.trial_results import is_of_trials_worker

__all__ = ["tell_details", "tell_duration", "tell_subtest"]

VARIOUS_KEYWORDS = 0x08
"""The flag of code that takes any keyword: `inspect.CO_VARKEYWORDS`, without that import."""


def tell_details(method: Callable[..., Any], test: unittest.TestCase, details: Details) -> bool:
    """Tell an outcome with its details, if the method takes them; whether it does."""
    taken = _takes_details(method)
    if taken is None:
        try:
            method(test, details=details)
        except TypeError:
            return False
    elif taken:
        method(test, details=details)
    return taken is not False


def tell_subtest(
    result: Any, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
) -> None:
    """Tell that a part of a test ended, with its error if it has one.

    To a result that knows no parts, one that failed is a test that failed.
    """
    known = getattr(result, "addSubTest", None)
    if known is not None and not is_of_trials_worker(result):
        known(test, subtest, err)
    elif err is not None and err[0] is not None:
        failed = issubclass(err[0], test.failureException)
        (result.addFailure if failed else result.addError)(subtest, err)


def tell_duration(result: Any, test: unittest.TestCase, duration: float) -> None:
    """Tell how many seconds a test took, if the result wants to know."""
    known = getattr(result, "addDuration", None)
    if known is not None:
        known(test, duration)


def _takes_details(method: Callable[..., Any]) -> bool | None:
    """Whether a method can be called with a test and `details`; None where only a call can tell."""
    function: Any = getattr(method, "__func__", method)
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    needed = code.co_argcount - len(function.__defaults__ or ()) - hasattr(method, "__self__")
    if needed > 1:  # an exception, too
        return False
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if "details" in named:
        return True
    return None if code.co_flags & VARIOUS_KEYWORDS else False
