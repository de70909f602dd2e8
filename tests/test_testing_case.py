"""Test cases: what is run, in which order, and which one outcome comes of it."""

import sys
import unittest
from typing import Any

import pytest

from made_cases import STEPS, err, fail, made, nothing, outcome_of, skip_it
from whotests.testing import MultipleExceptions, TestCase, TestResult, TestSkipped
from whotests.testing.doubles import ExtendedTestResult


@pytest.mark.parametrize("second", STEPS)
@pytest.mark.parametrize("first", STEPS)
def test_worst_counts(first: str, second: str) -> None:
    """Whatever the test and its clean-up come to, the worse of it is the one outcome."""
    worse = max(first, second, key=list(STEPS).index)
    assert outcome_of(made(test=STEPS[first], cleanup=STEPS[second]))[0] == worse


@pytest.mark.parametrize("phase", ["setUp", "test", "tearDown", "cleanup"])
@pytest.mark.parametrize("outcome", STEPS)
def test_every_phase_counts(outcome: str, phase: str) -> None:
    """An outcome is the same in whatever phase it comes."""
    assert outcome_of(made(**{phase: STEPS[outcome]}))[0] == outcome


def test_all_is_kept() -> None:
    """Of a failure, an error and a skip of one test all are in the details."""
    name, details = outcome_of(made(test=fail, tearDown=err, cleanup=skip_it))
    assert name == "addError"
    assert "AssertionError: deliberate" in details["traceback"]
    assert "KeyError" in details["traceback-1"]
    assert details["reason"] == "deliberate"


def test_plain_result_hears_all() -> None:
    """unittest's own result gets the failure with its traceback, and the skip as a note."""
    result = unittest.TestResult()
    made(test=fail, cleanup=skip_it).run(result)
    ((_, text),) = result.failures
    assert (result.errors, result.skipped) == ([], [])
    assert text.startswith("Traceback")
    assert "in fail" in text
    assert text.rstrip().endswith("reason: {{{deliberate}}}")


def test_notes_are_added_once() -> None:
    """The same exception in two runs has its note once."""
    raised = AssertionError("always the same")

    def step(case: TestCase) -> None:
        case.addCleanup(case.skipTest, "late")
        raise raised

    case = made(test=step)
    case.run(unittest.TestResult())
    case.run(unittest.TestResult())
    assert len(raised.__notes__) == 1


def test_frames_of_ours_are_hidden() -> None:
    """Tracebacks begin and end in the author's code."""
    result = TestResult()
    made(test=lambda case: case.assertIn("a", "b")).run(result)
    ((_, text),) = result.failures
    assert "whotests" not in text.replace(__file__, "")
    assert "unittest" not in text


def test_order_of_phases() -> None:
    """setUp, test, tearDown, clean-ups: the last that was added runs first."""
    log: list[str] = []

    class Case(TestCase):
        def setUp(self) -> None:
            super().setUp()
            self.addCleanup(log.append, "first")
            self.addCleanup(log.append, "second")
            log.append("setUp")

        def test(self) -> None:
            log.append("test")

        def tearDown(self) -> None:
            log.append("tearDown")
            super().tearDown()

    Case("test").run()
    assert log == ["setUp", "test", "tearDown", "second", "first"]


def test_cleanups_after_failed_setup() -> None:
    """When setUp fails, the test and tearDown are left out, clean-ups are not."""
    log: list[str] = []
    case = made(
        setUp=err,
        test=lambda _: log.append("test"),
        tearDown=lambda _: log.append("tearDown"),
        cleanup=lambda _: log.append("cleanup"),
    )
    assert outcome_of(case)[0] == "addError"
    assert log == ["cleanup"]


def test_cleanups_may_add_cleanups() -> None:
    """A clean-up that a clean-up adds is run, too."""
    log: list[str] = []
    made(test=lambda case: case.addCleanup(case.addCleanup, log.append, "inner")).run()
    assert log == ["inner"]


def test_do_cleanups_within_test() -> None:
    """doCleanups within a test runs them there and then, and what they raise is the test's."""
    log: list[Any] = []

    def step(case: TestCase) -> None:
        case.addCleanup(log.append, "cleaned")
        case.addCleanup(err, case)
        log.append(case.doCleanups())

    assert outcome_of(made(test=step))[0] == "addError"
    assert log == ["cleaned", False]


def test_interrupt_waits_for_cleanups() -> None:
    """KeyboardInterrupt ends the run, after tearDown and clean-ups."""
    log: list[str] = []

    def interrupt(case: TestCase) -> None:
        raise KeyboardInterrupt

    case = made(
        test=interrupt,
        tearDown=lambda _: log.append("tearDown"),
        cleanup=lambda _: log.append("cleanup"),
    )
    result = ExtendedTestResult()
    with pytest.raises(KeyboardInterrupt):
        case.run(result)
    assert log == ["tearDown", "cleanup"]
    assert [event[0] for event in result._events] == ["startTest", "addError", "stopTest"]


