"""Whether the process of a run that never said it ended is still there.

May import the standard library only. Refuses to signal anything.
"""

import os
import sys
from typing import Final

__all__ = ["DAY", "is_dead", "process_exists", "this_host"]

DAY: Final = 86_400.0
"""Seconds after which a silent run counts as dead, wherever it ran: pids come round again."""


def this_host() -> str:
    """This machine's name, as runs record it: that of `platform.node()`."""
    if sys.platform != "win32":
        return os.uname().nodename
    # Imported here because it takes longer than all else that a reader needs.
    import platform

    return platform.node()


def is_dead(*, host: str, pid: int, heartbeat: float, here: str, now: float) -> bool:
    """Whether a run that is marked as running cannot write any more.

    `host`, `pid` and `heartbeat` (seconds since the epoch) are the run's, `here` is this
    machine's name. On another machine only the time tells.
    """
    if now - heartbeat > DAY:
        return True
    return host == here and not process_exists(pid)


def process_exists(pid: int) -> bool:
    """Whether a process has this id now. Where that cannot be told, True."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return _exists_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # It belongs to someone else, so it is there.
        return True
    return not _waits_for_its_parent(pid)


def _waits_for_its_parent(pid: int) -> bool:
    """Whether a process has ended and only its parent does not want to know of that yet."""
    if sys.platform != "linux":
        return False
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            status = file.read()
    except OSError:
        return False
    return status.rpartition(b")")[2].split()[:1] == [b"Z"]


def _exists_on_windows(pid: int) -> bool:
    # os.kill(pid, 0) would send CTRL_C_EVENT there.
    if sys.platform != "win32":
        raise NotImplementedError
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    query_limited_information, invalid_parameter = 0x1000, 87
    handle = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return bool(ctypes.get_last_error() != invalid_parameter)
    status = ctypes.c_ulong()
    still_active = 259
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(status))
    kernel.CloseHandle(handle)
    return not known or status.value == still_active
