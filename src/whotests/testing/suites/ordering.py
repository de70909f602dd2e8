"""The tests of a suite one by one, and in order of their ids."""

import unittest
from collections import Counter
from collections.abc import Iterable, Iterator
from pprint import pformat
from typing import Any, TypeAlias

__all__ = ["SuiteOrCase", "iterate_tests", "sorted_tests"]

SuiteOrCase: TypeAlias = Any
"""A `unittest.TestCase`, a `TestSuite`, or whatever has `run(result)`: suites are iterable."""


def iterate_tests(suite_or_case: SuiteOrCase) -> Iterator[Any]:
    """Each test in a suite, in a list or in suites within suites; a test itself gives itself.

    What `unittest.TestSuite` leaves in the place of a test that has run is passed over.
    """
    open_suites = [iter((suite_or_case,))]
    while open_suites:
        for item in open_suites[-1]:
            if isinstance(item, Iterable) and not isinstance(item, unittest.TestCase):
                open_suites.append(iter(item))
                break
            if item is not None:
                yield item
        else:
            open_suites.pop()


def sorted_tests(suite_or_case: SuiteOrCase, unpack_outer: bool = False) -> unittest.TestSuite:
    """A suite of the same tests in order of their ids.

    Plain suites are taken apart. One of a class of its own stays as it is, at the place of its
    first test, and is asked to `sort_tests()` if it can; `unpack_outer` takes the outermost one
    apart all the same, for the use of such a method. ValueError names ids that occur twice.
    """
    seen = Counter(test.id() for test in iterate_tests(suite_or_case))
    repeated = {test_id: count for test_id, count in seen.items() if count > 1}
    if repeated:
        raise ValueError(f"Duplicate test ids detected: {pformat(repeated)}")
    parts = list(_parts(suite_or_case, unpack=unpack_outer))
    parts.sort(key=lambda part: part[0])
    return unittest.TestSuite(part for _first_id, part in parts)


def _parts(suite_or_case: SuiteOrCase, *, unpack: bool) -> Iterator[tuple[str, SuiteOrCase]]:
    """What stays together, each with the id that places it; '' for what has no tests."""
    if isinstance(suite_or_case, unittest.TestCase) or not isinstance(suite_or_case, Iterable):
        yield suite_or_case.id(), suite_or_case
    elif unpack or type(suite_or_case) is unittest.TestSuite:
        for item in suite_or_case:
            if item is not None:
                yield from _parts(item, unpack=False)
    else:
        first = next(iterate_tests(suite_or_case), None)
        if hasattr(suite_or_case, "sort_tests"):
            suite_or_case.sort_tests()
        yield ("" if first is None else first.id()), suite_or_case
