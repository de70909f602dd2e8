"""Lines as people read them: ranges, counts, percentages.

May import types, packing and the store's values. Refuses to know what ran: it is told. The
rules are coverage.py's (`coverage.results`), so that the numbers agree.
"""

from collections.abc import Iterable

from whotests.packing.branches import Branch
from whotests.types import lines_in

__all__ = ["digits_of", "falls_short", "missing_parts", "ranges", "shown_percent"]


def ranges(lines: int, *, among: int) -> tuple[tuple[int, int], ...]:
    """The lines of a bitmap as (first, last) pairs, joined over lines that are not in `among`.

    >>> ranges(0b1110000, among=0b11110010)
    ((4, 6),)
    """
    found: list[tuple[int, int]] = []
    joins = False
    for line in lines_in(among | lines):
        if lines >> line & 1:
            if joins:
                found[-1] = (found[-1][0], line)
            else:
                found.append((line, line))
        joins = bool(lines >> line & 1)
    return tuple(found)


def missing_parts(missing: int, *, among: int, branches: Iterable[Branch] = ()) -> tuple[str, ...]:
    """Missing lines as ranges, and missing branches of and to lines that ran, in order.

    >>> missing_parts(0b1110000, among=0b11110110, branches=[(2, 7), (2, -1), (7, 5)])
    ('2->7', '2->exit', '4-6')
    """
    parts = [
        (first, f"{first}" if first == last else f"{first}-{last}")
        for first, last in ranges(missing, among=among)
    ]
    for line, end in branches:
        if not missing >> line & 1 and (end < 0 or not missing >> end & 1):
            parts.append((line, f"{line}->{end if end > 0 else 'exit'}"))
    return tuple(text for _, text in sorted(parts))


def shown_percent(percent: float, *, precision: int = 0) -> str:
    """The number to show, with so many digits after the point: 0 and 100 only when exact."""
    least = 1.0 / 10**precision
    if 0.0 < percent < least:
        percent = least
    elif 100.0 - least < percent < 100.0:
        percent = 100.0 - least
    else:
        percent = round(percent, precision)
    return f"{percent:.{precision}f}"


def falls_short(percent: float, *, under: float, precision: int = 0) -> bool:
    """Whether `percent` fails a required `under`: rounded as shown, but 100 must be exact."""
    if under == 100.0:
        return percent < 100.0
    return round(percent, max(precision, digits_of(under))) < under


def digits_of(number: float) -> int:
    """How many digits after the point `number` is written with: a threshold keeps its own."""
    return len(f"{number:.10f}".rstrip("0").partition(".")[2])
