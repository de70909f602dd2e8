"""A tiny process that ends a process group when we are gone, whatever ended us."""

import contextlib
import subprocess
from typing import Final

__all__ = ["Warden"]

_SCRIPT: Final = 'read -r over || kill -s KILL -- "-$1"'
"""What is read is the end of a pipe that we alone hold: a line when all is over, or nothing."""


class Warden:
    """Watches over one process group: what is in it is killed when this process ends in any way
    before it has said that the group is over.

    A process of its own, since nobody else can tell of a SIGKILL, and since a thread or a signal
    within the group would be seen by the code under test.
    """

    def __init__(self, group: int) -> None:
        """Begin to watch. Raises OSError if no process can be started."""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "whotests-warden", str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The group is over."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(b"over\n")
            self._process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
