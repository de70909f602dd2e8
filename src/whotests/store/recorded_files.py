"""The versions of files that runs saw."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from whotests.packing.bitmaps import unpack_bits, unpack_lines
from whotests.store.conditions import where
from whotests.store.schema import FILE_STATES
from whotests.store.values import FileVersion, Run
from whotests.types import FileState

__all__ = ["recorded_files"]

Rows = Callable[[str], Iterator[tuple[Any, ...]]]


def recorded_files(
    rows: Rows, runs: Sequence[Run], *, of_these_runs: str
) -> tuple[FileVersion, ...]:
    """All versions of all files that `runs` saw, by path, the newest seen first.

    `rows` asks the data file; `of_these_runs` is the condition on `run_id` that it is one of
    `runs`, '' where these are all there are. Raises what `rows` raises.
    """
    started = {run.id: run.started for run in runs}
    seen: dict[int, tuple[int, int, str]] = {}
    for file_id, run_id, state, reason in rows(
        f"SELECT file_id, run_id, state, reason FROM run_file{where(of_these_runs)} ORDER BY run_id"
    ):
        old = seen.get(file_id)
        if old is not None and FILE_STATES[old[1]] is FileState.MEASURED:
            state, reason = old[1:]
        seen[file_id] = (run_id, state, reason)
    rules_runs: dict[int, int] = {}
    if of_these_runs:
        rules_runs = dict(rows("SELECT file_id, max(run_id) FROM run_file GROUP BY file_id"))
    versions = [
        FileVersion(
            id=file_id,
            path=path,
            digest=digest,
            line_count=line_count,
            statements=unpack_bits(statements),
            excluded=unpack_lines(excluded),
            partial=unpack_lines(partial),
            state=FILE_STATES[seen[file_id][1]],
            reason=seen[file_id][2],
            recorded=started.get(seen[file_id][0], 0.0),
            newest_run=seen[file_id][0],
            rules_run=rules_runs.get(file_id, seen[file_id][0]),
        )
        for file_id, path, digest, line_count, statements, excluded, partial in rows(
            "SELECT file.id, folder.name || file.name, digest, line_count, statements,"
            " excluded, partial FROM file JOIN folder ON folder.id = folder_id"
        )
        if file_id in seen
    ]
    versions.sort(key=lambda version: (version.path, -version.newest_run, -version.id))
    return tuple(versions)
