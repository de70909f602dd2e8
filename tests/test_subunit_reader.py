"""Bytes of any kind as events: packets, text, damage, and streams that are still open."""

import io
import os
from datetime import UTC, datetime, timedelta
from random import Random
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import least_seconds
from subunit_streams import DAMAGED, EVENTS, STRAY, encode, joined, read_all, stream_of
from whotests.errors import UsageError
from whotests.stream.event import Chunk, Event, Status
from whotests.stream.event_log import EventLog
from whotests.stream.subunit import SubunitReader, read_subunit
from whotests.stream.subunit.checksums import Checksums

FOO = encode(Event("foo", Status.EXISTS))
BAR = encode(Event("bar", Status.FAIL))
FOUND = [Event("foo", Status.EXISTS), Event("bar", Status.FAIL)]
MIB = 1 << 20


def packet(flags: int, fields: bytes) -> bytes:
    """A packet of these flags with a right length, in two octets, and checksum."""
    length = (1 << 14 | len(fields) + 9).to_bytes(2)
    octets = b"\xb3" + flags.to_bytes(2) + length + fields
    return octets + crc32(octets).to_bytes(4)


def text(content: bytes) -> Event:
    """How what is no packet is passed on."""
    return Event(attachment=Chunk(STRAY, content))


def damage(octets: bytes, reason: str) -> list[Event]:
    """How a damaged packet is told."""
    message = f"a packet of subunit is damaged: {reason}".encode()
    return [
        Event(DAMAGED, attachment=Chunk("Packet data", octets, "application/octet-stream", True)),
        Event(
            DAMAGED,
            Status.FAIL,
            attachment=Chunk("Parser Error", message, "text/plain;charset=utf8", True),
        ),
    ]


OTHER_BYTES = "its bytes are not those that were written"


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=6), st.randoms(use_true_random=False))
def test_pieces_do_not_matter(events: list[Event], random: Random) -> None:
    """A stream gives the same events, in whatever pieces it comes."""
    data = stream_of(events)
    assert read_all(data, sizes=random) == events


@settings(deadline=None)
@given(st.binary(max_size=200), st.randoms(use_true_random=False))
def test_any_bytes_are_passed_on(data: bytes, random: Random) -> None:
    """What is no packet is found again, each byte once, and the packet behind it, too."""
    events = read_all(data + b"\n" + FOO, sizes=random)
    assert events[-1] == FOUND[0]
    passed = [
        event.attachment.content
        for event in events[:-1]
        if event.attachment and event.attachment.name != "Parser Error"
    ]
    assert b"".join(passed) == data + b"\n"


@pytest.mark.parametrize(
    "other", [b"a line\n", "ó ³ ł €\n".encode(), b"\xff\xfe\n", b"no newline", b"\0"]
)
def test_text_between_packets(other: bytes) -> None:
    """It is an attachment of no test, in its place; characters are no packets."""
    assert joined(read_all(other + FOO + other + BAR + other)) == [
        text(other),
        FOUND[0],
        text(other),
        FOUND[1],
        text(other),
    ]


def test_text_comes_at_once() -> None:
    """What cannot become a packet is not waited with."""
    log = EventLog()
    reader = SubunitReader(log, other_bytes=STRAY)
    reader.feed(b"> ")
    assert log.events == [text(b"> ")]
    reader.feed(b"answer\n")
    assert log.events[1:] == [text(b"answer\n")]


def test_a_packet_comes_with_its_last_byte() -> None:
    """Not before, and without waiting for what follows."""
    log = EventLog()
    reader = SubunitReader(log)
    for octet in FOO[:-1]:
        reader.feed(bytes((octet,)))
        assert log.events == []
    reader.feed(FOO[-1:])
    assert log.events == FOUND[:1]


