"""Who runs what next: the scheduler alone."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import least_seconds
from whotests.runner.items import Item, Key
from whotests.runner.running.scheduler import Scheduler


def items(*seconds: float | None, suite: int = 0, group: str = "") -> list[Item]:
    """Tests 't0', 't1'... that took so long."""
    return [Item(Key(suite, f"t{n}"), group, each) for n, each in enumerate(seconds)]


def ids(handed: Iterable[Item]) -> list[str]:
    return [item.key.test_id for item in handed]


some_items = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["", "", "a", "b"]),
        st.one_of(st.none(), st.floats(0, 20, allow_nan=False)),
    ),
    max_size=60,
).map(
    lambda rows: [
        Item(Key(suite, f"t{number}"), group, seconds)
        for number, (suite, group, seconds) in enumerate(rows)
    ]
)


@settings(deadline=None, max_examples=60)
@given(some_items, st.integers(1, 6), st.booleans(), st.data())
def test_each_test_is_handed_out_until_it_is_done(
    tests: list[Item], workers: int, keep_order: bool, data: st.DataObject
) -> None:
    """Whatever is lost in whatever order, each test is with one worker at a time and is finished
    once, and nothing is left over."""
    scheduler = Scheduler(tests, workers=workers, keep_order=keep_order)
    having: dict[str, list[list[Item]]] = {f"w{n}": [] for n in range(workers)}
    finished: Counter[Key] = Counter()
    for _ in range(150):
        name = data.draw(st.sampled_from(sorted(having)))
        batches = having[name]
        deed = data.draw(st.sampled_from(["next", "next", "some", "done", "lost", "gone"]))
        if deed == "next" and len(batches) < 2:
            suite = batches[0][0].key.suite if batches and batches[0] else None
            if suite is None:
                suite = scheduler.suite_for(at={})
            handed = () if suite is None else scheduler.next_for(name, suite=suite)
            if handed:
                assert {item.key.suite for item in handed} == {suite}
                batches.append(list(handed))
        elif deed == "some" and batches and batches[0]:
            item = batches[0].pop(0)
            finished[item.key] += 1
            scheduler.finished(name, item.key, seconds=0.5)
        elif deed == "done" and batches:
            for item in batches.pop(0):
                finished[item.key] += 1
                scheduler.finished(name, item.key)
            assert scheduler.done(name) == ()
        elif deed == "lost" and batches:
            scheduler.lost(name)
            batches.pop(0)
        elif deed == "gone":
            scheduler.gone(name)
            batches.clear()
        out = sum(len(batch) for batches in having.values() for batch in batches)
        assert scheduler.waiting + out + len(finished) == len(tests)
        if len(finished) == len(tests):
            break
    for name, batches in having.items():
        for batch in batches:
            for item in batch:
                finished[item.key] += 1
                scheduler.finished(name, item.key)
            scheduler.done(name)
    while (suite := scheduler.suite_for(at={})) is not None:
        for item in scheduler.next_for("w0", suite=suite):
            finished[item.key] += 1
            scheduler.finished("w0", item.key)
        assert scheduler.done("w0") == ()
    assert finished == Counter(item.key for item in tests)
    assert scheduler.waiting == 0


@settings(deadline=None)
@given(some_items, st.integers(2, 6))
def test_groups_stay_together(tests: list[Item], workers: int) -> None:
    """Tests of one group and suite are handed out at once, in their order."""
    scheduler = Scheduler(tests, workers=workers)
    while (suite := scheduler.suite_for(at={})) is not None:
        handed = scheduler.next_for("w0", suite=suite)
        for group in {item.group for item in handed} - {""}:
            together = [i for i in tests if i.key.suite == suite and i.group == group]
            assert [i for i in handed if i.group == group] == together
        for item in handed:
            scheduler.finished("w0", item.key)
        scheduler.done("w0")


@settings(deadline=None)
@given(some_items)
def test_one_worker_gets_all_in_order(tests: list[Item]) -> None:
    """With one worker a suite is handed out in one piece, in the order that was asked for."""
    scheduler = Scheduler(tests, workers=1)
    for suite in {item.key.suite for item in tests}:
        expected = [item for item in tests if item.key.suite == suite]
        assert list(scheduler.next_for("w0", suite=suite)) == expected


def test_longest_first() -> None:
    """What took longest is handed out before all else; what is short keeps its order."""
    scheduler = Scheduler(items(0.01, 3.0, 0.01, 9.0), workers=2)
    handed = [ids(scheduler.next_for("w0", suite=0)) for _ in range(3)]
    assert handed == [["t3"], ["t1"], ["t0", "t2"]]


def test_order_of_the_user_is_kept() -> None:
    """With `keep_order` several workers get tests in the order that was asked for."""
    scheduler = Scheduler(items(0.01, 3.0, 0.01, 9.0), workers=2, keep_order=True)
    handed: list[str] = []
    while batch := scheduler.next_for("w0", suite=0):
        handed += ids(batch)
    assert handed == ["t0", "t1", "t2", "t3"]


def test_pieces_shrink() -> None:
    """Less is handed out at once the less is left, so that all workers end together."""
    scheduler = Scheduler(items(*[0.01] * 200), workers=2)
    sizes = []
    while batch := scheduler.next_for("w0", suite=0):
        sizes.append(len(batch))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 50
    assert sizes[-1] <= 2


def test_pace_of_unknown_tests_is_learnt() -> None:
    """Of tests that no run has seen, slow ones come in small pieces once some were seen."""
    scheduler = Scheduler(items(*[None] * 1000), workers=2)
    first = scheduler.next_for("w0", suite=0)
    for item in first:
        scheduler.finished("w0", item.key, seconds=2.0)
    scheduler.done("w0")
    assert len(first) > 10
    assert len(scheduler.next_for("w0", suite=0)) == 1


def test_held_tests_stay_with_their_worker() -> None:
    """What a host holds back is neither handed out again nor counted as forgotten; it comes back
    when the worker is lost."""
    scheduler = Scheduler(items(1.0, 1.0), workers=1)
    scheduler.next_for("w0", suite=0)
    scheduler.finished("w0", Key(0, "t0"))
    assert scheduler.done("w0", held=["t1"]) == ()
    assert scheduler.waiting == 0
    scheduler.lost("w0")
    assert ids(scheduler.next_for("w1", suite=0)) == ["t1"]


def test_what_a_host_does_not_mention_is_told() -> None:
    """Tests of an assignment that were neither finished nor held are named, once."""
    scheduler = Scheduler(items(1.0, 1.0), workers=1)
    scheduler.next_for("w0", suite=0)
    scheduler.finished("w0", Key(0, "t1"))
    assert scheduler.done("w0") == (Key(0, "t0"),)
    assert scheduler.done("w0") == ()


def test_a_host_gets_no_test_that_it_does_not_have() -> None:
    """A test that a worker's host did not find goes to another worker."""
    scheduler = Scheduler(items(1.0, 1.0, 1.0), workers=2)
    lacking = frozenset({"t0"})
    handed = []
    while batch := scheduler.next_for("w0", suite=0, lacking=lacking):
        handed += ids(batch)
    assert handed == ["t1", "t2"]
    assert ids(scheduler.next_for("w1", suite=0)) == ["t0"]


