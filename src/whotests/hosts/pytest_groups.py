"""Which of pytest's tests share fixtures, and so are run by one worker."""

import unittest
from collections.abc import Iterable, Iterator, Sequence

import pytest

__all__ = ["groups_of"]

_Key = tuple[str, str]

_SHARED = ("class", "module")
"""Scopes whose fixtures are made once per worker that has tests with them. Wider ones are made
in each worker anyway."""

_COSTLESS = frozenset({"_django_setup_unittest"})
"""Fixtures of plugins that are in every class and do nothing in most."""


def groups_of(items: Sequence[pytest.Item]) -> list[str]:
    """For each test the name of what it shares with others of one group; '' for a free one.

    Tests share a class's or a module's fixtures, asked for or autouse, `setUpClass` and
    `setup_module` among them, an event loop of asyncio, or a group of pytest-xdist's. What a
    test shares with one and what it shares with another make one group.
    """
    leader: dict[_Key, _Key] = {}

    def find(key: _Key) -> _Key:
        while (above := leader.setdefault(key, key)) != key:
            key = above
        return key

    keys: list[_Key | None] = []
    for item in items:
        first: _Key | None = None
        for key in set(_keys(item)):
            if first is None:
                first = key
                find(key)
            elif (one := find(first)) != (other := find(key)):
                leader[max(one, other)] = min(one, other)
        keys.append(first)
    groups = ["" if key is None else " ".join(filter(None, find(key)[::-1])) for key in keys]
    count: dict[str, int] = {}
    for group in groups:
        count[group] = count.get(group, 0) + 1
    return [group if count[group] > 1 else "" for group in groups]


def _keys(item: pytest.Item) -> Iterator[_Key]:
    scopes = set(_scopes(item))
    if "class" in scopes and (owner := item.getparent(pytest.Class)) is not None:
        yield "", owner.nodeid
    if "module" in scopes and (module := item.getparent(pytest.Module)) is not None:
        yield "", module.nodeid
    for marker in item.iter_markers("xdist_group"):
        name = marker.args[0] if marker.args else marker.kwargs.get("name", "default")
        yield "group", str(name)
        break  # the closest one


def _scopes(item: pytest.Item) -> Iterator[str]:
    info = getattr(item, "_fixtureinfo", None)
    definitions: Iterable[Sequence[pytest.FixtureDef[object]]] = (
        () if info is None else info.name2fixturedefs.values()
    )
    for several in definitions:
        for definition in several:
            if definition.scope in _SHARED and not _is_costless(item, definition.argname):
                yield definition.scope
    for marker in item.iter_markers("asyncio"):
        yield str(marker.kwargs.get("loop_scope") or marker.kwargs.get("scope"))


def _is_costless(item: pytest.Item, name: str) -> bool:
    if not name.startswith("_unittest_setUpClass_fixture"):
        return name in _COSTLESS
    owner = getattr(item, "cls", None)
    return all(
        getattr(getattr(owner, method, None), "__func__", None)
        is getattr(unittest.TestCase, method).__func__
        for method in ("setUpClass", "tearDownClass")
    )
