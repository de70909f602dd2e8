"""What testtools' runner and suites get wrong, met by the same programs with both runners."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import PATIENCE, environment, run_tests

pytest.importorskip("testtools", reason="testtools is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

TESTTOOLS = "2.9.1"
as_listed = pytest.mark.skipif(
    version("testtools") != TESTTOOLS, reason=f"as testtools {TESTTOOLS} has it"
)

PROJECT = {
    "test_parts.py": """
        import unittest
        from testtools import ConcurrentTestSuite, iterate_tests


        class Case(unittest.TestCase):
            def test_parts(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(number, 1)


        def load_tests(loader, tests, pattern):
            return ConcurrentTestSuite(tests, lambda suite: list(iterate_tests(suite)))
    """,
    "test_never.py": """
        import testtools


        class Case(testtools.TestCase):
            async def test_coroutine(self):
                self.fail("it ran")

            def test_generator(self):
                yield self.fail("it ran")
    """,
    "test_plain.py": """
        import testtools


        class Case(testtools.TestCase):
            def test_it(self):
                pass
    """,
    "test_broken.py": "import nowhere\n",
    "unknown.txt": "test_plain.Case.test_gone\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Programs that testtools passes."""
    write_files(tmp_path, PROJECT)
    return tmp_path


def run_by_testtools(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """How `python -m testtools.run` ends."""
    return subprocess.run(
        [sys.executable, "-m", "testtools.run", *words],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )


@as_listed
def test_testtools_loses_parts_in_concurrent_suites(project: Path) -> None:
    """A part that fails in a ConcurrentTestSuite is nowhere: the run is OK."""
    done = run_by_testtools("test_parts", cwd=project)
    assert done.returncode == 0, done.stdout


def test_ours_fails_tests_whose_parts_fail_in_concurrent_suites(project: Path) -> None:
    """The test has failed, and what its part said is attached."""
    ended = run_tests("unittest:test_parts", cwd=project)
    assert ended.verdict == {"test_parts": "fail"}
    assert "1 == 1" in ended.said_of("test_parts")["traceback"]


@as_listed
def test_testtools_passes_what_never_ran(project: Path) -> None:
    """A coroutine and a generator pass without having run."""
    done = run_by_testtools("test_never", cwd=project)
    assert done.returncode == 0
    assert "Ran 2 tests" in done.stdout


def test_ours_fails_what_never_ran(project: Path) -> None:
    """Both have failed."""
    ended = run_tests("unittest:test_never", cwd=project)
    assert ended.verdict == {"test_coroutine": "fail", "test_generator": "fail"}


@as_listed
@pytest.mark.parametrize("module", ["test_plain", "test_broken"])
def test_testtools_runs_nothing_of_a_list_and_is_content(project: Path, module: str) -> None:
    """A list of unknown ids, or a module that cannot be imported, runs no test: OK."""
    done = run_by_testtools("--load-list", "unknown.txt", module, cwd=project)
    assert done.returncode == 0, done.stdout
    assert "Ran 0 tests" in done.stdout


@pytest.mark.parametrize("module", ["test_plain", "test_broken"])
def test_ours_says_what_of_a_list_is_unknown(project: Path, module: str) -> None:
    """The id, or the module, is named, and the run has failed."""
    ended = run_tests("--load-list", "unknown.txt", f"unittest:{module}", cwd=project)
    assert ended.status != 0
    assert "test_gone" in ended.err