def test_a_worker_starts_the_suite_that_needs_it_most() -> None:
    """A free worker goes where most is left for each worker, and nowhere if it came too late."""
    scheduler = Scheduler([*items(5.0, 5.0), *items(8.0, suite=1), *items(0.1, suite=2)], workers=3)
    assert scheduler.suite_for(at={}) == 0
    assert scheduler.suite_for(at={0: 1}) == 1
    assert scheduler.suite_for(at={0: 1, 1: 1}) == 0
    assert scheduler.suite_for(at={0: 1, 1: 1}, refused={0, 1}) == 2
    scheduler.start_seconds = {0: 20.0, 1: 20.0, 2: 20.0}
    assert scheduler.suite_for(at={0: 1, 1: 1, 2: 1}) is None
    assert scheduler.suite_for(at={0: 1, 1: 1}) == 2


def test_done_tests_can_wait_again() -> None:
    """Tests whose facts were lost wait once more, those that wait already do so once."""
    scheduler = Scheduler(items(1.0, 1.0, 1.0), workers=1)
    for item in scheduler.next_for("w0", suite=0):
        scheduler.finished("w0", item.key)
    scheduler.done("w0")
    scheduler.again({Key(0, "t1")})
    scheduler.again({Key(0, "t1"), Key(0, "t2")})
    assert sorted(ids(scheduler.next_for("w0", suite=0))) == ["t1", "t2"]


@pytest.mark.parametrize("workers", [1, 2, 1000])
def test_a_million_tests_cost_little(workers: int) -> None:
    """Handing out takes a few microseconds per test, however many workers there are."""

    tests = [Item(Key(0, f"t{number}"), "", 0.01) for number in range(100_000)]

    def hand_out() -> None:
        scheduler = Scheduler(tests, workers=workers)
        while batch := scheduler.next_for("w0", suite=0):
            for item in batch:
                scheduler.finished("w0", item.key, seconds=0.01)
            scheduler.done("w0")

    assert least_seconds(hand_out) / len(tests) < 30e-6
