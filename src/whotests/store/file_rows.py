"""The rows of the files that a run has seen, and what it did with them.

May import the standard library, types, packing, errors and the store's own floor. Refuses to
begin or end transactions: the writer does, and says afterwards which keys to keep.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from whotests.packing.branches import BranchList, pack_branches, unpack_branches
from whotests.records import FileContent, FileRecord, UnitSpan
from whotests.store.names import Names
from whotests.store.pending import Kept, Pending
from whotests.store.rows_at_once import portions, rows_at_once
from whotests.store.schema import FILE_STATES
from whotests.store.stored_text import stored_text
from whotests.types import FileState

__all__ = ["File", "FileRows"]

_NO_CONTENT = FileContent()


class File(NamedTuple):
    """A version of a file, as the data file has it."""

    id: int
    units: tuple[UnitSpan, ...]
    branches: BranchList | None
    """None: what the run has of branches is what is there, in the same order."""
    places: Sequence[int] | None
    """Where the run's branches are among `branches`; None: where they are in the run's list."""

    def first_branch(self, unit: int) -> int:
        """The place of the first branch on the lines of the unit of this index."""
        first_line, last_line, first_branch, _ = self.units[unit]
        if self.branches is None:
            return first_branch
        return self.branches.first_within(first_line, last_line)


class FileRows:
    """Writes files of the run `run_id`, and knows them by their keys."""

    __slots__ = ("_files", "_folders", "_known", "_last_files", "run_id")

    def __init__(self, *, run_id: int) -> None:
        self.run_id = run_id
        self._files: Kept[int, File] = Kept()
        """File key -> what is in the file of it."""
        self._known: Kept[bytes, int] = Kept()
        """Digest, folder and name of a file -> its row's id, of all rows up to the last one that
        was looked at."""
        self._last_files = (0, 0)
        """That row, and the one that it was when the last transaction had succeeded."""
        self._folders = Names("folder")
        """What paths begin with."""

    def __getitem__(self, key: int) -> File:
        """What was written under the key."""
        return self._files[key]

    def keep(self) -> None:
        """The transaction is in the file."""
        self._files.keep()
        self._known.keep()
        self._last_files = (self._last_files[0], self._last_files[0])
        self._folders.keep()

    def forget(self) -> None:
        """What was not kept did not happen."""
        self._files.forget()
        self._known.forget()
        self._last_files = (self._last_files[1], self._last_files[1])
        self._folders.forget()

    def write(self, pending: Pending, files: Iterable[FileRecord]) -> None:
        """Adds the files' versions that are new, and what this run did with them."""
        self._look_for_others(pending.connection)
        placed = [(file, self._place(pending.connection, file)) for file in files]
        known = [self._known.get(_file_key(*place)) for _, place in placed]
        before = _content_of(pending.connection, [each for each in known if each is not None])
        content = before.copy()
        new: dict[int, tuple[int, str, bytes]] = {}
        for file, place in placed:
            key = _file_key(*place)
            file_id = self._known.get(key)
            if file_id is None:
                file_id = self._known[key] = pending.next_id("file")
                new[file_id] = place
            found = file.content
            if file.state is FileState.NOT_IMPORTED:
                found = found._replace(outline=b"")  # its source tells that
            known_so_far = content.get(file_id, _NO_CONTENT)
            content[file_id], branches, places = _merged(known_so_far, found)
            pending.add(
                "INSERT OR REPLACE INTO run_file (run_id, file_id, state, reason)"
                " VALUES (?, ?, ?, ?)",
                (self.run_id, file_id, FILE_STATES.index(file.state), file.reason),
            )
            self._files[file.key] = File(file_id, file.units, branches, places)
        for file_id, values in content.items():
            if file_id in new:
                pending.add(
                    "INSERT INTO file (id, folder_id, name, digest, line_count, statements,"
                    " excluded, branches, partial, outline) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (file_id, *new[file_id], *values),
                )
            elif values != before[file_id]:
                pending.add(
                    "UPDATE file SET line_count = ?, statements = ?, excluded = ?, branches = ?,"
                    " partial = ?, outline = ? WHERE id = ?",
                    (*values, file_id),
                )

    def _look_for_others(self, connection: sqlite3.Connection) -> None:
        """Knows the files that others have written between two transactions. Rows stay while a
        run is alive."""
        last, kept = self._last_files
        for file_id, folder_id, name, digest in rows_at_once(
            connection,
            "file WHERE id > ?",
            (last,),
            numbers=("id", "folder_id"),
            blobs=("name", "digest"),
        ):
            self._known[_file_key(folder_id, name, digest)] = file_id
            last = max(last, file_id)
        self._last_files = (last, kept)

    def _place(self, connection: sqlite3.Connection, file: FileRecord) -> tuple[int, str, bytes]:
        """What tells this version of the file from all others: folder id, name and digest."""
        head, slash, name = file.path.rpartition("/")
        return self._folders.id_of(connection, head + slash), name, file.digest


def _merged(
    before: FileContent, found: FileContent
) -> tuple[FileContent, BranchList | None, Sequence[int] | None]:
    """What is known of a file from now on, and what `File` has of its branches.

    The same text under other exclusion rules: the newest rules count. But a run that measured
    nothing of it knows no outline, one without branches knows none, and another Python may see
    other ones: then those that are new come last.
    """
    branches = places = None
    if found == before:
        return before, branches, places
    if not found.branches:
        found = found._replace(branches=before.branches, partial=before.partial)
    elif before.branches and before.branches != found.branches:
        known = BranchList(unpack_branches(before.branches))
        branches, places = known.with_all(unpack_branches(found.branches))
        grown = before.branches if branches is known else pack_branches(branches.all)
        found = found._replace(branches=grown)
    return found._replace(outline=found.outline or before.outline), branches, places


def _file_key(folder_id: int, name: str | bytes, digest: bytes) -> bytes:
    """Bytes, which the garbage collector does not look at."""
    if isinstance(name, str):
        name = stored_text(name).encode("utf-8")
    return b"%b%d %b" % (digest, folder_id, name)


def _content_of(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, FileContent]:
    """What is known of these files."""
    return {
        file_id: FileContent(*content)
        for some in portions(ids)
        for file_id, *content in rows_at_once(
            connection,
            f"file WHERE id IN ({some})",
            numbers=("id", "line_count"),
            blobs=("statements", "excluded", "branches", "partial", "outline"),
        )
    }
