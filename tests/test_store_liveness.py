"""A run is dead when its process is gone, or when it has been silent for a day."""

import os
import platform
import subprocess
import sys
import time

import pytest

from whotests.store.liveness import DAY, is_dead, process_exists, this_host


def ended_process() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_processes() -> None:
    """This process is there, one that ended is not, and no process has the id 0 or less."""
    assert process_exists(os.getpid())
    assert process_exists(os.getppid())
    assert not process_exists(ended_process())
    assert not process_exists(0)
    assert not process_exists(-1)


def test_host_is_what_runs_record() -> None:
    """Readers and recorders call this machine the same."""
    assert this_host() == platform.node()


def test_dead_here() -> None:
    """On this machine the process tells."""
    assert is_dead(host="a", pid=ended_process(), heartbeat=100.0, here="a", now=101.0)
    assert not is_dead(host="a", pid=os.getpid(), heartbeat=100.0, here="a", now=101.0)


def test_dead_elsewhere() -> None:
    """Of another machine's run only the time tells."""
    gone = ended_process()
    assert not is_dead(host="b", pid=gone, heartbeat=100.0, here="a", now=100.0 + DAY)
    assert is_dead(host="b", pid=gone, heartbeat=100.0, here="a", now=101.0 + DAY)


def test_ids_come_round_again() -> None:
    """A run that was silent for a day is dead although some process has its id now."""
    assert is_dead(host="a", pid=os.getpid(), heartbeat=100.0, here="a", now=101.0 + DAY)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells")
def test_ended_and_not_waited_for() -> None:
    """A process that has ended is not there any more, though its parent has not asked yet."""
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        child.stdout.read()
    while process_exists(child.pid):
        time.sleep(0.01)
    assert child.wait() == 0
