"""Commands that are given hostile files: how they end, and what they take."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Taken", "whotests"]


class Taken(NamedTuple):
    """How a command ended, and what it took."""

    status: int
    """Negative: the signal that ended it."""
    err: str
    seconds: float
    megabytes: float
    """Of memory, at the most."""


def whotests(*words: str, cwd: Path) -> Taken:
    """What a whotests command takes. Without a report of memory by the system it is 0."""
    with tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            (sys.executable, "-m", "whotests", *words),
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        said = err.read().decode("utf-8", "replace")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Taken(process.returncode, said, took, usage.ru_maxrss / unit)
