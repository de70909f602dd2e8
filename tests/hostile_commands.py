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


# The command, which says on a pipe what memory it took, however it ends by itself.
_COMMAND = """\
import os, sys
said = int(sys.argv.pop(1))
sys.path.insert(0, sys.argv.pop(1))
from peak_memory import peak_megabytes
from whotests.cli import main
try:
    main()
finally:
    os.write(said, str(peak_megabytes()).encode())
"""


def whotests(*words: str, cwd: Path) -> Taken:
    """What a whotests command takes."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as err, open(reading, "rb") as pipe:
        began = time.monotonic()
        command = (sys.executable, "-P", "-c", _COMMAND, str(writing), str(Path(__file__).parent))
        try:
            process = subprocess.Popen(
                (*command, *words),
                cwd=cwd,
                stdout=subprocess.DEVNULL,
                stderr=err,
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        try:
            status = process.wait(500)
        finally:
            process.kill()
        took = time.monotonic() - began
        err.seek(0)
        said = err.read().decode("utf-8", "replace")
        megabytes = float(pipe.read())
    return Taken(status, said, took, megabytes)
