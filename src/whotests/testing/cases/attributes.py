"""Words that are attached to a test and shown in its id."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["WithAttributes", "attr"]

_Function = TypeVar("_Function", bound=Callable[..., object])


def attr(*args: str) -> Callable[[_Function], _Function]:
    """Decorator of a test method: attach these words, next to what it has already."""

    def decorate(function: _Function) -> _Function:
        marked: Any = function
        marked.__whotests_attrs__ = getattr(marked, "__whotests_attrs__", frozenset()) | set(args)
        return function

    return decorate


class WithAttributes:
    """A test case's other base: ids end with the words of their test, as in `test_x[fast,net]`."""

    _testMethodName: str

    def id(self) -> str:
        """The test's id, and its words in order."""
        plain: str = super().id()  # type: ignore[misc]
        method = getattr(self, self._testMethodName, None)
        words = getattr(method, "__whotests_attrs__", None)
        return f"{plain}[{','.join(sorted(words))}]" if words else plain
