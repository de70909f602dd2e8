"""Test cases that do in each phase what they are given, one step for each outcome."""

from collections.abc import Callable
from typing import Any

from whotests.testing import TestCase
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
