"""Whether a run was asked to stop, as a host asks before each test."""

import time
from typing import Final

from whotests.stream.control import FileControl

__all__ = ["StopFile"]

_EVERY: Final = 0.01
"""Seconds between looks at the file: looking takes longer than many a test."""

_clock = time.monotonic  # a test that replaces it does not change ours


class StopFile:
    """A `Control` by a file that all hosts of a run on one machine see. What this process asks
    for holds at once, what others ask for a hundredth of a second later."""

    def __init__(self, path: str) -> None:
        self._file = FileControl(path)
        self._stopped = False
        self._again = 0.0

    @property
    def should_stop(self) -> bool:
        if not self._stopped and (now := _clock()) >= self._again:
            self._again = now + _EVERY
            self._stopped = self._file.should_stop
        return self._stopped

    def stop(self) -> None:
        self._stopped = True
        self._file.stop()
