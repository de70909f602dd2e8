"""Events become whole tests, and tests become counts."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_events import EVENTS, RANDOMS, RUNS, START, Told, interleaved, send
from whotests.stream import (
    FAILED,
    FINAL,
    Attachment,
    Chunk,
    Collector,
    Event,
    MediaType,
    Status,
    Summary,
    TestRecord,
)


def collected(*events: Event) -> list[TestRecord]:
    """The records of a whole run."""
    records: list[TestRecord] = []
    send(Collector(records.append), events)
    return records


def check_record(record: TestRecord, told: Told, events: list[Event]) -> None:
    """The record says what the test was, however its events came."""
    own = [
        event
        for event in events
        if (event.test_id, event.route_code) == (told.test_id, told.route_code)
    ]
    assert record.status is (told.status or Status.UNKNOWN)
    assert record.failed == (record.status in FAILED)
    assert record.tags == told.tags
    assert record.runnable == told.runnable
    assert record.begun == told.begun
    assert record.started == own[0].timestamp
    assert record.stopped == (own[-1].timestamp if told.status else None)
    assert record.notes == ()
    assert {
        name: (attachment.mime_type, attachment.content, attachment.complete)
        for name, attachment in record.attachments.items()
    } == {name: (*attached, True) for name, attached in told.attachments.items()}


@given(run=RUNS, random=RANDOMS)
def test_each_test_becomes_one_record(run: list[Told], random: Random) -> None:
    """However tests interleave and attachments are cut, each test has one record with all of it."""
    events = interleaved([told.events(random) for told in run], random)
    records = collected(*events)
    assert len(records) == len(run)
    by_test = {(record.test_id, record.route_code): record for record in records}
    for told in run:
        check_record(by_test[told.test_id, told.route_code], told, events)


@given(run=RUNS, random=RANDOMS)
def test_records_come_when_their_tests_end(run: list[Told], random: Random) -> None:
    """A record comes with the final event, in their order; those without an end when it stops."""
    events = interleaved([told.events(random) for told in run], random)
    records: list[TestRecord] = []
    collector = Collector(records.append)
    collector.start_run()
    for event in events:
        before = len(records)
        collector.handle(event)
        assert len(records) - before == (event.status in FINAL)
    ended = len(records)
    collector.stop_run()
    assert len(records) == len(run)
    assert all(record.status is Status.UNKNOWN for record in records[ended:])
    assert all(record.stopped is None for record in records[ended:])


@given(events=st.lists(EVENTS, max_size=30))
def test_any_events_can_be_collected(events: list[Event]) -> None:
    """Whatever comes, in whatever order, each end, and each test without one, makes a record."""
    expected: Counter[tuple[str, str | None, Status]] = Counter()
    open_tests = set()
    for event in events:
        if event.test_id is not None:
            key = event.test_id, event.route_code
            open_tests.add(key)
            if event.status is not None and event.status in FINAL:
                open_tests.remove(key)
                expected[*key, event.status] += 1
    expected.update((*key, Status.UNKNOWN) for key in open_tests)
    records = collected(*events)
    assert expected == Counter((each.test_id, each.route_code, each.status) for each in records)


def test_an_empty_attachment_is_kept() -> None:
    """That a log was empty is worth knowing."""
    (record,) = collected(
        Event("a", attachment=Chunk("log", b"", "text/plain", eof=True)), Event("a", Status.FAIL)
    )
    assert record.attachments == {"log": Attachment("text/plain", (), complete=True)}


def test_bytes_after_the_end_are_left_out_with_a_note() -> None:
    """What comes for an attachment after its end is not appended; the record says how much."""
    (record,) = collected(
        Event("a", attachment=Chunk("log", b"good", eof=True)),
        Event("a", attachment=Chunk("log", b"late")),
        Event("a", attachment=Chunk("log", b"!", eof=True)),
        Event("a", Status.SUCCESS),
    )
    assert record.attachments["log"].content == b"good"
    assert record.notes == (
        "5 bytes for the attachment 'log' came after its end and were left out",
    )


def test_an_attachment_without_an_end_says_so() -> None:
    """A test that ends in the middle of an attachment keeps what came of it."""
    (record,) = collected(Event("a", attachment=Chunk("log", b"begin")), Event("a", Status.SUCCESS))
    assert record.attachments["log"] == Attachment(None, (b"begin",), complete=False)


def test_an_event_may_end_a_test_and_an_attachment_at_once() -> None:
    """The chunk that comes with the final status belongs to the test."""
    chunk = Chunk("log", b"x", "text/plain", eof=True)
    (record,) = collected(Event("a", Status.FAIL, attachment=chunk))
    assert record.attachments["log"].content == b"x"
    assert record.status is Status.FAIL


def test_the_first_mime_type_counts() -> None:
    """Later chunks do not change what an attachment is."""
    (record,) = collected(
        Event("a", attachment=Chunk("log", b"x")),
        Event("a", attachment=Chunk("log", b"y", "text/plain")),
        Event("a", attachment=Chunk("log", b"z", "image/png")),
        Event("a", Status.SUCCESS),
    )
    assert record.attachments["log"].mime_type == "text/plain"


def test_tags_are_those_of_the_last_event_that_has_any() -> None:
    """An event that says nothing of tags leaves them; an empty set takes them all."""
    first, second, third = collected(
        Event("a", Status.INPROGRESS, frozenset("x")),
        Event("a", Status.SUCCESS),
        Event("b", Status.INPROGRESS, frozenset("x")),
        Event("b", Status.SUCCESS, frozenset("y")),
        Event("c", Status.INPROGRESS, frozenset("x")),
        Event("c", Status.SUCCESS, frozenset()),
    )
    assert (first.tags, second.tags, third.tags) == (frozenset("x"), frozenset("y"), frozenset())


def test_processes_are_told_apart() -> None:
    """The same id by two routes is two tests, and a third without one."""
    records = collected(
        Event("a", Status.INPROGRESS, route_code="0"),
        Event("a", Status.INPROGRESS, route_code="1"),
        Event("a", Status.INPROGRESS),
        Event("a", Status.FAIL, route_code="1"),
        Event("a", Status.SUCCESS),
    )
    assert [(record.route_code, record.status) for record in records] == [
        ("1", Status.FAIL),
        (None, Status.SUCCESS),
        ("0", Status.UNKNOWN),
    ]


def test_a_test_that_begins_anew_is_a_record_of_its_own() -> None:
    """Nothing of its first round is left in the second one."""
    first, second = collected(
        Event("a", Status.INPROGRESS, frozenset("x"), attachment=Chunk("log", b"1")),
        Event("a", Status.FAIL),
        Event("a", Status.INPROGRESS),
        Event("a", Status.SUCCESS),
    )
    assert (first.status, first.tags) == (Status.FAIL, frozenset("x"))
    assert (second.status, second.tags, second.attachments) == (Status.SUCCESS, frozenset(), {})


def test_what_belongs_to_no_test_is_handed_on() -> None:
    """The run's own output goes to whoever asked for it, and makes no record."""
    other: list[Event] = []
    output = Event(attachment=Chunk("stdout", b"hello"), route_code="0")
    collector = Collector(lambda record: pytest.fail(str(record)), on_other=other.append)
    send(collector, [output])
    assert other == [output]


