"""The same test under another id."""

import copy
from typing import Any, TypeVar

__all__ = ["Nullary", "clone_test_with_new_id"]

_Test = TypeVar("_Test")


def clone_test_with_new_id(test: _Test, new_id: str) -> _Test:
    """A copy of a test that has not run yet, with this id."""
    clone: Any = copy.copy(test)
    clone.id = _FixedId(new_id)
    return clone  # type: ignore[no-any-return]


class _FixedId:
    """Stands for a case's method `id`; can be pickled, which a function in a function cannot."""

    __slots__ = ("_id",)

    def __init__(self, test_id: str) -> None:
        self._id = test_id

    def __call__(self) -> str:
        return self._id


class Nullary:
    """A callable with its arguments, that is called without any and looks as it did before."""

    def __init__(self, callable_object: Any, *args: Any, **kwargs: Any) -> None:
        self._callable = callable_object
        self._args = args
        self._kwargs = kwargs

    def __call__(self) -> Any:
        return self._callable(*self._args, **self._kwargs)

    def __repr__(self) -> str:
        return repr(self._callable)
