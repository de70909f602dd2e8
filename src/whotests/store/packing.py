"""Numbers as bytes: pattern ids of a footprint, bitmaps of lines, a file's units and branches.

May import the standard library only. Refuses to know what the numbers mean.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, compress, groupby
from operator import itemgetter, sub
from typing import Final

from whotests.types import LineBits

__all__ = [
    "Outlined",
    "common",
    "deflated",
    "inflated",
    "pack",
    "pack_bits",
    "pack_branches",
    "pack_lines",
    "pack_outline",
    "pack_ran",
    "unpack",
    "unpack_bits",
    "unpack_branches",
    "unpack_lines",
    "unpack_outline",
    "unpack_ran",
    "walk",
]

_PLAIN: Final = b"P"
_DEFLATED: Final = b"D"
_FURTHER: Final = 255
"""A step that leads to no number: differences of 255 and more take several bytes."""

_MARK: Final = bytes([_FURTHER])
_IS_NUMBER: Final = bytes([1] * _FURTHER + [0])
_WINDOW: Final = -10
"""Raw deflate with 1 KiB of window: footprints are short, and this is quick to set up."""

_OUTLINE_WINDOW: Final = -13
"""8 KiB: hardly an outline is longer."""

_LONG_BITMAP: Final = 24
"""Where more bytes are mostly zeros (lines of a module far from each other), they shrink well."""

_DEFLATED_RAN: Final = b"\0\x80\0"
"""Ends deflated bytes of what ran of a unit, and no others: a length without needless zeros."""

_LONGEST_NUMBER: Final = 63
"""Bits: to read one of millions of bytes, which a few forged ones come to, takes hours."""

_LAST_LINE: Final = 1 << 24
"""No source file has more lines; bitmaps have room for all of them."""

_WORTH_DEFLATING: Final = 24
"""Fewer bytes hardly shrink, and most footprints of small tests are fewer."""


def pack(ids: Sequence[int]) -> bytes:
    """Ascending, distinct, non-negative numbers as bytes.

    A tag, 'P' or 'D'; then the differences from each number to the next (the first to zero),
    a byte for each, where 255 means 'add that and go on': deflated after a 'D', as this takes
    a third of the room of longer ones.
    """
    differences = list(map(sub, ids, chain((0,), ids)))
    wide = [place for place, step in enumerate(differences) if step >= _FURTHER]
    if not wide:
        return _tagged(bytes(differences))
    steps = bytearray()
    start = 0
    for place in wide:
        steps += bytes(differences[start:place])
        further, last = divmod(differences[place], _FURTHER)
        steps += _MARK * further
        steps.append(last)
        start = place + 1
    return _tagged(steps + bytes(differences[start:]))


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
        if shift > _LONGEST_NUMBER:
            raise ValueError("what ran of a unit is damaged")
    return unpack_bits(blob[:number]), int.from_bytes(blob[number:end], "little")


def pack_branches(branches: Iterable[tuple[int, int]]) -> bytes:
    """Pairs of a line and the line that follows, or minus a line: in the order given, deflated.

    One byte for most of them. For each line: the distance from the line before, doubled, and odd
    unless two pairs begin there; then how many do; then for each pair 0 for the same minus as the
    last one, 1 and the distance for another minus, or the distance plus 2. Distances that may be
    negative are doubled, less one if they are. A zero: lines count from the file's start again.
    """
    numbers: list[int] = []
    last = left = 0
    for line, group in groupby(branches, key=itemgetter(0)):
        ends = [end for _, end in group]
        if line < last:
            numbers.append(0)
            last = 0
        if len(ends) == 2:
            numbers.append((line - last) * 2)
        else:
            numbers += ((line - last) * 2 + 1, len(ends))
        last = line
        for end in ends:
            if end > 0:
                numbers.append(_unsigned(end - line) + 2)
            elif end == left:
                numbers.append(0)
            else:
                left = end
                numbers += (1, _unsigned(line + end))
    return _tagged(_several_bytes(numbers)) if numbers else b""


def unpack_branches(blob: bytes) -> tuple[tuple[int, int], ...]:
    """What `pack_branches` was given. Raises ValueError for bytes that it never made."""
    if not blob:
        return ()
    numbers = _numbers(_steps(blob))
    branches = []
    line = left = 0
    try:
        for number in numbers:
            if not number:
                line = 0
                continue
            line += number >> 1
            if line > _LAST_LINE:
                raise ValueError("packed branches have lines that no file has")
            for _ in range(next(numbers) if number & 1 else 2):
                way = next(numbers)
                if way > 1:
                    branches.append((line, line + _signed(way - 2)))
                    continue
                if way:
                    left = _signed(next(numbers)) - line
                branches.append((line, left))
    except StopIteration:
        raise ValueError("packed branches are cut short") from None
    ends = [end for _, end in branches]
    if ends and not -_LAST_LINE <= min(ends) <= max(ends) <= _LAST_LINE:
        raise ValueError("packed branches have lines that no file has")
    return tuple(branches)


def _numbers(steps: bytes) -> Iterator[int]:
    """Numbers of which each byte holds seven bits, the lowest first, all but the last marked."""
    number = shift = 0
    for step in steps:
        number |= (step & 127) << shift
        shift += 7
        if step < 128:
            yield number
            number = shift = 0
        elif shift > _LONGEST_NUMBER:
            raise ValueError("a packed number is too long")


def _unsigned(number: int) -> int:
    return number * 2 if number >= 0 else -2 * number - 1


def _signed(number: int) -> int:
    return number >> 1 if not number & 1 else -(number + 1 >> 1)


Outlined = tuple[int, int, int, int, str]
"""A unit: its kind's number, first and last line, its body's first line or 0, and its name."""


def pack_outline(units: Iterable[Outlined]) -> bytes:
    """Units in order, deflated: of all of them first how deep they are, then their kinds, and so
    on, since like things shrink best beside each other.

    A number of several bytes for: how many units, each one's depth, kind, body's first line (0 if
    not known, else one more than the distance from the first line), first line (distance from
    where the unit around begins, or the one before ends; doubled, less one, if negative), and last
    line (distance from the first). Then the names, a line for each, without that of the unit
    around and the point.
    """
    depths: list[int] = []
    kinds: list[int] = []
    bodies: list[int] = []
    starts: list[int] = []
    lengths: list[int] = []
    names: list[str] = []
    around = [("", 0)]  # beginnings of names, and where these units begin
    prefix, begin = around[0]
    end = 0
    for kind, first_line, last_line, body_line, name in units:
        before = begin
        while not name.startswith(prefix):
            around.pop()
            prefix, begin = around[-1]
            before = end
        depths.append(len(around))
        kinds.append(kind)
        bodies.append(body_line - first_line + 1 if body_line else 0)
        starts.append(_unsigned(first_line - before))
        lengths.append(last_line - first_line)
        names.append(name[len(prefix) :])
        prefix, begin, end = f"{name}.", first_line, last_line
        around.append((prefix, begin))
    numbers = _several_bytes((len(names), *depths, *kinds, *bodies, *starts, *lengths))
    return deflated(numbers + "\n".join(names).encode("utf-8", "surrogatepass"), _OUTLINE_WINDOW)


def unpack_outline(blob: bytes) -> list[Outlined]:
    """What `pack_outline` was given. Raises ValueError for bytes that it never made."""
    if not blob:
        return []
    content = inflated(blob, _OUTLINE_WINDOW)
    numbers, at = _first_numbers(content, 0, 1)
    count = numbers[0]
    if count > len(content):
        raise ValueError("a file's outline is damaged")
    numbers, at = _first_numbers(content, at, 5 * count)
    names = content[at:].decode("utf-8", "surrogatepass").split("\n") if count else []
    if len(names) != count:
        raise ValueError("a file's outline is damaged")
    units = []
    around = [""]
    opened = [0]
    ended = 0
    room = _MOST
    columns = (numbers[place * count : (place + 1) * count] for place in range(5))
    for depth, kind, body, start, length, name in zip(*columns, names, strict=True):
        if not 0 < depth <= len(around):
            raise ValueError("a file's outline is damaged")
        before = opened[-1] if depth == len(around) else ended
        del around[depth:], opened[depth:]
        first_line = before + _signed(start)
        ended = first_line + length
        name = around[-1] + name
        room -= len(name)
        if not 0 <= first_line <= ended <= _LAST_LINE or room < 0:
            raise ValueError("a file's outline is damaged")
        units.append((kind, first_line, ended, first_line + body - 1 if body else 0, name))
        around.append(f"{name}.")
        opened.append(first_line)
    return units


def _first_numbers(content: bytes, at: int, count: int) -> tuple[list[int], int]:
    """So many numbers of several bytes from there on, and where the next one begins."""
    numbers: list[int] = []
    while len(numbers) < count:
        number = shift = 0
        while True:
            if at >= len(content):
                raise ValueError("packed numbers are cut short")
            step = content[at]
            at += 1
            number |= (step & 127) << shift
            shift += 7
            if step < 128:
                break
            if shift > _LONGEST_NUMBER:
                raise ValueError("a packed number is too long")
        numbers.append(number)
    return numbers, at


def _several_bytes(numbers: Iterable[int]) -> bytes:
    """Numbers of which each byte holds seven bits, the lowest first, all but the last marked."""
    steps = bytearray()
    for number in numbers:
        while number > 127:
            steps.append(number & 127 | 128)
            number >>= 7
        steps.append(number)
    return bytes(steps)


_MOST: Final = 1 << 24
"""Bytes that anything packed comes to: a few forged ones could come to gigabytes."""


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
        inflated = inflater.decompress(content, _MOST)
    except zlib.error as failure:
        raise ValueError(f"packed bytes are damaged: {failure}") from failure
    if not inflater.eof:
        raise ValueError("packed bytes are cut short, or come to more than anything has")
    return inflated


def _tagged(steps: bytes | bytearray) -> bytes:
    """The bytes behind a tag, deflated if that makes them fewer."""
    if len(steps) >= _WORTH_DEFLATING:
        shorter = deflated(steps)
        if len(shorter) < len(steps):
            return _DEFLATED + shorter
    return _PLAIN + steps


def _steps(blob: bytes) -> bytes:
    tag = blob[:1]
    if tag == _DEFLATED:
        return inflated(blob[1:])
    if tag != _PLAIN:
        raise ValueError(f"unknown packing {tag!r}")
    return blob[1:]
