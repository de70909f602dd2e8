"""A file's units as bytes."""

from collections.abc import Iterable
from typing import Final

from whotests.packing.steps import (
    LAST_LINE,
    LONGEST_NUMBER,
    MOST,
    deflated,
    inflated,
    several_bytes,
    signed,
    unsigned,
)
from whotests.types import UnitKind

__all__ = ["UNIT_KINDS", "Outlined", "pack_outline", "unpack_outline"]

UNIT_KINDS: Final = (UnitKind.FUNCTION, UnitKind.CLASS, UnitKind.MODULE)
"""A kind is stored as its place here: append only."""

_WINDOW: Final = -13
"""8 KiB: hardly an outline is longer."""

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
        starts.append(unsigned(first_line - before))
        lengths.append(last_line - first_line)
        names.append(name[len(prefix) :])
        prefix, begin, end = f"{name}.", first_line, last_line
        around.append((prefix, begin))
    numbers = several_bytes((len(names), *depths, *kinds, *bodies, *starts, *lengths))
    return deflated(numbers + "\n".join(names).encode("utf-8", "surrogatepass"), _WINDOW)


def unpack_outline(blob: bytes) -> list[Outlined]:
    """What `pack_outline` was given. Raises ValueError for bytes that it never made."""
    if not blob:
        return []
    content = inflated(blob, _WINDOW)
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
    room = MOST
    columns = (numbers[place * count : (place + 1) * count] for place in range(5))
    for depth, kind, body, start, length, name in zip(*columns, names, strict=True):
        if not 0 < depth <= len(around):
            raise ValueError("a file's outline is damaged")
        before = opened[-1] if depth == len(around) else ended
        del around[depth:], opened[depth:]
        first_line = before + signed(start)
        ended = first_line + length
        name = around[-1] + name
        room -= len(name)
        if not 0 <= first_line <= ended <= LAST_LINE or room < 0:
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
            if shift > LONGEST_NUMBER:
                raise ValueError("a packed number is too long")
        numbers.append(number)
    return numbers, at
