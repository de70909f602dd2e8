"""What a test leaves behind, by kind, and the failure that names it."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple, TypeVar

from whotests.errors import UsageError

__all__ = ["KINDS", "Leftover", "LeftoversError", "allow_leftovers", "known", "not_allowed"]

__unittest = True

_Method = TypeVar("_Method", bound=Callable[..., object])

KINDS = frozenset(
    {
        "tasks",
        "timers",
        "transports",
        "servers",
        "descriptors",
        "processes",
        "async generators",
        "threads",
        "delayed calls",
        "selectables",
        "threadpool",
    }
)
"""What `allow_leftovers` may name. The last three are a Twisted reactor's."""


class Leftover(NamedTuple):
    """One thing that outlived its test."""

    kind: str
    """One of `KINDS`."""
    description: str
    where: str | None = None
    """Where it was made, or where it waits; None where that is not known."""

    def __str__(self) -> str:
        return self.description if self.where is None else f"{self.description}, {self.where}"


class LeftoversError(AssertionError):
    """The test left something behind; all of it was closed, where that is possible."""

    __module__ = "whotests.testing"

    def __init__(self, found: Iterable[Leftover]) -> None:
        self.leftovers = tuple(found)
        kinds = sorted({leftover.kind for leftover in self.leftovers})
        lines = [f"  {leftover}" for leftover in self.leftovers]
        allowed = ", ".join(f'"{kind}"' for kind in kinds)
        super().__init__(
            "the test left behind:\n"
            + "\n".join(lines)
            + "\nEnd them in the test or by addCleanup; or allow them, on the method by "
            f"@allow_leftovers({allowed}), on the class by allow_leftovers = {{{allowed}}}."
        )


def allow_leftovers(*kinds: str) -> Callable[[_Method], _Method]:
    """A decorator for a test method, which may leave these kinds of things; none: any kind.

    It adds to what `allow_leftovers` says on the class.
    """
    allowed: Collection[str] | bool = known(kinds) if kinds else True

    def mark(method: _Method) -> _Method:
        method.allow_leftovers = allowed  # type: ignore[attr-defined]
        return method

    return mark


def not_allowed(case: Any, found: list[Leftover]) -> list[Leftover]:
    """Those of the leftovers that `allow_leftovers` on the case or its method does not name."""
    if not found:
        return found
    method = getattr(case, getattr(case, "_testMethodName", ""), None)
    for allowed in (getattr(case, "allow_leftovers", ()), getattr(method, "allow_leftovers", ())):
        if allowed is True:
            return []
        if allowed:
            found = [leftover for leftover in found if leftover.kind not in allowed]
    return found


def known(kinds: Iterable[str]) -> frozenset[str]:
    """The kinds as a set; a UsageError names the first that does not exist."""
    named = frozenset([kinds] if isinstance(kinds, str) else kinds)
    for kind in sorted(named - KINDS):
        raise UsageError(
            f"allow_leftovers names {kind!r}, which is no kind of leftover; "
            f"the kinds are: {', '.join(sorted(KINDS))}"
        )
    return named
