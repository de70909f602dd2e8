"""What test cases of Twisted's trial get wrong, met by the same programs with trial and with ours.

A program differs in where it takes its `TestCase` from. With trial's it runs under trial, with
ours under `python -m unittest`, and under trial as well: a case's verdict is the same there.
"""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

TRIAL = "26.10.0"

OURS = "from whotests.testing import TestCase"


class Defect(NamedTuple):
    """One program, and how its run ends."""

    name: str
    case: str
    """Where trial's own case comes from."""
    program: str
    theirs: str
    """With trial's case: the verdict, and what the program printed."""
    ours: str
    """The same with our case."""


DEFECTS = [
    Defect(
        "async_in_a_synchronous_case",
        "from twisted.trial.unittest import SynchronousTestCase as TestCase",
        """
class Case(TestCase):
    async def test_it(self):
        print("ran")
        self.fail("it ran")
""",
        "passed",
        "failed ran",
    ),
    Defect(
        "async_clean_up_in_a_synchronous_case",
        "from twisted.trial.unittest import SynchronousTestCase as TestCase",
        """
class Case(TestCase):
    def test_it(self):
        self.addCleanup(self.clean)

    async def clean(self):
        print("ran")
        self.fail("it ran")
""",
        "passed",
        "failed ran",
    ),
    Defect(
        "async_set_up_in_a_synchronous_case",
        "from twisted.trial.unittest import SynchronousTestCase as TestCase",
        """
class Case(TestCase):
    async def setUp(self):
        print("ran")
        self.fail("it ran")

    def test_it(self):
        pass
""",
        "passed",
        "failed ran",
    ),
    Defect(
        "deferred_in_a_synchronous_case",
        "from twisted.trial.unittest import SynchronousTestCase as TestCase",
        """
from twisted.internet import defer

class Case(TestCase):
    def test_it(self):
        print("ran")
        deferred = defer.Deferred()
        deferred.addCallback(lambda value: self.fail("it fired"))
        from twisted.internet import reactor
        call = reactor.callLater(0.01, deferred.callback, None)
        self.addCleanup(lambda: call.active() and call.cancel())
        return deferred
""",
        "passed ran",
        "failed ran",
    ),
    Defect(
        "asyncio_future",
        "from twisted.trial.unittest import TestCase",
        """
import asyncio

class Case(TestCase):
    def test_it(self):
        print("ran")
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        future = loop.create_future()
        future.set_exception(AssertionError("in the future"))
        future.exception()
        return future
""",
        "passed ran",
        "failed ran",
    ),
    Defect(
        "blocking_code",
        "from twisted.trial.unittest import TestCase",
        """
import time

class Case(TestCase):
    timeout = 0.1

    def test_it(self):
        print("ran")
        time.sleep(0.8)
        print("to its end")
""",
        "passed ran to its end",
        "failed ran",
    ),
    Defect(
        "a_loop_without_end",
        "from twisted.trial.unittest import TestCase",
        """
import time

class Case(TestCase):
    timeout = 0.1

    async def test_it(self):
        print("ran")
        begun = time.monotonic()
        while time.monotonic() < begun + 0.8:
            pass
        print("to its end")
""",
        "passed ran to its end",
        "failed ran",
    ),
    Defect(
        "asyncio_sleep",
        "from twisted.trial.unittest import TestCase",
        """
import asyncio

class Case(TestCase):
    async def test_it(self):
        print("ran")
        await asyncio.sleep(0.01)
        print("to its end")
""",
        "failed ran",
        "passed ran to its end",
    ),
    Defect(
        "set_up_class",
        "from twisted.trial.unittest import TestCase",
        """
class Case(TestCase):
    ready = False

    @classmethod
    def setUpClass(cls):
        cls.ready = True

    @classmethod
    def tearDownClass(cls):
        print("torn down")

    def test_it(self):
        self.assertTrue(self.ready)
""",
        "failed",
        "passed torn down",
    ),
]

by_name = pytest.mark.parametrize("defect", DEFECTS, ids=[defect.name for defect in DEFECTS])


def run(
    defect: Defect, folder: Path, *, case: str, runner: str, options: tuple[str, ...] = ()
) -> str:
    """The verdict of a program in a process of its own, and the words that it printed."""
    (folder / "test_program.py").write_text(f"{case}\n{defect.program}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", runner, *options, "test_program"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert re.search(r"Ran 1 tests? in", done.stdout + done.stderr), done.stdout + done.stderr
    said = [words for words in ("ran", "to its end", "torn down") if printed(words, done.stdout)]
    return " ".join(["failed" if done.returncode else "passed", *said])


def printed(words: str, output: str) -> bool:
    """Whether a line of the output ends so: runners print beside it."""
    return any(line.strip().endswith(words) for line in output.splitlines())


@by_name
@pytest.mark.skipif(version("twisted") != TRIAL, reason=f"the table is of Twisted {TRIAL}")
def test_trial_has_the_defect(defect: Defect, tmp_path: Path) -> None:
    """The program meets in trial 26.10 what the table says."""
    assert run(defect, tmp_path, case=defect.case, runner="twisted.trial") == defect.theirs


@by_name
def test_ours_gives_the_right_verdict(defect: Defect, tmp_path: Path) -> None:
    """The same program with our case gets what its author needs, from Python's own runner."""
    assert run(defect, tmp_path, case=OURS, runner="unittest") == defect.ours


@pytest.mark.parametrize(
    "defect",
    [defect for defect in DEFECTS if defect.name != "set_up_class"],  # trial's runner has that one
    ids=lambda defect: defect.name,
)
def test_ours_gives_the_right_verdict_under_trial(defect: Defect, tmp_path: Path) -> None:
    """Our case answers for itself, so trial gives its verdicts."""
    assert run(defect, tmp_path, case=OURS, runner="twisted.trial") == defect.ours


FLUSHED = Defect(
    "errors_that_are_logged",
    "",
    """
from twisted.logger import Logger
from twisted.python import log

class Case(TestCase):
    def test_it(self):
        try:
            1 / 0
        except ZeroDivisionError:
            log.err(None, "an old call")
            Logger().failure("a new one")
        if self.flushLoggedErrors(ZeroDivisionError):
            print("ran")
""",
    "",
    "passed ran",
)


def test_errors_that_a_test_flushed_are_none_of_trials(tmp_path: Path) -> None:
    """trial's runner, which hears of them as well, does not report them as "not in test"."""
    assert run(FLUSHED, tmp_path, case=OURS, runner="twisted.trial") == FLUSHED.ours


PARTS = Defect(
    "a_part_that_fails",
    "from unittest import TestCase",
    """
class Case(TestCase):
    def test_it(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(1, number)
""",
    "passed",
    "failed",
)
IN_WORKERS = ("-j", "2")


@pytest.mark.skipif(version("twisted") != TRIAL, reason=f"the defect is of Twisted {TRIAL}")
def test_trials_workers_lose_parts(tmp_path: Path) -> None:
    """A part that fails in one of trial's processes is not heard of by the other one."""
    verdict = run(PARTS, tmp_path, case=PARTS.case, runner="twisted.trial", options=IN_WORKERS)
    assert verdict == PARTS.theirs


def test_ours_tell_trials_workers_of_parts(tmp_path: Path) -> None:
    """A part that fails is told as a failure of its test, which is heard of."""
    verdict = run(PARTS, tmp_path, case=OURS, runner="twisted.trial", options=IN_WORKERS)
    assert verdict == PARTS.ours
