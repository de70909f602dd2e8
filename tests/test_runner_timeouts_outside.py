"""`--timeout` from outside: processes that no signal reaches, or that hang between tests."""

import sys
from pathlib import Path

import pytest

from tested_commands import project, run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def test_a_process_that_blocks_even_the_signal_to_abort_is_killed(tmp_path: Path) -> None:
    """Where no signal comes through, the process is killed."""
    text = """\
import signal, time, unittest
class Case(unittest.TestCase):
    def test_a(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        time.sleep(1000)
    def test_b(self): pass
"""
    done = run_tests("--timeout", "0.3", "unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert done.verdict == {"test_a": "fail", "test_b": "success"}
    assert "was killed by SIGKILL" in done.said_of("test_a")["reason"]


def test_a_stopped_process_is_killed(tmp_path: Path) -> None:
    """A process that was stopped, as by a debugger, does not hold the run."""
    text = """\
import os, signal, unittest
class Case(unittest.TestCase):
    def test_a(self): os.kill(os.getpid(), signal.SIGSTOP)
    def test_b(self): pass
"""
    done = run_tests("--timeout", "0.3", "unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert done.verdict == {"test_a": "fail", "test_b": "success"}
    assert "took longer than 0.3 s" in done.said_of("test_a")["reason"]


def test_a_fixture_that_hangs_before_any_test_is_ended(tmp_path: Path) -> None:
    """What hangs in a class's fixture is ended like a test; those of the class fail."""
    text = """\
import signal, time, unittest
class Bad(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(1000)
    def test_b1(self): pass
    def test_b2(self): pass
class Good(unittest.TestCase):
    def test_g(self): pass
"""
    done = run_tests("--timeout", "0.2", "unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert done.verdict == {"test_b1": "fail", "test_b2": "fail", "test_g": "success"}
    assert "no test began or ended" in done.said_of("test_b1")["reason"]
    assert "setUpClass" in done.said_of("test_b1")["stacks"]
