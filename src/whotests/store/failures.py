"""What SQLite and the file system refuse, in words that say who must act.

May import the standard library only. Refuses to try again: callers decide that.
"""

import sqlite3
from pathlib import Path
from typing import Final

from whotests.errors import DataError, InternalError, MachineError, WhotestsError

__all__ = ["brief", "cut_short", "damaged", "newer", "not_ours", "older", "translated"]

# Primary result codes, https://www.sqlite.org/rescode.html
_REFUSED: Final = (3, 8, 14, 23)  # PERM, READONLY, CANTOPEN, AUTH
_IN_USE: Final = (5, 6)  # BUSY, LOCKED
_NO_MEMORY: Final = 7
_IO_ERROR: Final = 10
_DAMAGED: Final = 11
_FULL: Final = 13
_FOREIGN: Final = 26

_MOST_SHOWN: Final = 200
"""Characters of what stands in a file, in a message."""


def translated(path: Path, failure: sqlite3.Error | OSError) -> WhotestsError:
    """The error to raise (`from failure`) when work on the data file at `path` failed."""
    if isinstance(failure, OSError):
        return MachineError(
            f"cannot write {path}: {failure.strerror or failure}; "
            "make room or give another place with --data FILE"
        )
    # sqlite3's own misuse errors (a closed connection) carry no code.
    code = getattr(failure, "sqlite_errorcode", None)
    if code is None:
        return InternalError(f"{path}: {failure}; please report this")
    code &= 0xFF
    if code == _FULL:
        return MachineError(
            f"cannot write {path}: the disk is full; "
            "make room or give another place with --data FILE"
        )
    if code == _IO_ERROR:
        return MachineError(
            f"cannot use {path}: the system reports an input/output error ({failure}); "
            "check the disk and its free space, or give another place with --data FILE"
        )
    if code in _REFUSED:
        return MachineError(
            f"cannot open or write {path}: {failure}; "
            "check the permissions of the file and of its folder, "
            "or give another place with --data FILE"
        )
    if code in _IN_USE:
        return MachineError(
            f"{path} is in use by another process that does not let go of it; "
            "try again when it has ended"
        )
    if code == _NO_MEMORY:
        return MachineError(f"out of memory while using {path}; free some and try again")
    if code == _DAMAGED:
        return cut_short(path)
    if code == _FOREIGN:
        return not_ours(path)
    return InternalError(f"{path}: {failure} (SQLite code {code}); please report this")


def cut_short(path: Path) -> DataError:
    """`path` is not as SQLite left it."""
    return DataError(
        f"{path} is cut short or damaged; delete it and record again with `whotests test`"
    )


def not_ours(path: Path) -> DataError:
    """`path` holds something, but nothing of whotests'."""
    return DataError(
        f"{path} is not a data file of whotests; give the right one with --data FILE "
        "(it was left as it is)"
    )


def damaged(path: Path, failure: Exception) -> DataError:
    """What stands in `path` makes no sense, though SQLite could read it."""
    what = f"{failure.args[0]!r} is missing" if isinstance(failure, KeyError) else str(failure)
    what = brief(what)
    return DataError(f"{path} is damaged ({what}); delete it and record again with `whotests test`")


def brief(text: str) -> str:
    """What stands in a file, for a message: it may be anything, and of any length."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def newer(path: Path, *, version: int, known: int, made_by: str) -> DataError:
    """`path` has a schema version that this whotests does not know yet."""
    by = f"whotests {brief(made_by)}" if made_by else "a newer whotests"
    return DataError(
        f"{path} was made by {by} (data version {version}, this whotests reads up to {known}); "
        "upgrade whotests, or record again with `whotests test` into another --data FILE"
    )


def older(path: Path, *, version: int, made_by: str) -> DataError:
    """`path` has a schema version that this whotests does not know any more."""
    by = f"whotests {brief(made_by)}" if made_by else "an older whotests"
    return DataError(
        f"{path} was made by {by} (data version {version}), which this whotests cannot use; "
        "delete it and record again with `whotests test`"
    )
