"""Bytes that all kinds of packing are made of: numbers of several bytes, deflated ones, tags."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = [
    "LAST_LINE",
    "LONGEST_NUMBER",
    "MOST",
    "deflated",
    "inflated",
    "numbers_of",
    "several_bytes",
    "signed",
    "steps_of",
    "tagged",
    "unsigned",
]

_PLAIN: Final = b"P"
_DEFLATED: Final = b"D"
_WINDOW: Final = -10
"""Raw deflate with 1 KiB of window: footprints are short, and this is quick to set up."""

LONGEST_NUMBER: Final = 63
"""Bits: to read one of millions of bytes, which a few forged ones come to, takes hours."""

LAST_LINE: Final = 1 << 24
"""No source file has more lines; bitmaps have room for all of them."""

_WORTH_DEFLATING: Final = 24
"""Fewer bytes hardly shrink, and most footprints of small tests are fewer."""

MOST: Final = 1 << 24
"""Bytes that anything packed comes to: a few forged ones could come to gigabytes."""


def several_bytes(numbers: Iterable[int]) -> bytes:
    """Numbers of which each byte holds seven bits, the lowest first, all but the last marked."""
    steps = bytearray()
    for number in numbers:
        while number > 127:
            steps.append(number & 127 | 128)
            number >>= 7
        steps.append(number)
    return bytes(steps)


def numbers_of(steps: bytes) -> Iterator[int]:
    """Numbers of which each byte holds seven bits, the lowest first, all but the last marked."""
    number = shift = 0
    for step in steps:
        number |= (step & 127) << shift
        shift += 7
        if step < 128:
            yield number
            number = shift = 0
        elif shift > LONGEST_NUMBER:
            raise ValueError("a packed number is too long")


def unsigned(number: int) -> int:
    return number * 2 if number >= 0 else -2 * number - 1


def signed(number: int) -> int:
    return number >> 1 if not number & 1 else -(number + 1 >> 1)


def deflated(content: bytes | bytearray, window: int = _WINDOW, *, level: int = 9) -> bytes:
    """The bytes in fewer, for `inflated`; `window` is minus the logarithm of how far back they
    are looked at, `level` zlib's of how much time that may take."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, window, 2 if window == _WINDOW else 8)
    return deflater.compress(content) + deflater.flush()


def inflated(content: bytes, window: int = _WINDOW) -> bytes:
    """What `deflated` was given. Raises ValueError for bytes that it never made, and for those
    that would come to more than 16 MiB."""
    inflater = zlib.decompressobj(window)
    try:
        inflated = inflater.decompress(content, MOST)
    except zlib.error as failure:
        raise ValueError(f"packed bytes are damaged: {failure}") from failure
    if not inflater.eof:
        raise ValueError("packed bytes are cut short, or come to more than anything has")
    return inflated


def tagged(steps: bytes | bytearray) -> bytes:
    """The bytes behind a tag, deflated if that makes them fewer."""
    if len(steps) >= _WORTH_DEFLATING:
        shorter = deflated(steps)
        if len(shorter) < len(steps):
            return _DEFLATED + shorter
    return _PLAIN + steps


def steps_of(blob: bytes) -> bytes:
    tag = blob[:1]
    if tag == _DEFLATED:
        return inflated(blob[1:])
    if tag != _PLAIN:
        raise ValueError(f"unknown packing {tag!r}")
    return blob[1:]
