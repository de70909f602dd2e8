"""Test cases: what is run, in which order, and which one outcome comes of it."""

import copy
import pickle
import sys
import unittest
from collections.abc import Callable
from typing import Any

import pytest
import testtools

from whotests.testing import (
    MultipleExceptions,
    RunTest,
    TestCase,
    TestResult,
    TestSkipped,
    clone_test_with_new_id,
    run_test_with,
    skip,
    skipIf,
    skipUnless,
    text_content,
)
from whotests.testing.doubles import ExtendedTestResult

Step = Callable[[TestCase], Any]


def nothing(case: TestCase) -> None:
    """A step that does nothing."""


def fail(case: TestCase) -> None:
    case.fail("deliberate")


def err(case: TestCase) -> None:
    raise KeyError("deliberate")


def skip_it(case: TestCase) -> None:
    case.skipTest("deliberate")


def fail_as_expected(case: TestCase) -> None:
    case.expectFailure("deliberate", case.fail, "known")


def pass_unexpectedly(case: TestCase) -> None:
    case.expectFailure("deliberate", str)


STEPS: dict[str, Step] = {
    "addSuccess": nothing,
    "addSkip": skip_it,
    "addExpectedFailure": fail_as_expected,
    "addUnexpectedSuccess": pass_unexpectedly,
    "addFailure": fail,
    "addError": err,
}
"""A step for each outcome; the outcomes from the best to the worst."""


class Made(TestCase):
    """A test that does in each phase what it is given."""

    __test__ = False
    phases: dict[str, Step]

    def do(self, phase: str) -> Any:
        return self.phases.get(phase, nothing)(self)

    def setUp(self) -> Any:
        super().setUp()
        self.addCleanup(self.do, "cleanup")
        return self.do("setUp")

    def tearDown(self) -> Any:
        super().tearDown()
        return self.do("tearDown")

    def runTest(self) -> Any:
        return self.do("test")


def made(**phases: Step) -> Made:
    case = Made()
    case.phases = phases
    return case


def outcome_of(case: Any) -> tuple[str, dict[str, str]]:
    """The one outcome of a case, and its details as text."""
    result = ExtendedTestResult()
    case.run(result)
    started, (name, _, *details), stopped = result._events
    assert (started[0], stopped[0]) == ("startTest", "stopTest")
    texts = {key: value.as_text() for key, value in details[0].items()} if details else {}
    return name, texts


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
