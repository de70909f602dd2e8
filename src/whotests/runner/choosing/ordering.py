"""The order in which tests are run, where the command line asks for one."""

from collections.abc import Hashable, Sequence
from random import Random

from whotests.runner.items import Item
from whotests.runner.wanted import Order

__all__ = ["in_order"]


def in_order(items: Sequence[Item], order: Order, *, listed: Sequence[str] = ()) -> list[Item]:
    """The tests in that order, each once; `listed` are the ids of the list for 'list'.

    Each suite's tests stay together, so that a worker starts each host once, and so do those of
    a group, so that its fixtures are set up once; not so for 'list', which is exact.
    """
    if order.by == "list":
        place = {test_id: number for number, test_id in enumerate(listed)}
        return sorted(items, key=lambda item: place.get(item.key.test_id, len(place)))
    if order.by == "random":
        return _shuffled(items, Random(order.seed))
    if order.by == "slowest":
        return _slowest_first(items)
    return list(items)


def _shuffled(items: Sequence[Item], random: Random) -> list[Item]:
    # The order in which they came may be another one on another machine.
    suites = list(_bundles(sorted(items), by_suite=True).values())
    random.shuffle(suites)
    shuffled: list[Item] = []
    for suite in suites:
        groups = list(_bundles(suite).values())
        random.shuffle(groups)
        for group in groups:
            random.shuffle(group)
            shuffled.extend(group)
    return shuffled


def _slowest_first(items: Sequence[Item]) -> list[Item]:
    """Groups by what their tests take together; tests that were never timed come first, since
    they may take long."""

    def seconds(items: Sequence[Item]) -> float:
        return sum(float("inf") if item.seconds is None else item.seconds for item in items)

    ordered: list[Item] = []
    for suite in sorted(_bundles(items, by_suite=True).values(), key=seconds, reverse=True):
        for group in sorted(_bundles(suite).values(), key=seconds, reverse=True):
            ordered.extend(sorted(group, key=lambda item: seconds([item]), reverse=True))
    return ordered


def _bundles(items: Sequence[Item], *, by_suite: bool = False) -> dict[Hashable, list[Item]]:
    """Tests that stay together, in the order of the first of each."""
    bundles: dict[Hashable, list[Item]] = {}
    for item in items:
        key: Hashable = item.group or item.key
        bundles.setdefault(item.key.suite if by_suite else key, []).append(item)
    return bundles
