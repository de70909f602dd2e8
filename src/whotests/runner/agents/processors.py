"""How many processors this process may use."""

import os
from pathlib import Path

__all__ = ["usable_processors"]

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_processors(quota: Path = _QUOTA) -> int:
    """At least 1: those of the machine, less what an affinity or a container's quota takes away.

    `quota` is the file of Linux's control groups that has it, as in most containers.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    number = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    try:
        most, period = quota.read_text(encoding="ascii").split()
        number = min(number, -(-int(most) // int(period)))
    except (OSError, ValueError):
        pass  # no such groups here, or no limit ('max')
    return max(1, number)
