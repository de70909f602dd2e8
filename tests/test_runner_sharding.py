"""Shards: each test in exactly one, equal by duration, the same wherever they are worked out."""

import subprocess
import sys
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from whotests.runner.choosing.sharding import part_of
from whotests.runner.items import Item, Key
from whotests.runner.wanted import Shard


def item(name: str, seconds: float | None = None, *, group: str = "", suite: int = 0) -> Item:
    """A test."""
    return Item(Key(suite, name), group, seconds)


ITEMS = st.lists(
    st.builds(
        item,
        st.text(alphabet="ab.:[]é", min_size=1, max_size=6),
        st.none() | st.floats(0, 1000),
        group=st.sampled_from(["", "", "g", "h", "i"]),
        suite=st.integers(0, 2),
    ),
    max_size=60,
    unique_by=lambda each: each.key,
)


@given(ITEMS, st.integers(1, 9), st.randoms(use_true_random=False))
def test_each_test_is_in_one_shard(items: list[Item], count: int, random: Random) -> None:
    """All shards together have every test once, groups whole, whatever order tests come in."""
    shuffled = list(items)
    random.shuffle(shuffled)
    parts = [
        part_of(items if number % 2 else shuffled, Shard(number, count))
        for number in range(1, count + 1)
    ]
    everywhere = [each for part in parts for each in part.items]
    assert sorted(each.key for each in everywhere) == sorted(each.key for each in items)
    assert len({part.digest for part in parts}) == 1
    for group in {(each.key.suite, each.group) for each in items if each.group}:
        where = [
            any((each.key.suite, each.group) == group for each in part.items) for part in parts
        ]
        assert sum(where) == 1


@given(ITEMS.filter(bool), st.integers(2, 9))
def test_shards_are_equal(items: list[Item], count: int) -> None:
    """No shard takes longer than the ideal one by more than the longest group, or, where groups
    are short, by more than a quarter."""
    parts = [part_of(items, Shard(number, count)) for number in range(1, count + 1)]
    whole = parts[0].whole_seconds
    known = [each.seconds for each in items if each.seconds is not None]
    average = sum(known) / len(known) if known else 1.0
    groups: dict[object, float] = {}
    for each in items:
        key = (each.key.suite, each.group or each.key)
        groups[key] = groups.get(key, 0) + (average if each.seconds is None else each.seconds)
    longest = max(groups.values())
    ideal = whole / count
    slack = 1e-3
    assert max(part.seconds for part in parts) <= ideal + max(longest, ideal / 8) + slack
    if longest < ideal / 8:
        assert max(part.seconds for part in parts) <= ideal * 1.25 + slack


def test_many_tests_are_shared_out_evenly() -> None:
    """10,000 tests of very different durations: the longest of 8 shards takes 1 % more than the
    shortest at most."""
    items = [item(f"m{n // 50}.t{n}", (n * 7919 % 1000) / 100) for n in range(10_000)]
    seconds = [part_of(items, Shard(number, 8)).seconds for number in range(1, 9)]
    assert max(seconds) <= 1.01 * min(seconds)


def test_tests_without_durations_are_counted() -> None:
    """Where nothing is known of durations, shards have equally many tests."""
    items = [item(f"t{n:03}") for n in range(100)]
    sizes = [len(part_of(items, Shard(number, 3)).items) for number in range(1, 4)]
    assert sorted(sizes) == [33, 33, 34]


def test_a_long_group_has_a_shard_nearly_for_itself() -> None:
    """A group as long as a shard leaves its shard to no other test."""
    items = [item(f"long{n}", 1.0, group="long") for n in range(10)]
    items += [item(f"t{n}", 0.1) for n in range(100)]
    seconds = sorted(part_of(items, Shard(number, 2)).seconds for number in (1, 2))
    assert seconds == [10.0, 10.0]


def test_a_new_test_moves_few_others() -> None:
    """Neighbours stay together: one more test moves at most one test per shard."""
    items = [item(f"t{n:04}", 1.0) for n in range(1000)]
    more = [*items, item("t0500a", 1.0)]
    for number in range(1, 6):
        was = {each.key for each in part_of(items, Shard(number, 5)).items}
        now = {each.key for each in part_of(more, Shard(number, 5)).items}
        assert len(was - now) <= 1


def test_other_durations_have_another_digest() -> None:
    """What shards were worked out from can be told apart: tests, groups, durations, number."""
    items = [item("a", 1.0), item("b", 2.0)]
    others = [
        part_of(items, Shard(1, 2)),
        part_of(items, Shard(1, 3)),
        part_of([item("a", 1.0), item("b", 2.1)], Shard(1, 2)),
        part_of([item("a", 1.0), item("c", 2.0)], Shard(1, 2)),
        part_of([item("a", 1.0), item("b", 2.0, group="b")], Shard(1, 2)),
    ]
    assert len({part.digest for part in others}) == len(others)


def test_another_process_gives_the_same_shard() -> None:
    """Neither hashes nor the order of sets have a part in it."""
    program = (
        "from whotests.runner.items import Item, Key\n"
        "from whotests.runner.choosing.sharding import part_of\n"
        "from whotests.runner.wanted import Shard\n"
        "items = [Item(Key(0, f't{n}'), f'g{n % 7}', n % 13 + 0.1) for n in range(200)]\n"
        "part = part_of(items, Shard(2, 3))\n"
        "print(part.digest, *(item.key.test_id for item in part.items))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert len(said.pop().split()) > 50
