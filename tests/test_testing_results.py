"""Results of the extended protocol: nothing that they are told is lost on the way."""

import io
import sys
import threading
import unittest
from collections.abc import Callable
from typing import Any

import pytest

from whotests.testing import (
    Content,
    ContentType,
    ExtendedToOriginalDecorator,
    MultiTestResult,
    Tagger,
    TestByTestResult,
    TestCase,
    TestControl,
    TestResult,
    TestResultDecorator,
    TextTestResult,
    ThreadsafeForwardingResult,
    content_from_file,
    text_content,
)
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.doubles import ExtendedTestResult, Python3TestResult, TwistedTestResult


class Parts(unittest.TestCase):
    """A test of which one part passes, one fails and one errs."""

    __test__ = False

    def runTest(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                assert number != 1
                if number == 2:
                    raise KeyError("err")


class Passing(unittest.TestCase):
    __test__ = False

    def runTest(self) -> None:
        """Passes."""


class SkippedPart(unittest.TestCase):
    __test__ = False

    def runTest(self) -> None:
        with self.subTest(number=0):
            self.skipTest("not here")


def failure(text: str = "wrong") -> OptExcInfo:
    try:
        raise AssertionError(text)
    except AssertionError:
        return sys.exc_info()


def through_threadsafe(target: Any) -> ThreadsafeForwardingResult:
    return ThreadsafeForwardingResult(target, threading.Semaphore(1))


FORWARDING: list[Callable[[Any], Any]] = [
    ExtendedToOriginalDecorator,
    MultiTestResult,
    TestResultDecorator,
    lambda target: Tagger(target, {"tag"}, set()),
    through_threadsafe,
]
NAMES = ["any result", "several", "decorator", "tagger", "threadsafe"]


@pytest.mark.parametrize("forwarding", FORWARDING, ids=NAMES)
def test_failing_parts_reach_the_target(forwarding: Callable[[Any], Any]) -> None:
    """A subtest that failed and one that erred are in the target's lists, each once."""
    target = TestResult()
    result = forwarding(target)
    Parts().run(result)
    assert [case.id().rpartition(" ")[2] for case, _ in target.failures] == ["(number=1)"]
    assert [case.id().rpartition(" ")[2] for case, _ in target.errors] == ["(number=2)"]
    assert "KeyError: 'err'" in target.errors[0][1]
    assert target.testsRun == 1
    assert not target.wasSuccessful()
    assert not result.wasSuccessful()


@pytest.mark.parametrize("forwarding", FORWARDING[:2] + FORWARDING[4:], ids=NAMES[:2] + NAMES[4:])
def test_parts_that_failed_are_failures_to_a_result_without_parts(
    forwarding: Callable[[Any], Any],
) -> None:
    """Trial's reporters know no subtests: a failing one is a failure, an erring one an error."""
    target = TwistedTestResult()
    Parts().run(forwarding(target))
    told = [(event[0], event[1].id().rpartition(" ")[2]) for event in target.events[1:-1]]
    assert told == [("addFailure", "(number=1)"), ("addError", "(number=2)")]
    assert not target.wasSuccessful()


@pytest.mark.parametrize("forwarding", FORWARDING, ids=NAMES)
def test_a_part_that_was_skipped_is_not_lost(forwarding: Callable[[Any], Any]) -> None:
    """unittest tells a skipped subtest by addSkip: the target hears why."""
    target = TestResult()
    SkippedPart().run(forwarding(target))
    assert [reason for _, reason in target.skipped] == ["not here"]
    assert target.testsRun == 1


@pytest.mark.parametrize("forwarding", FORWARDING, ids=NAMES)
def test_durations_reach_the_target(forwarding: Callable[[Any], Any]) -> None:
    """How long a test took is told to a target that wants to know, before the test stops."""
    target = ExtendedTestResult()
    result, case = forwarding(target), Passing()
    result.startTest(case)
    result.addDuration(case, 1.5)
    result.addSuccess(case)
    result.stopTest(case)
    told = [event[0] for event in target.events if event[0] not in ("time", "tags")]
    assert told == ["startTest", "addDuration", "addSuccess", "stopTest"]
    assert target.events[-3] == ("addDuration", case, 1.5)
    forwarding(TwistedTestResult()).addDuration(case, 1.5)  # which has no place for it


def test_a_duration_after_the_outcome_is_told_too() -> None:
    """unittest tells a failure first and the duration then: that comes when the test stops."""
    target, case = ExtendedTestResult(), Passing()
    result = through_threadsafe(target)
    result.startTest(case)
    result.addFailure(case, failure())
    result.addDuration(case, 2.5)
    result.stopTest(case)
    assert target.events[-1] == ("addDuration", case, 2.5)


def test_whole_tests_of_several_threads() -> None:
    """A target that several threads tell hears of one whole test, with its parts, at a time."""
    target, gate = ExtendedTestResult(), threading.Semaphore(1)
    ready = threading.Barrier(4)

    def work() -> None:
        result = ThreadsafeForwardingResult(target, gate)
        ready.wait()
        for _ in range(50):
            Parts().run(result)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [event[:2] for event in target.events if event[0] not in ("time", "addDuration")]
    assert len(told) == 4 * 50 * 5
    for first in range(0, len(told), 5):
        names, tests = zip(*told[first : first + 5], strict=True)
        assert names == ("startTest", "addSubTest", "addSubTest", "addSubTest", "stopTest")
        assert len(set(map(id, tests))) == 1


def test_tags_of_a_test_without_an_outcome_do_not_leak() -> None:
    """Tags that a test added are not those of the next one, though nothing was told of it."""
    target, case = ExtendedTestResult(), Passing()
    result = through_threadsafe(target)
    result.startTest(case)
    result.tags({"mine"}, set())
    result.stopTest(case)
    result.startTest(case)
    result.addSuccess(case)
    result.stopTest(case)
    assert [event for event in target.events if event[0] == "tags"] == []


def test_making_a_multi_result_changes_none_of_the_results() -> None:
    """A result that stops at the first failure still does when it is one of several."""
    strict, lax = TestResult(failfast=True), TestResult()
    result = MultiTestResult(strict, lax)
    assert (strict.failfast, lax.failfast) == (True, False)
    result.startTestRun()
    assert (strict.failfast, lax.failfast) == (True, False)
    result.addFailure(Passing(), failure())
    assert strict.shouldStop
    assert not lax.shouldStop
    assert result.shouldStop


def test_an_error_within_a_result_is_not_taken_for_another_protocol() -> None:
    """A TypeError that is raised by a result that takes details is raised, and told once."""

    class Broken(TestResult):
        def addSuccess(self, test: unittest.TestCase, details: Any = None) -> None:
            told.append(details)
            raise TypeError("broken")

    told: list[Any] = []
    with pytest.raises(TypeError, match="broken"):
        ExtendedToOriginalDecorator(Broken()).addSuccess(Passing(), details={})
    assert told == [{}]


def test_details_for_a_result_that_hands_all_on() -> None:
    """A result that takes any keywords is given details, and an exception if that was wrong."""

    class Any_(unittest.TestResult):  # noqa: N801
        def addError(self, *args: Any, **options: Any) -> None:
            super().addError(*args, **options)

    target = Any_()
    ExtendedToOriginalDecorator(target).addError(Passing(), details={"a": text_content("one")})
    assert [text.strip() for _, text in target.errors] == [
        "whotests.testing.details.detail_text.DetailsError: a: {{{one}}}"
    ]


def test_details_for_a_result_that_needs_an_exception_as_well() -> None:
    """A result whose `err` must be given is told an exception with the details' text."""

    class Old(unittest.TestResult):
        def addFailure(self, test: unittest.TestCase, err: Any, details: Any = None) -> None:
            told.append((str(err[1]), details))

    told: list[Any] = []
    ExtendedToOriginalDecorator(Old()).addFailure(Passing(), details={"a": text_content("one")})
    assert told == [("a: {{{one}}}\n", None)]


def test_details_for_unittests_own_result() -> None:
    """Details become the text of what failed, and a skip's reason is what the detail says."""
    target = unittest.TestResult()
    result = ExtendedToOriginalDecorator(target)
    details = {"traceback": text_content("line 1\n"), "log": text_content("said")}
    result.addFailure(Passing(), details=details)
    result.addSkip(Passing(), details={"reason": text_content("why")})
    result.addSuccess(Passing(), details=details)
    assert "log: {{{said}}}\n\nline 1" in target.failures[0][1]
    assert [reason for _, reason in target.skipped] == ["why"]


def test_bytes_that_are_no_text_after_all() -> None:
    """A detail that says to be text and is not is shown with escapes, and nothing is raised."""
    wrong = Content(ContentType("text", "plain", {"charset": "utf8"}), lambda: [b"a\xffb"])
    odd = Content(ContentType("text", "plain", {"charset": "no-such"}), lambda: [b"c"])
    result = TestResult()
    result.addError(Passing(), details={"odd": odd, "wrong": wrong})
    assert result.errors[0][1] == "odd: {{{c}}}\nwrong: {{{a\\xffb}}}\n"


def test_a_detail_that_cannot_be_read() -> None:
    """It is said so, and the outcome is told: the run goes on."""

    class Case(TestCase):
        def test_it(self) -> None:
            self.addDetail("log", content_from_file("no such file"))
            self.fail("deliberate")

    result = unittest.TestResult()
    Case("test_it").run(result)
    ((_, text),) = result.failures
    assert "AssertionError: deliberate" in text
    assert "log: {{{it could not be read: FileNotFoundError(" in text


def test_an_unexpected_success_is_a_failure_to_what_does_not_know_it() -> None:
    """A result without addUnexpectedSuccess is told of a failure."""

    class Old:
        def __init__(self) -> None:
            self.told: list[str] = []

        def addFailure(self, test: unittest.TestCase, err: Any) -> None:
            self.told.append(f"{err[0].__name__}: {err[1]}")

    old = Old()
    ExtendedToOriginalDecorator(old).addUnexpectedSuccess(Passing())
    assert old.told == ["AssertionError: passed, though a failure was expected"]


def test_one_callback_per_test_with_its_parts() -> None:
    """TestByTestResult calls once for a test with failing parts; the worst of them counts."""
    told: list[dict[str, Any]] = []
    Parts().run(TestByTestResult(lambda **about: told.append(about)))
    assert [about["status"] for about in told] == ["error"]
    names = [name.rpartition(" ")[2] for name in told[0]["details"]]
    assert names == ["(number=1)", "(number=2)"]


def test_a_skip_does_not_hide_a_part_that_failed() -> None:
    """Of all that is told of one test the worst counts, and the details of all are there."""

    class Case(unittest.TestCase):
        def test_it(self) -> None:
            with self.subTest(number=1):
                self.fail("deliberate")
            self.skipTest("later")

    told: list[dict[str, Any]] = []
    Case("test_it").run(TestByTestResult(lambda **about: told.append(about)))
    assert [about["status"] for about in told] == ["failure"]
    assert [name.partition(" ")[0] for name in told[0]["details"]] == ["traceback", "reason"]


def test_what_never_starts_has_a_callback_too() -> None:
    """unittest tells of a class's setUp that failed without starting a test."""

    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            raise KeyError("deliberate")

        def test_it(self) -> None: ...

    told: list[dict[str, Any]] = []
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Case)
    suite.run(TestByTestResult(lambda **about: told.append(about)))
    ((status, started, stopped),) = [
        (about["status"], about["start_time"], about["stop_time"]) for about in told
    ]
    assert (status, started) == ("error", stopped)


