"""testtools' names for streams: each is a sink, and each sink may stand behind them."""

import queue
import sys
import unittest
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import testtools
from testtools.testresult.doubles import StreamResult as TheirLog

from whotests.stream.event import Chunk, Event, Status
from whotests.stream.event_log import EventLog
from whotests.stream.fan_out import FanOut
from whotests.testing import (
    CopyStreamResult,
    ExtendedToStreamDecorator,
    PlaceHolder,
    ResourcedToStreamDecorator,
    StreamFailFast,
    StreamResult,
    StreamResultRouter,
    StreamSummary,
    StreamTagger,
    StreamToDict,
    StreamToExtendedDecorator,
    StreamToQueue,
    TestResult,
    TimestampingStreamResult,
    doubles,
)
from whotests.testing.streams import stream_summaries
from whotests.testing.streams.stream_summaries import ToldTest

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FULL = Event(
    "a.test",
    Status.FAIL,
    frozenset({"slow"}),
    False,
    Chunk("log", b"said", "text/plain", True),
    "0/1",
    NOON,
)
ARGUMENTS: dict[str, Any] = {
    "test_id": "a.test",
    "test_status": "fail",
    "test_tags": {"slow"},
    "runnable": False,
    "file_name": "log",
    "file_bytes": b"said",
    "eof": True,
    "mime_type": "text/plain",
    "route_code": "0/1",
    "timestamp": NOON,
}

PASSING_ON: list[Callable[[Any], Any]] = [
    lambda target: CopyStreamResult([target]),
    lambda target: StreamTagger([target]),
    TimestampingStreamResult,
    StreamResultRouter,
    ExtendedToStreamDecorator,
]
NAMES = ["copy", "tagger", "timestamps", "router", "results"]


@pytest.mark.parametrize("passing_on", PASSING_ON, ids=NAMES)
def test_a_call_of_status_becomes_one_event(passing_on: Callable[[Any], Any]) -> None:
    """A sink behind a testtools name gets the event that the call describes."""
    log = EventLog()
    result = passing_on(log)
    result.startTestRun()
    result.status(**ARGUMENTS)
    result.status("b.test", "success", {"new"}, timestamp=NOON)
    result.stopTestRun()
    expected = Event("b.test", Status.SUCCESS, frozenset({"new"}), timestamp=NOON)
    assert log.events == [FULL, expected]
    assert (log.started, log.stopped) == (1, 1)


@pytest.mark.parametrize("passing_on", PASSING_ON, ids=NAMES)
def test_an_event_becomes_one_call_of_status(passing_on: Callable[[Any], Any]) -> None:
    """What only has `status`, as testtools' classes, is called with all that the event says."""
    told: Any = TheirLog()
    result = passing_on(told)
    result.start_run()
    result.handle(FULL)
    result.stop_run()
    assert told._events == [("startTestRun",), ("status", *ARGUMENTS.values()), ("stopTestRun",)]
    assert type(told._events[1][2]) is str


@pytest.mark.parametrize("passing_on", PASSING_ON, ids=NAMES)
def test_testtools_own_classes_may_stand_before_and_behind(
    passing_on: Callable[[Any], Any],
) -> None:
    """testtools -> ours -> testtools -> ours: an event comes out as it came in."""
    told: Any = doubles.StreamResult()
    theirs = testtools.StreamTagger([told], add=["theirs"])
    chain = testtools.CopyStreamResult([passing_on(theirs)])
    chain.startTestRun()
    chain.status(**ARGUMENTS)
    chain.stopTestRun()
    expected = {**ARGUMENTS, "test_tags": {"slow", "theirs"}}
    assert told.events == [("startTestRun",), ("status", *expected.values()), ("stopTestRun",)]


def test_ours_behind_a_sink() -> None:
    """A sink of `whotests.stream` starts, tells and stops what has testtools' names."""
    told, summary = doubles.StreamResult(), StreamSummary()
    both = FanOut(told, summary)
    both.start_run()
    both.handle(FULL)
    both.stop_run()
    assert told.events == [("startTestRun",), ("status", *ARGUMENTS.values()), ("stopTestRun",)]
    assert [case.id() for case, _ in summary.errors] == ["a.test"]


