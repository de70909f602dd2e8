"""What a host asks the system for while tests run, also where they put something else there.

Tools replace the functions of `os` and `time` in every module that has them, or these modules, by
name: pyfakefs leads them elsewhere, freezegun stops the time. What is in a class stays what it is.
"""

import os
import time

__all__ = ["System", "touch"]

_MAKE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class System:
    """The functions as they are before anything of the user's is imported."""

    open = staticmethod(os.open)
    read = staticmethod(os.read)
    pread = staticmethod(os.pread)
    write = staticmethod(os.write)
    lseek = staticmethod(os.lseek)
    stat = staticmethod(os.stat)
    dup2 = staticmethod(os.dup2)
    close = staticmethod(os.close)
    exit = staticmethod(os._exit)
    monotonic = staticmethod(time.monotonic)
    since_the_epoch = staticmethod(time.time)


def touch(path: str) -> None:
    """Let there be a file. Raises OSError."""
    System.close(System.open(path, _MAKE, 0o666))
