"""Processes that tests have left behind: found, named, ended."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["MARK", "LeftRunning", "end_left_running"]

MARK: Final = "WHOTESTS_HOST"
"""The variable by which a host's processes are known, in sessions of their own, too."""

_BY_ITSELF = 1.0
"""Seconds that a process has to see that its host is gone and to end, as multiprocessing's do: they
are no business of the test that had them."""

_GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL."""

_LOOK = 0.02

_PROC = Path("/proc")

_SHOWN = 120
"""Characters of a command."""


class LeftRunning(NamedTuple):
    """A process that outlived the host that it comes from."""

    pid: int
    command: str


def end_left_running(group: int, *, mark: str) -> list[LeftRunning]:
    """End what is left of a host's processes and does not end by itself: those in its process
    group and session, and where the system has /proc, those that carry its mark. Comes back when
    they are gone, with those that had to be told. Where /proc is missing, the group is ended
    without being named.

    The host itself must be dead, and its process id must not be free for others yet.
    """
    if not _PROC.joinpath("self", "stat").exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        return []
    ended: dict[int, LeftRunning] = {}
    told: set[int] = set()
    begun = time.monotonic()
    while left := list(_left(group, mark)):
        late = time.monotonic() - begun - _BY_ITSELF
        for each in left if late > 0 else ():
            ended.setdefault(each.pid, each)
            if late > _GRACE or each.pid not in told:
                told.add(each.pid)
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(each.pid, signal.SIGKILL if late > _GRACE else signal.SIGTERM)
                    os.kill(each.pid, signal.SIGCONT)
        if late > 2 * _GRACE:
            break  # in the middle of a system call that does not end, or another user's
        time.sleep(_LOOK)
    return list(ended.values())


def _left(group: int, mark: str) -> Iterator[LeftRunning]:
    marked = f"{MARK}={mark}".encode()
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or (pid := int(entry.name)) == group:
            continue
        try:
            # 'pid (any name) state parent group session …'
            after = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            if after[0] in (b"Z", b"X"):
                continue
            theirs = {int(after[2]), int(after[3])}
            if group in theirs or marked in (entry / "environ").read_bytes().split(b"\0"):
                yield LeftRunning(pid, _command(entry))
        except OSError:
            continue  # it has ended meanwhile, or is nobody's business of ours


def _command(entry: Path) -> str:
    words = (entry / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
    text = " ".join((words or (entry / "comm").read_bytes()).decode("utf-8", "replace").split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
