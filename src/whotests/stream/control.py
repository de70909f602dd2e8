"""The way back: whoever watches a run may ask it to stop."""

import os
from typing import Protocol

__all__ = ["Control", "FileControl", "RunControl"]


class Control(Protocol):
    """What a runner asks before each test, and what a watcher tells."""

    @property
    def should_stop(self) -> bool:
        """Whether somebody asked to stop; no test is begun any more."""

    def stop(self) -> None:
        """Ask the run to stop after the tests that are in progress. Any thread may."""


class RunControl:
    """A control for the threads of one process.

    With `whole`, it is the control of a part of a run: asking the whole to stop reaches every
    part, and parts of it, from whatever thread; a part can be asked to stop alone.
    """

    def __init__(self, *, whole: Control | None = None) -> None:
        self._stopped = False
        self._whole = whole

    @property
    def should_stop(self) -> bool:
        return self._stopped or (self._whole is not None and self._whole.should_stop)

    def stop(self) -> None:
        self._stopped = True


class FileControl:
    """A control for all processes that see one file, on whatever machines; it can be pickled.

    The run is asked to stop once the file is there. Whoever begins the run sees to it that it is
    not, and removes it afterwards. Both methods raise OSError as the file system does.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)

    @property
    def should_stop(self) -> bool:
        try:
            os.stat(self.path)
        except FileNotFoundError:
            return False
        return True

    def stop(self) -> None:
        with open(self.path, "ab"):
            pass
