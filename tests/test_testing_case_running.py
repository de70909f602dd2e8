"""How a test case is run: by whom, how long, once more, as a copy, without a result."""

import copy
import pickle
import unittest
from collections.abc import Callable
from typing import Any

import pytest
import testtools

from made_cases import STEPS, fail, made, outcome_of
from test_testing_case_kinds import parts
from whotests.testing import RunTest, TestCase, TestResult, clone_test_with_new_id, run_test_with


def test_timeout() -> None:
    """A test that takes too long errs; tearDown and clean-ups run nevertheless."""
    log: list[str] = []

    class Case(TestCase):
        timeout = 0.1

        def test(self) -> None:
            self.addCleanup(log.append, "cleanup")
            while True:
                pass

        def tearDown(self) -> None:
            log.append("tearDown")
            super().tearDown()

    outcome, details = outcome_of(Case("test"))
    assert outcome == "addError"
    assert "TimedOut" in details["traceback"]
    assert len(details) == 1
    assert log == ["tearDown", "cleanup"]


class Counting(RunTest):
    """Counts the pieces of the author's code."""

    def __init__(self, *args: Any, note: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.note = note
        self.count = 0

    def _run_user(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        return super()._run_user(fn, *args, **kwargs)

    def run(self, result: Any = None) -> Any:
        super().run(result)
        return self.note, self.count


def test_factories() -> None:
    """The constructor's factory comes before the method's, and that before the class's."""

    class Case(TestCase):
        run_tests_with = Counting

        def test(self) -> None:
            pass

        @run_test_with(Counting, note="decorated")
        def test_decorated(self) -> None:
            pass

    assert Case("test").run() == (None, 4)
    assert Case("test_decorated").run() == ("decorated", 4)
    given = Case("test_decorated", runTest=lambda *args, **kwargs: Counting(*args, note="given"))
    assert given.run() == ("given", 4)


@pytest.mark.parametrize("outcome", STEPS)
def test_factory_of_testtools(outcome: str) -> None:
    """testtools' own RunTest, and what is made from it, runs our case."""
    case = made(test=STEPS[outcome])
    case.run_tests_with = testtools.RunTest
    assert outcome_of(case)[0] == outcome
    case.phases["test"] = parts
    assert outcome_of(case)[0] == "addFailure"


def test_factory_has_to_be_callable() -> None:
    """A `runTest` that cannot be called is refused."""
    with pytest.raises(TypeError, match="runTest must be callable"):
        TestCase("run", runTest="text")


def test_two_runs_are_alike() -> None:
    """The second run of a case begins anew: details, unique numbers, upcalls."""

    def step(case: TestCase) -> None:
        assert case.getUniqueInteger() == 1
        case.fail("again")

    case = made(test=step)
    assert outcome_of(case) == outcome_of(case)


def test_debug() -> None:
    """`debug` lets the exception pass, runs coroutines, and cleans up."""
    log: list[str] = []

    async def run(case: TestCase) -> None:
        log.append("test")
        raise LookupError

    with pytest.raises(LookupError):
        made(test=run, cleanup=lambda _: log.append("cleanup")).debug()
    assert log == ["test", "cleanup"]


def test_debug_of_expectations() -> None:
    """What `expectThat` found is raised at the end."""
    with pytest.raises(AssertionError, match="1 != 2"):
        made(test=lambda case: case.expectThat(1, testtools.matchers.Equals(2))).debug()


class Whole(TestCase):
    """A case that can be found by its name, as pickle needs it."""

    __test__ = False

    def test(self) -> None:
        self.addDetail("made", copy.copy(self.getDetails()))  # type: ignore[arg-type]


@pytest.mark.parametrize("ran", [False, True])
def test_copies(ran: bool) -> None:
    """A case can be copied deeply and pickled, before it ran and afterwards."""
    case = Whole("test")
    if ran:
        case.run(unittest.TestResult())
    for other in (copy.deepcopy(case), pickle.loads(pickle.dumps(case))):
        assert other == case
        assert hash(other) == hash(case)
        assert other.getDetails() == {}
        result = unittest.TestResult()
        other.run(result)
        assert result.wasSuccessful()


def test_clones() -> None:
    """A clone has the new id, is not equal to its origin, and shares no details with it."""
    case = Whole("test")
    clone = clone_test_with_new_id(case, "another")
    assert clone.id() == "another"
    assert case.id().endswith("Whole.test")
    assert clone != case
    case.run(unittest.TestResult())
    assert clone.getDetails() == {}
    assert pickle.loads(pickle.dumps(clone)).id() == "another"


def test_default_result() -> None:
    """Without a result the case makes one, starts and stops it, and returns it."""
    result = made(test=fail).run()
    assert not result.wasSuccessful()
    assert result.testsRun == 1


def test_wrong_method() -> None:
    """A method that does not exist is refused as unittest refuses it."""
    with pytest.raises(ValueError, match="no such test method"):
        TestCase("test_absent")


def test_durations() -> None:
    """A result of unittest's is told how long the test took."""
    result = TestResult()
    made().run(result)
    ((_, seconds),) = result.collectedDurations
    assert 0 < seconds < 5
