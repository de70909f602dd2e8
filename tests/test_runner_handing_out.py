"""Who gets which tests, by real commands: stopping, tests that not every process has, order."""

from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import run_tests

PROJECT = {"pyproject.toml": "[project]\nname = 'product'\n"}


def project(folder: Path, **files: str) -> Path:
    write_files(folder, PROJECT | {f"{name}.py": text for name, text in files.items()})
    return folder


STOPPING = """\
import time, unittest
class Case(unittest.TestCase):
    def test_00(self): pass
    def test_01(self): self.fail("first")
    def test_02(self): open("ran_on", "w").close()
    def test_03(self): open("ran_on", "w").close()
"""


@pytest.mark.parametrize("target", ["unittest:test_it", "pytest:test_it.py"])
def test_nothing_is_begun_after_the_failure_that_ends_the_run(tmp_path: Path, target: str) -> None:
    """With -x and one worker the next test does not run, whatever is read when of the journal."""
    folder = project(tmp_path, test_it=STOPPING)
    ended = run_tests("-x", target, cwd=folder)
    assert ended.status == 1
    assert not (folder / "ran_on").exists()
    assert len(ended.verdict) == 2


MANY = """\
import os, time, unittest
class Case(unittest.TestCase):
    pass
for number in range(200):
    def test(self, number=number):
        time.sleep(0.02)
        self.assertNotEqual(number, 0)
    setattr(Case, f"test_{number:03}", test)
"""


def test_other_workers_stop_too(tmp_path: Path) -> None:
    """With -x and two workers the other one stops between two of its tests."""
    ended = run_tests("-x", "-j", "2", "unittest:test_it", cwd=project(tmp_path, test_it=MANY))
    assert ended.status == 1
    assert 1 <= len(ended.verdict) < 150


DIFFERENT = """\
import os, pytest
@pytest.mark.parametrize("value", [os.getpid(), "same", "too"])
def test_it(value): pass
"""


def test_tests_that_one_process_has_run_there(tmp_path: Path) -> None:
    """Ids that differ from process to process are run by the process that found them."""
    folder = project(tmp_path, test_it=DIFFERENT)
    for _ in range(2):
        ended = run_tests("-j", "2", "pytest:test_it.py", cwd=folder)
        assert ended.status == 0
        assert len(ended.verdict) == 3


def test_a_suite_that_cannot_be_collected_fails_and_the_others_run(tmp_path: Path) -> None:
    """A process that dies while it collects is a failure of its suite; other suites run."""
    folder = project(
        tmp_path,
        test_bad="import os\nos._exit(7)\n",
        test_good="import unittest\nclass Case(unittest.TestCase):\n    def test_a(self): pass\n",
    )
    for jobs in ("1", "2"):
        ended = run_tests("-j", jobs, "unittest:test_good", "pytest:test_bad.py", cwd=folder)
        assert ended.status == 1
        assert ended.passed() == {"test_a"}


def test_order_is_that_of_the_file_with_one_worker(tmp_path: Path) -> None:
    """With one worker tests run in the order of their host, whatever took longest before."""
    text = "import time\n" + "".join(
        f"def test_{name}(): time.sleep({seconds})\n"
        for name, seconds in (("b", 0.01), ("a", 0.2), ("c", 0.05))
    )
    folder = project(tmp_path, test_it=text)
    for _ in range(2):
        ended = run_tests("pytest:test_it.py", cwd=folder)
        assert [each.rpartition("::")[2] for each in ended.verdict] == [
            "test_b",
            "test_a",
            "test_c",
        ]
