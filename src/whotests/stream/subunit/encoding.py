"""An event as the octets of one packet, or of several where its attachment is too large for one."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from struct import Struct
from zlib import crc32

from whotests.errors import UsageError
from whotests.stream.event import Chunk, Event
from whotests.stream.subunit.format import (
    CHECKSUM_SIZE,
    EOF,
    FILE_CONTENT,
    LONGEST_PACKET,
    MIME_TYPE,
    ROUTE_CODE,
    RUNNABLE,
    SIGNATURE,
    STATUS_CODES,
    TAGS,
    TEST_ID,
    TIMESTAMP,
    VERSION,
    encode_number,
)

__all__ = ["packets"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_LIMIT = 1 << 32
LEAST_PIECE = 1 << 16
"""Octets of an attachment that a packet must have room for, if it takes several packets."""
REMEMBERED = 1000
"""Strings of fewer characters are kept for a while, encoded."""
NANOSECONDS_IN_FOUR_OCTETS = 1 << 22

_pack_two = Struct(">II").pack
_pack_short = Struct(">BHB").pack
_pack_long = Struct(">BH").pack


def packets(event: Event) -> Iterable[bytes]:
    """The event's packets, in order: one, unless its attachment has 4 MiB or more.

    Then the pieces come first, each with the test's id, and the last has the status and the tags.
    Raises UsageError when the event has hardly any room for an attachment; nothing came before.
    """
    packet = _encode(event)
    return map(_encode_or_refuse, _in_pieces(event)) if packet is None else (packet,)


def _encode(event: Event) -> bytes | None:
    """The packet, or None when it were too long."""
    test_id, status, tags, runnable, attachment, route_code, timestamp = event
    flags = VERSION | STATUS_CODES[status]
    fields = content = route = b""
    if timestamp is not None and (octets := _encode_time(timestamp)):
        flags |= TIMESTAMP
        fields = octets
    if test_id is not None:
        flags |= TEST_ID
        fields += _encode_string(test_id)
    if tags is not None:
        flags |= TAGS
        fields += _encode_tags(tags)
    if runnable:
        flags |= RUNNABLE
    if attachment is not None:
        name, content, mime_type, eof = attachment
        if mime_type is not None:
            flags |= MIME_TYPE
            fields += _encode_string(mime_type)
        if eof:
            flags |= EOF
        # What has neither name nor content is the type, or the end, that a packet tells of no file.
        if name or content or not flags & (MIME_TYPE | EOF):
            if len(content) > LONGEST_PACKET:
                return None
            flags |= FILE_CONTENT
            fields += _encode_string(name) + encode_number(len(content))
    if route_code is not None:
        flags |= ROUTE_CODE
        route = _encode_string(route_code)
    length = 3 + len(fields) + len(content) + len(route) + CHECKSUM_SIZE
    if length < 63:
        head = _pack_short(SIGNATURE, flags, length + 1) + fields
    elif length < (1 << 14) - 2:
        head = _pack_long(SIGNATURE, flags) + encode_number(length + 2) + fields
    elif length + 3 <= LONGEST_PACKET:
        head = _pack_long(SIGNATURE, flags) + encode_number(length + 3) + fields
    else:
        return None
    if content:
        checksum = crc32(route, crc32(content, crc32(head)))
        return b"".join((head, content, route, checksum.to_bytes(CHECKSUM_SIZE)))
    head += route
    return head + crc32(head).to_bytes(CHECKSUM_SIZE)


def _encode_string(text: str) -> bytes:
    """A string as the format has it; most come again at once, as the id of a test."""
    return _encode_short(text) if len(text) < REMEMBERED else _encode_any(text)


def _encode_any(text: str) -> bytes:
    """What the format cannot hold is replaced by what stands for it: NUL by its symbol U+2400,
    half of a surrogate pair by its escape, as '\\udc80'."""
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        octets = text.encode(errors="backslashreplace")
    if b"\0" in octets:
        octets = octets.replace(b"\0", "\u2400".encode())
    return encode_number(len(octets)) + octets


_encode_short = lru_cache(256)(_encode_any)


@lru_cache(64)
def _encode_tags(tags: frozenset[str]) -> bytes:
    return encode_number(len(tags)) + b"".join(map(_encode_string, sorted(tags)))


def _encode_time(timestamp: datetime) -> bytes:
    """Seconds and nanoseconds in UTC; nothing for a time before 1970 or from 2106 on.

    The format cannot hold those, and no time is better than a false one. A time without a zone
    is local, as it is for `datetime.timestamp`.
    """
    if timestamp.tzinfo is None:
        try:
            timestamp = timestamp.astimezone()
        except (OverflowError, OSError, ValueError):  # the C library cannot convert it
            return b""
    since = timestamp - EPOCH
    seconds = since.days * 86_400 + since.seconds
    if not 0 <= seconds < SECONDS_LIMIT:
        return b""
    nanoseconds = since.microseconds * 1000
    if nanoseconds >= NANOSECONDS_IN_FOUR_OCTETS:
        return _pack_two(seconds, 3 << 30 | nanoseconds)
    return seconds.to_bytes(4) + encode_number(nanoseconds)


def _in_pieces(event: Event) -> Iterator[Event]:
    """Events that say together what this one says, each with as much content as one may have."""
    attachment = event.attachment
    if attachment is None:
        raise _too_long(event)
    without = _encode_or_refuse(event._replace(attachment=attachment._replace(content=b"")))
    # The lengths of the content and of the packet take up to two octets more each than without,
    # and an empty name two that were left out.
    size = LONGEST_PACKET - len(without) - 6
    if size < LEAST_PIECE:
        raise _too_long(event)
    name, content, mime_type, _ = attachment
    begun = event._replace(status=None, tags=None)
    at = 0
    while len(content) - at > size:
        yield begun._replace(attachment=Chunk(name, content[at : at + size], mime_type))
        at += size
    yield event._replace(attachment=attachment._replace(content=content[at:]))


def _encode_or_refuse(event: Event) -> bytes:
    packet = _encode(event)
    if packet is None:
        raise _too_long(event)
    return packet


def _too_long(event: Event) -> UsageError:
    whose = "no test" if event.test_id is None else f"the test {event.test_id[:100]!r}"
    return UsageError(
        f"an event of {whose} does not fit into packets of subunit, which have at most "
        f"{LONGEST_PACKET} bytes: its id, tags, names and route code fill one; shorten them"
    )
