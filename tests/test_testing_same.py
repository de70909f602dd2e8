"""Whatever they are told, testtools' classes and ours tell the same, where those are right."""

import threading
import unittest
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import testtools
from hypothesis import given, settings
from hypothesis import strategies as st
from testtools.testresult import doubles as their_doubles

from whotests import testing
from whotests.testing import doubles

TIMES = st.integers(0, 5).map(lambda n: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=n))
TAGS = st.sets(st.sampled_from("xyz"))
MIME_TYPES = {"log": "text/plain; charset=utf8", "data": None, "image": "image/png"}


@st.composite
def calls_of_status(draw: st.DrawFn) -> dict[str, Any]:
    """What `status` may be called with, without what testtools gets wrong: see the tests of that.

    No attachment is empty or has an end, so nothing comes after it.
    """
    call: dict[str, Any] = {}
    call["test_id"] = draw(st.sampled_from([None, "a", "b", "c"]))
    statuses = [None, "inprogress", "success", "fail", "skip", "xfail", "exists"]
    call["test_status"] = draw(st.sampled_from(statuses)) if call["test_id"] else None
    call["test_tags"] = draw(st.none() | TAGS)
    call["route_code"] = draw(st.sampled_from([None, "0", "0/1", "1"]))
    call["timestamp"] = draw(st.none() | TIMES)
    name = draw(st.sampled_from([None, *MIME_TYPES]))
    if name is not None:
        content = draw(st.binary(min_size=1, max_size=3).map(lambda data: data.hex().encode()))
        call |= {"file_name": name, "file_bytes": content, "mime_type": MIME_TYPES[name]}
    return call


CALLS = st.lists(calls_of_status(), max_size=12)


def copied(call: dict[str, Any]) -> dict[str, Any]:
    """The call with a set of tags of its own, which testtools' tagger changes."""
    tags = call["test_tags"]
    return {**call, "test_tags": None if tags is None else set(tags)}


def passed_on(module: Any, log: Any, calls: list[dict[str, Any]]) -> list[Any]:
    """What comes out of a chain of all that pass events on."""
    router = module.StreamResultRouter(log)
    router.add_rule(log, "route_code_prefix", route_prefix="0", consume_route=True)
    both = module.CopyStreamResult([router, log])
    chain = module.StreamTagger([both], add=["n"], discard=["x"])
    chain.startTestRun()
    for call in calls:
        chain.status(**copied(call))
    chain.stopTestRun()
    return list(log._events)


@given(CALLS)
@settings(deadline=None)
def test_events_are_passed_on_as_by_testtools(calls: list[dict[str, Any]]) -> None:
    """Copying, routing and tagging give the same calls in the same order.

    But for tags: once a test has said its own, ours adds to those where an event says none.
    """
    alone = [{**call, "test_id": f"{number}"} for number, call in enumerate(calls)]
    theirs = passed_on(testtools, their_doubles.StreamResult(), alone)
    ours = passed_on(testing, doubles.StreamResult(), alone)
    assert ours == theirs


