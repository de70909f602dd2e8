"""Many data files into one, in one transaction of that one.

May import the standard library, config, errors and the store's own floor. Refuses to change or
remove what it reads.
"""

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from whotests.errors import DataError
from whotests.store.connection import compact, connect_to_write, prepare_folder
from whotests.store.failures import translated
from whotests.store.history import trim_all
from whotests.store.index import make_index
from whotests.store.merging.merger import Merger
from whotests.store.merging.previews import FILES, Paths, Preview, paths_here, previews
from whotests.store.merging.runs import Kind, kind_of, put_in_order, uids_of
from whotests.store.merging.source import Source
from whotests.store.parts import have_parts, parts_that_are_over, take_in
from whotests.store.removal import (
    collect_garbage,
    current_before,
    outdated,
    over_runs,
    reinstate,
    remember,
    remove_runs,
    supersede,
)
from whotests.store.schema import FILE_STATES
from whotests.types import FileState, RunStatus

__all__ = ["Combined", "How", "combine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """In which way data files become one."""

    root: str
    """The project's folder, with '/'."""
    paths: Paths = ()
    """As `Settings.paths`."""
    append: bool = False
    """Add to the runs that are there; otherwise take the place of those of the same name and
    label."""
    keep_runs: int = 1
    """So many generations of a name and label stay."""
    keep_history: int = 100
    """And how the tests of so many runs ended that do not."""
    name: str | None = None
    """What all combined runs are called; None: what they are called."""
    label: str = ""
    """What their labels are put below."""
    one_source: bool = False
    """Refuse when several versions of a file were recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """What has become of the data files."""

    inputs: Sequence[Path]
    """Those that had a run."""
    runs: int
    """In which what was combined is now."""
    tests: int
    files: int
    """Measured ones; several versions count once."""
    replaced: int
    """Runs whose place was taken."""
    renamed: Mapping[str, str]
    """Paths there -> paths here, where these differ."""
    several_versions: Mapping[str, int]
    """Path -> how many versions of it were recorded."""
    without_branches: int
    """Inputs that recorded none, where others did."""
    unfinished: Sequence[str]
    """Inputs of which a run was still going on, or was killed."""


def combine(
    target: Path,
    inputs: Sequence[Path],
    how: How,
    *,
    here: str,
    now: float,
    max_pages: int | None = None,
) -> Combined:
    """Copies the runs of all inputs into the data file `target`, which is made if it is not there.

    An input that is the target itself stands for `append`. `here` is this machine's name, `now`
    is in seconds since the epoch; `max_pages` bounds the target's size, as a full disk would.
    Raises DataError (an input or the target is missing, damaged, of another program, newer; a
    run of the inputs is still in the target's way) or MachineError, and then no file has changed.
    """
    others = [path for path in inputs if not _same(path, target)]
    append = how.append or len(others) < len(inputs)
    looked_at = previews(others, name=how.name, label=how.label)
    try:
        prepare_folder(target)
        connection = connect_to_write(target, max_pages=max_pages, often=False)
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                combined = _Combining(connection, how, append=append, here=here, now=now).take(
                    looked_at
                )
                connection.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself (a full disk).
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            compact(connection, pages_before=0)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as failure:
        raise translated(target, failure) from failure
    return combined


class _Combining:
    """The work of one transaction of the target."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        how: How,
        *,
        append: bool,
        here: str,
        now: float,
    ) -> None:
        self._connection = connection
        self._how = how
        self._append = append
        self._now = now
        over = over_runs(connection, here=here, now=now)
        for run_id in over if have_parts(connection) else ():
            parts = parts_that_are_over(connection, run_id, here=here, now=now)
            take_in(connection, parts, into=run_id)
        self._over = frozenset(over_runs(connection, here=here, now=now))
        alive = {number for (number,) in connection.execute("SELECT id FROM run")} - self._over
        self._alive = max(alive, default=0)
        """The last of the runs that go on. What there is must stay where it is while there are
        any, and each takes the place of runs that were over when it began."""

    def take(self, inputs: Sequence[Preview]) -> Combined:
        """Copies what the inputs have, and removes what it takes the place of."""
        known = [(path, digest) for path, digest, _ in self._connection.execute(FILES)]
        paths = paths_here(known, inputs, root=self._how.root, paths=self._how.paths)
        merger = Merger(self._connection, partners=self._partners(inputs))
        for each, ours in zip(inputs, paths, strict=True):
            with Source.open(each.path, known=each.stamp) as source:
                merger.take(
                    source,
                    paths=ours,
                    name=self._how.name,
                    label=self._how.label,
                    root=self._how.root if self._is_at_home(ours.values()) else None,
                )
        # Nobody will ever end them here.
        self._connection.execute(
            "UPDATE run SET status = ?, note = 'it had not ended when it was combined',"
            f" ended = heartbeat WHERE status = ? AND id IN {_list(merger.written)}",
            (RunStatus.INCOMPLETE.value, RunStatus.RUNNING.value),
        )
        replaced = self._replace(merger.written)
        trim_all(self._connection, keep=self._how.keep_history)
        reinstate(self._connection)
        combined = Combined(
            inputs=[each.path for each in inputs],
            runs=len(merger.written),
            tests=self._count("test", merger.written),
            files=self._measured(merger.written),
            replaced=replaced,
            renamed={
                before: after
                for renamings in paths
                for before, after in renamings.items()
                if before != after
            },
            several_versions=self._several_versions(merger.written),
            without_branches=_without_branches(inputs),
            unfinished=[
                str(each.path)
                for each in inputs
                if any(row["status"] == RunStatus.RUNNING for row in each.runs)
            ],
        )
        if self._how.one_source and combined.several_versions:
            raise DataError(_different(combined.several_versions))
        if not self._alive:
            collect_garbage(self._connection)
            put_in_order(self._connection)
        make_index(self._connection)
        return combined

    def _is_at_home(self, paths: Iterable[str]) -> bool:
        """Whether the project here has any of these files: then what was recorded is of it."""
        root = self._how.root
        return any(
            not os.path.isabs(path) and os.path.isfile(os.path.join(root, path)) for path in paths
        )

    def _partners(self, inputs: Sequence[Preview]) -> frozenset[int]:
        """The runs of the target that the inputs add to: all, or those that they have whole.

        But none of which a run that goes on will take the place.
        """
        coming: dict[Kind, set[bytes]] = {}
        for row in (row for each in inputs for row in each.runs):
            if row["superseded"] is None:
                coming.setdefault(kind_of(row), set()).update(uids_of(row["uid"]))
        cursor = self._connection.execute("SELECT id, uid, name, label, rules FROM run")
        return frozenset(
            run_id
            for run_id, uid, *kind in cursor
            if run_id in self._over
            and run_id > self._alive
            and (self._append or uids_of(uid) <= coming.get((kind[0], kind[1], kind[2]), set()))
        )

    def _replace(self, written: Iterable[int]) -> int:
        """Supersedes the runs that were there before, unless they were added to."""
        current = self._connection.execute(
            f"SELECT min(id) FROM run WHERE id IN {_list(written)} AND superseded IS NULL"
            " GROUP BY name, label"
        ).fetchall()
        replaced = 0
        for (run_id,) in current:
            before = [
                other
                for other in current_before(self._connection, run_id, over=self._over)
                if not self._append and other not in written
            ]
            if before:
                supersede(self._connection, before, by=run_id, at=self._now)
                replaced += len(before)
            gone = outdated(
                self._connection, run_id, over=self._over, keep_runs=self._how.keep_runs
            )
            remember(self._connection, gone, keep=self._how.keep_history)
            remove_runs(self._connection, gone)
        return replaced

    def _several_versions(self, written: Iterable[int]) -> Mapping[str, int]:
        return dict(
            self._connection.execute(
                "SELECT folder.name || file.name AS path, count(DISTINCT file.id)"
                " FROM run_file JOIN file ON file.id = file_id"
                " JOIN folder ON folder.id = folder_id"
                f" WHERE run_id IN {_list(written)} GROUP BY path"
                " HAVING count(DISTINCT file.id) > 1 ORDER BY path"
            )
        )

    def _measured(self, written: Iterable[int]) -> int:
        (count,) = self._connection.execute(
            "SELECT count(DISTINCT folder_id || '/' || name) FROM run_file"
            f" JOIN file ON file.id = file_id WHERE run_id IN {_list(written)} AND state = ?",
            (FILE_STATES.index(FileState.MEASURED),),
        ).fetchone()
        return int(count)

    def _count(self, table: str, written: Iterable[int]) -> int:
        query = f"SELECT count(*) FROM {table} WHERE run_id IN {_list(written)}"
        (count,) = self._connection.execute(query).fetchone()
        return int(count)


def _without_branches(inputs: Sequence[Preview]) -> int:
    with_branches = [any(row["branch"] for row in each.runs) for each in inputs]
    return with_branches.count(False) if any(with_branches) else 0


def _different(versions: Mapping[str, int]) -> str:
    names = ", ".join(f"{path} ({count} versions)" for path, count in list(versions.items())[:10])
    more = f" and {len(versions) - 10} more" if len(versions) > 10 else ""
    return (
        f"the data files saw different source of {names}{more}, so nothing was combined; record "
        "all of them from one commit, or leave --one-source out to keep the versions apart"
    )


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _list(numbers: Iterable[int]) -> str:
    return f"({','.join(map(str, sorted(numbers)))})"
