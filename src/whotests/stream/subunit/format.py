"""subunit version 2 on the wire: what its bits mean, and its numbers of one to four octets.

A packet is, in this order: the signature, two octets of flags (the highest four bits are the
version), the length of the whole packet as a number, then what the flags announce, and a CRC-32
of all before it. Octets stand with the most significant first. A string is a number, its length
in octets, and UTF-8 without NUL.

    timestamp      four octets of seconds since 1970 in UTC, a number of nanoseconds
    test id        a string
    tags           a number, and as many strings
    MIME type      a string
    file content   its name as a string, its length as a number, and its octets
    route code     a string
"""

from whotests.stream.event import Status

__all__ = [
    "CHECKSUM_SIZE",
    "EOF",
    "FILE_CONTENT",
    "LEAST_PACKET",
    "LONGEST_PACKET",
    "MIME_TYPE",
    "RESERVED",
    "ROUTE_CODE",
    "RUNNABLE",
    "SIGNATURE",
    "STATUSES",
    "STATUS_BITS",
    "STATUS_CODES",
    "TAGS",
    "TEST_ID",
    "TIMESTAMP",
    "VERSION",
    "VERSION_BITS",
    "MalformedError",
    "content_too_long",
    "decode_number",
    "encode_number",
    "string_too_long",
    "with_nul",
    "without_utf_8",
]

SIGNATURE = 0xB3
"""No character of UTF-8 begins with it, though other octets of a character may be it."""

VERSION = 0x2000
VERSION_BITS = 0xF000
TEST_ID = 0x0800
ROUTE_CODE = 0x0400
TIMESTAMP = 0x0200
RUNNABLE = 0x0100
TAGS = 0x0080
FILE_CONTENT = 0x0040
MIME_TYPE = 0x0020
EOF = 0x0010
RESERVED = 0x0008
"""Zero in version 2."""
STATUS_BITS = 0x0007

STATUSES = (
    None,
    Status.EXISTS,
    Status.INPROGRESS,
    Status.SUCCESS,
    Status.UXSUCCESS,
    Status.SKIP,
    Status.FAIL,
    Status.XFAIL,
)
"""By their code. The format has no word for `unknown`."""

STATUS_CODES: dict[Status | None, int] = {
    **{status: code for code, status in enumerate(STATUSES)},
    # A test without an end is what each reader reports as unknown when the stream ends.
    Status.UNKNOWN: 0,
}

CHECKSUM_SIZE = 4
LEAST_PACKET = 8
"""Octets of a packet that says nothing."""
LONGEST_PACKET = (1 << 22) - 1
"""What the format allows; its length has three octets at the most."""


class MalformedError(ValueError):
    """These octets are no packet of version 2; the message says why."""


def string_too_long(offset: int, length: int, left: int) -> MalformedError:
    """The offset is that of its length in the packet."""
    return MalformedError(f"the string at offset {offset} claims {length} bytes, {left} are left")


def without_utf_8(offset: int) -> MalformedError:
    return MalformedError(f"the string at offset {offset} is not UTF-8")


def with_nul(offset: int) -> MalformedError:
    return MalformedError(f"the string at offset {offset} has a NUL byte")


def content_too_long(length: int, left: int) -> MalformedError:
    return MalformedError(f"the content of the file claims {length} bytes, {left} are left")


def encode_number(value: int) -> bytes:
    """The fewest octets for it; the top two bits tell how many. ValueError from 2**30 on."""
    if value < 0:
        raise ValueError(f"{value} is negative; subunit's numbers begin at 0")
    if value < 1 << 6:
        return value.to_bytes(1)
    if value < 1 << 14:
        return (1 << 14 | value).to_bytes(2)
    if value < 1 << 22:
        return (2 << 22 | value).to_bytes(3)
    if value < 1 << 30:
        return (3 << 30 | value).to_bytes(4)
    raise ValueError(f"{value} is too large; subunit's numbers end at {(1 << 30) - 1}")


def decode_number(octets: bytes | bytearray, at: int, end: int) -> tuple[int, int]:
    """The number that begins there, and where it ends, which must not be behind `end`."""
    if at < end:
        first = octets[at]
        if first < 64:
            return first, at + 1
        stop = at + 1 + (first >> 6)
        if stop <= end:
            size = stop - at
            return int.from_bytes(octets[at:stop]) & ((1 << (8 * size - 2)) - 1), stop
    raise MalformedError("a number goes past its end")
