"""What a packet that has not arrived whole says already: whether it can be one at all.

In text, a signature and what follows may seem to begin a packet of kilobytes. Waiting for those
would hold back the packets behind; but the first of these gives it away, since its signature
stands where a string should be, and is not UTF-8 there.
"""

from codecs import getincrementaldecoder
from struct import Struct

from whotests.stream.subunit.format import (
    CHECKSUM_SIZE,
    FILE_CONTENT,
    MIME_TYPE,
    ROUTE_CODE,
    TAGS,
    TEST_ID,
    TIMESTAMP,
    MalformedError,
    content_too_long,
    decode_number,
    string_too_long,
    with_nul,
    without_utf_8,
)

__all__ = ["can_become_whole"]

MANY_TAGS = 100
"""What so many tags are followed by is not looked at."""

_unpack_header = Struct(">HB").unpack_from


class _NotThereYetError(Exception):
    """So far nothing is wrong."""


def can_become_whole(octets: bytes | bytearray, start: int, length: int) -> bool:
    """Whether what is there of the packet that begins at `start` may be right."""
    flags, first = _unpack_header(octets, start + 1)
    try:
        _look_at_fields(octets, start + 4 + (first >> 6), start + length - CHECKSUM_SIZE, flags)
    except MalformedError:
        return False
    except _NotThereYetError:
        pass
    return True


def _look_at_fields(octets: bytes | bytearray, at: int, end: int, flags: int) -> None:
    """The fields are between `at` and `end`, which is not there yet."""
    if flags & TIMESTAMP:
        _, at = _look_at_number(octets, at + 4, end)
    if flags & TEST_ID:
        at = _look_at_string(octets, at, end)
    if flags & TAGS:
        count, at = _look_at_number(octets, at, end)
        if count > MANY_TAGS:
            raise _NotThereYetError
        for _ in range(count):
            at = _look_at_string(octets, at, end)
    if flags & MIME_TYPE:
        at = _look_at_string(octets, at, end)
    if flags & FILE_CONTENT:
        at = _look_at_string(octets, at, end)
        length, at = _look_at_number(octets, at, end)
        if at + length > end:
            raise content_too_long(length, end - at)
        at += length
    if flags & ROUTE_CODE:
        _look_at_string(octets, at, end)


def _look_at_number(octets: bytes | bytearray, at: int, end: int) -> tuple[int, int]:
    if len(octets) < min(at + 4, end):
        raise _NotThereYetError
    return decode_number(octets, at, end)


def _look_at_string(octets: bytes | bytearray, at: int, end: int) -> int:
    """Where it ends."""
    length, first = _look_at_number(octets, at, end)
    after = first + length
    if after > end:
        raise string_too_long(at, length, end - first)
    piece = octets[first:after]
    try:
        getincrementaldecoder("utf-8")().decode(piece, final=len(piece) == length)
    except UnicodeDecodeError:
        raise without_utf_8(at) from None
    if 0 in piece:
        raise with_nul(at)
    if len(piece) < length:
        raise _NotThereYetError
    return after
