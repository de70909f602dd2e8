"""`--timeout`: first within the process, then from outside, whatever the test is doing."""

import re
import sys
from pathlib import Path

import pytest

from measured_commands import run_plain
from tested_commands import project, run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

HOSTS = ("unittest:test_it", "pytest:test_it.py")


@pytest.mark.parametrize("host", HOSTS)
def test_what_listens_is_interrupted_and_its_process_lives(tmp_path: Path, host: str) -> None:
    """Sleeps, loops, locks and setUp are stopped by an exception; what was set up is torn down,
    the place is told, and the same process goes on."""
    text = """\
import os, pathlib, re, threading, time, unittest
class Case(unittest.TestCase):
    def setUp(self):
        if "set_up" in self.id(): time.sleep(1000)
    def tearDown(self):
        with open("log", "a") as log: print(os.getpid(), self.id(), file=log)
    def test_a_sleep(self): time.sleep(1000)
    def test_b_loop(self):
        while True: pass
    def test_c_swallows(self):
        try: time.sleep(1000)
        except Exception: pass
    def test_d_lock(self):
        lock = threading.Lock(); lock.acquire(); lock.acquire()
    def test_e_set_up(self): pass
    def test_e_regex(self): re.match("(a+)+$", "a" * 60 + "b")
    def test_f_fine(self): pass
"""
    done = run_tests("--timeout", "0.3", host, cwd=project(tmp_path, test_it=text))
    assert done.status == 1
    assert done.passed() == {"test_f_fine"}
    assert len(done.verdict) == 7
    for name in set(done.verdict) - done.passed():
        told = "".join(done.said_of(name).values())
        assert "took longer than 0.3 s and was stopped" in told, name
        assert "test_it.py:" in told or "test_it.py" in told, name
    log = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert len({pid for pid, _ in log}) == 1
    assert len(log) == 6


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_told_of_a_stack_begins_at_the_test(tmp_path: Path, host: str) -> None:
    """Frames by which a runner came to the test are left out, and threads of the runner's own."""
    text = """\
import time, unittest
def wait(): time.sleep(1000)
class Case(unittest.TestCase):
    def test_a(self): wait()
"""
    folder = project(tmp_path, test_it=text)
    done = run_plain("whotests", "test", "--timeout", "0.3", "-q", host, cwd=folder)
    told = done.out.partition("Where everything was:")[2]
    assert re.findall(r"thread (.*):", told) == ["'MainThread'"]
    frames = re.findall(r'File "(.*)", line \d+, in (\w+)', told)
    own = [(Path(file).name, name) for file, name in frames if "unittest" not in file]
    assert own == [("test_it.py", "test_a"), ("test_it.py", "wait")]


@pytest.mark.parametrize("host", HOSTS)
def test_what_does_not_listen_is_ended_with_its_process(tmp_path: Path, host: str) -> None:
    """Blocked signals, C code that holds the interpreter, and tests that take every exception are
    ended from outside, with the stacks of all threads; the others run in new processes."""
    text = """\
import signal, threading, time, unittest
class Case(unittest.TestCase):
    def test_a_blocked(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGINT})
        time.sleep(1000)
    def test_b_sum(self): sum(range(10**11))
    def test_c_takes_all(self):
        other = threading.Thread(target=time.sleep, args=(1000,), name="helper", daemon=True)
        other.start()
        while True:
            try: time.sleep(1000)
            except BaseException: pass
    def test_d_fine(self): pass
"""
    done = run_tests("-j", "2", "--timeout", "0.3", host, cwd=project(tmp_path, test_it=text))
    assert done.status == 1
    assert done.passed() == {"test_d_fine"}
    assert len(done.verdict) == 4
    for name in ("test_a_blocked", "test_b_sum", "test_c_takes_all"):
        told = done.said_of(name)
        assert "took longer than 0.3 s and did not stop when it was interrupted" in told["reason"]
        assert "was killed by SIGABRT" in told["reason"]
        assert f"in {name}" in told["stacks"]
    assert done.said_of("test_c_takes_all")["stacks"].count("hread 0x") == 2


def test_a_test_that_ends_in_time_is_left_alone(tmp_path: Path) -> None:
    """Its own alarms, timers and exceptions are its own."""
    text = """\
import signal, time, unittest
class Case(unittest.TestCase):
    def test_a(self):
        rung = []
        signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        until = time.monotonic() + 10
        while not rung and time.monotonic() < until: time.sleep(0.01)
        assert rung
    def test_b(self):
        with self.assertRaises(TimeoutError): raise TimeoutError("of its own")
"""
    done = run_tests("--timeout", "30", "unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert done.verdict == {"test_a": "success", "test_b": "success"}
    assert done.status == 0