def test_a_subclass_that_overrides_status_hears_every_event() -> None:
    """A user's `status` is called once however the event comes, and may pass it on."""
    heard: list[Any] = []

    class Loud(CopyStreamResult):
        def status(self, *args: Any, **options: Any) -> None:
            heard.append((args, options))
            super().status(*args, **options)

    log = EventLog()
    loud = Loud([log])
    loud.start_run()
    loud.handle(FULL)
    loud.status("b")
    loud.stop_run()
    assert heard == [((), ARGUMENTS), (("b",), {})]
    assert log.events == [FULL, Event("b")]


def test_a_status_that_does_not_exist_is_an_error() -> None:
    """A typing error does not travel on as a status that nobody knows."""
    with pytest.raises(ValueError, match=r"there is no status 'passed': use one of .*success"):
        CopyStreamResult([]).status("a", "passed")


def test_the_callers_set_of_tags_stays_as_it_is() -> None:
    """A tagger adds tags to the event, not to the set that it was given."""
    tags = {"mine", "gone"}
    log = EventLog()
    StreamTagger([log], add=["new"], discard=["gone"]).status("a", test_tags=tags)
    assert tags == {"mine", "gone"}
    assert log.events == [Event("a", tags=frozenset({"mine", "new"}))]


def test_each_target_has_tags_of_its_own() -> None:
    """What one target does to the set of tags that it is given, another one does not see."""

    class Greedy:
        def startTestRun(self) -> None: ...

        def stopTestRun(self) -> None: ...

        def status(self, test_tags: Any = None, **_: Any) -> None:
            test_tags.add("mine")

    told = doubles.StreamResult()
    CopyStreamResult([Greedy(), told]).status("a", test_tags={"x"})
    assert told.events[0][3] == {"x"}


def test_a_summary_after_an_unexpected_success() -> None:
    """A run in which a test passed that should have failed was not successful."""
    summary = StreamSummary()
    summary.startTestRun()
    summary.status("a", "uxsuccess")
    summary.stopTestRun()
    assert not summary.wasSuccessful()
    assert [case.id() for case in summary.unexpectedSuccesses] == ["a"]


def test_a_summary_of_every_status() -> None:
    """Each test is in one list, with its text; one that only exists did not run."""
    summary = StreamSummary()
    summary.startTestRun()
    for status in ("success", "fail", "skip", "xfail", "uxsuccess", "exists"):
        summary.status(status, file_name="reason", file_bytes=b"why", mime_type="text/plain")
        summary.status(status, status)
    summary.status("skipped without a word", "skip")
    summary.status("hangs", "inprogress")
    summary.status("ends", "inprogress", route_code="other")
    summary.status("ends", "success", route_code="other")
    summary.stopTestRun()
    assert summary.testsRun == 8
    shown = [(case.id(), text) for case, text in summary.errors]
    assert shown == [("fail", "reason: {{{why}}}\n"), ("hangs", "Test did not complete")]
    assert [reason for _, reason in summary.skipped] == ["why", "Unknown"]
    assert [text for _, text in summary.expectedFailures] == ["reason: {{{why}}}\n"]
    assert [case.id() for case in summary.unexpectedSuccesses] == ["uxsuccess"]
    assert summary.failures == []


def collected(*calls: dict[str, Any]) -> list[ToldTest]:
    tests: list[ToldTest] = []
    result = StreamToDict(tests.append)
    result.startTestRun()
    for call in calls:
        result.status(**call)
    result.stopTestRun()
    return tests


def test_an_empty_attachment_is_there() -> None:
    """A file that is known to be empty is a detail, as it was attached."""
    (test,) = collected(
        {"test_id": "a", "file_name": "log", "file_bytes": b"", "eof": True},
        {"test_id": "a", "test_status": "success"},
    )
    assert b"".join(test["details"]["log"].iter_bytes()) == b""


def test_bytes_after_the_end_of_an_attachment_are_not_there() -> None:
    """What comes after `eof` does not change what was whole."""
    (test,) = collected(
        {"test_id": "a", "file_name": "log", "file_bytes": b"one", "eof": True},
        {"test_id": "a", "file_name": "log", "file_bytes": b"two"},
        {"test_id": "a", "test_status": "success"},
    )
    assert b"".join(test["details"]["log"].iter_bytes()) == b"one"


def test_a_dict_becomes_a_test_and_a_dict_again() -> None:
    """A test that was made of a dict reports the same, through a result, as a stream."""
    (test,) = collected(
        {"test_id": "a", "test_status": "inprogress", "timestamp": NOON},
        {"test_id": "a", "file_name": "log", "file_bytes": b"x", "mime_type": "text/plain"},
        {"test_id": "a", "test_status": "skip", "test_tags": {"t"}, "timestamp": NOON},
    )
    again: list[ToldTest] = []
    result = ExtendedToStreamDecorator(StreamToDict(again.append))
    result.startTestRun()
    stream_summaries.test_dict_to_case(test).run(result)
    result.stopTestRun()
    assert again == [test]


