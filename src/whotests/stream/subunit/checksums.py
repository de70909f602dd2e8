"""CRC-32 of many overlapping parts of a stream, without reading each of them anew.

After damage any octet may seem to begin a packet of megabytes. Read for each of them, the octets
of hostile input would be read a hundred thousand times. Instead the checksums from one point on
are kept in steps; that of a part follows from those up to its start and up to its end, since
CRC-32 is linear (the algorithm of zlib's `crc32_combine`, which Python has from 3.15 on).
"""

from bisect import bisect_right
from functools import cache
from zlib import crc32

__all__ = ["Checksums"]

STEP = 1024
"""Octets between two points whose checksums are kept."""

POLYNOMIAL = 0xEDB88320
ONE = 1 << 31
"""The polynomial 1; the bits of a checksum stand with the lowest power first."""


class Checksums:
    """Of parts of a stream, of which a buffer holds the octets from some position on."""

    __slots__ = ("_checksums", "_positions")

    def __init__(self, position: int) -> None:
        """Begin there; parts before it are not known."""
        self._positions = [position]
        self._checksums = [0]

    def of(self, octets: bytes | bytearray, base: int, start: int, end: int) -> int:
        """The checksum of the part between two positions; `base` is where `octets` begin."""
        before = self._up_to(octets, base, start)
        return self._up_to(octets, base, end) ^ _followed(before, end - start)

    def forget_before(self, octets: bytes | bytearray, base: int, position: int) -> None:
        """Before this position there will be no octets any more."""
        checksum = self._up_to(octets, base, position)
        later = bisect_right(self._positions, position)
        self._positions[:later] = [position]
        self._checksums[:later] = [checksum]

    def _up_to(self, octets: bytes | bytearray, base: int, position: int) -> int:
        """From where it began to this position."""
        index = bisect_right(self._positions, position) - 1
        at = self._positions[index]
        checksum = self._checksums[index]
        while position - at > STEP:  # behind the last that is kept
            checksum = crc32(octets[at - base : at - base + STEP], checksum)
            at += STEP
            self._positions.append(at)
            self._checksums.append(checksum)
        return crc32(octets[at - base : position - base], checksum)


def _followed(checksum: int, length: int) -> int:
    """What a checksum adds to that of all, when so many octets follow, up to 2**24."""
    for power in _powers():
        length, digit = divmod(length, 256)
        if digit:
            checksum = _product(power[digit], checksum)
    return checksum


@cache
def _powers() -> tuple[tuple[int, ...], ...]:
    """x to the 8 * 256**place * digit, by place and digit: what so many octets multiply by."""
    octet = ONE >> 8
    places = []
    for _ in range(3):
        powers = [ONE]
        for _ in range(255):
            powers.append(_product(octet, powers[-1]))
        places.append(tuple(powers))
        octet = _product(octet, powers[-1])
    return tuple(places)


def _product(a: int, b: int) -> int:
    """Of two polynomials over GF(2), modulo that of CRC-32."""
    product = 0
    while a:
        if a & ONE:
            product ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ POLYNOMIAL if b & 1 else b >> 1
    return product
