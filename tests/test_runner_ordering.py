"""The order of tests: as found, at random, slowest first, as listed."""

from itertools import groupby
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whotests.errors import UsageError
from whotests.runner.choosing.ordering import in_order
from whotests.runner.choosing.rounds import rounds_of
from whotests.runner.items import Item, Key
from whotests.runner.wanted import Order, Shard, Wanted, parsed_order, parsed_shard


def item(name: str, seconds: float | None = None, *, group: str = "", suite: int = 0) -> Item:
    """A test."""
    return Item(Key(suite, name), group, seconds)


def ids(items: list[Item]) -> list[str]:
    """Ids, in order."""
    return [each.key.test_id for each in items]


ITEMS = st.lists(
    st.builds(
        item,
        st.text(alphabet="abc", min_size=1, max_size=4),
        st.none() | st.floats(0, 9),
        group=st.sampled_from(["", "g", "h"]),
        suite=st.integers(0, 1),
    ),
    max_size=40,
    unique_by=lambda each: each.key,
)
ORDERS = st.sampled_from(
    [Order(), Order("file"), Order("slowest"), Order("random", 3), Order("random", 4)]
)


@given(ITEMS, ORDERS)
def test_each_test_is_there_once(items: list[Item], order: Order) -> None:
    """No order loses or doubles a test."""
    assert sorted(in_order(items, order)) == sorted(items)


@given(ITEMS, st.sampled_from([Order("slowest"), Order("random", 3), Order("random", 5)]))
def test_what_shares_fixtures_stays_together(items: list[Item], order: Order) -> None:
    """Tests of a suite follow each other, and so do those of a group."""
    ordered = in_order(items, order)
    suites = [each.key.suite for each in ordered]
    groups = [(each.key.suite, each.group or each.key) for each in ordered]
    for bundles in (suites, groups):
        begun = [bundle for bundle, _ in groupby(bundles)]
        assert len(begun) == len(set(begun))


@given(ITEMS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_a_seed_gives_one_order(items: list[Item], seed: int, random: Random) -> None:
    """The same tests in another order are shuffled into the same order by the same seed."""
    other = list(items)
    random.shuffle(other)
    order = Order("random", seed)
    assert ids(in_order(items, order)) == ids(in_order(other, order))


def test_seeds_differ() -> None:
    """Two seeds shuffle in two ways."""
    items = [item(f"t{n}") for n in range(20)]
    one, other = (ids(in_order(items, Order("random", seed))) for seed in (1, 2))
    assert one != other != ids(items) != one


def test_slowest_first() -> None:
    """Groups count as a whole; tests that were never timed come first."""
    items = [
        item("short", 1),
        item("g1", 2, group="g"),
        item("long", 4),
        item("new"),
        item("g2", 3, group="g"),
    ]
    assert ids(in_order(items, Order("slowest"))) == ["new", "g2", "g1", "long", "short"]


def test_the_order_of_a_list_is_exact() -> None:
    """It splits groups and suites if it says so."""
    items = [item("a", group="g"), item("b"), item("c", group="g"), item("d", suite=1)]
    listed = ["c", "d", "b", "a"]
    assert ids(in_order(items, Order("list"), listed=listed)) == listed


def test_the_order_of_a_list_needs_one() -> None:
    """--order list without --load-list is refused, with what is missing."""
    with pytest.raises(UsageError, match="--load-list FILE"):
        Wanted(order=Order("list"))


def test_isolate_stands_alone() -> None:
    """What would choose, shard or repeat its experiments is refused, by name."""
    with pytest.raises(UsageError, match="--isolate and --list do not fit"):
        Wanted(isolate="t", only_list=True)
    with pytest.raises(UsageError, match="--isolate and --repeat do not fit"):
        Wanted(isolate="t", repeat=2)
    with pytest.raises(UsageError, match="--isolate and --until-failure do not fit"):
        Wanted(isolate="t", until_failure=True)
    with pytest.raises(UsageError, match="--isolate and --shard do not fit"):
        Wanted(isolate="t", shard=Shard(1, 2))
    with pytest.raises(UsageError, match="--isolate and --failed do not fit"):
        Wanted(isolate="t", failed=True)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("file", Order("file")),
        ("slowest", Order("slowest")),
        ("list", Order("list")),
        ("random:0", Order("random", 0)),
        ("random:12", Order("random", 12)),
    ],
)
def test_orders_are_written_so(text: str, order: Order) -> None:
    """Each order is read, and written as it was read."""
    assert parsed_order(text) == order
    assert str(order) == text


def test_a_random_order_without_a_seed_has_one() -> None:
    """What it comes to can be said again."""
    order = parsed_order("random")
    assert parsed_order(str(order)) == order
    assert parsed_order("random", seed=4) == Order("random", 4)


@pytest.mark.parametrize(
    "text", ["", "fast", "random:", "random:x", "random:-1", "file:3", "random:99999999999"]
)
def test_other_orders_are_refused(text: str) -> None:
    """With all that there are."""
    with pytest.raises(UsageError, match="random:SEED"):
        parsed_order(text)


def test_shards_are_written_so() -> None:
    """The second of five is 2/5."""
    assert parsed_shard("2/5") == Shard(2, 5)
    assert str(Shard(2, 5)) == "2/5"


@pytest.mark.parametrize("text", ["", "0/5", "6/5", "2", "2/", "a/b", "-1/5", "1/0"])
def test_other_shards_are_refused(text: str) -> None:
    """With one that is right."""
    with pytest.raises(UsageError, match="--shard 2/5"):
        parsed_shard(text)


def test_rounds_shuffle_each_in_its_own_way() -> None:
    """A random order goes on to the next seed with each round; other orders stay."""
    rounds = list(rounds_of(Wanted(repeat=3, order=Order("random", 2**32 - 2))))
    assert [each.order.seed for each in rounds] == [2**32 - 2, 2**32 - 1, 0]
    assert [str(each) for each in rounds] == ["round 1 of 3", "round 2 of 3", "round 3 of 3"]
    assert [each.order for each in rounds_of(Wanted(repeat=2, order=Order("file")))] == [
        Order("file"),
        Order("file"),
    ]


def test_rounds_until_a_failure_have_no_end_of_their_own() -> None:
    """Unless so many are the most."""
    rounds = rounds_of(Wanted(until_failure=True))
    numbers = [next(rounds).number for _ in range(1000)]
    assert numbers == list(range(1, 1001))
    assert [each.number for each in rounds_of(Wanted(until_failure=True, repeat=2))] == [1, 2]


def test_one_round_is_no_round() -> None:
    """Nobody is told of the only round."""
    assert [each.alone for each in rounds_of(Wanted())] == [True]
    assert not next(rounds_of(Wanted(until_failure=True))).alone
