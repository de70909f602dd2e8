"""What python-subunit 1.4.6 gets wrong, met with the same bytes and events by it and by ours.

That it is wrong there is asserted, too; so they are of this version only.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from zlib import crc32

import pytest
import subunit  # type: ignore[import-untyped]

from subunit_peer import read_by_theirs, written_by_theirs
from subunit_streams import DAMAGED, STRAY, read_all, stream_of
from whotests.errors import MachineError
from whotests.stream.event import Chunk, Event, Status
from whotests.stream.subunit import SubunitWriter

VERSION = "1.4.6"

pytestmark = pytest.mark.skipif(
    version("python-subunit") != VERSION, reason=f"these are of python-subunit {VERSION}"
)

FIRST = Event("first", Status.SUCCESS)
LAST = Event("last", Status.FAIL)
PACKET = stream_of([FIRST])


def test_the_version_of_a_packet() -> None:
    """What a later version of the format means is not known: theirs takes it for version 2."""
    later = b"\xb3\x39" + PACKET[2:-4]
    later += crc32(later).to_bytes(4)
    assert read_by_theirs(later) == [FIRST]
    _, reason = read_all(later)
    assert (reason.test_id, reason.status) == (DAMAGED, Status.FAIL)
    assert reason.attachment is not None
    assert b"its version is 3; only 2 is known here" in reason.attachment.content


def test_a_length_of_0() -> None:
    """It swallows all packets that follow, and the failure of the last: theirs has neither."""
    data = PACKET + PACKET[:3] + b"\0" + PACKET[4:] + stream_of([FIRST] * 3 + [LAST])
    assert outcomes(read_by_theirs(data)) == [FIRST]
    assert outcomes(read_all(data)) == [FIRST, FIRST, FIRST, FIRST, LAST]


def test_a_packet_that_was_cut() -> None:
    """Of a process that was killed while it wrote: theirs swallows the next one's failure."""
    data = PACKET[:-3] + stream_of([LAST, FIRST])
    assert LAST not in outcomes(read_by_theirs(data))
    assert outcomes(read_all(data)) == [LAST, FIRST]


def test_text_with_a_character_that_ends_with_the_signature() -> None:
    """After 'ó', theirs takes the text for a packet, and swallows the ones behind it."""
    text = "terminó :-)\n".encode()
    data = text + stream_of([FIRST, LAST])
    assert outcomes(read_by_theirs(data)) == []
    assert read_all(data) == [Event(attachment=Chunk(STRAY, text)), FIRST, LAST]


def test_nul_in_an_id() -> None:
    """Theirs writes what it cannot read; what ours writes, both read."""
    event = Event("a\0b", Status.FAIL)
    assert [each.test_id for each in read_by_theirs(written_by_theirs([event]))] == [DAMAGED] * 2
    data = stream_of([event])
    assert read_all(data) == read_by_theirs(data) == [Event("a\u2400b", Status.FAIL)]


def test_half_of_a_surrogate_pair_in_an_id() -> None:
    """As of a file's name that is no UTF-8: theirs fails, and so the run."""
    event = Event("test[\udcff]", Status.FAIL)
    with pytest.raises(UnicodeEncodeError):
        written_by_theirs([event])
    assert read_all(stream_of([event])) == [Event("test[\\udcff]", Status.FAIL)]


def test_an_attachment_of_more_than_4_mib() -> None:
    """Theirs fails, and the status with it; ours writes several packets, which both read."""
    content = b"0123456789" * 500_000
    event = Event("a", Status.FAIL, attachment=Chunk("log", content, eof=True))
    with pytest.raises(ValueError, match="Length too long"):
        written_by_theirs([event])
    data = stream_of([event])
    assert read_all(data) == read_by_theirs(data)
    pieces = [each.attachment for each in read_all(data) if each.attachment]
    assert b"".join(piece.content for piece in pieces) == content
    assert [each.status for each in read_all(data)] == [None, Status.FAIL]


@pytest.mark.parametrize(
    ("time", "read"),
    [
        (datetime(2026, 7, 1, 12), lambda: datetime(2026, 7, 1, 12).astimezone()),
        (datetime(1969, 7, 20, 20, 17, tzinfo=UTC), lambda: None),
        (datetime(2110, 1, 1, tzinfo=UTC), lambda: None),
    ],
    ids=["without a zone", "before 1970", "after 2106"],
)
def test_times(time: datetime, read: Callable[[], datetime | None]) -> None:
    """Theirs fails, and the event is lost; ours keeps the event, and the time if it can."""
    event = Event("a", Status.FAIL, timestamp=time)
    with pytest.raises(Exception, match=r"offset-naive|out of range|format requires"):
        written_by_theirs([event])
    assert read_all(stream_of([event])) == [event._replace(timestamp=read())]


def test_a_stream_that_does_not_block() -> None:
    """When it takes nothing, theirs leaves the packet out and goes on as if it were written."""

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0) as stream:
        while stream.write(b"x" * 4096) is not None:
            pass
        subunit.StreamResultToBytes(stream).status(test_id="a", test_status="fail")
        with pytest.raises(MachineError, match="does not block"):
            SubunitWriter(stream).handle(LAST)


def outcomes(events: list[Event]) -> list[Event]:
    """Those with a status that do not tell of damage."""
    return [event for event in events if event.status and event.test_id != DAMAGED]
