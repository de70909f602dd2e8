"""Octets in, events out: packets are found among whatever else a stream has."""

from collections.abc import Callable
from io import TextIOBase
from struct import Struct
from typing import NamedTuple, Protocol
from zlib import crc32

from whotests.errors import UsageError
from whotests.stream.sink import Sink
from whotests.stream.subunit.arriving import can_become_whole
from whotests.stream.subunit.checksums import Checksums
from whotests.stream.subunit.decoding import decode, decode_length
from whotests.stream.subunit.format import (
    CHECKSUM_SIZE,
    LEAST_PACKET,
    RESERVED,
    SIGNATURE,
    VERSION,
    VERSION_BITS,
    MalformedError,
    decode_number,
)
from whotests.stream.subunit.strays import Strays

__all__ = ["Readable", "SubunitReader", "read_subunit"]

HEADER_BITS = VERSION_BITS | RESERVED
SIGNATURE_OCTET = SIGNATURE.to_bytes(1)
SHORT = 4096
"""Octets whose checksum costs less than looking it up."""
LOOKS = 16
"""How many octets of packets that are waited for may be looked at for each one that comes."""
AT_ONCE = 1 << 18
"""Octets that are asked for at once."""
NOT_AS_WRITTEN = "its bytes are not those that were written"
"""By its checksum, or by fields that cannot be right already before that has come."""

_unpack_header = Struct(">HB").unpack_from
_unpack_checksum = Struct(">I").unpack_from


class Readable(Protocol):
    """A file, pipe or socket's file that gives bytes."""

    def read(self, size: int, /) -> bytes | None: ...


def read_subunit(stream: Readable, sink: Sink, *, other_bytes: str = "stdout") -> None:
    """Hand a binary stream's events to the sink, as they come, until the stream ends.

    The run is neither started nor stopped, since several streams may have the same sink. For
    what is no packet see SubunitReader. UsageError for a text stream, or one that does not block.
    """
    if isinstance(stream, TextIOBase):
        raise UsageError(
            f"subunit cannot be read from {stream!r}, which gives text; "
            "give its binary stream, as sys.stdin.buffer"
        )
    reader = SubunitReader(sink, other_bytes=other_bytes)
    # What a buffered stream has is taken at once, without waiting for more.
    read: Callable[[int], bytes | None] = getattr(stream, "read1", stream.read)
    while data := read(AT_ONCE):
        reader.feed(data)
    if data is None:
        raise UsageError(
            f"{stream!r} does not block: feed a SubunitReader with what it gives instead"
        )
    reader.close()


class _Wrong(NamedTuple):
    """Why what begins with a signature is no packet."""

    reason: str
    length: int
    """What it claims, or 0."""


