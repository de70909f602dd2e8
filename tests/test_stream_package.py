"""What `whotests.stream` gives, and what it loads for that."""

import io
import pickle
import queue
import subprocess
import sys
import unittest
from collections.abc import Callable
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

import whotests.stream
from stream_events import EVENTS, send
from whotests.stream import (
    Chunk,
    Collector,
    Event,
    EventLog,
    FailFast,
    FanOut,
    JsonLines,
    JUnitXml,
    ResultToStream,
    Router,
    Sink,
    Status,
    StreamToResult,
    SubunitWriter,
    Summary,
    Tagger,
    TextSink,
    Timestamper,
    ToQueue,
)


def test_all_public_names_are_there() -> None:
    """Every name that is promised can be taken from the package, and is listed once."""
    names = whotests.stream.__all__
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(whotests.stream, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    """What is not there is told as Python does."""
    with pytest.raises(AttributeError, match="no attribute 'Sinc'"):
        whotests.stream.Sinc  # type: ignore[attr-defined]  # noqa: B018


def test_passing_events_on_loads_no_heavy_module() -> None:
    """A process that only passes events on does not pay for unittest, JSON or temporary files."""
    code = (
        "import sys, whotests.stream; "
        "print(*sorted({'unittest', 'json', 'tempfile', 'inspect', 'asyncio', 'xml'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == []


def sinks() -> list[Sink]:
    """One of each sink of the package, and nothing behind it that minds."""
    log = EventLog()
    return [
        Collector(lambda record: None),
        EventLog(),
        FailFast(lambda: None),
        FanOut(log, Summary()),
        JUnitXml(io.StringIO()),
        JsonLines(io.StringIO()),
        Router(log),
        StreamToResult(unittest.TestResult()),
        StreamToResult(ResultToStream(log)),
        SubunitWriter(io.BytesIO()),
        Summary(),
        Tagger(log, add=["a"], discard=["slow"]),
        TextSink(io.StringIO()),
        Timestamper(log),
        ToQueue(queue.SimpleQueue(), "0"),
    ]


@pytest.mark.parametrize("number", range(len(sinks())), ids=[type(s).__name__ for s in sinks()])
@given(events=st.lists(EVENTS, max_size=8))
def test_every_sink_takes_any_events(number: int, events: list[Event]) -> None:
    """No sink minds what events say or in which order they come, nor being used again."""
    sink = sinks()[number]
    before = pickle.dumps(events)
    send(sink, events)
    send(sink, events)
    assert pickle.dumps(events) == before


@pytest.mark.parametrize("number", range(len(sinks())), ids=[type(s).__name__ for s in sinks()])
def test_a_run_that_was_cut_short_is_not_in_the_next_one(number: int) -> None:
    """A run that nobody stopped is forgotten when the next one begins."""
    sink = sinks()[number]
    sink.start_run()
    sink.handle(Event("a", Status.INPROGRESS, frozenset("x"), attachment=Chunk("log", b"x")))
    sink.handle(Event(attachment=Chunk("stdout", b"half a li", "text/plain")))
    send(sink, [Event("b", Status.SUCCESS)])
    if isinstance(sink, Summary):
        assert sink.counts == {Status.SUCCESS: 1}


@pytest.mark.parametrize("make", [TextSink, JUnitXml])
def test_nothing_of_a_run_that_was_cut_short_is_written_in_the_next_one(
    make: Callable[[io.StringIO], Sink],
) -> None:
    """Neither a test nor a line of output that never ended stands in another run's report."""
    stream = io.StringIO()
    sink = make(stream)
    sink.start_run()
    sink.handle(Event("unfinished", Status.INPROGRESS))
    sink.handle(Event(attachment=Chunk("stdout", b"half a li", "text/plain")))
    send(sink, [Event("b", Status.SUCCESS)])
    assert "unfinished" not in stream.getvalue()
    assert "half" not in stream.getvalue()


def test_results_are_not_told_of_a_run_that_was_cut_short() -> None:
    """A result that is given a second run hears of that one alone."""
    result = unittest.TestResult()
    sink = StreamToResult(result)
    sink.start_run()
    sink.handle(Event("unfinished", Status.INPROGRESS))
    send(sink, [Event("b", Status.SUCCESS)])
    assert (result.testsRun, result.wasSuccessful()) == (1, True)


@pytest.mark.parametrize("make", [TextSink, JsonLines])
def test_what_ended_is_on_its_way(make: Callable[[TextIO], Sink]) -> None:
    """When a test has ended, and when the run has, nothing of it waits in a buffer of ours."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=False)
    sink = make(stream)
    sink.start_run()
    sink.handle(Event("first", Status.SUCCESS))
    assert b"first" in raw.getvalue()
    sink.handle(Event("second", Status.INPROGRESS))
    sink.handle(Event(attachment=Chunk("stdout", b"last words", "text/plain")))
    sink.stop_run()
    assert b"second" in raw.getvalue()
    assert b"last words" in raw.getvalue()