def test_text_that_seems_a_packet_holds_back_nothing() -> None:
    """'ó p' seems to begin a packet of 12 kB; the next packet shows that it does not."""
    log = EventLog()
    reader = SubunitReader(log, other_bytes=STRAY)
    line = "resultó próximo\n".encode()
    for octet in line + FOO:
        reader.feed(bytes((octet,)))
    assert joined(log.events) == [text(line), FOUND[0]]


DAMAGES = [
    (FOO[:-1] + b"!", OTHER_BYTES),
    (FOO[:4] + b"\x07" + FOO[5:], OTHER_BYTES),
    (b"\xb3\x19" + FOO[2:] + b"\n", "its version is 1; only 2 is known here"),
    (FOO[:2] + b"\x09" + FOO[3:] + b"\n", "it has bit 3 of the flags, which version 2 reserves"),
    (FOO[:3] + b"\0" + FOO[4:] + b"\n", "its length is 0; a packet has 8 bytes at the least"),
    (FOO[:3] + b"\x07" + FOO[4:] + b"\n", "its length is 7; a packet has 8 bytes at the least"),
    (
        FOO[:3] + b"\xc0\0\0\x0f" + FOO[4:] + b"\n",
        "its length takes four octets; of a packet it has three at the most",
    ),
    (packet(0x2801, b"\x03f\xffo"), "the string at offset 5 is not UTF-8"),
    (packet(0x2801, b"\x03f\0o"), "the string at offset 5 has a NUL byte"),
    (packet(0x2801, b"\x04foo"), "the string at offset 5 claims 4 bytes, 3 are left"),
    (packet(0x2040, b"\x01a\x09xx"), "the content of the file claims 9 bytes, 2 are left"),
    (packet(0x2200, b"\0\0\0"), "its timestamp goes past its end"),
    (packet(0x2200, b"\0\0\0\0\xff"), "a number goes past its end"),
    (packet(0x2080, b""), "a number goes past its end"),
    (packet(0x2080, b"\x02\x01a"), "a number goes past its end"),
]


@pytest.mark.parametrize(("octets", "reason"), DAMAGES)
def test_damage_is_told_and_what_follows_is_read(octets: bytes, reason: str) -> None:
    """It is a failure with the bytes and the reason, between the packets around it."""
    first, *told, last = read_all(FOO + octets + BAR)
    assert [first, last] == FOUND
    explained = told[-1].attachment
    assert explained is not None
    assert reason in explained.content.decode()
    assert told == damage(octets, explained.content.decode().partition(": ")[2])


@pytest.mark.parametrize("kept", range(1, len(FOO)))
def test_a_packet_that_was_cut(kept: int) -> None:
    """Wherever it was, the next one is read, and the rest is told as damage."""
    first, *told, last = read_all(FOO + BAR[:kept] + FOO)
    assert [first, last] == [FOUND[0], FOUND[0]]
    assert told[0].attachment is not None
    assert told[0].attachment.content == BAR[:kept]
    assert told[1].status is Status.FAIL


@pytest.mark.parametrize("kept", range(1, len(FOO)))
def test_a_stream_that_was_cut(kept: int) -> None:
    """Its last packet waits, until the stream is closed."""
    log = EventLog()
    reader = SubunitReader(log)
    reader.feed(FOO + BAR[:kept])
    assert log.events == FOUND[:1]
    reader.close()
    length = "an unknown number" if kept < 8 else "12"
    assert log.events[1:] == damage(BAR[:kept], f"it ends after {kept} bytes of {length}")


def test_damage_ends_where_it_claims_to_end() -> None:
    """Text behind it is text again."""
    spoiled = FOO[:-1] + b"!"
    assert read_all(spoiled + b"text\n" + FOO) == [
        *damage(spoiled, OTHER_BYTES),
        text(b"text\n"),
        FOUND[0],
    ]


def test_damage_of_unknown_length_ends_with_the_line() -> None:
    """Where the next packet may begin."""
    assert read_all(b"\xb3\x19 of old\ntext\n") == [
        *damage(b"\xb3\x19 of old\n", "its version is 1; only 2 is known here"),
        text(b"text\n"),
    ]


