"""Footprints the other way around, where a data file has many: which of them have a pattern.

May import the standard library, packing and the store's own floor. Refuses to begin or end
transactions, and to be needed: what it does not know is looked for in the footprints.
"""

import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from typing import Any, Final

from whotests.packing.ids import pack, walk
from whotests.store.totals import Rows, by_id, lines_together, name_of

__all__ = ["MANY_FOOTPRINTS", "footprints_among", "make_index"]

MANY_FOOTPRINTS: Final = 5_000
_WORTH_AN_INDEX: Final = 4_000_000
"""So many bytes of footprints take a fifth of a second to look through."""
_TAIL: Final = 8
"""One in so many footprints may be newer than the index, before it is made anew."""
_ALL: Final = 0
"""In place of a pattern's id: the highest footprint that the index knows."""


def make_index(
    connection: sqlite3.Connection, *, many: int = MANY_FOOTPRINTS, worth: int = _WORTH_AN_INDEX
) -> None:
    """Sees to it that footprints can be found by their patterns, and that it is known how many
    lines each test ran, if there are so many footprints, of so many bytes.

    Cheap where there are not, or where there is such an index already.
    """
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM footprint").fetchone()
    if last < many:
        return
    known = _known(connection.execute)
    count, new, size = connection.execute(
        "SELECT count(*), coalesce(sum(id > ?), 0), coalesce(sum(length(patterns)), 0)"
        " FROM footprint",
        (known,),
    ).fetchone()
    if count < many or size < worth or new <= count // _TAIL:
        return
    connection.execute("DELETE FROM occurrence")
    connection.executemany(
        "INSERT INTO occurrence (pattern_id, footprints) VALUES (?, ?)",
        chain([(_ALL, pack((last,)))], _turned(connection)),
    )
    connection.execute("CREATE INDEX IF NOT EXISTS pattern_by_id ON pattern (id)")
    connection.execute("DELETE FROM total")
    tests: dict[int, set[int]] = {}
    for test_id, footprint_id in connection.execute(
        "SELECT test_id, footprint_id FROM context WHERE test_id IS NOT NULL"
    ):
        tests.setdefault(test_id, set()).add(footprint_id)
    kinds = {frozenset(footprints) for footprints in tests.values()}
    connection.executemany(
        "INSERT INTO total (footprints, lines) VALUES (?, ?)",
        ((name_of(kind), lines) for kind, lines in lines_together(connection.execute, kinds)),
    )


def footprints_among(
    rows: Rows, patterns: Collection[int]
) -> tuple[dict[int, frozenset[int]], int]:
    """Footprints that have any of these patterns, with those that they have; and the highest
    footprint that was looked at: newer ones may have some as well. 0: none was.

    Raises ValueError when the index is damaged.
    """
    known = _known(rows)
    if not known:
        return {}, 0
    found: dict[int, list[int]] = {}
    for pattern_id, blob in by_id(
        rows, "SELECT pattern_id, footprints FROM occurrence WHERE pattern_id IN", patterns
    ):
        for footprint_id in walk(blob):
            ids = found.get(footprint_id)
            if ids is None:
                found[footprint_id] = [pattern_id]
            else:
                ids.append(pattern_id)
    return {footprint_id: frozenset(ids) for footprint_id, ids in found.items()}, known


def _known(rows: Callable[[str], Any]) -> int:
    for (blob,) in rows(f"SELECT footprints FROM occurrence WHERE pattern_id = {_ALL}"):
        return max(walk(blob), default=0)
    return 0


def _turned(connection: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Each pattern and its footprints, packed."""
    places = _Places()
    for footprint_id, blob in connection.execute("SELECT id, patterns FROM footprint ORDER BY id"):
        for add in map(places.__getitem__, walk(blob)):
            add(footprint_id)
    for pattern_id in sorted(places.numbers):
        yield pattern_id, pack(places.numbers.pop(pattern_id))


class _Places(dict[int, Callable[[int], None]]):
    """Pattern id -> what adds one more of its footprints."""

    __slots__ = ("numbers",)

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[int, array[int]] = {}
        """Pattern id -> its footprints. There may be twenty million: not as objects."""

    def __missing__(self, pattern_id: int) -> Callable[[int], None]:
        numbers = self.numbers[pattern_id] = array("I")
        add = self[pattern_id] = numbers.append
        return add
