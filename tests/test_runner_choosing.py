"""Choosing: which of the tests that were found are run, and what is said of it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from whotests.errors import UsageError
from whotests.hosts.task import Suite
from whotests.runner.choosing.choice import Choosing
from whotests.runner.choosing.load_list import read_load_list
from whotests.runner.items import Key
from whotests.runner.running.run import Found
from whotests.runner.wanted import Order, Shard, Wanted
from whotests.types import Outcome

SUITES = (Suite("trial", ("shop",)), Suite("pytest", ("tests",)))
IDS = ("shop.A.test_1", "shop.A.test_2", "tests/test_a.py::test_3", "tests/test_a.py::test_4")
FOUND = [Found(Key(int("::" in each), each), "") for each in IDS]


class Chosen:
    """A choice, and what it told."""

    def __init__(
        self,
        wanted: Wanted,
        *,
        listed: Sequence[str] = (),
        durations: dict[str, float] | None = None,
        outcomes: dict[str, Outcome] | None = None,
        found: Sequence[Found] = FOUND,
    ) -> None:
        self.said: list[str] = []
        self.choosing = Choosing(
            wanted,
            suites=SUITES,
            listed=listed,
            durations=durations or {},
            outcomes=outcomes or {},
            tell=self.said.append,
        )
        self.items = self.choosing(found)
        self.ids = tuple(item.key.test_id for item in self.items)


def test_all_tests_are_run_once() -> None:
    """In the order in which they were found, with what is known of their durations."""
    chosen = Chosen(Wanted(), durations={IDS[2]: 0.5}, found=[*FOUND, FOUND[0]])
    assert chosen.ids == IDS == chosen.choosing.chosen
    assert [item.seconds for item in chosen.items] == [None, None, 0.5, None]
    assert chosen.said == []
    assert chosen.choosing.why_none == ""


def test_tests_that_are_but_listed_are_not_run() -> None:
    """They are chosen all the same."""
    chosen = Chosen(Wanted(only_list=True, order=Order("random", 1)))
    assert chosen.items == []
    assert sorted(chosen.choosing.chosen) == sorted(IDS)


def test_tests_that_failed() -> None:
    """Those that failed, erred, or never came to an end; what passed against expectation where that
    is no failure for its host has passed."""
    outcomes = {
        IDS[0]: Outcome.PASSED,
        IDS[1]: Outcome.ERROR,
        IDS[2]: Outcome.SKIPPED,
        IDS[3]: Outcome.UNKNOWN,
    }
    chosen = Chosen(Wanted(failed=True), outcomes=outcomes)
    assert chosen.ids == (IDS[1], IDS[3])
    outcomes = dict.fromkeys(IDS, Outcome.EXPECTED_FAILURE) | {
        IDS[0]: Outcome.FAILED,
        IDS[2]: Outcome.UNEXPECTED_SUCCESS,
    }
    assert Chosen(Wanted(failed=True), outcomes=outcomes).ids == (IDS[0],)


def test_no_test_failed() -> None:
    """Then nothing is run, and why not is said."""
    chosen = Chosen(Wanted(failed=True), outcomes={IDS[0]: Outcome.PASSED})
    assert chosen.ids == ()
    assert "no test failed when it was run last" in chosen.choosing.why_none


def test_no_test_was_run_before() -> None:
    """That is no success either, and said in other words."""
    why = Chosen(Wanted(failed=True)).choosing.why_none
    assert why == "no earlier run is in the data; leave --failed out to make one"


def test_tests_that_no_run_has_seen() -> None:
    """They are left out by --failed, and named: they may be of a module that was broken."""
    chosen = Chosen(Wanted(failed=True), outcomes=dict.fromkeys(IDS[1:], Outcome.FAILED))
    assert chosen.ids == IDS[1:]
    assert chosen.said == [f"1 test that no run has seen is left out by --failed: {IDS[0]}"]


def test_tests_that_failed_are_gone() -> None:
    """Their names are said: a test that was renamed is no test that passes."""
    chosen = Chosen(Wanted(failed=True), outcomes={"shop.A.test_old": Outcome.FAILED})
    assert chosen.ids == ()
    assert "shop.A.test_old" in chosen.choosing.why_none


def test_a_list_of_tests() -> None:
    """They are run in the order in which they were found, or in that of the list."""
    listed = (IDS[3], IDS[1], IDS[3])
    wanted = Wanted(load_list=Path("l"))
    assert Chosen(wanted, listed=listed).ids == (IDS[1], IDS[3])
    wanted = Wanted(load_list=Path("l"), order=Order("list"))
    assert Chosen(wanted, listed=listed).ids == (IDS[3], IDS[1])


def test_unknown_ids_of_a_list_are_tests() -> None:
    """They go to a host of the kind that has such ids, which says that there is none."""
    listed = ("shop.A.test_9", IDS[0], "tests/test_a.py::test_9")
    items = Chosen(Wanted(load_list=Path("l")), listed=listed).items
    assert [item.key for item in items] == [
        Key(0, IDS[0]),
        Key(0, "shop.A.test_9"),
        Key(1, "tests/test_a.py::test_9"),
    ]


def test_unknown_ids_are_not_listed() -> None:
    """--list of a list with ids that nothing has is refused: no host would say so."""
    wanted = Wanted(load_list=Path("l"), only_list=True)
    assert Chosen(wanted, listed=IDS[:1]).choosing.chosen == IDS[:1]
    with pytest.raises(UsageError, match=r"1 id of l is of no test: x\.y"):
        Chosen(wanted, listed=("x.y", IDS[0]))


def test_unknown_ids_of_a_list_stay_beside_failed() -> None:
    """--failed leaves out what did not fail, and nothing that is not there."""
    wanted = Wanted(load_list=Path("l"), failed=True)
    outcomes = {IDS[0]: Outcome.FAILED, IDS[1]: Outcome.PASSED}
    chosen = Chosen(wanted, listed=("x.y", IDS[0], IDS[1]), outcomes=outcomes)
    assert chosen.ids == (IDS[0], "x.y")


def test_a_list_and_a_keyword() -> None:
    """What a keyword leaves out is not unknown: it is told, not failed."""
    wanted = Wanted(load_list=Path("l"), keyword="test_1")
    chosen = Chosen(wanted, listed=IDS[:2], found=FOUND[:1])
    assert chosen.ids == (IDS[0],)
    assert IDS[1] in chosen.said[0]


def test_shards_of_all_that_is_chosen() -> None:
    """Each test is in one, and each shard says the same digest."""
    shards = [Chosen(Wanted(shard=Shard(number, 3))) for number in (1, 2, 3)]
    assert sorted(each for shard in shards for each in shard.ids) == sorted(IDS)
    said = [shard.said[0].split("worked out from ")[1].split(";")[0] for shard in shards]
    assert len(set(said)) == 1
    assert shards[0].said[0].startswith("shard 1/3: ")


def test_a_shard_without_tests() -> None:
    """More shards than tests: the empty ones say why."""
    empty = [
        chosen
        for number in range(1, 7)
        if not (chosen := Chosen(Wanted(shard=Shard(number, 6)))).ids
    ]
    assert len(empty) == 2
    assert "ask for fewer shards" in empty[0].choosing.why_none


def test_a_random_order_can_be_repeated() -> None:
    """The seed is said, and gives the same order again; each round may have another."""
    chosen = Chosen(Wanted(order=Order("random", 5)))
    assert "--order random:5" in chosen.said[0]
    assert Chosen(Wanted(order=Order("random", 5))).ids == chosen.ids
    chosen.choosing.order = Order("random", 6)
    chosen.choosing(FOUND)
    assert "--order random:6" in chosen.said[1]


def test_nothing_was_found() -> None:
    """What was looked for is named: hosts, their targets, the keyword."""
    why = Chosen(Wanted(keyword="slow"), found=[]).choosing.why_none
    assert why == "no test was found that fits -k 'slow'; looked for trial: shop, pytest: tests"


def test_the_file_of_a_list(tmp_path: Path) -> None:
    """One id per line; empty lines, comments, marks of byte order and doubles are none."""
    file = tmp_path / "list"
    file.write_bytes("\ufeff# mine\n a.b \r\n\ntest_é.py::t[ x ]\na.b\n".encode())
    assert read_load_list(file) == ("a.b", "test_é.py::t[ x ]")


@pytest.mark.parametrize("octets", [None, b"", b"# none\n\n", b"\xff\xfe"])
def test_a_list_that_is_none(tmp_path: Path, octets: bytes | None) -> None:
    """A file that is missing, empty or no text is refused by its name."""
    file = tmp_path / "list"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(UsageError, match="list"):
        read_load_list(file)
