"""The tests of one shard of several: equal by durations, and the same on every machine."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from heapq import heapify, heapreplace
from typing import Final, NamedTuple

from whotests.runner.items import Item, Key
from whotests.runner.wanted import Shard

__all__ = ["Part", "Weights", "digest_of_tests", "part_of", "weights_of"]

Weights = Mapping[Key, int]
"""How long each test presumably takes, in microseconds."""

_MICROSECONDS: Final = 1_000_000

_SMALL: Final = 8
"""What takes less than such a part of a shard is small: it goes where its neighbours go."""


class Part(NamedTuple):
    """What one shard runs."""

    items: tuple[Item, ...]
    """In the order in which they came."""
    seconds: float
    """How long they take by past durations; those never timed count as the average one."""
    whole_seconds: float
    """How long all shards take together."""
    digest: str
    """Of all that this was worked out from: shards of one digest make up the whole, each test in
    one of them; shards of different ones need not."""


class _Lump(NamedTuple):
    """Tests that stay together: a group, or one test."""

    key: tuple[int, str, str]
    weight: int


def weights_of(items: Sequence[Item]) -> Weights:
    """Microseconds of each test by past durations, those never timed as the average one; at least
    one, since many tests that take no time are shared out, too."""
    known = {
        item.key: max(1, round(item.seconds * _MICROSECONDS))
        for item in items
        if item.seconds is not None
    }
    average = sum(known.values()) // len(known) if known else _MICROSECONDS
    return {item.key: known.get(item.key, max(1, average)) for item in items}


def part_of(items: Sequence[Item], shard: Shard, weights: Weights | None = None) -> Part:
    """The shard's tests. Those of one group are in one shard.

    `weights` are those of the items by default. Large groups go first, longest first, to the
    shard that has least so far; small ones fill the shards up to one level in the order of their
    ids, so that neighbours stay together and a new test moves few others. A shard takes at most a
    large group, or a small one and an eighth of a shard, more than the shortest one does. Nothing
    depends on the order of `items`.
    """
    weights = weights_of(items) if weights is None else weights
    lumps = _lumps(items, weights)
    places = _places(lumps, shard.of)
    mine = tuple(item for item in items if places[_lump_key(item)] == shard.number - 1)
    return Part(
        items=mine,
        seconds=sum(weights[item.key] for item in mine) / _MICROSECONDS,
        whole_seconds=sum(lump.weight for lump in lumps) / _MICROSECONDS,
        digest=_digest(
            [(shard.of,), *((*_said(item), weights[item.key]) for item in _sorted(items))]
        )[:8],
    )


def digest_of_tests(items: Sequence[Item]) -> str:
    """Of the tests and their groups alone, however long they take."""
    return _digest(_said(item) for item in _sorted(items))


def _lump_key(item: Item) -> tuple[int, str, str]:
    return (item.key.suite, item.group, "" if item.group else item.key.test_id)


def _lumps(items: Iterable[Item], weights: Weights) -> list[_Lump]:
    """In the order of the names of what is in them: a group's own, or a test's."""
    sums: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    for item in items:
        sums[_lump_key(item)] += weights[item.key]
    return sorted(
        (_Lump(key, weight) for key, weight in sums.items()),
        key=lambda lump: (lump.key[0], lump.key[1] or lump.key[2], lump.key),
    )


def _places(lumps: Sequence[_Lump], count: int) -> dict[tuple[int, str, str], int]:
    """The shard of each lump, from 0 on."""
    total = sum(lump.weight for lump in lumps)
    large = [lump for lump in lumps if lump.weight * count * _SMALL > total]
    small = [lump for lump in lumps if lump.weight * count * _SMALL <= total]
    places: dict[tuple[int, str, str], int] = {}
    shortest = [(0, number) for number in range(count)]
    heapify(shortest)
    for lump in sorted(large, key=lambda lump: -lump.weight):  # stable: equal ones by name
        load, number = shortest[0]
        places[lump.key] = number
        heapreplace(shortest, (load + lump.weight, number))
    loads = [load for load, _ in sorted(shortest, key=lambda entry: entry[1])]
    level = _level(loads, sum(lump.weight for lump in small))
    number, room, before = 0, max(0, level - loads[0]), 0
    for lump in small:
        # In the shard in which its middle lies, in twice the unit so that all are whole numbers.
        while 2 * before + lump.weight > 2 * room and number < count - 1:
            number += 1
            room += max(0, level - loads[number])
        places[lump.key] = number
        before += lump.weight
    return places


def _level(loads: Sequence[int], more: int) -> int:
    """Up to where so much more fills the loads, rounded up."""
    height = 0
    for filled, load in enumerate(sorted(loads)):
        if filled and (load - height) * filled >= more:
            return height - (-more // filled)
        more -= (load - height) * filled
        height = load
    return height - (-more // len(loads))


def _sorted(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.key)


def _said(item: Item) -> tuple[object, ...]:
    return (item.key.suite, item.key.test_id, item.group)


def _digest(values: Iterable[tuple[object, ...]]) -> str:
    digest = sha256()
    for value in values:
        digest.update(f"{value!r}\n".encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
