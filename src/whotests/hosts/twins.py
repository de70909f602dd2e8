"""Copies of test cases and suites, so that what ran can be let go of, and be run once more."""

import copy
from collections.abc import Iterable
from typing import Any

from whotests.hosts.loading import is_suite

__all__ = ["again", "kept", "suite_of"]


class _Kept(tuple[Any, ...]):
    """The class of a case, the names of its attributes, and their values: a third of a copy."""

    __slots__ = ()


_names: dict[tuple[str, ...], tuple[str, ...]] = {}
"""Of attributes, as the cases that are kept have them in common."""

_made: set[type] = set()
"""Classes whose cases can be made without calling them."""


def kept(test: Any) -> Any:
    """What `again` makes a case of as this one is before it runs; itself where it cannot be
    copied."""
    kind = type(test)
    try:
        held = test.__dict__
        if kind not in _made:
            object.__new__(kind)
            _made.add(kind)
    except (AttributeError, TypeError):
        return test
    names = tuple(held)
    return _Kept((kind, _names.setdefault(names, names), *held.values()))


def again(what: Any) -> Any:
    """The case of which that was kept."""
    if type(what) is not _Kept:
        return what
    kind, names, *values = what
    twin = object.__new__(kind)
    twin.__dict__.update(zip(names, values, strict=True))
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
