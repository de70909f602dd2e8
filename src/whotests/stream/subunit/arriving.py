"""What a packet that has not arrived whole says already: whether it can be one at all.

In text, a signature and what follows may seem to begin a packet of kilobytes. Waiting for those
would hold back the packets behind; but the first of these gives it away, since its signature
stands where a string should be, and is not UTF-8 there.
"""

from codecs import getincrementaldecoder
from collections.abc import Generator

from whotests.stream.subunit.format import (
    FILE_CONTENT,
    MIME_TYPE,
    ROUTE_CODE,
    TAGS,
    TEST_ID,
    TIMESTAMP,
    content_too_long,
    decode_number,
    string_too_long,
    with_nul,
    without_utf_8,
)

__all__ = ["follow_fields"]

Following = Generator[None, None, int]
"""Waits until there are more octets; returns where what it followed ends."""


def follow_fields(octets: bytes | bytearray, at: int, end: int, flags: int) -> Following:
    """Look at the fields of a packet, as more octets are added.

    The fields are between `at` and `end`. Raises MalformedError as soon as they cannot be right.
    """
    if flags & TIMESTAMP:
        _, at = yield from _follow_number(octets, at + 4, end)
    if flags & TEST_ID:
        at = yield from _follow_string(octets, at, end)
    if flags & TAGS:
        count, at = yield from _follow_number(octets, at, end)
        for _ in range(count):
            at = yield from _follow_string(octets, at, end)
    if flags & MIME_TYPE:
        at = yield from _follow_string(octets, at, end)
    if flags & FILE_CONTENT:
        at = yield from _follow_string(octets, at, end)
        length, at = yield from _follow_number(octets, at, end)
        if at + length > end:
            raise content_too_long(length, end - at)
        at += length
    if flags & ROUTE_CODE:
        at = yield from _follow_string(octets, at, end)
    return at


def _follow_number(
    octets: bytes | bytearray, at: int, end: int
) -> Generator[None, None, tuple[int, int]]:
    while len(octets) < min(at + 4, end):
        yield
    return decode_number(octets, at, end)


def _follow_string(octets: bytes | bytearray, at: int, end: int) -> Following:
    offset = at
    length, at = yield from _follow_number(octets, at, end)
    if at + length > end:
        raise string_too_long(offset, length, end - at)
    end = at + length
    decoder = getincrementaldecoder("utf-8")()
    while at < end:
        piece = octets[at : min(len(octets), end)]
        at += len(piece)
        try:
            decoder.decode(piece, at == end)
        except UnicodeDecodeError:
            raise without_utf_8(offset) from None
        if 0 in piece:
            raise with_nul(offset)
        if at < end:
            yield
    return at
