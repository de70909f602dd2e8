"""What a run has on one machine: a folder, which goes when nobody of the run is left there."""

import fcntl
import io
import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

__all__ = ["Tree"]


class Tree:
    """The folder of one run, shared by all processes that see it."""

    def __init__(self, base: Path, folder: Path, lock: int) -> None:
        self.base = base
        """What outlives the run: the cache."""
        self.folder = folder
        self._lock = lock

    @classmethod
    def of(cls, base: Path, run: str) -> Self:
        """The run's folder below `base`; folders that killed processes left there go."""
        runs = base / "runs"
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = runs / run
        tree = cls(base, folder, _locked(folder))
        for other in runs.iterdir():
            if other != folder:
                _remove_if_left(other)
        return tree

    @property
    def source(self) -> Path:
        """Where the project's source is, when it was shipped."""
        return self.folder / "source"

    def unpack(self, digest: str, octets: bytes) -> None:
        """Have the source there, once for all processes."""
        if self.source.exists():
            return
        mine = self.folder / f"{digest}.{uuid4().hex}"
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            for entry in archive.infolist():
                path = archive.extract(entry, mine)
                os.chmod(path, entry.external_attr >> 16 & 0o777 | 0o600)
        try:
            os.rename(mine, self.source)
        except OSError:
            shutil.rmtree(mine)
            if not self.source.exists():
                raise

    def close(self) -> None:
        """This process is done with it; the last one removes it."""
        os.close(self._lock)
        _remove_if_left(self.folder)


def _open_lock(folder: Path) -> int:
    return os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(folder: Path) -> int:
    """The lock of a folder, which is there from now on."""
    while True:
        folder.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # who takes it for left removes it
            lock = _open_lock(folder)
            fcntl.flock(lock, fcntl.LOCK_SH)
            if os.path.samestat(os.fstat(lock), os.stat(folder / "lock")):
                return lock
            os.close(lock)


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):  # somebody else is at it
        lock = _open_lock(folder)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(lock)