def test_a_test_whose_end_nobody_tells() -> None:
    """What runs a test in another process dies: the test is an error."""
    target = ExtendedTestResult()
    result = ThreadsafeForwardingResult(target, threading.Semaphore(1))
    lost, following = Passing(), Passing()
    result.startTest(lost)
    following.run(result)
    told = [event[0] for event in target._events]
    outcomes = [name for name in told if name in ("addError", "addSuccess")]
    assert outcomes == ["addError", "addSuccess"]
    assert told.count("startTest") == told.count("stopTest") == 2


def test_the_callers_details_stay_as_they_are() -> None:
    """A skip with a reason and details is told with both; the caller's dict does not change."""
    told: list[dict[str, Any]] = []
    result = TestByTestResult(lambda **about: told.append(about))
    details = {"log": text_content("said")}
    case = Passing()
    result.startTest(case)
    result.addSkip(case, "why", details=details)
    result.stopTest(case)
    assert sorted(told[0]["details"]) == ["log", "reason"]
    assert list(details) == ["log"]


def test_skips_are_in_unittests_list_too() -> None:
    """What was skipped is in `skipped`, as unittest's runner reads it, and by its reason."""
    result, case = TestResult(), Passing()
    result.addSkip(case, "why")
    result.addSkip(case, details={})
    assert result.skipped == [(case, "why"), (case, "No reason given")]
    assert result.skip_reasons == {"why": [case], "No reason given": [case]}


