"""Source files in a zip archive: their paths go through the archive's, as in `lib.zip/pkg/mod.py`.

(PYTEST_DONT_REWRITE)
"""

import os

from whotests.config.scope import ARCHIVES

__all__ = ["archived", "archived_files", "is_archive"]


def is_archive(path: str) -> bool:
    """Whether a file is one by its name."""
    return path.lower().endswith(ARCHIVES) and os.path.isfile(path)


def archived(path: str) -> bytes | None:
    """The bytes of a file in an archive, None if there is no such file or archive."""
    archive = os.path.dirname(path)
    while archive and not os.path.exists(archive):
        shorter = os.path.dirname(archive)
        if shorter == archive:
            return None
        archive = shorter
    if not os.path.isfile(archive):
        return None
    from zipfile import BadZipFile, ZipFile  # much to import, and seldom needed

    try:
        with ZipFile(archive) as opened:
            return opened.read(path[len(archive) + 1 :].replace(os.sep, "/"))
    except (OSError, BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError):
        return None


def archived_files(archive: str) -> list[str]:
    """The paths of all Python sources in an archive, sorted; none if it cannot be read."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(archive) as opened:
            names = opened.namelist()
    except (OSError, BadZipFile, ValueError, NotImplementedError):
        return []
    return sorted(os.path.join(archive, *name.split("/")) for name in names if name.endswith(".py"))