def test_a_new_run_begins_with_nothing() -> None:
    """What a run left that was never stopped is not in the next one."""
    records: list[TestRecord] = []
    collector = Collector(records.append)
    collector.start_run()
    collector.handle(Event("a", Status.INPROGRESS))
    send(collector, [Event("b", Status.SUCCESS)])
    assert [record.test_id for record in records] == ["b"]


def test_a_duration_needs_both_ends() -> None:
    """The time from the first event to the last, where both have one that can be compared."""
    later = START + timedelta(seconds=2)
    whole, cut_short, mixed, unstamped = collected(
        Event("a", Status.INPROGRESS, timestamp=START),
        Event("a", Status.SUCCESS, timestamp=later),
        Event("c", Status.INPROGRESS),
        Event("b", Status.INPROGRESS, timestamp=START),
        Event("b", Status.SUCCESS),
        Event("d", Status.INPROGRESS, timestamp=START),
        Event("d", Status.SUCCESS, timestamp=START.replace(tzinfo=None)),
    )
    assert whole.duration == timedelta(seconds=2)
    assert cut_short.duration is None
    assert mixed.duration is None
    assert unstamped.duration is None


# --- Attachment


@pytest.mark.parametrize(
    ("mime_type", "shown"),
    [
        ("text/plain", "text/plain"),
        ('Text/X; charset="utf8"; Language=py', 'text/x; charset="utf8"; language="py"'),
        ("text/plain; charset=utf8, language=python", 'text/plain; charset="utf8"'),
        ("text/plain;;charset;=x", "text/plain"),
        (None, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("text", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
    ],
)
def test_media_types_are_read_leniently(mime_type: str | None, shown: str) -> None:
    """A type as people write it becomes one in the usual form; nonsense is plain bytes."""
    parsed = MediaType.parse(mime_type)
    assert str(parsed) == repr(parsed) == shown
    assert MediaType.parse(shown) == parsed


@pytest.mark.parametrize(
    ("mime_type", "content", "text"),
    [
        ("text/plain; charset=latin-1", b"\xe4", "ä"),
        ("text/plain", "ä".encode(), "ä"),
        ("text/plain; charset=utf8", b"\xff!", "\ufffd!"),
        ("text/plain; charset=utf8", b"cut \xc3", "cut \ufffd"),
        ("text/plain; charset=hex", b"ab", "ab"),
        ("text/plain; charset=no-such-codec", b"ab", "ab"),
        ("text/plain; charset=a\0b", b"ab", "ab"),
        (None, b"ab", "ab"),
    ],
)
def test_text_can_always_be_read(mime_type: str | None, content: bytes, text: str) -> None:
    """By its charset if that is one, else as UTF-8, with what is wrong replaced."""
    assert Attachment(mime_type, (content,)).as_text() == text


def test_characters_may_be_cut_between_chunks() -> None:
    """Chunks are joined before they are read."""
    chunks = tuple(bytes([byte]) for byte in "äöü".encode())
    assert Attachment("text/plain", chunks).as_text() == "äöü"


# --- Summary


@given(run=RUNS, random=RANDOMS)
def test_counts_and_records_of_a_run(run: list[Told], random: Random) -> None:
    """Each test counts once, by its status, and whatever needs a look is kept."""
    summary = Summary()
    send(summary, interleaved([told.events(random) for told in run], random))
    statuses = [told.status or Status.UNKNOWN for told in run]
    assert summary.counts == Counter(statuses)
    assert summary.tests_run == sum(status is not Status.EXISTS for status in statuses)
    assert summary.successful == (not FAILED.intersection(statuses))
    kept = Counter({status: len(records) for status, records in summary.records.items()})
    assert kept == Counter(
        status for status in statuses if status not in (Status.SUCCESS, Status.EXISTS)
    )


@pytest.mark.parametrize("status", [None, *Status])
def test_what_makes_a_run_unsuccessful(status: Status | None) -> None:
    """A failure, an unexpected success, and a test of which no end was seen; nothing else."""
    summary = Summary()
    send(summary, [Event("good", Status.SUCCESS), Event("a", status)])
    good = (Status.SUCCESS, Status.SKIP, Status.XFAIL, Status.EXISTS)
    assert summary.successful == (status in good)


def test_a_run_begun_anew_counts_from_nothing() -> None:
    """A summary that is used for a second run tells of that one."""
    summary = Summary()
    send(summary, [Event("a", Status.FAIL)])
    send(summary, [Event("b", Status.SUCCESS)])
    assert summary.successful
    assert summary.counts == {Status.SUCCESS: 1}
    assert summary.records == {}


def test_records_that_nobody_wants_are_not_kept() -> None:
    """Who asks to keep nothing has the counts alone."""
    summary = Summary(keep=frozenset())
    send(summary, [Event("a", Status.FAIL), Event("b", Status.SKIP)])
    assert summary.records == {}
    assert summary.counts == {Status.FAIL: 1, Status.SKIP: 1}
