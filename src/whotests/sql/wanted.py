"""What a query wants of a table: conditions on its columns, and the columns that it looks at.

May import types. Refuses to know SQL's syntax, and any table.

Conditions are taken as hints: SQLite looks at each row again. So whatever is not understood here
is left to it; but a row that meets all conditions is never left out.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple

from whotests.sql.tables import Value
from whotests.types import bits_of

__all__ = ["ALL", "Condition", "Wanted"]

_LARGEST: Final = 1 << 24
"""No file has more lines; bitmaps are not made larger, whatever number a query has."""


class Condition(NamedTuple):
    """One condition on a column."""

    column: str
    kind: Literal["in", "matches", "<", "<=", ">", ">="]
    values: frozenset[Value] = frozenset()
    """For 'in': the column has one of these."""
    matches: Callable[[Value], bool] | None = None
    """For 'matches'."""
    bound: int = 0
    """For comparisons."""


class Wanted:
    """All conditions that a row has to meet."""

    def __init__(
        self, conditions: Iterable[Condition] = (), *, columns: frozenset[str] | None = None
    ) -> None:
        """`columns` are those that are looked at; None: all."""
        self._columns = columns
        self._restricted: set[str] = set()
        self._values: dict[str, frozenset[Value]] = {}
        self._matches: dict[str, list[Callable[[Value], bool]]] = {}
        self._bits: dict[str, int] = {}
        """The values as bitmaps, once somebody asks."""
        self._bounds: dict[str, tuple[int | None, int | None]] = {}
        for column, kind, values, matches, bound in conditions:
            self._restricted.add(column)
            if kind == "in":
                known = self._values.get(column)
                self._values[column] = values if known is None else known & values
            elif kind == "matches":
                assert matches is not None
                self._matches.setdefault(column, []).append(matches)
            else:
                low, high = self._bounds.get(column, (None, None))
                if kind[0] == ">":
                    bound += kind == ">"
                    low = bound if low is None else max(low, bound)
                else:
                    bound -= kind == "<"
                    high = bound if high is None else min(high, bound)
                self._bounds[column] = low, high

    def uses(self, *columns: str) -> bool:
        """Whether any of these columns is looked at."""
        return self._columns is None or not self._columns.isdisjoint(columns)

    def values(self, column: str) -> frozenset[Value] | None:
        """The values that the column may have; None: others than few and known ones."""
        return self._values.get(column)

    def restricts(self, *columns: str) -> bool:
        """Whether there is a condition on any of these columns."""
        return not self._restricted.isdisjoint(columns)

    def admits(self, column: str, value: Value) -> bool:
        """Whether a row may have this value there."""
        values = self._values.get(column)
        if values is not None and value not in values:
            return False
        return all(matches(value) for matches in self._matches.get(column, ()))

    def bounds(self, column: str) -> tuple[int | None, int | None]:
        """The least and the greatest number that the column may have; None: any."""
        return self._bounds.get(column, (None, None))

    def lines(self, bits: int, *, column: str = "line") -> int:
        """Those of the lines in a bitmap that a row may have."""
        if (values := self._values.get(column)) is not None:
            if column not in self._bits:
                whole = (value for value in values if isinstance(value, int))
                self._bits[column] = bits_of(value for value in whole if 0 < value < _LARGEST)
            bits &= self._bits[column]
        low, high = self.bounds(column)
        if low is not None and low > 0:
            low = min(low, _LARGEST)
            bits = bits >> low << low
        if high is not None and high < _LARGEST:
            bits &= (1 << max(high, 0) + 1) - 1
        return bits


ALL: Final = Wanted()
"""Every row, and every column."""