class SubunitReader:
    """Takes the bytes of a stream as they come, in pieces of any size, and makes events of them.

    What is no packet is passed on as an attachment of no test, named `other_bytes`. A packet that
    is damaged becomes a failure of the test 'subunit.parser', with its bytes and the reason as
    attachments. No length is believed before the checksum holds: wherever the damage is and
    whatever it claims, each good packet behind it is found.

    What may become a packet is waited for, up to 4 MiB or until `close`; so much, and one piece,
    is kept at the most. What the sink raises is passed on; `feed` goes on behind that event.
    """

    def __init__(self, sink: Sink, *, other_bytes: str = "stdout") -> None:
        self._handle = sink.handle
        self._strays = Strays(sink.handle, other_bytes)
        self._waiting = bytearray()
        """What is not settled: a packet that is not there whole, from its signature on."""
        self._needed = 0
        """With so many octets waiting, there is more to tell."""
        self._position = 0
        """Octets of the stream before those that are being read."""
        self._settled = 0
        """So many of those are done with."""
        self._looks_left = 0
        """Octets that may be looked at while they are waited for."""
        self._checksums: Checksums | None = None
        self._doubtful_until = 0
        """The position up to which checksums are looked up: a false packet claims to go so far."""
        self._closed = False

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """The next bytes. UsageError after `close`."""
        if self._closed:
            raise UsageError("this SubunitReader was closed; make another one for another stream")
        if not isinstance(data, bytes):
            data = bytes(data)
        self._looks_left += LOOKS * len(data)
        if not self._waiting:
            self._read(data)
            return
        self._waiting += data
        if len(self._waiting) >= self._needed:
            self._read(self._waiting)
        elif self._needed > LEAST_PACKET and self._is_futile(self._waiting, 0, self._needed):
            self._read(self._waiting, _Wrong(NOT_AS_WRITTEN, self._needed))

    def close(self) -> None:
        """The stream has ended: what still waits will never be whole, and is told as damage."""
        self._closed = True
        self._read(self._waiting)
        self._strays.packet_follows()

    def _read(self, octets: bytes | bytearray, wrong: _Wrong | None = None) -> None:
        """Settle all that there is, but for what is to be waited for.

        What is wrong, if anything, is wrong with the packet with which the octets begin.
        """
        self._needed = self._settled = at = 0
        handle = self._handle
        strays = self._strays
        size = len(octets)
        try:
            while at < size:
                if octets[at] != SIGNATURE:
                    at = octets.find(SIGNATURE_OCTET, at)
                    if at < 0:
                        at = size
                    continue
                if wrong is None and size - at >= LEAST_PACKET:
                    flags, length = _unpack_header(octets, at + 1)
                    fields = at + 4
                    if length >= 64:
                        length, fields = decode_number(octets, at + 3, size)
                    end = at + length
                    if (
                        flags & HEADER_BITS == VERSION
                        and LEAST_PACKET <= length <= size - at
                        and fields < at + 7
                        and (
                            crc32(octets[at : end - CHECKSUM_SIZE])
                            == _unpack_checksum(octets, end - CHECKSUM_SIZE)[0]
                            if length <= SHORT
                            else self._is_whole(octets, at, end)
                        )
                    ):
                        if self._settled < at or strays.begun:
                            self._settle(octets, at)
                            strays.packet_follows()
                        self._settled = end
                        try:
                            event = decode(octets, at, fields, end - CHECKSUM_SIZE, flags)
                        except MalformedError as error:
                            strays.report(bytes(octets[at:end]), str(error))
                        else:
                            handle(event)
                        at = end
                        continue
                wrong = wrong or self._what_is_wrong(octets, at)
                if wrong is None:
                    break
                self._doubt(octets, at, wrong)
                wrong = None
                at += 1
            self._settle(octets, at)
        finally:
            self._keep(octets)

    def _is_whole(self, octets: bytes | bytearray, start: int, end: int) -> bool:
        """Whether the checksum at the end is that of the octets before, which are many."""
        expected: int = _unpack_checksum(octets, end - CHECKSUM_SIZE)[0]
        position = self._position + start
        if self._checksums is not None and position < self._doubtful_until:
            found = self._checksums.of(
                octets, self._position, position, self._position + end - CHECKSUM_SIZE
            )
            return found == expected
        with memoryview(octets) as view:
            holds = crc32(view[start : end - CHECKSUM_SIZE]) == expected
        if not holds:
            # As many octets were read for nothing; they are not read again for other packets.
            self._checksums = Checksums(position)
            self._doubtful_until = self._position + end
        return holds

    def _what_is_wrong(self, octets: bytes | bytearray, at: int) -> _Wrong | None:
        """Why no packet begins there; None while it may become one."""
        try:
            length = decode_length(octets, at)
        except MalformedError as error:
            return _Wrong(str(error), 0)
        size = len(octets) - at
        if length and length <= size:
            return _Wrong(NOT_AS_WRITTEN, length)
        if self._closed:
            return _Wrong(f"it ends after {size} bytes of {length or 'an unknown number'}", length)
        if length and self._is_futile(octets, at, length):
            return _Wrong(NOT_AS_WRITTEN, length)
        self._needed = length or LEAST_PACKET
        return None

    def _is_futile(self, octets: bytes | bytearray, at: int, length: int) -> bool:
        """Whether it is known already that this packet, which has not come whole, is none.

        That is looked at again and again, and of many packets, one after the other; but it is not
        to cost more than what comes. The less often, the more is waited for.
        """
        size = len(octets) - at
        if size > self._looks_left:
            return False
        self._looks_left -= size
        return not can_become_whole(octets, at, length)

    def _doubt(self, octets: bytes | bytearray, at: int, wrong: _Wrong) -> None:
        """No packet begins there: it is text or damage."""
        strays = self._strays
        if strays.are_damage:
            self._settle(octets, at)  # which may be where the damage ends
        before = octets[max(self._settled, at - 3) : at]
        if not strays.are_damage and not strays.is_text(before, seems_packet=wrong.length > 0):
            self._settle(octets, at)
            strays.damage_follows(wrong.reason, wrong.length)

    def _settle(self, octets: bytes | bytearray, end: int) -> None:
        """What comes before `end`, and was not settled, is no packet."""
        piece = octets[self._settled : end]
        self._settled = end
        if piece:
            self._strays.add(piece)

    def _keep(self, octets: bytes | bytearray) -> None:
        """What was not settled waits; what was is forgotten."""
        settled = self._settled
        if self._checksums is not None:
            if self._position + settled < self._doubtful_until:
                self._checksums.forget_before(octets, self._position, self._position + settled)
            else:
                self._checksums = None
        self._position += settled
        if octets is self._waiting:
            del self._waiting[:settled]
        else:
            self._waiting += memoryview(octets)[settled:]
