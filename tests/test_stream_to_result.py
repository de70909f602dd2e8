"""The stream tells results of every kind, and comes back from them."""

import io
import unittest
from random import Random
from typing import Any

import pytest
from hypothesis import given
from testtools.testresult.doubles import ExtendedTestResult, Python3TestResult, TwistedTestResult

from stream_events import RANDOMS, RUNS, START, Told, interleaved, send
from whotests.stream import (
    Attachment,
    Chunk,
    Collector,
    Event,
    EventLog,
    ResultToStream,
    RunControl,
    Status,
    StreamToResult,
    Summary,
    TestRecord,
)

PLAIN = 'text/plain; charset="utf8"'


def a_test(name: str, status: Status | None, **attachments: bytes) -> list[Event]:
    return [
        Event(name, Status.INPROGRESS, frozenset({"slow"}), timestamp=START),
        *(
            Event(name, attachment=Chunk(key, content, PLAIN, eof=True))
            for key, content in attachments.items()
        ),
        *([Event(name, status, timestamp=START)] if status else []),
    ]


ONE_OF_EACH = [
    *a_test("passes", Status.SUCCESS),
    *a_test("fails", Status.FAIL, log=b"a log", traceback=b"Traceback:\n  Error: x\n"),
    *a_test("skips", Status.SKIP, reason=b"no network"),
    *a_test("fails as expected", Status.XFAIL, traceback=b"Error: known"),
    *a_test("passes unexpectedly", Status.UXSUCCESS),
    Event("only exists", Status.EXISTS),
    *a_test("hangs", None),
    Event("setUpClass (a.B)", Status.FAIL, runnable=False),
]


def test_a_result_of_the_standard_library() -> None:
    """Each test is in the list where unittest would have put it, with its text."""
    result = unittest.TestResult()
    send(StreamToResult(result), ONE_OF_EACH)
    assert result.testsRun == 6
    assert [(str(test), text) for test, text in result.failures] == [
        (
            "fails",
            "ReportedFailure: log: a log\ntraceback:\n    Traceback:\n      Error: x\n",
        ),
        ("setUpClass (a.B)", "ReportedFailure\n"),
    ]
    assert [(str(test), text) for test, text in result.errors] == [
        ("hangs", "ReportedFailure: notes: it began and no end was seen\n")
    ]
    assert [(str(test), reason) for test, reason in result.skipped] == [("skips", "no network")]
    assert [str(test) for test, _ in result.expectedFailures] == ["fails as expected"]
    assert [str(test) for test in result.unexpectedSuccesses] == ["passes unexpectedly"]
    assert not result.wasSuccessful()


def test_the_text_result_prints_it() -> None:
    """unittest's own text result shows tests that ran elsewhere as if they ran here."""
    stream = io.StringIO()
    runner = unittest.TextTestRunner(stream, verbosity=2)
    result = runner._makeResult()
    send(StreamToResult(result), ONE_OF_EACH)
    result.printErrors()
    printed = stream.getvalue()
    assert "passes ... ok\n" in printed
    assert "skips ... skipped 'no network'\n" in printed
    assert "FAIL: fails\n" in printed
    assert "ERROR: hangs\n" in printed
    assert "      Error: x\n" in printed


def test_an_extended_result_is_told_all() -> None:
    """Where a result takes times, tags and details, it gets them, and in the order of a run."""
    result = ExtendedTestResult()
    send(StreamToResult(result), a_test("fails", Status.FAIL, log=b"a log"))
    events: list[Any] = [event for event in result._events if event[0] != "addDuration"]
    assert [event[0] for event in events] == [
        "startTestRun",
        "time",
        "startTest",
        "tags",
        "time",
        "addFailure",
        "stopTest",
        "stopTestRun",
    ]
    _, _, (_, test), tags, end_time, outcome, _, _ = events
    assert test.id() == "fails"
    assert tags == ("tags", {"slow"}, set())
    assert end_time == ("time", START)
    assert outcome == ("addFailure", test, {"log": Attachment(PLAIN, (b"a log",))})


@pytest.mark.parametrize(
    ("status", "method"),
    [
        (Status.SUCCESS, "addSuccess"),
        (Status.FAIL, "addFailure"),
        (Status.SKIP, "addSkip"),
        (Status.XFAIL, "addExpectedFailure"),
        (Status.UXSUCCESS, "addUnexpectedSuccess"),
        (Status.UNKNOWN, "addError"),
        (None, "addError"),
    ],
)
@pytest.mark.parametrize("double", [Python3TestResult, ExtendedTestResult, TwistedTestResult])
def test_each_outcome_has_its_method(
    double: type[Python3TestResult], status: Status | None, method: str
) -> None:
    """A status becomes one call of the method that means it, of whatever kind the result is."""
    result = double()
    send(StreamToResult(result), a_test("a", status))
    names = [event[0] for event in result._events]
    assert [name for name in names if name.startswith("add") and name != "addDuration"] == [method]
    assert names.count("startTest") == names.count("stopTest") == 1


