"""The data files that a command is given: files, and folders of them.

May import the standard library, errors and the schema. Refuses to open a database.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from whotests.errors import DataError
from whotests.store.schema import APPLICATION_ID

__all__ = ["data_files", "is_ours", "version_in_header"]

_SQLITE: Final = b"SQLite format 3\0"
_APPLICATION: Final = 68
"""Where SQLite's header has the application id, 4 bytes, the first one highest."""
_VERSION: Final = 60
"""Where it has the version that the user gives, in the same way."""


def data_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Each file as it is, and of each folder all data files of ours in it and below it, by path.

    One that is named twice, or by two paths, is there once. Raises DataError for a folder
    without any.
    """
    found: dict[str, Path] = {}
    for path in paths:
        inside = _below(path) if path.is_dir() else [path]
        if not inside:
            raise DataError(
                f"{path} is a folder without a data file in it; give the data file with --data "
                "FILE, or record first with `whotests test`"
            )
        for file in inside:
            found.setdefault(os.path.realpath(file), file)
    return tuple(found.values())


def is_ours(path: Path) -> bool:
    """Whether the file's header says that it is a data file of whotests, of whatever version."""
    return version_in_header(path) is not None


def version_in_header(path: Path) -> int | None:
    """The version of the schema, as the header of a data file of ours has it; None: it is none."""
    try:
        with open(path, "rb") as file:
            header = file.read(_APPLICATION + 4)
    except OSError:
        return None
    ours = APPLICATION_ID.to_bytes(4, "big")
    if not header.startswith(_SQLITE) or header[_APPLICATION:] != ours:
        return None
    return int.from_bytes(header[_VERSION : _VERSION + 4], "big")


def _below(folder: Path) -> list[Path]:
    """The data files in a folder and in those below it, which are not followed to other places."""
    paths = [Path(where, name) for where, _, names in os.walk(folder) for name in names]
    return sorted(path for path in paths if path.is_file() and is_ours(path))
