"""The ends of hosts' processes: crashes at the end, threads and processes that are left."""

import sys
from pathlib import Path

import pytest

from tested_commands import is_alive, project, run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

CRASH = "import ctypes; ctypes.string_at(0)"


def test_a_host_that_dies_at_its_end_is_a_failure(tmp_path: Path) -> None:
    """Tests keep their verdicts when the process crashes after them, and the run fails as the
    host's own would."""
    text = f"""\
import atexit, unittest
def crash():
    {CRASH}
class Case(unittest.TestCase):
    def test_a(self): atexit.register(crash)
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.verdict == {"test_a": "success"}
    assert ended.status == 1
    assert ended.outside == {"unittest: end of worker w0": ["fail"]}
    assert "SIGSEGV" in ended.told["unittest: end of worker w0"]["reason"]
    assert "in crash" in ended.told["unittest: end of worker w0"]["stacks"]


def test_a_thread_that_never_ends_does_not_hold_the_run(tmp_path: Path) -> None:
    """A process that does not end after its last test is killed, and it is told where it was."""
    text = """\
import threading, time, unittest
class Case(unittest.TestCase):
    def test_a(self): threading.Thread(target=time.sleep, args=(1000,)).start()
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.verdict == {"test_a": "success"}
    assert ended.status == 0
    (note,) = ended.notes
    assert "did not end after its last test and was killed" in note
    stacks = tmp_path / ".whotests/runs/1/w0-1.stacks"
    assert str(stacks) in note
    assert "_shutdown" in stacks.read_text()


def test_processes_that_tests_left_running_are_ended_and_named(tmp_path: Path) -> None:
    """At a worker's end nothing of it lives, in sessions of their own, too; the log names it."""
    text = """\
import pathlib, subprocess, sys, unittest
class Case(unittest.TestCase):
    def test_a(self):
        wait = [sys.executable, "-S", "-c", "import time; time.sleep(1000)"]
        stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
        stubborn = [sys.executable, "-S", "-c", stubborn + "; time.sleep(1000)"]
        one = subprocess.Popen(wait)
        two = subprocess.Popen(wait, start_new_session=True)
        three = subprocess.Popen(stubborn, start_new_session=True, stdout=subprocess.PIPE)
        three.stdout.read(1)
        pathlib.Path("pids").write_text(f"{one.pid} {two.pid} {three.pid}")
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.verdict == {"test_a": "success"}
    pids = [int(each) for each in (tmp_path / "pids").read_text().split()]
    assert [pid for pid in pids if is_alive(pid)] == []
    log = (tmp_path / ".whotests/runs/1/w0.log").read_text()
    (note,) = ended.notes
    for pid in pids:
        assert f"(process {pid})" in note
        assert f"(process {pid})" in log


def test_processes_that_end_with_their_host_are_not_named(tmp_path: Path) -> None:
    """Those that wait for that, as the servers of multiprocessing do, have the time to see it."""
    text = """\
import multiprocessing, subprocess, sys, unittest
class Case(unittest.TestCase):
    def test_server(self):
        process = multiprocessing.get_context("forkserver").Process(target=abs, args=(1,))
        process.start()
        process.join()
    def test_waits(self):
        wait = "import sys, time; sys.stdin.read(); time.sleep(0.1)"
        Case.process = subprocess.Popen([sys.executable, "-S", "-c", wait], stdin=subprocess.PIPE)
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.verdict == {"test_server": "success", "test_waits": "success"}
    assert (ended.status, ended.notes) == (0, [])
