"""Test cases with skips, expected failures, coroutines, class fixtures and parts."""

import unittest
from typing import Any

import pytest

from made_cases import Step, err, fail, made, nothing, outcome_of
from whotests.testing import TestCase, skip, skipIf, skipUnless, text_content


@pytest.mark.parametrize("decorated", ["method", "class"])
@pytest.mark.parametrize("decorator", [skip("why"), skipIf(True, "why"), skipUnless(False, "why")])
def test_skip_decorators(decorator: Any, decorated: str) -> None:
    """Decorated methods and classes are skipped with their reason, without setUp."""

    class Case(TestCase):
        def setUp(self) -> None:
            raise AssertionError("ran")

        def test(self) -> None:
            raise AssertionError("ran")

    kind: type[TestCase] = Case
    if decorated == "class":
        kind = decorator(Case)
    else:
        Case.test = decorator(Case.test)  # type: ignore[method-assign]
    result = unittest.TestResult()
    kind("test").run(result)
    assert [reason for _, reason in result.skipped] == ["why"]
    assert result.wasSuccessful()


def test_decorators_that_do_not_skip() -> None:
    """skipIf(False) and skipUnless(True) leave what they decorate as it is."""
    assert skipIf(False, "why")(fail) is fail
    assert skipUnless(True, "why")(fail) is fail


@pytest.mark.parametrize(
    ("step", "expected"), [(fail, "addExpectedFailure"), (nothing, "addUnexpectedSuccess")]
)
def test_expected_failure(step: Step, expected: str) -> None:
    """unittest's expectedFailure is kept to, with the traceback of how it failed."""

    class Case(TestCase):
        @unittest.expectedFailure
        def test(self) -> None:
            step(self)

        @unittest.expectedFailure
        async def test_async(self) -> None:
            step(self)

        @unittest.expectedFailure
        def test_parts(self) -> None:
            with self.subTest(part=1):
                step(self)

    for name in ("test", "test_async", "test_parts"):
        outcome, details = outcome_of(Case(name))
        assert outcome == expected
        assert ("AssertionError: deliberate" in details.get("traceback", "")) is (step is fail)


def test_expected_failure_skipped() -> None:
    """A test that is expected to fail may be skipped."""

    class Case(TestCase):
        @unittest.expectedFailure
        def test(self) -> None:
            self.skipTest("not here")

    assert outcome_of(Case("test"))[0] == "addSkip"


def test_generator_is_an_error() -> None:
    """A test that is a generator function errs: nothing of it ran."""

    def step(case: TestCase) -> Any:
        yield 1

    outcome, details = outcome_of(made(test=step))
    assert outcome == "addError"
    assert "generator" in details["traceback"]


@pytest.mark.parametrize("phase", ["setUp", "test", "tearDown"])
def test_returned_value_is_an_error(phase: str) -> None:
    """What returns a value that nobody awaits errs; a clean-up may return what it likes."""
    assert outcome_of(made(**{phase: lambda _: 1}))[0] == "addError"
    assert outcome_of(made(cleanup=lambda _: 1))[0] == "addSuccess"


@pytest.mark.parametrize("phase", ["setUp", "test", "tearDown", "cleanup"])
def test_coroutines_are_run(phase: str) -> None:
    """A coroutine that any phase returns is run to its end there, and its failure counts."""
    log: list[str] = []

    async def run(case: TestCase) -> None:
        log.append(phase)
        case.fail("in a coroutine")

    outcome, details = outcome_of(made(**{phase: run}))
    assert (outcome, log) == ("addFailure", [phase])
    assert "in a coroutine" in details["traceback"]


def test_async_setup_needs_upcall() -> None:
    """An async setUp calls the base class's, or errs."""

    class Case(TestCase):
        async def setUp(self) -> None:  # type: ignore[override]
            pass

        def test(self) -> None:
            pass

    outcome, details = outcome_of(Case("test"))
    assert outcome == "addError"
    assert "setUp was not called" in details["traceback"]


def test_class_fixture_is_no_coroutine() -> None:
    """An async setUpClass, which suites would call and not await, is refused at once."""
    with pytest.raises(TypeError, match=r"Case\.setUpClass is a coroutine"):

        class Case(TestCase):
            @classmethod
            async def setUpClass(cls) -> None:  # type: ignore[override]
                pass


def test_class_fixtures() -> None:
    """A suite calls setUpClass and tearDownClass once, and skips what setUpClass skips."""
    log: list[str] = []

    class Case(TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            log.append("setUpClass")

        @classmethod
        def tearDownClass(cls) -> None:
            log.append("tearDownClass")

        def test_a(self) -> None:
            log.append("a")

        def test_b(self) -> None:
            log.append("b")

    unittest.TestSuite([Case("test_a"), Case("test_b")]).run(unittest.TestResult())
    assert log == ["setUpClass", "a", "b", "tearDownClass"]


def test_class_cleanups() -> None:
    """Clean-ups of a class run after its tests; one that is a coroutine is an error."""
    log: list[str] = []

    async def never() -> None:
        log.append("awaited")

    class Case(TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            cls.addClassCleanup(log.append, "cleaned")
            cls.addClassCleanup(never)

        def test(self) -> None:
            log.append("test")

    result = unittest.TestResult()
    unittest.TestSuite([Case("test")]).run(result)
    assert log == ["test", "cleaned"]
    ((_, text),) = result.errors
    assert "never is awaited by nobody" in text


def parts(case: TestCase) -> None:
    for number in range(3):
        with case.subTest("part", number=number):
            if number == 1:
                case.fail("odd")


def test_subtests_as_in_unittest() -> None:
    """Each part that fails is a failure of its own, all parts run, and it is no success."""
    result = unittest.TestResult()
    made(test=parts).run(result)
    ((part, text),) = result.failures
    assert str(part.id()).endswith("runTest [part] (number=1)")
    assert "odd" in text
    assert not result.wasSuccessful()


def test_subtest_skipped() -> None:
    """A part may be skipped, and the test passes."""

    def step(case: TestCase) -> None:
        with case.subTest(part=1):
            case.skipTest("not here")

    result = unittest.TestResult()
    made(test=step).run(result)
    assert [reason for _, reason in result.skipped] == ["not here"]
    assert result.wasSuccessful()


def test_subtests_stop_at_failfast() -> None:
    """With failfast the parts after a failed one do not run, tearDown does."""
    log: list[str] = []

    def step(case: TestCase) -> None:
        parts(case)
        log.append("rest")

    result = unittest.TestResult()
    result.failfast = True
    made(test=step, tearDown=lambda _: log.append("tearDown")).run(result)
    assert log == ["tearDown"]
    assert len(result.failures) == 1
    assert result.shouldStop


def test_subtest_and_details() -> None:
    """Details of a test of which a part failed are reported, by a failure of the whole test."""

    def step(case: TestCase) -> None:
        case.addDetail("log", text_content("what was logged"))
        parts(case)

    result = unittest.TestResult()
    made(test=step).run(result)
    (_, part), (_, whole) = result.failures
    assert "odd" in part
    assert "what was logged" in whole


def test_subtest_and_error_in_cleanup() -> None:
    """A failed part and what a clean-up raises are both reported."""
    result = unittest.TestResult()
    made(test=parts, cleanup=err).run(result)
    assert (len(result.failures), len(result.errors)) == (1, 1)
