"""Tests of a suite one by one, in order, by their ids, and as a list."""

import io
import subprocess
import sys
import time
import unittest
from collections.abc import Container
from pathlib import Path
from typing import Any, cast

import pytest

from whotests.errors import UsageError
from whotests.testing import (
    filter_by_ids,
    iterate_tests,
    list_test,
    sorted_tests,
    write_test_list,
)


class Named(unittest.TestCase):
    """A test with any id."""

    __test__ = False

    def __init__(self, test_id: str) -> None:
        super().__init__()
        self._id = test_id

    def id(self) -> str:
        return self._id

    def runTest(self) -> None:
        pass


class Kept(unittest.TestSuite):
    """A suite of a class of its own."""


class Sortable(unittest.TestSuite):
    """A suite that can sort its tests."""

    def sort_tests(self) -> None:
        self._tests[:] = list(sorted_tests(self, True))  # type: ignore[arg-type]


class Delegating(unittest.TestSuite):
    """A suite that filters each of its parts itself."""

    def filter_by_ids(self, test_ids: Container[str]) -> unittest.TestSuite:
        return Delegating(filter_by_ids(test, test_ids) for test in self)


def suite(*parts: Any) -> unittest.TestSuite:
    return unittest.TestSuite(Named(part) if isinstance(part, str) else part for part in parts)


def ids(tests: Any) -> list[str]:
    return [test.id() for test in iterate_tests(tests)]


def test_iterating_goes_through_suites_in_suites_and_lists() -> None:
    """Each test comes once, in the order in which it would run."""
    assert ids([suite("a", suite("b", Kept())), Named("c")]) == ["a", "b", "c"]
    assert ids(Named("alone")) == ["alone"]


def test_iterating_a_deep_suite_needs_no_deep_stack() -> None:
    """Ten thousand suites in each other are walked through."""
    tests: Any = Named("a")
    for _ in range(10_000):
        tests = [tests]
    assert ids(tests) == ["a"]


def test_iterating_after_a_run_passes_over_what_was_removed() -> None:
    """unittest replaces tests that have run by None."""
    tests = suite("a", "b")
    tests.run(unittest.TestResult())
    assert ids(tests) == []
    assert ids(sorted_tests(tests)) == []


def test_sorting_takes_plain_suites_apart() -> None:
    """The tests of plain suites stand in one, by id."""
    assert [test.id() for test in cast(Any, sorted_tests(suite(suite("c", "a"), "b")))] == [
        "a",
        "b",
        "c",
    ]


def test_sorting_keeps_suites_of_other_classes() -> None:
    """They are placed by their first test, and sort themselves if they can."""
    kept, own = Kept([Named("b2"), Named("b1")]), Sortable([Named("c"), Named("a")])
    found = sorted_tests(suite(own, kept, "b9"))
    assert next(iter(found)) is kept
    assert own in list(found)
    assert ids(found) == ["b2", "b1", "b9", "a", "c"]


def test_sorting_places_suites_without_tests() -> None:
    """Empty suites of other classes sort beside tests and each other."""
    assert ids(sorted_tests(suite(Kept(), "a", Kept()))) == ["a"]


def test_sorting_names_repeated_ids() -> None:
    """Two tests with one id cannot be told apart, so it is an error."""
    with pytest.raises(ValueError, match=r"\{'a': 2\}"):
        sorted_tests(suite("a", suite("b", "a")))


def test_filtering_keeps_the_suites() -> None:
    """What was asked for stays in the suites in which it was."""
    kept = Kept([Named("b"), Named("c")])
    found = filter_by_ids(suite("a", kept), ["a", "c"])
    assert ids(found) == ["a", "c"]
    assert kept in list(found)


def test_filtering_a_test() -> None:
    """A test is given back if it is asked for, an empty suite if not."""
    test = Named("a")
    assert filter_by_ids(test, {"a"}) is test
    assert filter_by_ids(test, {"b"}, allow_unknown=True).countTestCases() == 0