def test_an_outcome_needs_an_exception_or_details() -> None:
    """A failure about which nothing is said is an error of the caller's."""
    for result in (TestResult(), ExtendedToOriginalDecorator(TestResult())):
        with pytest.raises(ValueError, match="details"):
            result.addFailure(Passing())
    with pytest.raises(ValueError, match="give either"):
        ExtendedToOriginalDecorator(TestResult()).addError(Passing(), failure(), details={})


def test_buffered_output_of_a_failing_test_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """With `buffer`, what a failing test wrote is written when it stops; of others it is not."""
    result, case = TestResult(), Passing()
    result.buffer = True
    for failed in (True, False):
        result.startTest(case)
        print("of the failing one" if failed else "of the other")
        if failed:
            result.addFailure(case, failure())
        result.stopTest(case)
    assert "of the failing one" in (shown := capsys.readouterr().out)
    assert "of the other" not in shown


def test_text_of_a_run() -> None:
    """A letter for each test and part that failed; then what failed, and how many."""
    out = io.StringIO()
    result = TextTestResult(out)
    result.startTestRun()
    for case in (Passing(), Parts(), SkippedPart()):
        case.run(result)
    result.addUnexpectedSuccess(Passing())
    result.stopTestRun()
    lines = out.getvalue().splitlines()
    assert lines[1] == ".FEsu" + "=" * 70
    assert [line.partition(" ")[0] for line in lines if ": " in line and "test" in line] == [
        "ERROR:",
        "FAIL:",
        "UNEXPECTED",
    ]
    assert lines[-2].startswith("Ran 3 tests in ")
    assert lines[-1] == "FAILED (failures=3)"


