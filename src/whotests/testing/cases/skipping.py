"""Tests that are not run, and say why."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast
from unittest import SkipTest

__all__ = ["TestSkipped", "skip", "skipIf", "skipUnless"]

__unittest = True

_Item = TypeVar("_Item", bound=Callable[..., object])


class TestSkipped(SkipTest):
    """Raise it with a reason, and the test is skipped; so it is by unittest's SkipTest."""

    __test__ = False


def skip(reason: str) -> Callable[[_Item], _Item]:
    """Decorator of a test or class: it is skipped, its setUp and tearDown with it."""

    def decorate(item: _Item) -> _Item:
        skipped: Any = item
        if not isinstance(item, type):  # may be shared with a class in which it is not skipped

            @functools.wraps(item)
            def skipped(*args: object, **kwargs: object) -> NoReturn:
                raise SkipTest(reason)

        skipped.__unittest_skip__ = True
        skipped.__unittest_skip_why__ = reason
        return cast(_Item, skipped)

    return decorate


def skipIf(condition: object, reason: str) -> Callable[[_Item], _Item]:
    """As `skip`, where the condition is true."""
    return skip(reason) if condition else _as_it_is


def skipUnless(condition: object, reason: str) -> Callable[[_Item], _Item]:
    """As `skip`, where the condition is false."""
    return _as_it_is if condition else skip(reason)


def _as_it_is(item: _Item) -> _Item:
    return item
