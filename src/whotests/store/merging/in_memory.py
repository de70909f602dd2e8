"""Several data files as one, which nobody writes into.

May import the standard library and the store's own floor. Refuses to change a file.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from whotests.store.merging.merger import Merger
from whotests.store.merging.runs import put_in_order
from whotests.store.merging.source import Source
from whotests.store.schema import SCHEMA

__all__ = ["merged"]


def merged(paths: Sequence[Path]) -> sqlite3.Connection:
    """A data file in memory that has the runs of all of these.

    Raises DataError for one that is missing, damaged, of another program, or newer.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.executescript(SCHEMA)
        connection.execute("BEGIN")
        merger = Merger(connection)
        for path in paths:
            with Source.open(path) as source:
                merger.take(source)
        put_in_order(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection
