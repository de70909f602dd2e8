"""python-subunit's library and its tools read what ours writes, and write what ours reads."""

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import subunit  # type: ignore[import-untyped]
from hypothesis import given, settings

from subunit_peer import read_by_theirs, written_by_theirs
from subunit_streams import EVENTS, read_all, stream_of
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.event import Chunk, Event, Status
from whotests.stream.subunit import read_subunit
from whotests.testing import StreamResult

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TEXT = "text/plain; charset=utf8"


@settings(deadline=None)
@given(EVENTS)
def test_python_subunit_reads_what_ours_writes(event: Event) -> None:
    """The same event, whatever it says."""
    assert read_by_theirs(stream_of([event])) == [event]


@settings(deadline=None)
@given(EVENTS)
def test_ours_reads_what_python_subunit_writes(event: Event) -> None:
    """The same event; python-subunit does not tell empty tags from none."""
    assert read_all(written_by_theirs([event])) == [event._replace(tags=event.tags or None)]


class Calls(StreamResult):
    """What is heard by a class that people have written for python-subunit and testtools."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[dict[str, Any]] = []

    def status(self, *arguments: Any, **given: Any) -> None:
        assert not arguments
        content = given["file_bytes"]
        self.calls.append({**given, "file_bytes": None if content is None else bytes(content)})


@settings(deadline=None)
@given(EVENTS)
def test_a_stream_result_hears_the_same_from_both(event: Event) -> None:
    """With ours for python-subunit's reader, its `status` is called with the same arguments."""
    ours, theirs = Calls(), Calls()
    data = stream_of([event])
    read_subunit(io.BytesIO(data), ours)
    subunit.ByteStreamToStreamResult(io.BytesIO(data)).run(theirs)
    assert ours.calls == theirs.calls


def run(tool: str, *arguments: str, given: bytes) -> str:
    """What a tool of python-subunit prints, in a process of its own."""
    code = f"import sys; from subunit.filter_scripts.{tool} import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback (" not in done.stderr, done.stderr.decode()
    return done.stdout.decode(errors="surrogateescape")


def records(data: str) -> list[TestRecord]:
    """The tests of a stream that a tool printed."""
    found: list[TestRecord] = []
    collector = Collector(found.append)
    collector.start_run()
    for event in read_all(data.encode(errors="surrogateescape")):
        collector.handle(event)
    collector.stop_run()
    return found


def example() -> bytes:
    """A run of ours with a test of each outcome."""
    events = []
    for number, status in enumerate(
        (Status.SUCCESS, Status.FAIL, Status.SKIP, Status.XFAIL, Status.UXSUCCESS)
    ):
        test_id = f"module.Case.test_{status}"
        began = BEGIN + timedelta(seconds=number)
        events.append(Event(test_id, Status.INPROGRESS, timestamp=began))
        if status is Status.FAIL:
            text = "AssertionError: grün ist nicht rot\n".encode()
            events.append(Event(test_id, attachment=Chunk("traceback", text, TEXT, True)))
        if status is Status.SKIP:
            events.append(Event(test_id, attachment=Chunk("reason", b"no net", TEXT, True)))
        ended = began + timedelta(milliseconds=250)
        events.append(Event(test_id, status, frozenset({"slow"}), timestamp=ended))
    return stream_of(events)


def test_subunit_ls_lists_the_tests() -> None:
    """With how long they took."""
    assert run("subunit_ls", "--times", given=example()).splitlines() == [
        f"module.Case.test_{status} 0.250"
        for status in ("success", "fail", "skip", "xfail", "uxsuccess")
    ]


def test_subunit_stats_counts_the_tests() -> None:
    """By outcome, with the tags; what was expected to fail, or did not, counts as passed there."""
    lines = run("subunit_stats", given=example()).split("\n")
    counts = {name: rest.strip() for name, _, rest in (line.partition(":") for line in lines)}
    assert counts == {
        "Total tests": "5",
        "Passed tests": "3",
        "Failed tests": "1",
        "Skipped tests": "1",
        "Seen tags": "slow",
        "": "",
    }


def test_subunit2pyunit_shows_the_failure() -> None:
    """With its traceback, and the reason of a skip."""
    code = "from subunit.filter_scripts.subunit2pyunit import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], input=example(), capture_output=True, timeout=60, check=False
    )
    text = done.stderr.decode() + done.stdout.decode()
    assert "module.Case.test_fail ... FAIL" in text
    assert "AssertionError: grün ist nicht rot" in text
    assert "skipped 'no net'" in text
    assert "failures=1, skipped=1, expected failures=1, unexpected successes=1" in text


def test_subunit_2to1_and_back() -> None:
    """Through the text of version 1, the tests are the same to ours."""
    back = run("subunit_1to2", given=run("subunit_2to1", given=example()).encode())
    ours = records(example().decode(errors="surrogateescape"))
    for found, record in zip(records(back), ours, strict=True):
        assert (found.test_id, found.status) == (record.test_id, record.status)
        assert (found.started, found.stopped) == (record.started, record.stopped)
        assert {name: each.content for name, each in found.attachments.items()} == {
            name: each.content for name, each in record.attachments.items()
        }


def test_subunit_tags_and_filter() -> None:
    """What they write of a stream of ours is read by ours."""
    tagged = records(run("subunit_tags", "night", "-slow", given=example()))
    assert [record.tags for record in tagged] == [frozenset({"night"})] * 5
    kept = records(run("subunit_filter", "--no-skip", "--no-failure", given=example()))
    assert "module.Case.test_fail" not in [record.test_id for record in kept]


def test_subunit_output() -> None:
    """The tool for shell scripts writes what ours reads."""
    data = run("subunit_output", "--fail", "script.step", "--tag", "shell", given=b"")
    (record,) = records(data)
    assert (record.test_id, record.status, record.tags) == (
        "script.step",
        Status.FAIL,
        frozenset({"shell"}),
    )


def test_tap2subunit() -> None:
    """It ends a file that it never began; that makes no attachment."""
    tap = b"1..2\nok 1 first\nok 2 second\n"
    found = records(run("tap2subunit", given=tap))
    assert [(record.test_id, record.status) for record in found] == [
        ("test 1 first", Status.SUCCESS),
        ("test 2 second", Status.SUCCESS),
    ]
    assert [dict(record.attachments) for record in found] == [{}, {}]
