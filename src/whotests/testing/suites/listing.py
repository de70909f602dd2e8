"""Which tests a suite would run, and what could not be loaded."""

import unittest
import unittest.loader
from typing import NamedTuple, TextIO

from whotests.testing.suites.ordering import SuiteOrCase, iterate_tests

__all__ = ["Listing", "list_test", "write_test_list"]


class Listing(NamedTuple):
    """What a suite holds: as a pair it is `(ids, errors)`."""

    ids: list[str]
    """Of the tests that would run, in that order."""
    errors: list[str]
    """What could not be loaded, by name and reason: tests may be missing from `ids`."""


def list_test(test: SuiteOrCase) -> Listing:
    """The ids of the tests that `test.run()` would run, apart from what failed to load.

    `unittest`'s loader puts a test that fails into the place of a module that it cannot import,
    or of a name that it cannot find. Such a test is an error here: who selects from the ids
    must know that some may be missing.
    """
    listing = Listing([], [])
    for each in iterate_tests(test):
        if isinstance(each, unittest.loader._FailedTest):  # type: ignore[attr-defined]
            listing.errors.append(f"{each._testMethodName}: {_reason(each._exception)}")
        else:
            listing.ids.append(each.id())
    return listing


def write_test_list(test: SuiteOrCase, stream: TextIO) -> bool:
    """Write one id a line, what could not be loaded after them; False if there was such.

    For the `list(test, loader=None)` of a runner, which is to end with a failure on False.
    """
    listing = list_test(test)
    for test_id in listing.ids:
        stream.write(f"{test_id}\n")
    for error in listing.errors:
        stream.write(f"could not be loaded: {error}\n")
    return not listing.errors


def _reason(error: BaseException) -> str:
    """The last line of what the loader says, which holds the traceback as text."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
