"""Lines as people read them: ranges, counts, percentages.

May import types only. Refuses to format: a range is two numbers, a percentage one.
The rules are coverage.py's (`coverage.results`), so that the numbers agree.
"""

from whotests.types import lines_in

__all__ = ["falls_short", "percent_run", "ranges", "shown_percent"]


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


def percent_run(*, statements: int, missing: int) -> float:
    """How much of so many statements ran, 0.0 to 100.0; of none, all of them."""
    if not statements:
        return 100.0
    return 100.0 * (statements - missing) / statements


def shown_percent(percent: float) -> int:
    """The whole number to show: 0 and 100 only when they are exact."""
    if 0.0 < percent < 1.0:
        return 1
    if 99.0 < percent < 100.0:
        return 99
    return round(percent)


def falls_short(percent: float, *, under: float) -> bool:
    """Whether `percent` fails a required `under`: rounded as shown, but 100 must be exact."""
    if under == 100.0:
        return percent < 100.0
    return round(percent, _digits(under)) < under


def _digits(number: float) -> int:
    """How many digits after the point `number` is written with: a threshold keeps its own."""
    return len(f"{number:.10f}".rstrip("0").partition(".")[2])
