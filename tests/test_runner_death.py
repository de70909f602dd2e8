"""Whatever a host's process dies of, each test has one verdict, and the others run."""

import sys
from pathlib import Path

import pytest

from tested_commands import project, run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

CRASH = "import ctypes; ctypes.string_at(0)"

DEATHS = """\
import os, signal, sys, unittest
class Case(unittest.TestCase):
    def test_a(self): pass
    def test_crash(self):
        print("before the crash")
        import ctypes; ctypes.string_at(0)
    def test_exit(self): os._exit(3)
    def test_exit_0(self): os._exit(0)
    def test_kill(self): os.kill(os.getpid(), signal.SIGKILL)
    def test_term(self): os.kill(os.getpid(), signal.SIGTERM)
    def test_abort(self): os.abort()
    def test_sys_exit(self): sys.exit(0)
    def test_z(self): pass
"""


@pytest.mark.parametrize("host", ["unittest", "pytest"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_way_to_die_is_told_for_its_test_and_the_others_run(
    tmp_path: Path, host: str, jobs: str
) -> None:
    """Signals and exits end one test each, with signal or status, last output and stack."""
    target = "unittest:test_it" if host == "unittest" else "pytest:test_it.py"
    ended = run_tests("-j", jobs, target, cwd=project(tmp_path, test_it=DEATHS))
    assert ended.status == 1
    assert ended.passed() == {"test_a", "test_z"}
    assert len(ended.verdict) == 9
    reasons = {
        "test_crash": "was killed by SIGSEGV (Segmentation fault) while it ran this test",
        "test_exit": "exited with status 3 while it ran this test",
        "test_exit_0": "exited with status 0 while it ran this test",
        "test_kill": "was killed by SIGKILL (Killed) while it ran this test",
        "test_term": "was killed by SIGTERM (Terminated) while it ran this test",
        "test_abort": "was killed by SIGABRT (Aborted) while it ran this test",
    }
    for name, reason in reasons.items():
        assert reason in ended.said_of(name)["reason"], name
    assert "before the crash" in ended.said_of("test_crash")["output"]
    assert "in test_crash" in ended.said_of("test_crash")["stacks"]
    assert "in test_abort" in ended.said_of("test_abort")["stacks"]
    assert "whotests/hosts" not in ended.said_of("test_crash")["stacks"]
    assert "SystemExit" in ended.said_of("test_sys_exit")["traceback"]


def test_a_fixture_that_kills_fails_the_tests_that_share_it(tmp_path: Path) -> None:
    """A host that dies in setUpClass, before any test begins, is replaced three times at most;
    the tests of that class fail with the reason, and all others run."""
    text = """\
import os, unittest
class Bad(unittest.TestCase):
    @classmethod
    def setUpClass(cls): os._exit(7)
    def test_b1(self): pass
    def test_b2(self): pass
    def test_b3(self): pass
class Good(unittest.TestCase):
    def test_g1(self): pass
    def test_g2(self): pass
"""
    folder = project(tmp_path, test_it=text)
    ended = run_tests("unittest:test_it", cwd=folder)
    assert ended.status == 1
    assert ended.passed() == {"test_g1", "test_g2"}
    assert set(ended.verdict) == {"test_b1", "test_b2", "test_b3", "test_g1", "test_g2"}
    for name in ("test_b1", "test_b2", "test_b3"):
        assert "exited with status 7 before it began" in ended.said_of(name)["reason"]
    assert len(list((tmp_path / ".whotests/runs/1").glob("w0-*.journal"))) == 4


def test_a_class_that_kills_fails_no_other_class_of_its_module(tmp_path: Path) -> None:
    """Where classes share a module's fixture, those fail whose own fixture ends the host, and all
    others run."""
    text = """\
import os, unittest
def setUpModule(): pass
class A(unittest.TestCase):
    def test_a(self): pass
class Bad(unittest.TestCase):
    @classmethod
    def setUpClass(cls): os._exit(7)
    def test_b1(self): pass
    def test_b2(self): pass
class C(unittest.TestCase):
    def test_c(self): pass
class TearDown(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): os._exit(8)
    def test_d(self): pass
class Z(unittest.TestCase):
    def test_z(self): pass
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.passed() == {"test_a", "test_c", "test_d", "test_z"}
    assert set(ended.verdict) == {"test_b1", "test_b2", *ended.passed()}


def test_a_module_that_kills_does_not_do_so_for_each_of_its_classes(tmp_path: Path) -> None:
    """After the third class before which hosts died, all that share the module's fixture fail."""
    cases = "".join(
        f"class C{number}(unittest.TestCase):\n    def test_{number}(self): pass\n"
        for number in range(8)
    )
    text = "import os, unittest\ndef setUpModule(): os._exit(7)\n" + cases
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert len(ended.verdict) == 8
    assert not ended.passed()
    assert len(list((tmp_path / ".whotests/runs/1").glob("w0-*.journal"))) == 9


def test_a_host_that_dies_between_tests_is_replaced(tmp_path: Path) -> None:
    """Nothing fails when a host dies without a test in progress; it is told."""
    text = """\
import os, unittest
class Once(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists("died"):
            open("died", "w").close()
            os.kill(os.getpid(), 9)
    def test_b1(self): pass
    def test_b2(self): pass
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.passed() == {"test_b1", "test_b2"}
    assert ended.status == 0
    assert any("killed by SIGKILL" in note and "started anew" in note for note in ended.notes)


@pytest.mark.parametrize("host", ["unittest", "pytest"])
def test_a_module_that_kills_while_it_is_loaded_is_a_failure(tmp_path: Path, host: str) -> None:
    """A collection that ends the process, every time, is a failure with stack and output."""
    text = f"print('loading it', flush=True)\n{CRASH}\n"
    target = "unittest:test_it" if host == "unittest" else "pytest:test_it.py"
    ended = run_tests("-j", "2", target, cwd=project(tmp_path, test_it=text))
    assert ended.status == 1
    assert ended.verdicts == {}
    ((title, statuses),) = ended.outside.items()
    assert statuses == ["fail"]
    assert title.startswith(f"{host}: ")
    assert "was killed by SIGSEGV" in ended.told[title]["reason"]
    assert "test_it.py" in ended.told[title]["stacks"]
    assert "loading it" in ended.told[title]["output"]


def test_other_suites_run_where_one_cannot_be_collected(tmp_path: Path) -> None:
    """A suite whose collection kills its host takes no other suite along."""
    folder = project(
        tmp_path,
        test_bad=f"{CRASH}\n",
        test_good="import unittest\nclass Case(unittest.TestCase):\n    def test_g(self): pass\n",
    )
    ended = run_tests("-j", "2", "pytest:test_bad.py", "unittest:test_good", cwd=folder)
    assert ended.status == 1
    assert ended.verdict == {"test_g": "success"}
    assert len(ended.outside) == 1


def test_a_fork_that_returns_into_its_host_says_nothing(tmp_path: Path) -> None:
    """A child that a test forks and lets fall through gives no verdict and takes no orders."""
    text = """\
import os, unittest
class Case(unittest.TestCase):
    def test_a(self):
        child = os.fork()
        if not child:
            raise AssertionError("in the child")
        os.waitpid(child, 0)
    def test_b(self): pass
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.verdict == {"test_a": "success", "test_b": "success"}
    assert ended.status == 0


@pytest.mark.parametrize("host", ["unittest:test_it", "pytest:test_it.py"])
def test_who_closes_all_descriptors_is_told_so(tmp_path: Path, host: str) -> None:
    """The test that took its process the means to tell anything fails, with what could not be
    written; the others run."""
    text = """\
import os, unittest
class Case(unittest.TestCase):
    def test_a(self): os.closerange(3, 1000)
    def test_b(self): pass
"""
    ended = run_tests(host, cwd=project(tmp_path, test_it=text))
    assert ended.verdict == {"test_a": "fail", "test_b": "success"}
    assert "journal cannot be written: [Errno 9]" in "".join(ended.said_of("test_a").values())


def test_a_fork_that_returns_into_its_host_ends_with_its_test(tmp_path: Path) -> None:
    """What comes behind the test runs once, in the parent; how the test ended in the child is the
    child's exit status."""
    text = """\
import os
def test_a():
    if not (child := os.fork()):
        assert 0, "in the child"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
def test_b():
    if child := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
def test_c():
    with open("ran", "a") as file:
        file.write("c")
def teardown_module():
    with open("ran", "a") as file:
        file.write("t")
"""
    folder = project(tmp_path, test_it=text)
    ended = run_tests("pytest:test_it.py", cwd=folder)
    assert ended.verdict == dict.fromkeys(("test_a", "test_b", "test_c"), "success")
    assert (folder / "ran").read_text() == "ct"


def test_what_a_test_said_before_it_killed_its_process_is_told_in_part_only(
    tmp_path: Path,
) -> None:
    """Of very much output the end is told, and how much there was before."""
    text = """\
import os, unittest
class Case(unittest.TestCase):
    def test_a(self):
        for number in range(100_000):
            os.write(1, b"line %d\\n" % number)
        os._exit(1)
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    output = ended.said_of("test_a")["output"]
    assert output.endswith("line 99999\n")
    first = output.partition("\n")[0]
    assert first.startswith("[")
    assert first.endswith(" octets before]")
    assert len(output) < 40_000