def test_damage_without_end() -> None:
    """Of what has neither a length nor a newline, no more is told at once than a packet has."""
    first, second = b"\xb3\x19" + b"x" * (4 * MIB - 3), b"y" * 1000
    for random in (None, Random(1)):
        told = joined(read_all(first + second + b"\n" + FOO, sizes=random))
        assert told == [
            *damage(first, "its version is 1; only 2 is known here"),
            text(second + b"\n"),
            FOUND[0],
        ]


def test_other_encodings_within_a_line_are_text() -> None:
    """A packet begins on a line of its own: 'm³' of Latin-1 is no damage."""
    assert read_all(b"12 m\xb3\n" + FOO) == [text(b"12 m\xb3\n"), FOUND[0]]


def test_a_packet_within_a_line_is_read() -> None:
    """A program may print half a line and be followed by another one's packet; and half of a
    character, with which the signature would make a whole one."""
    assert read_all(b"half" + FOO + b"\xc3" + BAR) == [
        text(b"half"),
        FOUND[0],
        text(b"\xc3"),
        FOUND[1],
    ]


def test_packets_within_an_attachment_are_its_content() -> None:
    """A stream that is attached to a test is not read as a part of the stream around it."""
    outer = Event("outer", attachment=Chunk("stream", FOO + BAR))
    for random in (None, Random(1)):
        assert read_all(encode(outer), sizes=random) == [outer]


def test_packets_within_a_damaged_attachment_are_read() -> None:
    """They may as well be those behind one that was cut."""
    outer = encode(Event("outer", attachment=Chunk("stream", FOO + BAR)))
    found = read_all(outer[:-1])
    assert [event for event in found if event in FOUND] == FOUND


def test_long_numbers_for_short_values() -> None:
    """Other writers may use more octets than are needed."""
    octets = b"\xb3\x28\x01\x80\x00\x0f\x40\x03foo"
    whole = octets + crc32(octets).to_bytes(4)
    assert len(whole) == 15
    assert read_all(whole) == [Event("foo", Status.EXISTS, runnable=False)]


def test_more_nanoseconds_than_a_second_has() -> None:
    """They are added: none of the time is lost."""
    fields = (60).to_bytes(4) + (3 << 30 | 1_000_001_999).to_bytes(4)
    (event,) = read_all(packet(0x2200, fields))
    assert event.timestamp == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        seconds=61, microseconds=1
    )


def test_what_the_sink_raises_is_passed_on() -> None:
    """And the next bytes are read behind the event at which it did."""

    class Refusing(EventLog):
        def handle(self, event: Event, /) -> None:
            if event == FOUND[1]:
                raise KeyError(event.test_id)
            super().handle(event)

    log = Refusing()
    reader = SubunitReader(log, other_bytes=STRAY)
    with pytest.raises(KeyError, match="bar"):
        reader.feed(FOO + b"text" + BAR + FOO + b"more" + FOO[:5])
    reader.feed(FOO[5:])
    reader.close()
    assert log.events == [FOUND[0], text(b"text"), FOUND[0], text(b"more"), FOUND[0]]


def test_a_closed_reader() -> None:
    """Closing again changes nothing; feeding is an error."""
    log = EventLog()
    reader = SubunitReader(log)
    reader.feed(FOO[:4])
    reader.close()
    told = list(log.events)
    reader.close()
    assert log.events == told
    with pytest.raises(UsageError, match="closed"):
        reader.feed(FOO)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_type(kind: type) -> None:
    """A buffer may be used again by its owner once it was fed."""
    log = EventLog()
    reader = SubunitReader(log)
    first, second = bytearray(FOO[:7]), bytearray(FOO[7:] + BAR)
    for piece in (first, second):
        reader.feed(kind(piece))
        piece[:] = b"x" * len(piece)
    assert log.events == FOUND


