"""Sorted numbers as bytes: the pattern ids of a footprint, the footprints of a pattern."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, compress
from operator import sub
from typing import Final

from whotests.packing.steps import steps_of, tagged

__all__ = ["common", "pack", "unpack", "walk"]

_FURTHER: Final = 255
"""A step that leads to no number: differences of 255 and more take several bytes."""

_MARK: Final = bytes([_FURTHER])
_IS_NUMBER: Final = bytes([1] * _FURTHER + [0])


def pack(ids: Sequence[int]) -> bytes:
    """Ascending positive numbers as bytes; one that is there several times counts once.

    A tag, 'P' or 'D'; then the differences from each number to the next (the first to zero),
    a byte for each, where 255 means 'add that and go on': deflated after a 'D', as this takes
    a third of the room of longer ones.
    """
    differences = list(map(sub, ids, chain((0,), ids)))
    if not differences or max(differences) < _FURTHER:
        return tagged(_without_repetitions(differences))
    steps = bytearray()
    start = 0
    for place, difference in enumerate(differences):
        if difference >= _FURTHER:
            steps += _without_repetitions(differences[start:place])
            further, last = divmod(difference, _FURTHER)
            steps += _MARK * further
            steps.append(last)
            start = place + 1
    return tagged(steps + _without_repetitions(differences[start:]))


def _without_repetitions(differences: Sequence[int]) -> bytes:
    """A byte for each difference; none for the one to the same number."""
    return bytes(differences).replace(b"\0", b"")


def walk(blob: bytes) -> Iterator[int]:
    """The numbers that `pack` was given, ascending, at the speed of C.

    Raises ValueError for bytes that `pack` never made.
    """
    steps = steps_of(blob)
    return compress(accumulate(steps), steps.translate(_IS_NUMBER))


def common(blob: bytes, wanted: frozenset[int]) -> frozenset[int]:
    """Those of `wanted` that are among the packed numbers; quickest when there are none."""
    steps = steps_of(blob)
    # Sums at steps that lead to no number may be met here as well: a reason to look closer.
    if wanted.isdisjoint(accumulate(steps)):
        return frozenset()
    return wanted.intersection(compress(accumulate(steps), steps.translate(_IS_NUMBER)))


def unpack(blob: bytes) -> Sequence[int]:
    """As `walk`, all at once."""
    return tuple(walk(blob))
