"""Events as lines of JSON come back as they were."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_events import EVENTS, START, send
from whotests.errors import DataError
from whotests.stream import Chunk, Event, JsonLines, Status, read_json_lines


def written(*events: Event) -> str:
    stream = io.StringIO()
    send(JsonLines(stream), events)
    return stream.getvalue()


def in_words(event: Event) -> tuple[object, ...]:
    """The event with its time as text: in two zones, a time that comes twice equals none."""
    return (*event[:-1], event.timestamp and event.timestamp.isoformat())


@given(events=st.lists(EVENTS, max_size=10))
def test_there_and_back(events: list[Event]) -> None:
    """Whatever events hold, reading what was written gives the same ones, in the same order."""
    lines = written(*events).splitlines(keepends=True)
    assert all(line.isascii() for line in lines)
    returned = list(read_json_lines(lines))
    assert [in_words(event) for event in returned] == [in_words(event) for event in events]
    assert all(type(event.tags) in (frozenset, type(None)) for event in returned)
    assert all(type(event.status) in (Status, type(None)) for event in returned)


def test_what_is_written() -> None:
    """The lines are as documented: only what an event says, text where it is text."""
    log = Chunk("log", "ä".encode(), "text/plain", eof=True)
    header, first, second = written(
        Event("a", Status.FAIL, frozenset("yx"), False, log, "0", START),
        Event(attachment=Chunk("core", b"\xff")),
    ).splitlines()
    assert json.loads(header) == {"format": "whotests-events", "version": 1}
    assert json.loads(first) == {
        "test_id": "a",
        "status": "fail",
        "tags": ["x", "y"],
        "runnable": False,
        "attachment": {"name": "log", "text": "ä", "mime_type": "text/plain", "eof": True},
        "route_code": "0",
        "timestamp": "2026-03-29T00:59:00+00:00",
    }
    assert json.loads(second) == {"attachment": {"name": "core", "base64": "/w=="}}


def test_ids_with_lone_surrogates_come_back() -> None:
    """File names that are not UTF-8 are in ids as lone surrogates, and stay so."""
    event = Event("test_\udcff")
    assert list(read_json_lines(io.StringIO(written(event)))) == [event]


def test_runs_may_follow_each_other() -> None:
    """A file to which several runs were appended gives the events of all of them."""
    event = Event("a", Status.SUCCESS)
    text = written(event) + "\n" + written(event)
    assert list(read_json_lines(io.StringIO(text))) == [event, event]


def test_keys_of_newer_writers_are_left_out() -> None:
    """What this version does not know does not keep it from reading the rest."""
    assert list(read_json_lines(['{"test_id": "a", "colour": "red"}'])) == [Event("a")]


def test_a_test_that_ended_is_on_its_way() -> None:
    """A killed run has written all of the tests that ended: the stream is flushed then."""
    raw = io.BytesIO()
    sink = JsonLines(io.TextIOWrapper(io.BufferedWriter(Flushed(raw)), encoding="ascii"))
    sink.start_run()
    sink.handle(Event("a", Status.INPROGRESS))
    assert raw.getvalue() == b""
    sink.handle(Event("a", Status.SUCCESS))
    assert raw.getvalue().count(b"\n") == 3


class Flushed(io.RawIOBase):
    """Passes on what reaches it."""

    def __init__(self, raw: io.BytesIO) -> None:
        self._raw = raw

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        return self._raw.write(bytes(data))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "line",
    [
        '{"test_id": "a"',
        "not json",
        "[]",
        '"a"',
        '{"status": "fine"}',
        '{"timestamp": "yesterday"}',
        '{"timestamp": 5}',
        '{"tags": 5}',
        '{"attachment": {"name": "log"}}',
        '{"attachment": {"text": "log"}}',
        '{"attachment": {"name": "log", "base64": "!"}}',
        '{"attachment": {"name": "log", "text": 5}}',
        '{"attachment": {"name": 5, "text": "log"}}',
        '{"attachment": "log"}',
        '{"test_id": 5}',
        '{"tags": "slow"}',
        '{"runnable": "no"}',
        "[" * 100_000,
        '{"format": "whotests-events", "version": 2}',
        '{"format": "other", "version": 1}',
    ],
)
def test_what_is_no_event_is_an_error_with_its_line(line: str) -> None:
    """A line that is damaged or of another format is refused, after the good ones before it."""
    events = read_json_lines([written(Event("a")).splitlines()[0], '{"test_id": "a"}', line])
    assert next(events) == Event("a")
    with pytest.raises(DataError, match="line 3 is no event: "):
        next(events)


@given(text=st.text(max_size=60))
def test_damage_is_never_another_error(text: str) -> None:
    """Whatever a file holds, it gives events or a DataError."""
    try:
        events = list(read_json_lines(text.splitlines()))
    except DataError:
        return
    assert all(isinstance(event, Event) for event in events)
