"""A run as text: readable while it runs, and at its end."""

import io
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from stream_events import EVENTS, START, send
from whotests.stream import Chunk, Event, Status, TextSink

PLAIN = 'text/plain; charset="utf8"'


def written(*events: Event) -> str:
    stream = io.StringIO()
    send(TextSink(stream), events)
    return stream.getvalue()


def test_a_run() -> None:
    """A line for each test, a failure's attachments below it, and at the end what came of it."""
    text = written(
        Event("a.test_good", Status.INPROGRESS, timestamp=START),
        Event("a.test_bad", Status.INPROGRESS, timestamp=START, route_code="0"),
        Event("a.test_good", Status.SUCCESS, timestamp=START + timedelta(milliseconds=12)),
        Event(
            "a.test_bad",
            attachment=Chunk("traceback", b"Traceback:\n", "text/x-traceback"),
            route_code="0",
        ),
        Event("a.test_bad", attachment=Chunk("traceback", b"  E: x\n", eof=True), route_code="0"),
        Event("a.test_bad", attachment=Chunk("core", b"\0\1", eof=True), route_code="0"),
        Event("a.test_bad", attachment=Chunk("log", b"", PLAIN, eof=True), route_code="0"),
        Event("a.test_bad", attachment=Chunk("log", b"late", PLAIN), route_code="0"),
        Event("a.test_bad", Status.FAIL, timestamp=START + timedelta(seconds=2), route_code="0"),
        Event("a.test_skipped", attachment=Chunk("reason", b"no\nnetwork", PLAIN, eof=True)),
        Event("a.test_skipped", Status.SKIP),
        Event("a.test_hangs", Status.INPROGRESS),
    )
    assert text == (
        "success    a.test_good  0.012 s\n"
        "fail       [0] a.test_bad  2.000 s\n"
        "    core (application/octet-stream): 2 bytes\n"
        "    log: empty\n"
        "    traceback:\n"
        "        Traceback:\n"
        "          E: x\n"
        "    4 bytes for the attachment 'log' came after its end and were left out\n"
        "skip       a.test_skipped: no\\nnetwork\n"
        "unknown    a.test_hangs\n"
        "\n"
        "fail       [0] a.test_bad\n"
        "unknown    a.test_hangs\n"
        "FAILED: 4 tests in 2.000 s (1 success, 1 fail, 1 skip, 1 unknown)\n"
    )


def test_a_good_run_ends_briefly() -> None:
    """Where nothing failed, one line tells so; what only exists is not counted as a test."""
    text = written(Event("a", Status.SUCCESS), Event("b", Status.EXISTS))
    assert text == ("success    a\nexists     b\n\npassed: 1 test (1 exists, 1 success)\n")


def test_an_empty_run() -> None:
    """A run without tests says so."""
    assert written() == "\npassed: 0 tests\n"


def test_the_runs_own_output_stands_between() -> None:
    """What belongs to no test is written in whole lines, with the name of where it came from."""
    text = written(
        Event(attachment=Chunk("stdout", b"first\nsec", "text/plain"), route_code="0"),
        Event("a", Status.SUCCESS),
        Event(attachment=Chunk("stdout", b"ond \xc3", "text/plain"), route_code="0"),
        Event(attachment=Chunk("stdout", b"\xa4\n", "text/plain"), route_code="0"),
        Event(attachment=Chunk("stderr", b"no newline", "text/plain")),
        Event(attachment=Chunk("core", b"123", "application/x-core")),
        Event(attachment=Chunk("core", b"45", eof=True)),
        Event(attachment=Chunk("printed", b"of no type\n")),
    )
    assert text.startswith(
        "[0] stdout: first\n"
        "success    a\n"
        "[0] stdout: second ä\n"
        "core (application/x-core): 5 bytes\n"
        "printed: of no type\n"
        "stderr: no newline\n"
        "\n"
    )


def test_what_the_encoding_lacks_is_escaped() -> None:
    """A stream in ASCII, or an id that no encoding has, does not end the run."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    send(TextSink(stream), [Event("tést_\udcff", Status.SUCCESS)])
    assert raw.getvalue().startswith(b"success    t\\xe9st_\\udcff\n")


def test_an_id_stays_on_its_line() -> None:
    """Newlines and escape sequences in ids and names cannot forge lines or steer a terminal."""
    forged = "a\nsuccess b\x1b[2J"
    text = written(
        Event(attachment=Chunk(forged, b"x\n", "text/plain"), route_code="0\n"),
        Event("test", attachment=Chunk(forged, b"x\n", "text/plain")),
        Event("test", Status.FAIL),
        Event(forged, Status.SUCCESS),
    )
    assert text.startswith(
        "[0\\n] a\\nsuccess b\\x1b[2J: x\n"
        "fail       test\n"
        "    a\\nsuccess b\\x1b[2J: x\n"
        "success    a\\nsuccess b\\x1b[2J\n"
    )


def test_output_without_an_end_of_line_does_not_pile_up() -> None:
    """Dots that a run prints for hours come in pieces, and none is lost."""
    dots = Event(attachment=Chunk("stdout", b"." * 1000, "text/plain"))
    stream = io.StringIO()
    sink = TextSink(stream)
    sink.start_run()
    for _ in range(100):
        sink.handle(dots)
    assert stream.getvalue().count(".") > 90_000
    sink.stop_run()
    assert stream.getvalue().count(".") == 100_000


@given(events=st.lists(EVENTS, max_size=20))
def test_any_events_can_be_written(events: list[Event]) -> None:
    """Whatever comes, there is text of it that UTF-8 can hold, and a last line with the counts."""
    text = written(*events)
    text.encode()
    assert text.splitlines()[-1].startswith(("passed: ", "FAILED: "))
