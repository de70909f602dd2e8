"""A host's process as its agent has it: told, heard, buried."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from whotests.runner.agents.host_process import HostFiles, HostProcess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[HostProcess]:
    """A process that lives, and of which nobody holds the bell."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    orders, our_orders = os.pipe()
    our_bell, bell = os.pipe()
    os.close(bell)
    os.set_blocking(our_bell, False)
    journal = os.open(tmp_path / "journal", os.O_RDONLY | os.O_CREAT)
    host = HostProcess(
        process,
        suite=0,
        files=HostFiles(tmp_path / "w0-1"),
        orders=our_orders,
        bell=our_bell,
        journal=journal,
        own_group=False,
    )
    yield host
    os.close(orders)
    host.bury()
    assert process.stdin is not None
    process.stdin.close()


def test_a_bell_that_a_test_has_closed_is_not_listened_to(deaf: HostProcess) -> None:
    """Who waits for news comes back now and then, and not at once, time after time."""
    until = time.monotonic() + 0.5
    times = 0
    while time.monotonic() < until:
        deaf.wait_news(0.05)
        times += 1
    assert times < 30
    assert not deaf.gone