def test_exit_is_an_error() -> None:
    """A test that calls sys.exit(0) errs, and the run goes on."""
    assert outcome_of(made(test=lambda _: sys.exit(0)))[0] == "addError"


def test_several_in_one() -> None:
    """Each exception of a MultipleExceptions is reported; the worst of them counts."""

    def step(case: TestCase) -> None:
        infos = []
        for each in (TestSkipped("not here"), AssertionError("wrong"), KeyError("gone")):
            try:
                raise each
            except Exception:
                infos.append(sys.exc_info())
        raise MultipleExceptions(*infos)

    name, details = outcome_of(made(test=step))
    assert name == "addError"
    assert sorted(details) == ["reason", "traceback", "traceback-1"]


@pytest.mark.parametrize("name", ["setUp", "tearDown"])
def test_forgotten_upcall(name: str) -> None:
    """A setUp or tearDown that does not call the base class's is an error that says so."""
    case = type("Case", (TestCase,), {name: nothing, "test": nothing})("test")
    outcome, details = outcome_of(case)
    assert outcome == "addError"
    assert f"TestCase.{name} was not called. Call super().{name}()" in details["traceback"]


@pytest.mark.parametrize("name", ["setUp", "tearDown"])
def test_upcall_twice(name: str) -> None:
    """setUp or tearDown called by the test itself is an error."""
    outcome, details = outcome_of(made(test=lambda case: getattr(case, name)()))
    assert outcome == "addError"
    assert f"TestCase.{name} was already called" in details["traceback"]


def test_replaced_tear_down_is_no_forgotten_one() -> None:
    """A debugger's runner may put another tearDown on the instance, to call ours later."""
    case: Any = made()
    case.tearDown = lambda: None
    assert outcome_of(case)[0] == "addSuccess"


def test_attributes_of_the_author() -> None:
    """An author's own attributes and methods may have any usual name."""
    names = "result state details finish fail report setup outcome run_test awaiting directory"

    class Case(TestCase):
        def test(self) -> None:
            for name in names.split():
                assert not hasattr(self, f"_{name}") or name == "outcome"

    assert outcome_of(Case("test"))[0] == "addSuccess"


def test_own_handler() -> None:
    """A pair in `exception_handlers` decides what is reported for a class of exceptions."""

    class FlakyError(Exception):
        pass

    def handle(case: Any, result: Any, raised: BaseException) -> None:
        result.addSkip(case, details=case.getDetails())

    def flake(case: TestCase) -> None:
        raise FlakyError

    case = made(test=flake)
    case.exception_handlers.insert(0, (FlakyError, handle))
    assert outcome_of(case)[0] == "addSkip"
    worse = made(test=flake, cleanup=err)
    worse.exception_handlers.insert(0, (FlakyError, handle))
    assert outcome_of(worse)[0] == "addError"


def test_own_skip_exception() -> None:
    """`skipException` of a class skips, and unittest's SkipTest does so still."""

    class Case(TestCase):
        skipException = LookupError

        def test_own(self) -> None:
            self.skipTest("own")

        def test_standard(self) -> None:
            raise unittest.SkipTest("standard")

    assert outcome_of(Case("test_own")) == ("addSkip", {"reason": "own"})
    assert outcome_of(Case("test_standard")) == ("addSkip", {"reason": "standard"})


def test_force_failure() -> None:
    """`force_failure` fails the test at its end, whatever else it came to, and once."""
    log: list[str] = []

    def step(case: TestCase) -> None:
        case.force_failure = True
        case.addCleanup(log.append, "cleaned")
        case.skipTest("and skipped")

    case = made(test=step)
    assert outcome_of(case)[0] == "addFailure"
    assert log == ["cleaned"]
    case.phases["test"] = nothing
    assert outcome_of(case)[0] == "addSuccess"


def test_on_exception() -> None:
    """Handlers hear of each exception at once, in order, and may attach details."""
    log: list[Any] = []

    def step(case: TestCase) -> None:
        case.addOnException(lambda info: log.append(("first", info[0])))
        case.addOnException(lambda info: log.append(("second", info[0])))
        raise KeyError

    case = made(test=step, tearDown=lambda _: log.append("tearDown"))
    case.run()
    assert log == [("first", KeyError), ("second", KeyError), "tearDown"]
    log.clear()
    case.run()
    assert log == [("first", KeyError), ("second", KeyError), "tearDown"]


def test_broken_on_exception() -> None:
    """What a handler raises is reported with what it was called for; the phases go on."""
    log: list[str] = []

    def step(case: TestCase) -> None:
        case.addOnException(lambda info: [].pop())
        case.fail("first")

    case = made(test=step, tearDown=lambda _: log.append("tearDown"))
    outcome, details = outcome_of(case)
    assert outcome == "addError"
    assert "first" in details["traceback"]
    assert "IndexError" in details["traceback-1"]
    assert log == ["tearDown"]
