"""Several data files as one, which nobody writes into.

May import the standard library and the store's own floor. Refuses to change a file.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from whotests.store.merging.merger import Merger
from whotests.store.merging.previews import Paths, paths_here, previews
from whotests.store.merging.runs import put_in_order
from whotests.store.merging.source import Source
from whotests.store.schema import SCHEMA

__all__ = ["merged"]


def merged(paths: Sequence[Path], *, root: str = "", aliases: Paths = ()) -> sqlite3.Connection:
    """A data file in memory that has the runs of all of these, at least one.

    Paths are what they are in the project at `root` by its `aliases`, and files of the same source
    are one file, as when they are combined; '': the project of the newest run. Raises DataError for
    one that is missing, damaged, of another program, or newer.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.executescript(SCHEMA)
        connection.execute("BEGIN")
        merger = Merger(connection)
        looked_at = previews(paths)
        newest = max(looked_at, key=lambda each: float(each.runs[-1]["started"]))
        root = root or str(newest.runs[-1]["root"]).replace("\\", "/")
        here = paths_here((), looked_at, root=root, paths=aliases)
        for each, ours in zip(looked_at, here, strict=True):
            with Source.open(each.path, known=each.stamp) as source:
                merger.take(source, paths=ours)
        put_in_order(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection
