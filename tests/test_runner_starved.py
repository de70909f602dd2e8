"""What the machine refuses: room on the disk, open files, memory. It is told, nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tested_commands import PATIENCE, Tested, command, environment, project
from tested_commands import tested as what_is_told

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")

MANY = """\
import unittest
class Case(unittest.TestCase): pass
for number in range(300):
    setattr(Case, f"test_{number:03}", lambda self: None)
"""

PEAK = """\
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdout=sys.stdout, stderr=sys.stderr)
with open(sys.argv[1], "w") as file:
    json.dump(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file)
sys.exit(done.returncode)
"""


def run_within(limit: str, *words: str, cwd: Path) -> Tested:
    """The command, run by a shell that has set a limit before."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'ulimit {limit} && exec "$@"', "sh", *command(*words)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return what_is_told(done.returncode, done.stdout, done.stderr)


def test_a_journal_that_cannot_grow_costs_no_verdict(tmp_path: Path) -> None:
    """Where files may grow no more, the test in progress fails with the reason; what was said
    before counts, and a new process with a new journal goes on."""
    done = run_within("-f 40", "unittest:test_it", cwd=project(tmp_path, test_it=MANY))
    assert len(done.verdict) == 300
    failed = {name for name, status in done.verdict.items() if status == "fail"}
    assert 0 < len(failed) < 10
    for name in failed:
        reason = done.said_of(name)["reason"]
        assert "gave up: its journal cannot be written" in reason
        assert "File too large" in reason
    assert done.status != 0


def test_a_disk_without_any_room_is_told(tmp_path: Path) -> None:
    """Where not even the tests that there are can be written down, nothing is tried again and
    again, and the reason is the failure's."""
    done = run_within("-f 4", "unittest:test_it", cwd=project(tmp_path, test_it=MANY))
    assert done.status != 0
    told = done.err + json.dumps(done.told)
    assert "File too large" in told
    assert done.verdicts == {}
    assert len(list((tmp_path / ".whotests/runs/1").glob("w0-*.out"))) <= 1


def test_workers_that_cannot_be_started_leave_their_tests_to_others(tmp_path: Path) -> None:
    """Too many workers for the open files that are allowed: it is told, and all tests run."""
    words = ("-j", "16", "unittest:test_it")
    done = run_within("-n 48", *words, cwd=project(tmp_path, test_it=MANY))
    assert len(done.verdict) == 300
    assert done.passed() == set(done.verdict)
    assert any("Too many open files" in note and "-j" in note for note in done.notes)


def test_very_much_output_takes_no_memory(tmp_path: Path) -> None:
    """A test that writes 300 million octets leaves runner and host small; the end is attached."""
    text = """\
import os, unittest
class Case(unittest.TestCase):
    def test_a(self):
        piece = b"x" * 999_999 + b"\\n"
        for _ in range(300): os.write(1, piece)
        os.write(1, b"the end\\n")
        self.fail("to see it")
    def test_b(self): pass
"""
    peak = tmp_path / "peak"
    words = [sys.executable, "-c", PEAK, str(peak), *command("unittest:test_it")]
    ran = subprocess.run(
        words,
        cwd=project(tmp_path, test_it=text),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    done = what_is_told(ran.returncode, ran.stdout, ran.stderr)
    assert done.verdict == {"test_a": "fail", "test_b": "success"}
    output = done.said_of("test_a")["output"]
    assert output.endswith("the end\n")
    assert len(output) < 2_000_000
    kilobytes = json.loads(peak.read_text()) / (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 150_000
