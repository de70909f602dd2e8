"""Events as packets of subunit: byte by byte, and what the format cannot hold."""

import io
import os
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings

from subunit_streams import EVENTS, read_all
from whotests.errors import MachineError, UsageError
from whotests.stream.event import Chunk, Event, Status
from whotests.stream.subunit import SubunitWriter
from whotests.stream.subunit.format import LONGEST_PACKET, decode_number, encode_number

MIB = 1 << 20


def written(*events: Event) -> bytes:
    """What the writer makes of them."""
    stream = io.BytesIO()
    writer = SubunitWriter(stream)
    writer.start_run()
    for event in events:
        writer.handle(event)
    writer.stop_run()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("event", "packet"),
    [
        (Event("foo", Status.EXISTS), "b3 2901 0c 03666f6f 08555f1b"),
        (Event("foo", Status.SUCCESS, runnable=False), "b3 2803 0c 03666f6f e3eaf5a4"),
        (Event(), "b3 2100 08 19d79a8d"),
        (
            Event(attachment=Chunk("barney", b"woo")),
            "b3 2140 13 06 6261726e6579 03 776f6f 4135e38c",
        ),
        (
            Event("bar", Status.SUCCESS, route_code="source"),
            "b3 2d03 13 03 626172 06 736f75726365 9c593919",
        ),
        (
            Event("bar", tags=frozenset({"foo", "bar"})),
            "b3 2980 15 03 626172 02 03 626172 03 666f6f f8f1916f",
        ),
        (
            Event("bar", Status.SUCCESS, timestamp=datetime(2001, 12, 12, 12, 59, 59, 45, UTC)),
            "b3 2b03 13 3c1754cf 80afc8 03 626172 49963e2d",
        ),
    ],
)
def test_packets_are_as_the_format_says(event: Event, packet: str) -> None:
    """Each byte is as the format's description, or the reference, has it."""
    assert written(event) == bytes.fromhex(packet)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (None, 0),
        (Status.EXISTS, 1),
        (Status.INPROGRESS, 2),
        (Status.SUCCESS, 3),
        (Status.UXSUCCESS, 4),
        (Status.SKIP, 5),
        (Status.FAIL, 6),
        (Status.XFAIL, 7),
    ],
)
def test_each_status_has_its_code(status: Status | None, code: int) -> None:
    """The lowest three bits of the flags are the status."""
    assert written(Event("a", status))[2] & 7 == code


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, "00"),
        (63, "3f"),
        (64, "4040"),
        (16_383, "7fff"),
        (16_384, "804000"),
        (4_194_303, "bfffff"),
        (4_194_304, "c0400000"),
        (1_073_741_823, "ffffffff"),
    ],
)
def test_numbers_take_as_few_octets_as_they_can(value: int, octets: str) -> None:
    """And they are read back."""
    assert encode_number(value) == bytes.fromhex(octets)
    assert decode_number(bytes.fromhex(octets), 0, 4) == (value, len(octets) // 2)


@pytest.mark.parametrize("value", [-1, 1 << 30])
def test_numbers_have_thirty_bits(value: int) -> None:
    """What is no such number is refused."""
    with pytest.raises(ValueError, match=str(value)):
        encode_number(value)


@pytest.mark.parametrize(
    ("content", "total", "octets"),
    [
        (0, 10, "0a"),
        (53, 63, "3f"),
        (54, 65, "4041"),
        (16_371, 16_383, "7fff"),
        (16_372, 16_385, "804001"),
        (LONGEST_PACKET - 14, LONGEST_PACKET, "bfffff"),
    ],
)
def test_a_length_counts_itself(content: int, total: int, octets: str) -> None:
    """Where one more octet needs a longer number, the number's own octets are counted."""
    packet = written(Event(attachment=Chunk("", b"\xff" * content)))
    assert len(packet) == total
    assert packet[3:].startswith(bytes.fromhex(octets))


@settings(deadline=None)
@given(EVENTS)
def test_what_is_written_is_read_back(event: Event) -> None:
    """Any event that the format can hold."""
    assert read_all(written(event)) == [event]


def test_empty_tags_are_not_absent_tags() -> None:
    """That a test has no tags any more is not lost."""
    events = [Event("a", tags=frozenset()), Event("a", tags=None)]
    assert read_all(written(*events)) == events


def test_unknown_is_written_as_no_status() -> None:
    """The format has no such word; what has no end is unknown to each reader."""
    assert read_all(written(Event("a", Status.UNKNOWN))) == [Event("a")]


@pytest.mark.parametrize("size", [LONGEST_PACKET - 10, 4 * MIB, 9 * MIB + 1])
@pytest.mark.parametrize("mime_type", [None, "text/plain"])
@pytest.mark.parametrize("name", ["", "log"])
def test_a_large_attachment_becomes_several_packets(
    size: int, mime_type: str | None, name: str
) -> None:
    """Their content is the whole, the last one has the status, tags and end."""
    content = os.urandom(1000) * (size // 1000 + 1)
    chunk = Chunk(name, content[:size], mime_type, eof=True)
    event = Event("a", Status.FAIL, frozenset({"slow"}), True, chunk, "0", datetime.now(UTC))
    *begun, last = read_all(written(event))
    assert len(begun) == (size + 100) // LONGEST_PACKET
    pieces = [each.attachment for each in (*begun, last) if each.attachment]
    assert b"".join(piece.content for piece in pieces) == chunk.content
    assert last == event._replace(attachment=pieces[-1])
    assert last.attachment is not None
    assert last.attachment.eof
    for each in begun:
        piece = each.attachment
        assert piece is not None
        assert each == event._replace(status=None, tags=None, attachment=piece)
        assert piece == Chunk(name, piece.content, mime_type, eof=False)


def test_an_id_longer_than_a_packet_is_refused() -> None:
    """The error names the test and the reason; nothing is written."""
    stream = io.BytesIO()
    with pytest.raises(UsageError, match=r"the test 'abc+.*4194303 bytes.*shorten"):
        SubunitWriter(stream).handle(Event("ab" + "c" * 5 * MIB, attachment=Chunk("x", b"y")))
    assert stream.getvalue() == b""


def test_an_id_that_leaves_hardly_any_room_is_refused_with_an_attachment() -> None:
    """Alone it fits; with an attachment it would take a packet of megabytes for some bytes."""
    longest = Event("c" * (LONGEST_PACKET - 13))
    assert read_all(written(longest)) == [longest]
    for length in (LONGEST_PACKET - 13, LONGEST_PACKET - 1000):
        stream = io.BytesIO()
        event = Event("c" * length, attachment=Chunk("log", b"content" * 1000))
        with pytest.raises(UsageError, match="shorten"):
            SubunitWriter(stream).handle(event)
        assert stream.getvalue() == b""


def test_nul_becomes_its_symbol() -> None:
    """In every string: the format has no NUL, and what has one could not be read."""
    event = Event("a\0b", tags=frozenset({"\0"}), attachment=Chunk("\0", b"\0"), route_code="\0")
    (found,) = read_all(written(event))
    symbol = "\u2400"
    assert found == Event(
        "a\u2400b",
        tags=frozenset({symbol}),
        attachment=Chunk(symbol, b"\0"),
        route_code=symbol,
    )


def test_half_of_a_surrogate_pair_becomes_its_escape() -> None:
    """As it is in the name of a file that is no UTF-8."""
    (found,) = read_all(written(Event("test[\udcff]")))
    assert found.test_id == "test[\\udcff]"


@pytest.mark.parametrize(
    ("time", "found"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), True),
        (datetime(2106, 2, 7, 6, 28, 15, 999_999, UTC), True),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), False),
        (datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC), False),
        (datetime.min.replace(tzinfo=UTC), False),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-9))), False),
        (datetime.min, False),
        (datetime.max, False),
    ],
)
def test_a_time_that_the_format_cannot_hold_is_left_out(time: datetime, found: bool) -> None:
    """No time is better than a false one; the event is written all the same."""
    (event,) = read_all(written(Event("a", Status.SUCCESS, timestamp=time)))
    assert event == Event("a", Status.SUCCESS, timestamp=time if found else None)