def test_a_result_that_must_be_given_an_exception() -> None:
    """A result that takes details beside an exception that it needs is told the exception."""

    class Needing(unittest.TestResult):
        def addFailure(  # noqa: N802
            self, test: Any, err: Any, details: Any = None
        ) -> None:
            told.append((str(err[1]), details))

    told: list[Any] = []
    send(StreamToResult(Needing()), a_test("fails", Status.FAIL, log=b"a log"))
    assert told == [("log: a log", None)]


def test_what_is_said_of_the_end_takes_no_attachments_place() -> None:
    """A test that attached something by the same name keeps it."""
    result = ExtendedTestResult()
    send(StreamToResult(result), a_test("hangs", None, notes=b"its own"))
    ends: list[Any] = [event for event in result._events if event[0] == "addError"]
    ((_, _, details),) = ends
    assert {name: each.as_text() for name, each in details.items()} == {
        "notes": "its own",
        "notes-1": "it began and no end was seen",
    }


def test_a_duration_is_told_where_it_can_be() -> None:
    """A result that takes durations, as the newest unittest's, is told how long a test took."""

    class Timed(unittest.TestResult):
        def __init__(self) -> None:
            super().__init__()
            self.durations: list[tuple[str, float]] = []

        def addDuration(self, test: unittest.TestCase, elapsed: float) -> None:  # noqa: N802
            self.durations.append((test.id(), elapsed))

    result = Timed()
    send(StreamToResult(result), a_test("a", Status.SUCCESS))
    assert result.durations == [("a", 0.0)]


def test_a_result_that_wants_to_stop_stops_the_run() -> None:
    """unittest's failfast reaches whoever runs the tests, wherever that is."""
    control = RunControl()
    result = unittest.TestResult()
    result.failfast = True
    sink = StreamToResult(result, control=control)
    send(sink, a_test("a", Status.SUCCESS))
    assert not control.should_stop
    send(sink, a_test("b", Status.FAIL))
    assert control.should_stop


def test_what_belongs_to_no_test_is_handed_on() -> None:
    """A result has no place for the run's own output: whoever asks for it gets it."""
    other: list[Event] = []
    output = Event(attachment=Chunk("stdout", b"x"))
    send(StreamToResult(unittest.TestResult(), on_other=other.append), [output])
    assert other == [output]


def test_reported_tests_can_be_run_again() -> None:
    """A test that a result was given tells another result the same."""
    first, second = unittest.TestResult(), unittest.TestResult()
    send(StreamToResult(first), ONE_OF_EACH)
    for test, _ in first.failures:
        assert test.countTestCases() == (test.id() == "fails")
        assert test.shortDescription() is None
        test(second)
    assert [text for _, text in second.failures] == [text for _, text in first.failures]
    assert second.testsRun == 1


def records_of(events: list[Event]) -> list[TestRecord]:
    records: list[TestRecord] = []
    send(Collector(records.append), events)
    return records


@given(run=RUNS, random=RANDOMS)
def test_there_and_back(run: list[Told], random: Random) -> None:
    """From the stream to a result and back, each test has its status, tags, times and attachments.

    But for what a result cannot say: tests that only exist, route codes, and `unknown`, which is
    an error there and so a failure when it comes back.
    """
    events = interleaved([told.events(random) for told in run], random)
    log = EventLog()
    send(StreamToResult(ResultToStream(log)), events)
    assert (log.started, log.stopped) == (1, 1)
    expected = [record for record in records_of(events) if record.status is not Status.EXISTS]
    returned = records_of(log.events)
    assert len(returned) == len(expected)
    for came, went in zip(returned, expected, strict=True):
        assert came.test_id == went.test_id
        assert came.runnable == went.runnable
        assert came.begun == went.runnable
        assert came.tags == went.tags
        contents = {name: each.content for name, each in came.attachments.items()}
        if went.status is Status.UNKNOWN:
            assert came.status is Status.FAIL
            assert b"no end was seen" in contents.pop(list(contents)[-1])
        else:
            assert came.status is went.status
            assert came.stopped == went.stopped
        assert contents == {name: each.content for name, each in went.attachments.items()}
        for name, attachment in went.attachments.items():
            assert came.attachments[name].content_type == attachment.content_type


@given(run=RUNS, random=RANDOMS)
def test_success_is_the_same_on_both_sides(run: list[Told], random: Random) -> None:
    """A result of the standard library calls a run successful when a summary does."""
    events = interleaved([told.events(random) for told in run], random)
    summary, result = Summary(), unittest.TestResult()
    send(summary, events)
    send(StreamToResult(result), events)
    assert result.wasSuccessful() == summary.successful