def test_names_instead_of_letters() -> None:
    """With `verbosity` 2 each test has a line; with 0 none; without a stream there is no text."""
    out = io.StringIO()
    case = Passing()
    case.run(TextTestResult(out, verbosity=2))
    assert out.getvalue() == f"{case.id()} ... ok\n"
    quiet = io.StringIO()
    case.run(TextTestResult(quiet, verbosity=0))
    assert quiet.getvalue() == ""
    case.run(TextTestResult(None, verbosity=2))


def test_locals_in_tracebacks() -> None:
    """With `tb_locals` the text of a failure shows the variables of each frame."""
    result = TestResult(tb_locals=True)
    result.addFailure(Passing(), failure("shown"))
    assert "text = 'shown'" in result.failures[0][1]
    result.startTestRun()
    assert result.tb_locals


def test_a_control_for_runs_and_for_streams() -> None:
    """TestControl can be asked by both of its names."""
    control = TestControl()
    assert not control.should_stop
    control.stop()
    assert control.should_stop
    assert control.shouldStop


def test_doubles_have_the_protocol_of_one_kind_of_result() -> None:
    """They keep what they are told, and have no method that the real ones do not have."""
    for double, real in ((Python3TestResult(), unittest.TestResult()),):
        methods = {name for name in dir(double) if name.startswith(("add", "start", "stop"))}
        assert methods <= set(dir(real)) | {"addDuration"}
    told: Any = Python3TestResult()
    Parts().run(told)
    names = [event[0] for event in told.events if event[0] != "addDuration"]
    assert names == ["startTest", "addSubTest", "addSubTest", "addSubTest", "stopTest"]
    assert not told.wasSuccessful()
    assert not hasattr(TwistedTestResult(), "addSubTest")


def test_results_are_not_taken_for_tests() -> None:
    """pytest does not collect the classes whose names begin with Test."""
    for kind in (TestResult, TestResultDecorator, TestControl, TestByTestResult, TextTestResult):
        assert kind.__test__ is False
