"""A table with its rows.

May import the descriptions of tables. Refuses to know how SQL reaches it.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from whotests.sql.tables import Table, Value
from whotests.sql.wanted import Wanted

__all__ = ["Estimate", "Relation", "Row"]

Row = tuple[Value, ...]
"""A value for each column of the table, in order."""


class Estimate(NamedTuple):
    """What a query planner goes by."""

    rows: int
    cost: float
    """In rows of a plain table."""
    unique: bool = False
    """At most one row."""


class Relation(Protocol):
    """One table, made from whatever lies below."""

    @property
    def table(self) -> Table:
        """Its description."""

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate | None:
        """What `rows` costs when these columns have a known value each, and others a condition of
        another kind. None: it cannot be asked like that."""

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        """The rows that meet the conditions, and maybe others, in no order."""
