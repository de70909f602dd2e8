"""Bitmaps of lines and branches as bytes."""

from typing import Final

from whotests.packing.steps import LONGEST_NUMBER, deflated, inflated
from whotests.types import LineBits

__all__ = [
    "pack_bits",
    "pack_lines",
    "pack_ran",
    "unpack_bits",
    "unpack_lines",
    "unpack_ran",
]

_LONG_BITMAP: Final = 24
"""Where more bytes are mostly zeros (lines of a module far from each other), they shrink well."""

_DEFLATED_RAN: Final = b"\0\x80\0"
"""Ends deflated bytes of what ran of a unit, and no others: a length without needless zeros."""


def pack_bits(bits: int) -> bytes:
    """A bitmap as the fewest little-endian bytes that hold it; zero is b''."""
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def unpack_bits(blob: bytes) -> LineBits:
    """The bitmap that `pack_bits` was given."""
    return LineBits(int.from_bytes(blob, "little"))


def pack_lines(lines: int) -> bytes:
    """A bitmap in few bytes: as `pack_bits`, or deflated with a zero behind, which bytes of
    `pack_bits` never end with."""
    plain = pack_bits(lines)
    if len(plain) > _LONG_BITMAP:
        shorter = deflated(plain)
        if len(shorter) + 1 < len(plain):
            return shorter + b"\0"
    return plain


def unpack_lines(blob: bytes) -> LineBits:
    """The bitmap that `pack_lines` was given. Raises ValueError for bytes that it never made."""
    if blob[-1:] == b"\0":
        return unpack_bits(inflated(blob[:-1]))
    return unpack_bits(blob)


def pack_ran(lines: int, branches: int) -> bytes:
    """A bitmap of lines and one of branches, in the bytes of the lines alone if there are none.

    Behind the lines' bytes then stand those of the branches, the number of the lines' bytes, and
    a zero, which bytes of lines alone never end with. All of it is deflated where that makes it
    shorter.
    """
    plain = _pack_ran(lines, branches)
    if len(plain) > _LONG_BITMAP and plain.count(0) * 2 > len(plain):
        shorter = deflated(plain)
        if len(shorter) + len(_DEFLATED_RAN) < len(plain):
            return shorter + _DEFLATED_RAN
    return plain


def _pack_ran(lines: int, branches: int) -> bytes:
    line_bytes = pack_bits(lines)
    if not branches:
        return line_bytes
    # The last digit first, and a mark on each but the first one: it is read backwards.
    number = len(line_bytes)
    digits = bytearray((number & 127,))
    while number := number >> 7:
        digits.insert(0, number & 127)
    marked = bytes(digit | 128 if place else digit for place, digit in enumerate(digits))
    return line_bytes + pack_bits(branches) + marked + b"\0"


def unpack_ran(blob: bytes) -> tuple[LineBits, int]:
    """The lines and the branches that `pack_ran` was given."""
    if blob[-1:] != b"\0":
        return unpack_bits(blob), 0
    if blob.endswith(_DEFLATED_RAN):
        blob = inflated(blob[: -len(_DEFLATED_RAN)])
        if blob.endswith(_DEFLATED_RAN):
            raise ValueError("what ran of a unit is damaged")
        return unpack_ran(blob)
    end = len(blob) - 1
    number = shift = 0
    while True:
        end -= 1
        if end < 0:
            raise ValueError("what ran of a unit is damaged")
        number |= (blob[end] & 127) << shift
        shift += 7
        if blob[end] < 128:
            break
        if shift > LONGEST_NUMBER:
            raise ValueError("what ran of a unit is damaged")
    return unpack_bits(blob[:number]), int.from_bytes(blob[number:end], "little")