def told_by_dicts(module: Any, calls: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """What was told of tests before the run stopped, and then, in no order."""
    tests: list[Any] = []
    result = module.StreamToDict(tests.append)
    result.startTestRun()
    for call in calls:
        result.status(**copied(call))
    before = len(tests)
    result.stopTestRun()
    for test in tests:
        test["details"] = {
            name: (repr(each.content_type), b"".join(each.iter_bytes()))
            for name, each in test["details"].items()
        }
    return tests[:before], sorted(tests[before:], key=repr)


@given(CALLS)
@settings(deadline=None)
def test_whole_tests_are_those_of_testtools(calls: list[dict[str, Any]]) -> None:
    """Each test has the same status, tags, details and times, and is told at the same moment."""
    assert told_by_dicts(testing, calls) == told_by_dicts(testtools, calls)


def told_by_summary(module: Any, calls: list[dict[str, Any]]) -> list[Any]:
    summary = module.StreamSummary()
    summary.startTestRun()
    for call in calls:
        summary.status(**copied(call))
    summary.stopTestRun()
    lists = (summary.failures, summary.errors, summary.skipped, summary.expectedFailures)
    texts = [sorted((case.id(), text) for case, text in found) for found in lists]
    return [summary.testsRun, summary.wasSuccessful(), *texts]


@given(CALLS)
@settings(deadline=None)
def test_summaries_are_those_of_testtools(calls: list[dict[str, Any]]) -> None:
    """The same tests are in the same lists, with the same texts."""
    assert told_by_summary(testing, calls) == told_by_summary(testtools, calls)


OUTCOMES = st.sampled_from(
    ["addSuccess", "addError", "addFailure", "addSkip", "addExpectedFailure"]
)
TEST = st.tuples(OUTCOMES, st.none() | TIMES, st.none() | TIMES, TAGS, TAGS, TAGS)


class Case(unittest.TestCase):
    __test__ = False

    def runTest(self) -> None:
        """Passes."""


def tell(result: Any, tests: list[Any], case: unittest.TestCase) -> None:
    """Tell a result of tests, with tags, times and details."""
    result.startTestRun()
    for outcome, began, ended, run_tags, new, gone in tests:
        result.tags(set(run_tags), set())
        if began is not None:
            result.time(began)
        result.startTest(case)
        result.tags(set(new), set(gone))
        if ended is not None:
            result.time(ended)
        details = {"reason": testing.text_content("why"), "log": testing.text_content("1\n2")}
        getattr(result, outcome)(case, details=details)
        result.stopTest(case)
    result.stopTestRun()


def threadsafe(module: Any, target: Any) -> Any:
    return module.ThreadsafeForwardingResult(target, threading.Semaphore(1))


def shown(events: list[Any]) -> list[Any]:
    """Events that are equal if they say the same; what is said of the present is left out."""
    told = []
    for name, *rest in events:
        if name == "time" and rest[0] is not None and rest[0].year != 2020:
            rest = ["now"]
        told.append((name, *(str(each[1]) if isinstance(each, tuple) else each for each in rest)))
    return told


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda module, target: module.ExtendedToOriginalDecorator(target),
        lambda module, target: module.MultiTestResult(target, target),
        lambda module, target: module.Tagger(
            module.ExtendedToOriginalDecorator(target), {"t"}, {"x"}
        ),
        threadsafe,
    ],
    ids=["any result", "several", "tagger", "threadsafe"],
)
@pytest.mark.parametrize("kind", ["ExtendedTestResult", "Python3TestResult", "TwistedTestResult"])
@given(tests=st.lists(TEST, max_size=3))
@settings(deadline=None, max_examples=25)
def test_results_are_told_as_by_testtools(
    wrapped: Callable[[Any, Any], Any], kind: str, tests: list[Any]
) -> None:
    """A result of each protocol hears the same, in the same order, through each decorator."""
    case, heard = Case(), []
    for module, target in (
        (testing, getattr(doubles, kind)()),
        (testtools, getattr(their_doubles, kind)()),
    ):
        tell(wrapped(module, target), tests, case)
        heard.append(shown(target._events))
    assert heard[0] == heard[1]


@given(st.lists(st.tuples(OUTCOMES, TIMES, TIMES, TAGS, TAGS, TAGS), max_size=4))
@settings(deadline=None)
def test_results_become_the_streams_of_testtools(tests: list[Any]) -> None:
    """What a result is told becomes the same tests of a stream, and of a result behind it."""
    found = []
    for module, log in (
        (testing, doubles.ExtendedTestResult()),
        (testtools, their_doubles.ExtendedTestResult()),
    ):
        told: list[Any] = []
        back = module.StreamToExtendedDecorator(log)
        targets = module.CopyStreamResult([module.StreamToDict(told.append), back])
        tell(module.ExtendedToStreamDecorator(targets), tests, Case())
        for test in told:
            details = test["details"].items()
            test["details"] = {
                name: (str(each.content_type), each.as_text()) for name, each in details
            }
        names = [event[0] for event in log._events if event[0] != "tags"]
        found.append((told, names, [event[1:] for event in log._events if event[0] == "time"]))
    assert found[0] == found[1]
