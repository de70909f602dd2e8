"""Copies of test cases and suites, so that what ran can be let go of, and be run once more."""

import copy
from collections.abc import Iterable
from typing import Any

from whotests.hosts.loading import is_suite

__all__ = ["suite_of", "twin_of"]


def twin_of(test: Any) -> Any:
    """A case as this one is before it runs; the same one where it cannot be copied."""
    try:
        twin = object.__new__(type(test))
        twin.__dict__.update(test.__dict__)
    except (AttributeError, TypeError):
        return test
    return twin


def suite_of(suite: Any, tests: Iterable[Any]) -> Any:
    """A suite like this one with these of its tests, which are the same objects.

    All that can be seen of a suite is its tests: one that keeps them elsewhere than unittest's
    own suites do is taken as it is.
    """
    return _only(suite, frozenset(map(id, tests)))


def _only(part: Any, wanted: frozenset[int]) -> Any:
    if not is_suite(part):
        return part if id(part) in wanted else None
    if not isinstance(getattr(part, "_tests", None), list):
        return part
    twin = copy.copy(part)
    twin._tests = [kept for inner in part if (kept := _only(inner, wanted)) is not None]
    return twin
