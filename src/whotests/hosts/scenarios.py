"""Cases that stand for several: with testscenarios, one for each scenario of their class."""

import sys
import unittest
from collections.abc import Iterator
from typing import Any

__all__ = ["apart", "stands_for_several"]

_MODULE = "testscenarios.testcase"


def apart(part: Any) -> Any:
    """A suite or a case, with a case for each scenario where one would run all of them itself.

    Only so has each scenario a verdict, and can be asked for. Suites are changed in place.
    A case whose scenarios cannot be applied stays as it is, and says why when it runs.
    """
    if _MODULE not in sys.modules:
        return part
    if isinstance(part, unittest.BaseTestSuite):
        if isinstance(getattr(part, "_tests", None), list):
            part._tests = [each for inner in part._tests for each in _all_of(inner)]
        return part
    cases = list(_all_of(part))
    return cases[0] if len(cases) == 1 else unittest.TestSuite(cases)


def stands_for_several(case: Any) -> bool:
    """Whether it runs a copy of itself for each of its scenarios."""
    for base in type(case).__mro__:
        if "run" in vars(base):
            return base.__module__ == _MODULE and bool(getattr(case, "scenarios", None))
    return False


def _all_of(part: Any) -> Iterator[Any]:
    if isinstance(part, unittest.BaseTestSuite):
        yield apart(part)
    else:
        yield from _scenarios_of(part) or (part,)


def _scenarios_of(case: Any) -> list[Any]:
    try:
        several = stands_for_several(case)
        return list(sys.modules["testscenarios"].generate_scenarios(case)) if several else []
    except Exception:
        return []
