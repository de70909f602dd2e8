"""How many lines there are in footprints together, for as many sets of them as there are tests.

May import the standard library, packing and the store's own floor. Refuses to keep what many
tests ran in memory: a large project's patterns are a hundred times what its footprints take
packed.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from whotests.packing.bitmaps import unpack_ran
from whotests.packing.ids import walk

__all__ = ["Rows", "by_id", "lines_together", "name_of"]

Rows = Callable[[str], Iterator[tuple[Any, ...]]]
"""Runs a query."""

_FEW: Final = 500
"""Of so many footprints the patterns are looked for one by one, if there is an index for that."""
_AT_ONCE: Final = 5_000
_MANY_PATTERNS: Final = 100_000
"""More are found no sooner one by one."""
_KEPT: Final = 1000
"""Footprints of which the patterns stay unpacked: many tests share one when they are set up."""


def lines_together(
    rows: Rows, kinds: Collection[frozenset[int]]
) -> Iterator[tuple[frozenset[int], int]]:
    """Each set of footprints (by id) with the number of lines that are in any of them.

    Raises ValueError when the data are damaged.
    """
    unknown = set(kinds)
    only = ""
    if len(unknown) <= _FEW:
        only = f" WHERE footprints IN ({','.join(repr(name_of(kind)) for kind in kinds)})"
    for name, lines in rows(f"SELECT footprints, lines FROM total{only}"):
        kind = frozenset(map(int, name.split()))
        if kind in unknown:
            unknown.remove(kind)
            yield kind, lines
    if unknown:
        yield from _counted(rows, unknown)


def name_of(kind: Iterable[int]) -> str:
    """A set of footprints as `total` has it."""
    return " ".join(map(str, sorted(kind)))


def by_id(rows: Rows, query: str, ids: Collection[int]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query that ends with a column and IN, for these ids."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        numbers = ",".join(map(str, ordered[start : start + _AT_ONCE]))
        yield from rows(f"{query} ({numbers})")


def _counted(rows: Rows, kinds: Collection[frozenset[int]]) -> Iterator[tuple[frozenset[int], int]]:
    needed = frozenset(chain.from_iterable(kinds))
    few = len(needed) <= _FEW
    only = f" WHERE id IN ({','.join(map(str, needed))})" if few else ""
    blobs = {
        footprint_id: blob
        for footprint_id, blob in rows(f"SELECT id, patterns FROM footprint{only}")
        if footprint_id in needed
    }

    @lru_cache(_KEPT)
    def patterns_of(footprint_id: int) -> frozenset[int]:
        return frozenset(walk(blobs[footprint_id]))

    try:
        wanted = frozenset().union(*map(patterns_of, needed)) if few else None
        patterns = _Patterns(_patterns_among(rows, wanted))
        for kind in kinds:
            first, *others = map(patterns_of, kind)
            yield kind, patterns.lines(first.union(*others) if others else first)
    except LookupError as failure:
        raise ValueError(f"a footprint or pattern is missing: {failure}") from failure


def _patterns_among(
    rows: Rows, patterns: Collection[int] | None
) -> Iterator[tuple[int, int, bytes]]:
    """The id, the unit's id, and what ran, of these patterns; of all for None, or if that is
    quicker."""
    query = "SELECT id, unit_id, ran FROM pattern"
    has_index = "SELECT 1 FROM sqlite_schema WHERE name = 'pattern_by_id'"
    if (
        patterns is not None
        and len(patterns) < _MANY_PATTERNS
        and any(True for _ in rows(has_index))
    ):
        return by_id(rows, f"{query} WHERE id IN", patterns)
    return rows(query)


class _Patterns:
    """What is known of patterns, by their ids.

    Arrays, since ids are dense, and of half a million patterns each look at an object is a wait
    for the memory.
    """

    def __init__(self, patterns: Iterator[tuple[int, int, bytes]]) -> None:
        found = list(patterns)
        size = 1 + max((pattern_id for pattern_id, _, _ in found), default=0)
        self._units = array("I", bytes(4 * size))
        self._counts = array("I", bytes(4 * size))
        self._ran = [b""] * size
        for pattern_id, unit_id, ran in found:
            self._units[pattern_id] = unit_id
            self._counts[pattern_id] = unpack_ran(ran)[0].bit_count()
            self._ran[pattern_id] = ran

    def lines(self, patterns: frozenset[int]) -> int:
        """How many lines these are together."""
        total = sum(map(self._counts.__getitem__, patterns))
        units = list(map(self._units.__getitem__, patterns))
        if len(set(units)) < len(units):
            total -= self._overlap(units, patterns)
        return total

    def _overlap(self, units: list[int], patterns: frozenset[int]) -> int:
        """How many lines were counted more than once, since patterns are of the same unit."""
        first: dict[int, int] = {}
        together: dict[int, int] = {}
        overlap = 0
        for unit, pattern in zip(units, patterns, strict=True):
            other = first.setdefault(unit, pattern)
            if other is not pattern:
                if unit not in together:
                    together[unit] = unpack_ran(self._ran[other])[0]
                bits = unpack_ran(self._ran[pattern])[0]
                overlap += (together[unit] & bits).bit_count()
                together[unit] |= bits
        return overlap
