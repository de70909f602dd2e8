"""The folder of one run: its lock, and the files of its workers."""

import fcntl
import os
from pathlib import Path

__all__ = ["RunFolder"]


class RunFolder:
    """`.whotests/runs/N`, locked while the run goes on; the last few that are over are kept."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def make(cls, runs: Path, *, keep: int = 5) -> "RunFolder":
        """A new folder in `runs`, with the number after the highest one."""
        runs.mkdir(parents=True, exist_ok=True)
        number = 1 + max(
            (int(each.name) for each in runs.iterdir() if each.name.isdigit()), default=0
        )
        path = runs / str(number)
        path.mkdir()
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, lock)

    def close(self) -> None:
        """The run is over."""
        os.close(self._lock)
