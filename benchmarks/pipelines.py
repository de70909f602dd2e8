"""`python -m benchmarks.pipelines NAME EVENTS`: so many events through one pipeline, measured.

Prints a JSON object: `cpu`, the seconds of processor time, and `memory`, the peak resident size
in bytes. Each pipeline imports what it needs and no more.
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from time import process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import testtools

    from whotests.stream import Sink

TAGS = frozenset({"network"})
TEXT = 'text/plain; charset="utf8"'
CONTENT = b"a line of the log of this test, as long as such lines are\n"
TESTS_OF_EVENTS = 10 / 22
"""Of ten tests, each begins and ends, and one attaches a log of two chunks."""


def main() -> None:
    name, count = sys.argv[1], int(sys.argv[2])
    began = process_time()
    PIPELINES[name](count)
    cpu = process_time() - began
    print(json.dumps({"cpu": cpu, "memory": peak_memory()}))


def peak_memory() -> int:
    """The peak resident size of this process, in bytes."""
    try:
        # Of this program alone; the usage would begin with the size of the process that forked.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_ids(count: int) -> Iterator[str]:
    """As many tests as make about so many events."""
    numbers = range(int(count * TESTS_OF_EVENTS))
    return (f"package.tests.test_module.TestThing.test_number_{number}" for number in numbers)


def drive(sink: "Sink", count: int) -> None:
    """Send the events through a sink of ours."""
    from whotests.stream import Chunk, Event, Status

    begun, ended = Status.INPROGRESS, Status.SUCCESS
    sink.start_run()
    handle = sink.handle
    for number, test_id in enumerate(test_ids(count)):
        handle(Event(test_id, begun, TAGS))
        if number % 10 == 0:
            handle(Event(test_id, None, TAGS, True, Chunk("log", CONTENT, TEXT)))
            handle(Event(test_id, None, TAGS, True, Chunk("log", CONTENT, TEXT, True)))
        handle(Event(test_id, ended, TAGS))
    sink.stop_run()


def drive_testtools(result: "testtools.StreamResult", count: int) -> None:
    """Send the same events through a stream result of testtools."""
    result.startTestRun()
    status = result.status
    for number, test_id in enumerate(test_ids(count)):
        status(test_id, "inprogress", set(TAGS))
        if number % 10 == 0:
            status(test_id, None, set(TAGS), True, "log", CONTENT, False, TEXT)
            status(test_id, None, set(TAGS), True, "log", CONTENT, True, TEXT)
        status(test_id, "success", set(TAGS))
    result.stopTestRun()


def summary(count: int) -> None:
    from whotests.stream import Summary, Tagger, Timestamper

    counted = Summary()
    drive(Timestamper(Tagger(counted, add={"fast"}, discard={"slow"})), count)
    assert counted.tests_run == int(count * TESTS_OF_EVENTS)


def testtools_summary(count: int) -> None:
    from testtools import StreamSummary, StreamTagger, TimestampingStreamResult

    counted = StreamSummary()
    tagger = StreamTagger([counted], add={"fast"}, discard={"slow"})
    drive_testtools(TimestampingStreamResult(tagger), count)
    assert counted.testsRun == int(count * TESTS_OF_EVENTS)


def collection_and_summary(count: int) -> None:
    from whotests.stream import Collector, FanOut, Summary, Tagger, Timestamper

    both = FanOut(Collector(lambda record: None), Summary())
    drive(Timestamper(Tagger(both, add={"fast"}, discard={"slow"})), count)


def testtools_collection_and_summary(count: int) -> None:
    from testtools import StreamSummary, StreamTagger, StreamToDict, TimestampingStreamResult

    both = [StreamToDict(lambda test: None), StreamSummary()]
    tagger = StreamTagger(both, add={"fast"}, discard={"slow"})
    drive_testtools(TimestampingStreamResult(tagger), count)


def queue(count: int) -> None:
    from whotests.stream import ToQueue

    drive(ToQueue(Discarding(), "0"), count)


def testtools_queue(count: int) -> None:
    from testtools import StreamToQueue

    drive_testtools(StreamToQueue(Discarding(), "0"), count)


class Discarding(Queue[Any]):
    """Keeps nothing: what the queue itself costs is nobody's merit."""

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        pass


def from_result(count: int) -> None:
    from whotests.stream import EventLog, ResultToStream

    class Dropping(EventLog):
        def handle(self, event: object, /) -> None:
            pass

    tell_result(ResultToStream(Dropping()), count)


def testtools_from_result(count: int) -> None:
    from testtools import ExtendedToStreamDecorator, StreamResult

    tell_result(ExtendedToStreamDecorator(StreamResult()), count)


def tell_result(result: Any, count: int) -> None:
    """Tell a result of tests as unittest does, with tags and details of the extended protocol."""
    import unittest

    from testtools.content import Content
    from testtools.content_type import UTF8_TEXT

    class Test(unittest.TestCase):
        def runTest(self) -> None:  # noqa: N802
            pass

    test = Test()
    result.startTestRun()
    for number in range(int(count * TESTS_OF_EVENTS)):
        result.startTest(test)
        result.tags(TAGS, set())
        if number % 10 == 0:
            result.addSuccess(test, details={"log": Content(UTF8_TEXT, lambda: [CONTENT, CONTENT])})
        else:
            result.addSuccess(test)
        result.stopTest(test)
    result.stopTestRun()


def to_result(count: int) -> None:
    from testtools import TestResult

    from whotests.stream import StreamToResult

    drive(StreamToResult(TestResult()), count)


def testtools_to_result(count: int) -> None:
    from testtools import StreamToExtendedDecorator, TestResult

    drive_testtools(StreamToExtendedDecorator(TestResult()), count)


def text(count: int) -> None:
    from whotests.stream import TextSink

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        drive(TextSink(nowhere), count)


def json_lines(count: int) -> None:
    from whotests.stream import JsonLines

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        drive(JsonLines(nowhere), count)


def junit(count: int) -> None:
    from whotests.stream import JUnitXml

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        drive(JUnitXml(nowhere), count)


PIPELINES: dict[str, Callable[[int], None]] = {
    function.__name__: function
    for function in (
        summary,
        testtools_summary,
        collection_and_summary,
        testtools_collection_and_summary,
        queue,
        testtools_queue,
        from_result,
        testtools_from_result,
        to_result,
        testtools_to_result,
        text,
        json_lines,
        junit,
    )
}


if __name__ == "__main__":
    main()
