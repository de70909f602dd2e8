"""`whotests test` on a terminal: what is seen while it runs, Ctrl-C, and the debugger."""

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import PATIENCE, environment

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

import fcntl
import struct
import termios

SLOW = """
    import pathlib
    import time
    import unittest

    class Slow(unittest.TestCase):
        def test_a(self):
            self.assertEqual(1, 2)

        def test_b(self):
            pathlib.Path("began").touch()
            while not pathlib.Path("go_on").exists():
                time.sleep(0.01)

        def test_c(self):
            pass
"""

# The terminal of the child: Ctrl-C reaches what runs on it.
ON_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-P", "-m", "whotests", "test", *sys.argv[1:]])
"""


class Terminal:
    """A command on a terminal of 80 columns."""

    def __init__(self, process: "subprocess.Popen[bytes]", side: int) -> None:
        self.process = process
        self._side = side
        self.seen = ""
        """All that was written, with what steers the terminal."""

    def read_until(self, *texts: str) -> None:
        """Come back when one of the texts was written since the start."""
        until = time.monotonic() + PATIENCE
        while not any(text in self.seen for text in texts):
            assert time.monotonic() < until, self.seen
            assert self._read(), self.seen

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._side, text.encode())

    def end(self) -> int:
        """Read all; the exit status."""
        until = time.monotonic() + PATIENCE
        while self._read():  # as long as it goes on, something is painted
            assert time.monotonic() < until, self.seen[-2000:]
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        if not select.select([self._side], [], [], PATIENCE)[0]:
            return False
        try:
            octets = os.read(self._side, 1 << 16)
        except OSError:  # as Linux says that nobody has the other side
            return False
        self.seen += octets.decode("utf-8", "replace")
        return bool(octets)


@contextmanager
def on_terminal(*words: str, cwd: Path, columns: int = 80, **more: str) -> Iterator[Terminal]:
    """The command, on a terminal; nothing is measured."""
    side, other = os.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    not_here = ("NO_COLOR", "COLUMNS", "LINES")  # pytest-xdist sets some of them
    variables = {name: value for name, value in environment().items() if name not in not_here}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", ON_TERMINAL, "--no-measure", *words],
        cwd=cwd,
        env={**variables, "TERM": "xterm-256color", **more},
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
    )
    os.close(other)
    try:
        yield Terminal(process, side)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        os.close(side)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\n", "test_slow.py": SLOW})
    return tmp_path


def test_what_is_seen_meanwhile(project: Path) -> None:
    """Failures go up as they come; below stand the tests that run, and how far it is. At the end
    only what stays is left, and the cursor is there again."""
    with on_terminal("unittest:test_slow", cwd=project) as terminal:
        terminal.read_until("1 of 3 tests, \x1b[1;31m1 failed")
        terminal.read_until("failed \x1b[0m test_slow.Slow.test_a")
        assert "\x1b[?25l" in terminal.seen
        terminal.read_until("test_slow.Slow.test_b")
        (project / "go_on").touch()
        assert terminal.end() == 1
        seen = terminal.seen
    after = seen.rpartition("\x1b[?25h")[2]
    assert "test_slow.Slow.test_a" in after
    assert "of 3 tests" not in after
    assert "2 passed\x1b[0m, \x1b[1;31m1 failed\x1b[0m in " in after


def test_a_narrow_terminal(project: Path) -> None:
    """What goes away again leaves room for the '^C' of the terminal, which would else break its
    last line in two."""
    with on_terminal("unittest:test_slow", cwd=project, columns=44) as terminal:
        terminal.read_until("Slow.test_b")
        (project / "go_on").touch()
        assert terminal.end() == 1
        seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.seen)
    painted = [line for line in re.split(r"[\r\n]+", seen) if " of 3 tests" in line]
    assert painted
    assert max(map(len, painted)) <= 41


def test_without_colours(project: Path) -> None:
    """NO_COLOR is heard; what is said stays."""
    (project / "go_on").touch()
    with on_terminal("unittest:test_slow", cwd=project, NO_COLOR="1") as terminal:
        assert terminal.end() == 1
    assert "FAILED" in terminal.seen
    assert "\x1b[31m" not in terminal.seen
    assert "\x1b[1;31m" not in terminal.seen


def test_a_terminal_that_can_do_nothing(project: Path) -> None:
    """Gets plain lines."""
    (project / "go_on").touch()
    with on_terminal("unittest:test_slow", cwd=project, TERM="dumb") as terminal:
        assert terminal.end() == 1
    assert "\x1b" not in terminal.seen
    assert "FAILED: 2 passed, 1 failed in " in terminal.seen


def test_ctrl_c(project: Path) -> None:
    """Is told where it can be read; what is done is shown, and the cursor is there again."""
    with on_terminal("unittest:test_slow", cwd=project) as terminal:
        terminal.read_until("test_slow.Slow.test_b")
        until = time.monotonic() + PATIENCE
        while not (project / "began").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        terminal.type("\x03")
        assert terminal.end() == 130
        seen = terminal.seen
    assert "whotests: interrupted; fixtures are let go of" in seen
    after = seen.rpartition("\x1b[?25h")[2]
    assert "INTERRUPTED" in after
    assert "test_slow.Slow.test_a" in after
    assert "Traceback (most recent call last):\r\n  File" not in after


@pytest.mark.parametrize("target", ["unittest:test_slow", "pytest:test_slow.py"])
def test_the_debugger(project: Path, target: str) -> None:
    """--pdb opens where a test fails, with the frame of the test, and the run goes on after it."""
    (project / "go_on").touch()
    with on_terminal("--pdb", target, cwd=project) as terminal:
        terminal.read_until("(Pdb")
        terminal.type("p 40 + 2\n")
        terminal.read_until("42\r\n")
        terminal.type("c\n")
        assert terminal.end() == 1
    assert "2 passed\x1b[0m, \x1b[1;31m1 failed\x1b[0m in " in terminal.seen
