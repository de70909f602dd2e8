"""What one run of a command cost: processor time, memory, wall time, and how its tests ended."""

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "RunError", "measure"]

SUMMARY = re.compile(r"^=*\s*(\d+ [a-z]+.*?) in \d+\.\d+s", re.MULTILINE)
"""pytest's last line: '3 passed, 1 skipped in 0.12s'."""

WARNINGS = re.compile(r", \d+ warnings?")
"""Not an outcome of a test."""


class RunError(Exception):
    """A command ended with an error; the message holds the end of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run of one command and everything that it started and waited for."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    memory: int
    """Peak resident size of its largest process, in bytes."""
    outcomes: str
    """pytest's own counts, '909 passed, 1 skipped'; '' when no test ran."""


def measure(command: list[str], *, folder: Path, environment: dict[str, str]) -> Cost:
    """Run the command in that folder and tell what it cost.

    Raises RunError when it ends with a status other than 0.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        # wait4 gives the usage of this child and its descendants, not of all children so far.
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if child.returncode != 0:
        raise RunError(f"status {child.returncode} of {' '.join(command)}\n{text[-3000:]}")
    counts = SUMMARY.findall(text)
    return Cost(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        memory=usage.ru_maxrss * 1024,
        outcomes=WARNINGS.sub("", counts[-1]) if counts else "",
    )
