"""An attribute that has another value for a while."""

from typing import Any

__all__ = ["Patch"]

_ABSENT: Any = object()


class Patch:
    """`owner.name` is `value` from now on, until `restore` is called.

    What was there comes back as it was: class attributes unbound, inherited ones inherited,
    absent ones absent.
    """

    def __init__(self, owner: Any, name: str, value: object) -> None:
        self._owner = owner
        self._name = name
        self._own = _own_value(owner, name)
        self._seen = getattr(owner, name, _ABSENT)
        self._in_force = True
        setattr(owner, name, value)

    def restore(self) -> None:
        """Put back what was there before; the second time it does nothing."""
        if not self._in_force:
            return
        self._in_force = False
        if self._own is not _ABSENT:
            setattr(self._owner, self._name, self._own)
        elif self._seen is _ABSENT:
            self._delete()
        elif hasattr(getattr(type(self._owner), self._name, None), "__set__"):
            setattr(self._owner, self._name, self._seen)  # a property, or a slot
        else:
            self._delete()
            if getattr(self._owner, self._name, _ABSENT) is _ABSENT:
                setattr(self._owner, self._name, self._seen)  # it stood for another object

    def _delete(self) -> None:
        try:
            delattr(self._owner, self._name)
        except AttributeError:
            if self._seen is not _ABSENT:
                setattr(self._owner, self._name, self._seen)


def _own_value(owner: Any, name: str) -> Any:
    try:
        return vars(owner).get(name, _ABSENT)
    except TypeError:
        return _ABSENT
