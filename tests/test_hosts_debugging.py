"""`--pdb`: Python's debugger opens where a test fails, whatever the test is written for."""

import subprocess
import sys
from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import PATIENCE, command, environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

SYNCHRONOUS = """
    import {package}


    class Case({package}.TestCase):
        def test_skips(self):
            secret = "skipped"
            self.skipTest(secret)

        def test_that_fails(self):
            secret = 6 * 7
            raise OSError
"""

CASES = {
    "test_plain.py": SYNCHRONOUS.format(package="unittest"),
    "test_tools.py": SYNCHRONOUS.format(package="testtools"),
    "test_later.py": """
        from twisted.internet import reactor, task
        from twisted.trial import unittest


        class Case(unittest.TestCase):
            def test_skips(self):
                secret = "skipped"
                raise unittest.SkipTest(secret)

            def test_that_fails(self):
                return task.deferLater(reactor, 0.001, self.fails)

            def fails(self):
                secret = 6 * 7
                raise OSError
    """,
}


@pytest.mark.parametrize(
    ("target", "needs"),
    [
        ("unittest:test_plain", "unittest"),
        ("unittest:test_tools", "testtools"),
        ("trial:test_tools", "twisted"),
        ("trial:test_later", "twisted"),
    ],
)
def test_the_debugger_opens_where_a_test_fails(tmp_path: Path, target: str, needs: str) -> None:
    """Once, in the frame that raised, with its names; a skip is no failure."""
    pytest.importorskip(needs, reason=f"{needs} is not installed")
    write_files(tmp_path, CASES)
    words = [word for word in command("--pdb", target) if word != "--json"]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=environment(),
        input="p 'secret', secret\nq\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.count("(Pdb)") == 2, done.stdout
    assert "('secret', 42)" in done.stdout
    assert done.returncode == 1