def test_a_rule_that_is_added_while_it_runs() -> None:
    """A target that comes late is started at once and stopped with the run, each once."""
    router, late = StreamResultRouter(EventLog()), EventLog()
    router.startTestRun()
    router.add_rule(late, "test_id", test_id="a", do_start_stop_run=True)
    router.add_rule(late, "route_code_prefix", route_prefix="0", do_start_stop_run=True)
    assert (late.started, late.stopped) == (1, 0)
    router.status("a")
    router.status("b", route_code="0/1")
    router.stopTestRun()
    assert (late.started, late.stopped) == (1, 1)
    assert late.events == [Event("a"), Event("b", route_code="0/1")]


def test_a_rule_without_start_and_stop() -> None:
    """A target whose owner starts and stops it is not started in the middle of a run either."""
    router, own = StreamResultRouter(), EventLog()
    router.startTestRun()
    router.add_rule(own, "test_id", test_id=None)
    router.status(file_name="stdout", file_bytes=b"said")
    router.stopTestRun()
    assert (own.started, own.stopped) == (0, 0)
    assert own.events == [Event(attachment=Chunk("stdout", b"said"))]


def test_a_rule_in_the_place_of_another() -> None:
    """The newer rule for the same test or route counts."""
    first, second, fallback = EventLog(), EventLog(), EventLog()
    router = StreamResultRouter(fallback)
    for target, consume in ((first, False), (second, True)):
        router.add_rule(target, "route_code_prefix", route_prefix="0", consume_route=consume)
        router.add_rule(target, "test_id", test_id="a")
    router.status("a")
    router.status("b", route_code="0/1")
    assert (first.events, fallback.events) == ([], [])
    assert second.events == [Event("a"), Event("b", route_code="1")]


def test_fail_fast_at_each_kind_of_failure() -> None:
    """A failure, an unexpected success and an unknown end call back, the others do not."""
    calls: list[str] = []
    for status in Status:
        StreamFailFast(lambda status=status: calls.append(status)).status("a", status)  # type: ignore[misc]
    assert set(calls) == {"fail", "uxsuccess", "unknown"}


def test_a_queue_of_dicts() -> None:
    """Each call is a dict with its name; the route code has the queue's in front."""
    items: queue.Queue[dict[str, Any]] = queue.Queue()
    result = StreamToQueue(items, "7")
    result.startTestRun()
    result.status(**ARGUMENTS)
    result.stopTestRun()
    assert items.get() == {"event": "startTestRun", "result": result}
    assert items.get() == {"event": "status", **ARGUMENTS, "route_code": "7/0/1"}
    assert items.get() == {"event": "stopTestRun", "result": result}


def test_times_are_given_where_there_are_none() -> None:
    """An event without a time gets one with a time zone; another one keeps its own."""
    log = EventLog()
    result = TimestampingStreamResult(log)
    result.status("a")
    result.status("a", timestamp=NOON)
    assert log.events[0].timestamp is not None
    assert log.events[0].timestamp.tzinfo is not None
    assert log.events[1].timestamp == NOON