@pytest.mark.parametrize("buffering", [0, 1000])
def test_a_pipe_is_read_as_it_is_written(buffering: int) -> None:
    """An event is handed on as soon as its packet is in the pipe."""
    reading, writing = os.pipe()

    class Answering(EventLog):
        def handle(self, event: Event, /) -> None:
            super().handle(event)
            if len(self.events) == 1:
                os.write(writing, BAR)
                os.close(writing)

    log = Answering()
    os.write(writing, FOO)
    with os.fdopen(reading, "rb", buffering=buffering) as stream:
        read_subunit(stream, log)
    assert log.events == FOUND
    assert (log.started, log.stopped) == (0, 0)


def test_a_pipe_that_does_not_block_is_refused() -> None:
    """That nothing is there at the moment is not taken for the end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb", buffering=0) as stream, pytest.raises(UsageError, match="block"):
        read_subunit(stream, EventLog())
    os.close(writing)


def test_a_text_stream_is_refused() -> None:
    """With what to give instead."""
    with pytest.raises(UsageError, match="its binary stream"):
        read_subunit(io.StringIO(), EventLog())  # type: ignore[arg-type]


def test_the_name_of_other_bytes() -> None:
    """Whoever reads gives it."""
    log = EventLog()
    read_subunit(io.BytesIO(b"text"), log, other_bytes="output of make")
    assert log.events == [Event(attachment=Chunk("output of make", b"text"))]


def long_claim(length: int, flags: bytes = b"\x20\x40") -> bytes:
    """The beginning of a packet of that length with nothing but a file without a name."""
    content = length - 14
    return (
        b"\xb3" + flags + (2 << 22 | length).to_bytes(3) + b"\0" + (2 << 22 | content).to_bytes(3)
    )


@pytest.mark.parametrize(
    "unit",
    [
        b"\xb3",
        b"\xb3\x28",
        b"\xb3\x28\x00\x3f",
        b"\xb3\x28\x00\x4f\xa0",
        b"\xb3\x28\x00\x7f\xff",
        long_claim(65_536),
        long_claim(4 * MIB - 1),
        b"\xc3\xb3\x28\xc2\xbfzz",
        b"\n\xb3\x28\x00\xbf\xff\xff\xbf\xff\xee",
    ],
)
def test_hostile_input_costs_what_it_is_long(unit: bytes) -> None:
    """Three times as much takes about three times as long, and the packets behind are found."""

    def seconds(size: int) -> float:
        data = unit * (size // len(unit)) + FOO + BAR
        assert [event for event in read_all(data) if event in FOUND] == FOUND
        return least_seconds(lambda: read_all(data))

    assert seconds(180_000) < 3 * 2.5 * seconds(60_000) + 0.2


def test_a_good_packet_behind_many_long_claims() -> None:
    """Each of them would end behind it, and it is long itself."""
    good = Event("good", attachment=Chunk("log", b"y" * 5000))
    data = long_claim(MIB) * 2000 + encode(good) + b"x" * MIB
    assert good in read_all(data)


def test_memory_is_that_of_one_packet() -> None:
    """Of a stream of what is no packet nothing is kept."""
    reader = SubunitReader(EventLog())
    piece = b"text without end\n" * 1000
    for _ in range(50):
        reader.feed(piece)
    assert len(reader._waiting) == 0
    reader.feed(long_claim(4 * MIB - 1))
    for _ in range(1000):
        reader.feed(piece)
        assert len(reader._waiting) < 4 * MIB + len(piece)


def test_checksums_of_parts() -> None:
    """They are those that reading the part gives, also when what was before is gone."""
    random = Random(7)
    data = random.randbytes(100_000)
    checksums = Checksums(1000)
    base = 500
    for _ in range(300):
        start = random.randrange(max(base, 1000), 99_990)
        end = random.randrange(start, 100_000)
        assert checksums.of(data[base:], base, start, end) == crc32(data[start:end])
        if random.random() < 0.05:
            fresh = random.randrange(max(base, 1000), start + 1)
            checksums.forget_before(data[base:], base, fresh)
            base = fresh
