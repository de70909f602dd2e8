"""The folder of one run: its number, its lock, and which earlier ones are kept."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from whotests.errors import MachineError
from whotests.hosts.shared_folder import TEMPORARY, TEMPORARY_PREFIX

__all__ = ["RunFolder"]

_REMOVED: Final = "removed-"
"""How the names of folders begin that are being removed."""


class RunFolder:
    """`.whotests/runs/N`, locked while the run goes on; the last few that are over are kept."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def make(cls, runs: Path, *, keep: int = 5) -> "RunFolder":
        """A new folder in `runs`, with the number after the highest one. Beside it, the last
        `keep` - 1 of those stay whose run is over, and all whose run goes on, in whatever process.

        Raises MachineError where the system refuses.
        """
        try:
            runs.mkdir(parents=True, exist_ok=True)
            with _alone_in(runs):
                numbers = sorted(int(each.name) for each in runs.iterdir() if each.name.isdecimal())
                path = runs / str(numbers[-1] + 1 if numbers else 1)
                path.mkdir()
                descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for number in numbers[: max(0, len(numbers) + 1 - max(keep, 1))]:
                    with suppress(OSError):  # one of another user stays, and is no reason to fail
                        _put_away(runs / str(number))
            for each in runs.glob(f"{_REMOVED}*"):
                _remove_temporary(each)
                shutil.rmtree(each, ignore_errors=True)  # what is in use goes the next time
        except OSError as error:
            raise MachineError(
                f"cannot make a folder for this run in {runs}: {error.strerror or error}; let "
                "it be written there, or give another place with --data FILE, or `data` of "
                "[tool.whotests]"
            ) from error
        return cls(path, descriptor)

    def close(self) -> None:
        """The run is over."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


@contextmanager
def _alone_in(runs: Path) -> Iterator[None]:
    """No other process makes or removes runs there meanwhile."""
    descriptor = os.open(runs, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_temporary(path: Path) -> None:
    """Remove what the run's tests left in the temporary folder that its hosts have made."""
    try:
        temporary = Path(os.fsdecode((path / TEMPORARY).read_bytes()))
        mine = temporary.lstat().st_uid == os.getuid()
    except (OSError, ValueError):
        return
    # The note may have come with the project, and say anything.
    named = temporary.name.startswith(TEMPORARY_PREFIX) and temporary.is_absolute()
    if mine and named and temporary.parent == Path(tempfile.gettempdir()):
        shutil.rmtree(temporary, ignore_errors=True)


def _put_away(path: Path) -> None:
    """Rename it so that it will be removed, unless its run goes on."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        finally:
            os.close(descriptor)
    path.rename(path.with_name(f"{_REMOVED}{path.name}"))
