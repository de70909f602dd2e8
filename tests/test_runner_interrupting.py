"""Ctrl-C, once and twice, other signals, and the sudden death of the runner itself."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tested_commands import is_alive, project, started_tests, wait_until
from whotests.hosts.task import Suite
from whotests.runner.agents.attended import AttendedHost
from whotests.runner.assignment import Assignment, Brief, Done

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

SLOW = """\
import os, pathlib, time, unittest
class Case(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): pathlib.Path("class-torn-down").touch()
    def tearDown(self): pathlib.Path("torn-down").touch()
    def test_a(self): pass
    def test_b(self):
        pathlib.Path("began").write_text(str(os.getpid()))
        time.sleep(1000)
    def test_c(self): pass
"""

STUBBORN = """\
import os, pathlib, time, unittest
class Case(unittest.TestCase):
    def test_a(self): pass
    def test_b(self):
        while True:
            try:
                pathlib.Path("began").write_text(str(os.getpid()))
                time.sleep(1000)
            except BaseException:
                pathlib.Path("asked").touch()
    def test_c(self): pass
"""


@pytest.mark.parametrize("host", ["unittest:test_it", "pytest:test_it.py"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_go_of_fixtures_and_keeps_what_is_done(
    tmp_path: Path, host: str, number: signal.Signals
) -> None:
    """What has a verdict keeps it, of the test in progress, which is torn down, nothing is known,
    and the others were not run; the status is 130."""
    with started_tests(host, cwd=project(tmp_path, test_it=SLOW)) as run:
        wait_until((tmp_path / "began").exists)
        run.process.send_signal(number)
        done = run.ended()
    assert done.status == 130
    assert done.verdict == {"test_a": "success", "test_b": "unknown"}
    assert done.summary["not_run"] == 1
    assert (tmp_path / "torn-down").exists()
    assert (tmp_path / "class-torn-down").exists()
    assert "interrupted; fixtures are let go of" in done.err
    assert not is_alive(int((tmp_path / "began").read_text()))


def test_fixtures_that_fail_behind_the_signal_are_told(tmp_path: Path) -> None:
    """Also where the signal comes when a test is just over: what the fixtures of its class come to
    is heard, and that the host ends is nothing strange."""
    text = """\
import pathlib, unittest
class Case(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): raise RuntimeError("left open")
    def test_a(self): pathlib.Path("over").touch()
"""
    folder, cwd = tmp_path / "run", project(tmp_path / "project", test_it=text)
    folder.mkdir()
    suites = (Suite("unittest", ("test_it",)),)
    brief = Brief(run="1", root=cwd, cwd=cwd, folder=folder, suites=suites, workers=1)
    host = AttendedHost(brief, worker="w0", suite=0, number=1)
    said: list[bytes] = []
    host.do(Assignment(0, collect=True), said.append, lambda: 0)
    done = host.do(
        Assignment(0, ("test_it.Case.test_a",)), said.append, lambda: int((cwd / "over").exists())
    )
    assert isinstance(done, Done)
    burial = host.end(said.append, lambda: False)
    assert b"RuntimeError: left open" in b"".join(said)
    assert burial.notes == ()


def test_the_second_signal_kills(tmp_path: Path) -> None:
    """A test that takes every exception for its own is ended by the second Ctrl-C."""
    with started_tests("unittest:test_it", cwd=project(tmp_path, test_it=STUBBORN)) as run:
        wait_until((tmp_path / "began").exists)
        run.process.send_signal(signal.SIGINT)
        wait_until((tmp_path / "asked").exists)
        run.process.send_signal(signal.SIGINT)
        done = run.ended()
    assert done.status == 130
    assert done.verdict == {"test_a": "success", "test_b": "unknown"}
    assert done.summary["not_run"] == 1
    assert "interrupted again; the workers are killed" in done.err
    assert not is_alive(int((tmp_path / "began").read_text()))


def test_collecting_can_be_interrupted(tmp_path: Path) -> None:
    """A module that takes for ever to be loaded is let go of, and nothing is left behind."""
    text = "import os, pathlib, time\npathlib.Path('began').write_text(str(os.getpid()))\n"
    folder = project(tmp_path, test_it=text + "time.sleep(1000)\n")
    with started_tests("pytest:test_it.py", cwd=folder) as run:
        wait_until((tmp_path / "began").exists)
        run.process.send_signal(signal.SIGINT)
        done = run.ended()
    assert done.status == 130
    assert done.verdicts == {}
    assert not is_alive(int((tmp_path / "began").read_text()))


def test_no_host_outlives_a_runner_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the runner ends the hosts in the middle of their tests, and what these started."""
    text = """\
import os, pathlib, subprocess, sys, time, unittest
class Case(unittest.TestCase):
    def test_a(self): self.wait("a")
    def test_b(self): self.wait("b")
    def wait(self, name):
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(1000)"])
        pathlib.Path(name + ".tmp").write_text(f"{os.getpid()} {child.pid}")
        os.rename(name + ".tmp", name)
        time.sleep(1000)
"""
    words = ("-j", "2", "unittest:test_it")
    with started_tests(*words, cwd=project(tmp_path, test_it=text)) as run:
        wait_until(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists())
        pids = [int(pid) for name in "ab" for pid in (tmp_path / name).read_text().split()]
        assert all(is_alive(pid) for pid in pids)
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
        wait_until(lambda: not any(is_alive(pid) for pid in pids))