class Parts(unittest.TestCase):
    __test__ = False

    def runTest(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                assert number != 1


def test_a_failing_part_fails_its_test_in_the_stream() -> None:
    """unittest tells no outcome of a test whose part failed: the stream has one all the same."""
    log = EventLog()
    result = ExtendedToStreamDecorator(log)
    result.startTestRun()
    case = Parts()
    case.run(result)  # type: ignore[arg-type]
    result.stopTestRun()
    ends = [event.status for event in log.events if event.status]
    assert ends == [Status.INPROGRESS, Status.FAIL]
    names = [event.attachment.name for event in log.events if event.attachment]
    assert names == ["traceback (number=1)"]
    assert {event.test_id for event in log.events} == {case.id()}
    assert not result.wasSuccessful()
    assert [failed.id() for failed, _ in result.errors] == [case.id()]


def test_the_worst_that_was_reported_counts_once() -> None:
    """A failure that is followed by a skip, as from a clean-up, is one failure."""
    log = EventLog()
    result = ExtendedToStreamDecorator(log)
    case = PlaceHolder("a")
    result.startTest(case)
    result.addFailure(case, details={})
    result.addSkip(case, "too late")
    result.stopTest(case)
    result.stopTestRun()
    assert [event.status for event in log.events if event.status] == [
        Status.INPROGRESS,
        Status.FAIL,
    ]
    assert result.testsRun == 1


def test_a_run_that_should_fail_fast() -> None:
    """With `failfast` a result that makes a stream stops at the first failure, not before."""
    result = ExtendedToStreamDecorator(EventLog())
    result.failfast = True
    result.startTestRun()
    result.status("a", "success")
    assert not result.shouldStop
    result.status("b", "fail")
    assert result.shouldStop
    assert result.should_stop
    result.failfast = False
    result.startTestRun()
    result.status("b", "fail")
    assert not result.shouldStop


def test_an_outcome_in_the_stream_needs_an_exception_or_details() -> None:
    """A failure of which nothing is said, or too much, is an error of the caller's."""
    result, case = ExtendedToStreamDecorator(EventLog()), PlaceHolder("a")
    with pytest.raises(ValueError, match="give either"):
        result.addFailure(case)
    try:
        raise AssertionError("wrong")
    except AssertionError:
        with pytest.raises(ValueError, match="give either"):
            result.addError(case, sys.exc_info(), details={})


def test_resources_are_told_of_as_what_cannot_be_run() -> None:
    """testresources tells of making and cleaning: by the resource's id, or its class."""

    class Database:
        def id(self) -> str:
            return "db"

    log = EventLog()
    result = ResourcedToStreamDecorator(log)
    result.startTestRun()
    result.startMakeResource(Database())
    result.stopMakeResource(Database())
    result.startCleanResource(object())
    result.stopCleanResource(object())
    told = [(event.test_id, event.status, event.runnable) for event in log.events]
    assert told == [
        ("db.make", Status.INPROGRESS, False),
        ("db.make", Status.SUCCESS, False),
        ("builtins.object.clean", Status.INPROGRESS, False),
        ("builtins.object.clean", Status.SUCCESS, False),
    ]


def test_a_stream_into_a_result() -> None:
    """Every test is told once when it is complete, with its tags and times; an incomplete one
    is a failure."""
    target = doubles.ExtendedTestResult()
    result = StreamToExtendedDecorator(target)
    result.startTestRun()
    calls: Iterable[tuple[str, str]] = (
        ("a", "inprogress"),
        ("b", "inprogress"),
        ("b", "uxsuccess"),
        ("c", "exists"),
        ("a", "skip"),
        ("d", "inprogress"),
    )
    for test_id, status in calls:
        result.status(test_id, status, test_tags={"t"}, timestamp=NOON)
    result.stopTestRun()
    told = [(event[0], event[1].id()) for event in target.events if event[0].startswith("add")]
    assert told == [("addUnexpectedSuccess", "b"), ("addSkip", "a"), ("addFailure", "d")]
    assert ("time", NOON) in target.events
    assert not result.wasSuccessful()
    assert result.testsRun == 3
    result.stop()
    assert result.shouldStop


def test_a_stream_into_unittests_result() -> None:
    """A result without details is told the attachments as text."""
    target = unittest.TestResult()
    result = StreamToExtendedDecorator(target)
    result.startTestRun()
    result.status("a", file_name="log", file_bytes=b"\xff", mime_type="text/plain;charset=utf8")
    result.status("a", "fail")
    result.stopTestRun()
    assert [text.rpartition("Error: ")[2] for _, text in target.failures] == [
        "log: {{{\\xff}}}\n\n"
    ]


def test_what_belongs_to_no_test_is_handed_on() -> None:
    """The output of a run itself, such as of a failed import, need not be lost."""
    others: list[Event] = []
    for result in (
        StreamToDict(lambda _: None, on_other=others.append),
        StreamToExtendedDecorator(TestResult(), on_other=others.append),
    ):
        result.startTestRun()
        result.status(file_name="import errors", file_bytes=b"no module")
        result.stopTestRun()
    assert others == [Event(attachment=Chunk("import errors", b"no module"))] * 2


def test_a_plain_result_is_enough_for_a_subclass() -> None:
    """StreamResult does nothing by itself, whatever is called."""
    result = StreamResult()
    result.start_run()
    result.handle(FULL)
    result.status(**ARGUMENTS)
    result.stop_run()
    assert TestResult().wasSuccessful()
