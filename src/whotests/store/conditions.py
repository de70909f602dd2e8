"""What is asked of a table, as conditions of SQL."""

from collections.abc import Collection
from typing import Final

__all__ = ["MANY", "only", "where"]

MANY: Final = 2000
"""Ids above which it takes longer to name them than to look through all rows."""


def only(column: str, ids: Collection[int] | None) -> str:
    """A condition on a column, for as many ids as it is worth it: '' for more, and for None."""
    if ids is None or len(ids) > MANY:
        return ""
    return f"{column} IN ({','.join(map(str, ids))})"


def where(*conditions: str) -> str:
    """What conditions there are, as the end of a SELECT."""
    given = [condition for condition in conditions if condition]
    return f" WHERE {' AND '.join(given)}" if given else ""