def test_filtering_by_unknown_ids_is_an_error_that_names_them() -> None:
    """The message has each unknown id, the nearest known ones, and the suite stays whole."""
    tests = suite("shop.test_cart.Add.test_one", "shop.test_cart.Add.test_two")
    with pytest.raises(UsageError) as raised:
        filter_by_ids(tests, ["shop.test_cart.Add.test_two", "shop.test_cart.Add.test_on", "zzz"])
    assert "these 2 ids" in str(raised.value)
    assert "shop.test_cart.Add.test_on (nearest: shop.test_cart.Add.test_one" in str(raised.value)
    assert "\n  zzz\n" in str(raised.value)
    assert len(ids(tests)) == 2


def test_filtering_with_many_unknown_ids_names_ten_and_counts_the_others() -> None:
    """The message stays readable, and is there at once in a suite of 100,000."""
    tests = suite(*(f"m.C{number % 100}.t{number}" for number in range(100_000)))
    began = time.process_time()
    with pytest.raises(UsageError, match="… and 15 more") as raised:
        filter_by_ids(tests, [f"m.C7.t{number}x" for number in range(25)])
    assert time.process_time() - began < 10
    assert "m.C7.t10x (nearest: m.C7.t107" in str(raised.value)


def test_filtering_tells_what_could_not_be_imported() -> None:
    """The test that was asked for may be in the module that is broken."""
    tests = unittest.defaultTestLoader.loadTestsFromNames(["no_such_module"])
    with pytest.raises(UsageError, match="no_such_module: ModuleNotFoundError"):
        filter_by_ids(tests, ["no_such_module.Case.test_it"])


def test_filtering_leaves_parts_to_suites_that_filter_themselves() -> None:
    """Such a suite may call `filter_by_ids` for parts that lack most of the ids."""
    tests = suite("a", Delegating([suite("b", "c"), Delegating([Named("d")])]))
    assert ids(filter_by_ids(tests, ["b", "d"])) == ["b", "d"]


def test_filtering_several_suites_by_one_list() -> None:
    """With `allow_unknown` an id may belong to another suite."""
    assert ids(filter_by_ids(suite("a", "b"), {"b", "z"}, allow_unknown=True)) == ["b"]


def test_filtering_by_a_container_that_does_not_tell_its_ids() -> None:
    """It selects what it contains; that it selects nothing is an error."""

    class EndsWith:
        def __init__(self, end: str) -> None:
            self.end = end

        def __contains__(self, test_id: object) -> bool:
            return str(test_id).endswith(self.end)

    assert ids(filter_by_ids(suite("a.x", "a.y"), EndsWith("y"))) == ["a.y"]
    with pytest.raises(UsageError, match=r"none of the 2 tests .* like 'a.x'"):
        filter_by_ids(suite("a.x", "a.y"), EndsWith("z"))


def test_filtering_a_suite_with_parts_that_do_not_tell_their_tests() -> None:
    """Nothing can be said about unknown ids then; what has no id runs as it is."""

    class Opaque:
        def __call__(self, result: unittest.TestResult) -> None:
            result.addSuccess(Named("hidden"))

    opaque = Opaque()
    found = filter_by_ids(suite("a", opaque), ["hidden"])
    assert opaque in list(found)


def test_listing_tells_tests_from_what_failed_to_load(tmp_path: Path) -> None:
    """Modules that cannot be imported and names that are missing are errors with a reason."""
    (tmp_path / "test_good.py").write_text(
        "import unittest\nclass A(unittest.TestCase):\n def test_b(self): pass\n"
    )
    (tmp_path / "test_broken.py").write_text("import no_such_thing\n")
    (tmp_path / "test_wrong.py").write_text("def (\n")
    code = (
        "import sys, unittest\n"
        "from whotests.testing import list_test, write_test_list\n"
        "suite = unittest.defaultTestLoader.discover('.')\n"
        "ids, errors = list_test(suite)\n"
        "print(ids, len(errors))\n"
        "print(write_test_list(suite, sys.stdout))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["['test_good.A.test_b'] 2", "test_good.A.test_b"]
    assert any("test_broken: ModuleNotFoundError: No module named" in line for line in lines)
    assert any("test_wrong: SyntaxError" in line for line in lines)
    assert lines[-1] == "False"


def test_listing_of_a_sound_suite() -> None:
    """One id a line, and True."""
    out = io.StringIO()
    assert write_test_list(suite("a", "b"), out) is True
    assert out.getvalue() == "a\nb\n"
    assert list_test(suite()) == ([], [])
