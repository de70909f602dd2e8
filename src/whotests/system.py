"""What is asked of the system while tests run, also where they put something else there.

Tools replace the functions of `os` and `time` in every module that has them, or these modules, by
name: pyfakefs leads them elsewhere, freezegun stops the time. What is in a class stays what it is.
"""

import os
import sys
import time

__all__ = ["System"]


class System:
    """The functions as they are before anything of the user's is imported."""

    open = staticmethod(os.open)
    read = staticmethod(os.read)
    write = staticmethod(os.write)
    lseek = staticmethod(os.lseek)
    close = staticmethod(os.close)
    dup2 = staticmethod(os.dup2)
    stat = staticmethod(os.stat)
    fstat = staticmethod(os.fstat)
    mkdir = staticmethod(os.mkdir)
    replace = staticmethod(os.replace)
    unlink = staticmethod(os.unlink)
    process = staticmethod(os.getpid)
    exit = staticmethod(os._exit)
    if sys.platform != "win32":
        pread = staticmethod(os.pread)

    monotonic = staticmethod(time.monotonic)
    perf_counter = staticmethod(time.perf_counter)
    since_the_epoch = staticmethod(time.time)
