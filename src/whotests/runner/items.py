"""Tests as a run names them."""

from typing import NamedTuple

__all__ = ["Item", "Key"]


class Key(NamedTuple):
    """One test of a run: ids tell tests apart within their suite."""

    suite: int
    test_id: str


class Item(NamedTuple):
    """A test that is to be run."""

    key: Key
    group: str = ""
    """Tests of one group share fixtures and stay together; '' is no group."""
    seconds: float | None = None
    """How long it took before, if that is known."""
