"""Suites whose tests share a fixture."""

import unittest

import fixtures
import pytest

from suite_cases import Case, Ids
from whotests.testing import FixtureSuite, iterate_tests, text_content


class Fixture:
    """Notes what is done with it, and raises where it is told to."""

    def __init__(self, log: list[str], *, at: str = "", error: BaseException | None = None) -> None:
        self.log = log
        self.at = at
        self.error = error

    def setUp(self) -> None:
        self.note("setUp")

    def cleanUp(self) -> None:
        self.note("cleanUp")

    def note(self, what: str) -> None:
        self.log.append(what)
        if self.at == what and self.error is not None:
            raise self.error


def fixture_suite(fixture: Fixture) -> FixtureSuite:
    tests = [Case(name, lambda name=name: fixture.log.append(name)) for name in "ab"]  # type: ignore[misc]
    return FixtureSuite(fixture, tests)


def test_a_fixture_is_there_for_all_tests_of_its_suite() -> None:
    """It is set up before the first one and cleaned up after the last."""
    log: list[str] = []
    result = Ids()
    assert fixture_suite(Fixture(log)).run(result) is result
    assert log == ["setUp", "a", "b", "cleanUp"]


def test_a_fixture_that_cannot_be_set_up_fails_each_test() -> None:
    """Each test has one verdict, with the fixture's reason, and the run goes on."""
    log: list[str] = []
    result = Ids()
    suite = unittest.TestSuite(
        [fixture_suite(Fixture(log, at="setUp", error=OSError("no server"))), Case("after")]
    )
    suite.run(result)
    assert log == ["setUp"]
    assert result.erred == ["a", "b"]
    assert all("no server" in text for _test, text in result.errors)
    assert result.passed == ["after"]


class NoServer(fixtures.Fixture):
    """One of the package `fixtures`, which cleans up after itself and raises several things."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def _setUp(self) -> None:
        self.addDetail("log", text_content("port is taken"))
        raise self.error


def test_the_details_of_a_fixture_that_cannot_be_set_up_are_told() -> None:
    """What the fixture raised first is the reason, and its details are with it."""
    result = Ids()
    FixtureSuite(NoServer(OSError("no server")), [Case("a")]).run(result)
    ((_test, text),) = result.errors
    assert "OSError: no server" in text
    assert "log: {{{port is taken}}}" in text
    assert "MultipleExceptions" not in text
    FixtureSuite(NoServer(unittest.SkipTest("no docker")), [Case("a")]).run(result)
    assert [reason for _test, reason in result.skipped] == ["no docker"]


def test_a_fixture_that_skips_skips_each_test() -> None:
    """A `SkipTest` of its setUp is the reason of each."""
    result = Ids()
    fixture_suite(Fixture([], at="setUp", error=unittest.SkipTest("no docker"))).run(result)
    assert [(test.id(), reason) for test, reason in result.skipped] == [
        ("a", "no docker"),
        ("b", "no docker"),
    ]


def test_a_fixture_that_cannot_be_cleaned_up_is_an_error_of_its_own() -> None:
    """The tests keep their verdicts."""
    result = Ids()
    fixture_suite(Fixture([], at="cleanUp", error=OSError("still there"))).run(result)
    assert result.passed == ["a", "b"]
    assert result.erred == ["cleanUp of Fixture"]


@pytest.mark.parametrize("at", ["setUp", "cleanUp"])
def test_a_fixture_that_exits_does_not_end_the_run(at: str) -> None:
    """By `sys.exit(0)` a run would end as if all were well."""
    result = Ids()
    suite = unittest.TestSuite([fixture_suite(Fixture([], at=at, error=SystemExit(0)))])
    suite.run(result)
    assert result.erred == (["a", "b"] if at == "setUp" else ["cleanUp of Fixture"])


def test_debugging_a_fixture_suite_lets_exceptions_pass() -> None:
    """As with any suite of unittest, and the fixture is cleaned up."""
    log: list[str] = []
    suite = FixtureSuite(Fixture(log), [Case("a", lambda: 1 / 0)])
    with pytest.raises(ZeroDivisionError):
        suite.debug()
    assert log == ["setUp", "cleanUp"]


def test_a_fixture_suite_can_be_sorted() -> None:
    """Its tests are then in order of their ids."""
    suite = FixtureSuite(Fixture([]), [Case("b"), Case("a")])
    suite.sort_tests()
    assert [test.id() for test in iterate_tests(suite)] == ["a", "b"]
