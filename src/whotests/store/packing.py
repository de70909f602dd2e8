"""Sets of numbers as bytes: pattern ids of a footprint, and bitmaps of lines.

May import the standard library only. Refuses to know what the numbers mean.
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import sub
from typing import Final

from whotests.types import LineBits

__all__ = ["pack", "pack_bits", "unpack", "unpack_bits", "walk"]

# The tag is the first byte: the array type code of the differences that follow.
_LIMITS: Final = (("B", 1 << 8), ("H", 1 << 16), ("I", 1 << 32))
_SWAP: Final = sys.byteorder == "big"


def pack(ids: Sequence[int]) -> bytes:
    """Ascending, distinct, non-negative numbers below 2**32 as bytes.

    A type code ('B', 'H' or 'I'), then little-endian differences of that width; the first
    difference is to zero.
    """
    steps = list(map(sub, ids, (0, *ids)))
    largest = max(steps, default=0)
    for code, limit in _LIMITS:
        if largest < limit:
            packed = array(code, steps)
            if _SWAP:
                packed.byteswap()
            return code.encode() + packed.tobytes()
    raise ValueError(f"{largest} does not fit into 32 bits")


def walk(blob: bytes) -> Iterator[int]:
    """The numbers that `pack` was given, ascending, at the speed of C.

    Raises ValueError for bytes that `pack` never made.
    """
    code = blob[:1]
    if code == b"B":
        return accumulate(blob[1:])
    if code not in (b"H", b"I"):
        raise ValueError(f"unknown packing {code!r}")
    steps = array(code.decode())
    steps.frombytes(blob[1:])
    if _SWAP:
        steps.byteswap()
    return accumulate(steps)


def unpack(blob: bytes) -> Sequence[int]:
    """As `walk`, all at once."""
    return tuple(walk(blob))


def pack_bits(bits: int) -> bytes:
    """A bitmap as the fewest little-endian bytes that hold it; zero is b''."""
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def unpack_bits(blob: bytes) -> LineBits:
    """The bitmap that `pack_bits` was given."""
    return LineBits(int.from_bytes(blob, "little"))
