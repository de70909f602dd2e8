"""The octets of one packet as an event."""

from datetime import UTC, datetime, timedelta
from struct import Struct

from whotests.stream.event import Chunk, Event
from whotests.stream.subunit.format import (
    EOF,
    FILE_CONTENT,
    LEAST_PACKET,
    MIME_TYPE,
    RESERVED,
    ROUTE_CODE,
    RUNNABLE,
    STATUS_BITS,
    STATUSES,
    TAGS,
    TEST_ID,
    TIMESTAMP,
    VERSION,
    MalformedError,
    content_too_long,
    decode_number,
    string_too_long,
    with_nul,
    without_utf_8,
)

__all__ = ["decode", "decode_length"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGE = 1000
"""Octets that are copied once, at the price of a view."""
FOUR_OCTETS = 3 << 30
"""The bits that say that a number has as many."""

_unpack_time = Struct(">II").unpack_from
_make_tuple = tuple.__new__  # takes half the time of Event(...)


def decode(octets: bytes | bytearray, start: int, at: int, end: int, flags: int) -> Event:
    """The event of a packet whose checksum held; what follows the last field is left unread.

    The packet begins at `start`, its fields are between `at` and `end`. Raises MalformedError; the
    offsets that it names count from the packet's start.
    """
    timestamp = test_id = tags = attachment = route_code = None
    if flags & TIMESTAMP:
        if at + 4 > end:
            raise MalformedError("its timestamp goes past its end")
        seconds, nanoseconds = _unpack_time(octets, at)
        at += 8
        if nanoseconds < FOUR_OCTETS or at > end:
            nanoseconds, at = decode_number(octets, at - 4, end)
        else:
            nanoseconds -= FOUR_OCTETS
        timestamp = EPOCH + timedelta(0, seconds, nanoseconds // 1000)
    if flags & TEST_ID:
        test_id, at = _decode_string(octets, start, at, end)
    if flags & TAGS:
        count, at = decode_number(octets, at, end)
        found = []
        for _ in range(count):
            tag, at = _decode_string(octets, start, at, end)
            found.append(tag)
        tags = frozenset(found)
    if flags & (FILE_CONTENT | MIME_TYPE | EOF):
        mime_type = None
        name = ""
        content = b""
        if flags & MIME_TYPE:
            mime_type, at = _decode_string(octets, start, at, end)
        if flags & FILE_CONTENT:
            name, at = _decode_string(octets, start, at, end)
            length, first = decode_number(octets, at, end)
            at = first + length
            if at > end:
                raise content_too_long(length, end - first)
            content = bytes(octets[first:at] if length < LARGE else memoryview(octets)[first:at])
        attachment = Chunk(name, content, mime_type, bool(flags & EOF))
    if flags & ROUTE_CODE:
        route_code, at = _decode_string(octets, start, at, end)
    return _make_tuple(
        Event,
        (
            test_id,
            STATUSES[flags & STATUS_BITS],
            tags,
            flags & RUNNABLE != 0,
            attachment,
            route_code,
            timestamp,
        ),
    )


def decode_length(octets: bytes | bytearray, start: int) -> int:
    """How long the packet claims to be that begins at `start`; 0 while too little of it is there.

    Raises MalformedError when it cannot be one.
    """
    size = len(octets) - start
    if size > 1 and octets[start + 1] >> 4 != VERSION >> 12:
        raise MalformedError(f"its version is {octets[start + 1] >> 4}; only 2 is known here")
    if size > 2 and octets[start + 2] & RESERVED:
        raise MalformedError("it has bit 3 of the flags, which version 2 reserves")
    if size > 3 and octets[start + 3] >> 6 == 3:
        raise MalformedError("its length takes four octets; of a packet it has three at the most")
    if size < LEAST_PACKET:
        return 0
    length, _ = decode_number(octets, start + 3, start + LEAST_PACKET)
    if length < LEAST_PACKET:
        raise MalformedError(
            f"its length is {length}; a packet has {LEAST_PACKET} bytes at the least"
        )
    return length


def _decode_string(octets: bytes | bytearray, start: int, at: int, end: int) -> tuple[str, int]:
    """The string whose length stands at `at`, and where it ends."""
    length = octets[at]  # at the very end it is the checksum's, which is refused below
    first = at + 1
    if length >= 64 or first > end:
        length, first = decode_number(octets, at, end)
    after = first + length
    if after > end:
        raise string_too_long(at - start, length, end - first)
    try:
        text = octets[first:after].decode()
    except UnicodeDecodeError:
        raise without_utf_8(at - start) from None
    if "\0" in text:
        raise with_nul(at - start)
    return text, after
