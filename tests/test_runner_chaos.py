"""Hosts are killed at random, at any time, while a run goes on: nothing is lost or repeated."""

import random
import re
import signal
import sys
import time
from contextlib import suppress
from os import kill
from pathlib import Path

import pytest

from measured_commands import write_files as write
from tested_commands import is_alive, started_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

KILLS = 8

TESTS = """\
import pathlib, time, unittest
def method(number):
    def test(self):
        with open(pathlib.Path("ran", str(number)), "a") as ran: ran.write("x")
        time.sleep(0.01)
        self.assertNotEqual(number % 10, 9)
    return test
class A(unittest.TestCase): pass
class B(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.ready = True
    def setUp(self): self.assertTrue(self.ready)
for number in range(400):
    setattr(B if 100 <= number < 160 else A, f"test_{number:03}", method(number))
"""


def living_hosts(folder: Path) -> list[int]:
    """The processes of the hosts, by the logs of the workers."""
    began: list[int] = []
    for log in folder.glob(".whotests/runs/*/w*.log"):
        began += map(int, re.findall(r"process (\d+) begins", log.read_text()))
    return [pid for pid in began if is_alive(pid)]


@pytest.mark.parametrize("host", ["unittest:test_it", "pytest:test_it.py"])
def test_killed_hosts_lose_and_repeat_nothing(tmp_path: Path, host: str) -> None:
    """However often hosts are killed, each test has one verdict: its own, or that its process was
    killed while it ran; and none was run again after it had one."""
    write(tmp_path, {"pyproject.toml": "[project]\nname = 'product'\n", "test_it.py": TESTS})
    (tmp_path / "ran").mkdir()
    chance = random.Random(1)
    kills = 0
    with started_tests("-j", "2", host, cwd=tmp_path) as run:
        while run.process.poll() is None and kills < KILLS:
            time.sleep(chance.uniform(0.05, 0.5))
            hosts = living_hosts(tmp_path)
            # One that runs tests, so that no worker dies three times before it comes to any.
            begun = sum(1 for _ in (tmp_path / "ran").iterdir())
            if hosts and begun > 10 * kills:
                with suppress(ProcessLookupError):
                    kill(chance.choice(hosts), signal.SIGKILL)
                    kills += 1
        done = run.ended()
    assert kills > 3
    assert len(done.verdict) == 400
    killed = {
        name
        for name in done.verdict
        if "was killed by SIGKILL" in done.said_of(name).get("reason", "")
    }
    assert len(killed) <= kills
    own = {name: status for name, status in done.verdict.items() if name not in killed}
    assert own == {
        name: "fail" if int(name[-3:]) % 10 == 9 else "success"
        for name in done.verdict
        if name in own
    }
    ran = {path.name: len(path.read_text()) for path in (tmp_path / "ran").iterdir()}
    # One may be killed between opening its file and writing to it.
    empty = {number for number, times in ran.items() if not times}
    assert {f"test_{int(number):03}" for number in empty} <= killed
    assert {number: times for number, times in ran.items() if times > 1} == {}
    assert not living_hosts(tmp_path)
