"""What stestr gets wrong, each seen on stestr itself, and done right here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from measured_commands import SCRIPTS
from measured_commands import write_files as write
from tested_commands import PATIENCE, environment, run_tests

pytest.importorskip("stestr", reason="stestr is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

CRASH = """\
import os, unittest
class Case(unittest.TestCase):
    def test_a(self): pass
    def test_b(self): os._exit(1)
    def test_c(self): pass
    def test_d(self): self.fail("it ran")
"""


def project(folder: Path, text: str) -> Path:
    write(
        folder,
        {
            "pyproject.toml": "[project]\nname = 'product'\n",
            ".stestr.conf": "[DEFAULT]\ntest_path=./tests\n",
            "tests/__init__.py": "",
            "tests/test_it.py": text,
        },
    )
    return folder


def stestr(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A command of stestr's."""
    return subprocess.run(
        [os.path.join(SCRIPTS, "stestr"), *words],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def durations(folder: Path) -> dict[str, str]:
    """What stestr remembers of each test."""
    program = (
        "import dbm, json\n"
        "with dbm.open('.stestr/times.dbm') as times:\n"
        "    print(json.dumps({key.decode(): times[key].decode() for key in times.keys()}))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return dict(re.findall(r'"([^"]+)": "([^"]+)"', told.stdout))


def test_tests_after_a_crash_run_and_are_listed(tmp_path: Path) -> None:
    """stestr: a crashed worker takes the rest of its tests along, and neither its summary nor its
    list of failures names them. Here they run."""
    folder = project(tmp_path, CRASH)
    ran = stestr("run", "--serial", cwd=folder)
    listed = stestr("failing", "--list", cwd=folder).stdout + stestr("last", cwd=folder).stdout
    assert "Case.test_b" in listed
    for lost in ("Case.test_c", "Case.test_d"):
        assert lost not in ran.stdout
        assert lost not in listed

    done = run_tests("unittest:tests.test_it", cwd=folder)
    assert done.verdict == {
        "test_a": "success",
        "test_b": "fail",
        "test_c": "success",
        "test_d": "fail",
    }
    assert "exited with status 1" in done.said_of("test_b")["reason"]


def test_a_crash_has_its_reason(tmp_path: Path) -> None:
    """stestr says of a crash that the test is in progress, or has failed, and nothing of why.
    Here there are the signal, the last output and the stack."""
    text = CRASH.replace("os._exit(1)", "print('last words'); os.abort()")
    folder = project(tmp_path, text)
    ran = stestr("run", "--serial", cwd=folder)
    last = stestr("last", cwd=folder)
    assert "SIGABRT" not in ran.stdout + ran.stderr + last.stdout
    assert "last words" not in ran.stdout + last.stdout

    told = run_tests("unittest:tests.test_it", cwd=folder).said_of("test_b")
    assert "was killed by SIGABRT (Aborted)" in told["reason"]
    assert "last words" in told["output"]
    assert "in test_b" in told["stacks"]


def test_a_worker_that_dies_between_tests_is_noticed(tmp_path: Path) -> None:
    """stestr: where a process is killed in a class's fixture, no test is in progress; what was
    to come is gone without a word, and the run passes. Here these tests fail."""
    text = """\
import os, signal, unittest
class A(unittest.TestCase):
    def test_a(self): pass
class B(unittest.TestCase):
    @classmethod
    def setUpClass(cls): os.kill(os.getpid(), signal.SIGKILL)
    def test_b(self): pass
"""
    folder = project(tmp_path, text)
    ran = stestr("run", "--serial", cwd=folder)
    assert "B.test_b" not in ran.stdout
    assert "Failed: 0" in ran.stdout

    done = run_tests("unittest:tests.test_it", cwd=folder)
    assert done.verdict == {"test_a": "success", "test_b": "fail"}
    assert done.status == 1


def test_durations_of_more_than_one_run_are_kept(tmp_path: Path) -> None:
    """stestr keeps of each test what it took the last time. Here the runs before that are kept,
    too, so that one slow run is told from a slower test."""
    folder = project(
        tmp_path, "import unittest\nclass Case(unittest.TestCase):\n    def test_a(self): pass\n"
    )
    stestr("run", "--serial", cwd=folder)
    first = durations(folder)
    stestr("run", "--serial", cwd=folder)
    second = durations(folder)
    assert len(first) == len(second) == 1
    assert first != second

    for _ in range(2):
        run_tests("unittest:tests.test_it", cwd=folder)
    words = [sys.executable, "-P", "-m", "whotests", "history", "tests.test_it.Case.test_a"]
    told = subprocess.run(
        words, cwd=folder, env=environment(), capture_output=True, text=True, check=True
    ).stdout
    assert len(re.findall(r"passed", told)) >= 2, told


ALLOCATING = """\
import sys
from stestr.repository.file import RepositoryFactory
repository = RepositoryFactory().open(".")
sys.stdin.read()
for _ in range(300):
    try:
        print(repository._allocate())
    except ValueError:
        print("torn")
"""

MAKING = """\
import pathlib, sys
from whotests.runner.run_folder import RunFolder
sys.stdin.read()
for _ in range(300):
    folder = RunFolder.make(pathlib.Path("runs"), keep=3)
    print(folder.path.name)
    folder.close()
"""


def numbers_of(program: str, folder: Path) -> list[str]:
    """What three processes print that run the program at once."""
    read, write_end = os.pipe()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=folder,
            stdin=read,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    os.close(read)
    os.close(write_end)
    return [line for each in processes for line in each.communicate(timeout=PATIENCE)[0].split()]


def test_runs_side_by_side_do_not_meet(tmp_path: Path) -> None:
    """stestr's repository has no lock: runs that end at once take the same number, and one of
    them is overwritten, or fail on half a number. Here each run has a number of its own."""
    folder = project(tmp_path, CRASH)
    stestr("init", cwd=folder)
    theirs = numbers_of(ALLOCATING, folder)
    assert len(set(theirs)) < 900

    ours = numbers_of(MAKING, folder)
    assert len(ours) == len(set(ours)) == 900
