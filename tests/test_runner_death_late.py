"""A host that writes for long at its end is left to do so."""

import sys
from pathlib import Path

import pytest

from tested_commands import project, run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def test_a_process_that_works_at_its_end_may_take_longer(tmp_path: Path) -> None:
    """What is written at the end is not cut off, though it takes more than some seconds."""
    text = """\
import atexit, pathlib, time, unittest
def work():
    begun = time.monotonic()
    while time.monotonic() - begun < 11: pass
    pathlib.Path("written").touch()
class Case(unittest.TestCase):
    def test_a(self): atexit.register(work)
"""
    ended = run_tests("unittest:test_it", cwd=project(tmp_path, test_it=text))
    assert ended.verdict == {"test_a": "success"}
    assert (tmp_path / "written").exists()
    assert ended.notes == []
