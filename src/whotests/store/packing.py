"""Sets of numbers as bytes: pattern ids of a footprint, and bitmaps of lines.

May import the standard library only. Refuses to know what the numbers mean.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, compress
from typing import Final

from whotests.types import LineBits

__all__ = [
    "common",
    "pack",
    "pack_bits",
    "pack_outline",
    "unpack",
    "unpack_bits",
    "unpack_outline",
    "walk",
]

_PLAIN: Final = b"P"
_DEFLATED: Final = b"D"
_FURTHER: Final = 255
"""A step that leads to no number: differences of 255 and more take several bytes."""

_IS_NUMBER: Final = bytes([1] * _FURTHER + [0])
_WINDOW: Final = -10
"""Raw deflate with 1 KiB of window: footprints are short, and this is quick to set up."""

_WORTH_DEFLATING: Final = 24
"""Fewer bytes hardly shrink, and most footprints of small tests are fewer."""


def pack(ids: Sequence[int]) -> bytes:
    """Ascending, distinct, non-negative numbers as bytes.

    A tag, 'P' or 'D'; then the differences from each number to the next (the first to zero),
    a byte for each, where 255 means 'add that and go on': deflated after a 'D', as this takes
    a third of the room of longer ones.
    """
    steps = bytearray()
    last = 0
    for number in ids:
        step = number - last
        last = number
        while step >= _FURTHER:
            steps.append(_FURTHER)
            step -= _FURTHER
        steps.append(step)
    if len(steps) < _WORTH_DEFLATING:
        return _PLAIN + steps
    deflater = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 2)
    deflated = deflater.compress(steps) + deflater.flush()
    if len(deflated) < len(steps):
        return _DEFLATED + deflated
    return _PLAIN + steps


def walk(blob: bytes) -> Iterator[int]:
    """The numbers that `pack` was given, ascending, at the speed of C.

    Raises ValueError for bytes that `pack` never made.
    """
    steps = _steps(blob)
    return compress(accumulate(steps), steps.translate(_IS_NUMBER))


def common(blob: bytes, wanted: frozenset[int]) -> frozenset[int]:
    """Those of `wanted` that are among the packed numbers; quickest when there are none."""
    steps = _steps(blob)
    # Sums at steps that lead to no number may be met here as well: a reason to look closer.
    if wanted.isdisjoint(accumulate(steps)):
        return frozenset()
    return wanted.intersection(compress(accumulate(steps), steps.translate(_IS_NUMBER)))


def unpack(blob: bytes) -> Sequence[int]:
    """As `walk`, all at once."""
    return tuple(walk(blob))


def pack_bits(bits: int) -> bytes:
    """A bitmap as the fewest little-endian bytes that hold it; zero is b''."""
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def unpack_bits(blob: bytes) -> LineBits:
    """The bitmap that `pack_bits` was given."""
    return LineBits(int.from_bytes(blob, "little"))


def pack_outline(units: Iterable[tuple[int, int, int, str]]) -> bytes:
    """Kind's number, first and last line and name of units, in order: deflated lines of text.

    Each line begins with the differences of the first line to that of the unit before, and of
    the last line to the first.
    """
    lines = []
    before = 0
    for kind, first_line, last_line, name in units:
        lines.append(f"{kind} {first_line - before} {last_line - first_line} {name}")
        before = first_line
    return zlib.compress("\n".join(lines).encode("utf-8", "surrogatepass"), 9)


def unpack_outline(blob: bytes) -> list[tuple[int, int, int, str]]:
    """What `pack_outline` was given. Raises ValueError for bytes that it never made."""
    try:
        text = zlib.decompress(blob).decode("utf-8", "surrogatepass")
    except zlib.error as failure:
        raise ValueError(f"a file's outline is damaged: {failure}") from failure
    units = []
    first_line = 0
    for line in text.split("\n") if text else ():
        kind, down, length, name = line.split(" ", 3)
        first_line += int(down)
        units.append((int(kind), first_line, first_line + int(length), name))
    return units


def _steps(blob: bytes) -> bytes:
    tag = blob[:1]
    if tag == _DEFLATED:
        try:
            return zlib.decompress(blob[1:], _WINDOW)
        except zlib.error as failure:
            raise ValueError(f"a packed set is damaged: {failure}") from failure
    if tag != _PLAIN:
        raise ValueError(f"unknown packing {tag!r}")
    return blob[1:]
