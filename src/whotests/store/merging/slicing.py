"""A part of a data file, in a file of its own.

May import the standard library, errors and the store's own floor. Refuses to change what it
reads, and to leave half a file behind.
"""

import os
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from whotests.errors import UsageError
from whotests.store.connection import compact, connect_to_write, prepare_folder
from whotests.store.failures import translated
from whotests.store.index import make_index
from whotests.store.merging.choice import Choice
from whotests.store.merging.in_memory import merged
from whotests.store.merging.merger import Merger
from whotests.store.merging.previews import Paths
from whotests.store.merging.runs import UID_SIZE
from whotests.store.merging.source import Source
from whotests.store.removal import collect_garbage, reinstate, remove_runs

__all__ = ["Slice", "write_subset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What a subset has."""

    runs: int
    tests: int
    files: int
    """Several versions of one count once."""
    size: int
    """Bytes."""


def write_subset(
    inputs: Sequence[Path],
    target: Path,
    choice: Choice,
    *,
    replace: bool,
    root: str = "",
    aliases: Paths = (),
) -> Slice:
    """Writes what is chosen of the data files, which count as one, to `target`.

    `root`, `aliases` and the ids of `choice.runs` are those of `merged`, when there are several
    inputs. Raises UsageError when nothing is chosen or `target` is there and not to `replace`,
    else as `combine`; nothing has changed then.
    """
    if os.path.lexists(target) and (not replace or not target.is_file()):
        raise UsageError(
            f"{target} is there already; give another -o FILE"
            + ("" if replace or not target.is_file() else ", or --force to replace it")
        )
    if any(target.exists() and path.samefile(target) for path in inputs):
        raise UsageError(f"{target} is the data itself; give another -o FILE")
    try:
        prepare_folder(target)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        os.close(descriptor)
        new = Path(name)
        try:
            with _opened(inputs, root, aliases) as source:
                found = _written(source, new, choice)
            # Like any other file that this user makes.
            mask = os.umask(0)
            os.umask(mask)
            new.chmod(0o666 & ~mask)
            os.replace(new, target)
        except BaseException:
            for suffix in ("", "-wal", "-shm", "-journal"):
                with suppress(OSError):
                    os.unlink(name + suffix)
            raise
    except (sqlite3.Error, OSError) as failure:
        raise translated(target, failure) from failure
    return found


def _opened(inputs: Sequence[Path], root: str, aliases: Paths) -> Source:
    if len(inputs) == 1:
        return Source.open(inputs[0])
    return Source(inputs[0], merged(inputs, root=root, aliases=aliases))


def _written(source: Source, path: Path, choice: Choice) -> Slice:
    connection = connect_to_write(path, often=False)
    try:
        connection.execute("BEGIN")
        Merger(connection).take(source, choice=choice, alone=True)
        if choice.of_contexts or choice.file is not None:
            idle = connection.execute(
                "SELECT id FROM run WHERE id NOT IN (SELECT run_id FROM test)"
                " AND id NOT IN (SELECT run_id FROM context)"
            )
            remove_runs(connection, [run_id for (run_id,) in idle])
            collect_garbage(connection)
            # A part of a run is another run: where both are combined, none stands for the other.
            runs = connection.execute("SELECT id FROM run").fetchall()
            connection.executemany(
                "UPDATE run SET uid = ? WHERE id = ?",
                [(os.urandom(UID_SIZE), run_id) for (run_id,) in runs],
            )
        counts = {
            table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("run", "test", "context")
        }
        paths = "SELECT count(*) FROM (SELECT DISTINCT folder_id, name FROM file)"
        (files,) = connection.execute(paths).fetchone()
        if not counts["test"] and not counts["context"]:
            raise UsageError(
                "nothing of the data is chosen, so nothing was written; `whotests status` and "
                "`whotests what` tell what there is"
            )
        reinstate(connection)
        make_index(connection)
        connection.execute("COMMIT")
        compact(connection, pages_before=0)
    finally:
        connection.close()
    return Slice(
        runs=counts["run"],
        tests=counts["test"],
        files=int(files),
        size=path.stat().st_size,
    )
