"""Whether a run was asked to stop, as a host asks before each test."""

import os
from typing import Final

from whotests.system import System

__all__ = ["StopFile"]

_EVERY: Final = 0.01
"""Seconds between looks at the file: looking takes longer than many a test."""

_MAKE: Final = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class StopFile:
    """A `Control` by a file that all hosts of a run on one machine see. What this process asks
    for holds at once, what others ask for a hundredth of a second later."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stopped = False
        self._again = 0.0

    @property
    def should_stop(self) -> bool:
        if not self._stopped and (now := System.monotonic()) >= self._again:
            self._again = now + _EVERY
            self._stopped = self._is_there()
        return self._stopped

    def stop(self) -> None:
        self._stopped = True
        System.close(System.open(self._path, _MAKE, 0o666))

    def _is_there(self) -> bool:
        try:
            System.stat(self._path)
        except FileNotFoundError:
            return False
        return True