def test_a_time_of_another_zone_is_the_same_time() -> None:
    """The format has UTC only."""
    time = datetime(2026, 7, 1, 12, 0, 0, 999_999, timezone(timedelta(hours=5, minutes=30)))
    (event,) = read_all(written(Event(timestamp=time)))
    assert event.timestamp == time


def test_a_time_without_a_zone_is_local() -> None:
    """As Python takes it everywhere else."""
    time = datetime(2026, 7, 1, 12, 0, 0, 1)
    (event,) = read_all(written(Event(timestamp=time)))
    assert event.timestamp == time.astimezone()


def test_each_event_is_flushed() -> None:
    """A reader at the other end of a pipe sees it before the next one is written."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as source, os.fdopen(writing, "wb") as target:
        SubunitWriter(target).handle(Event("a"))
        assert read_all(source.read(100)) == [Event("a")]


class Partial(io.RawIOBase):
    """An unbuffered stream that takes five bytes at a time, and so many in all."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.taken = b""

    def write(self, data: object, /) -> int | None:
        assert isinstance(data, bytes)
        size = min(5, self.limit - len(self.taken))
        self.taken += data[:size]
        return size or None


def test_a_stream_that_takes_a_part_gets_the_rest() -> None:
    """An unbuffered one may take less than it is given."""
    stream = Partial(1000)
    SubunitWriter(stream).handle(Event("a" * 30))
    assert read_all(stream.taken) == [Event("a" * 30)]


def test_a_stream_that_takes_nothing_is_an_error() -> None:
    """What cannot be written is not lost silently."""
    with pytest.raises(MachineError, match="28 bytes of a packet are left"):
        SubunitWriter(Partial(10)).handle(Event("a" * 29))


class Careless:
    """A stream whose `write` does not say how much it took."""

    def __init__(self) -> None:
        self.taken = b""

    def write(self, data: bytes, /) -> None:
        self.taken += data

    def flush(self) -> None:
        pass


def test_a_stream_that_does_not_count_is_believed() -> None:
    """Its `write` returns nothing: it has taken all."""
    stream = Careless()
    SubunitWriter(stream).handle(Event("a"))
    assert read_all(stream.taken) == [Event("a")]


def test_a_text_stream_is_refused() -> None:
    """Before anything is written, with what to give instead."""
    with pytest.raises(UsageError, match="its binary stream"):
        SubunitWriter(io.StringIO())  # type: ignore[arg-type]


def test_a_type_or_an_end_without_a_file() -> None:
    """What a packet tells of no file is an attachment without name and content, and back."""
    events = [
        Event(attachment=Chunk("", b"", "text/plain")),
        Event(attachment=Chunk("", b"", eof=True)),
        Event(attachment=Chunk("")),
    ]
    assert read_all(written(*events)) == events
    assert [written(event)[2] & 0x40 for event in events] == [0, 0, 0x40]


def test_memory_of_a_long_run() -> None:
    """Nothing of what was written is kept."""
    with open(os.devnull, "wb") as target:
        writer = SubunitWriter(target)
        for number in range(2000):
            writer.handle(Event(f"first {number}"))
        tracemalloc.start()
        try:
            for number in range(20_000):
                writer.handle(Event(f"second {number}", Status.SUCCESS))
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 100_000
