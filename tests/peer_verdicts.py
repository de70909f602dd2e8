"""What unittest's and trial's own runners say of each test, in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

from tested_commands import PATIENCE, environment

__all__ = ["by_trial", "by_unittest"]

_UNITTEST = """\
import json, sys, unittest

class Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        said[test.id()] = "success"
    def say(self, test, status):
        said[getattr(test, "test_case", test).id()] = status
    def addFailure(self, test, err):
        self.say(test, "fail")
    def addError(self, test, err):
        self.say(test, "fail")
    def addSkip(self, test, reason):
        if said.get(test.id()) != "fail":
            self.say(test, "skip")
    def addExpectedFailure(self, test, err):
        self.say(test, "xfail")
    def addUnexpectedSuccess(self, test):
        self.say(test, "uxsuccess")
    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.say(test, "fail")

said = {}
sys.path.insert(0, "")
suite = unittest.TestLoader().loadTestsFromNames(sys.argv[2:])
suite.run(Result())
with open(sys.argv[1], "w") as file:
    json.dump(said, file)
"""

_TRIAL = """\
import json, os, sys
from twisted.trial.reporter import Reporter
from twisted.trial.runner import TestLoader, TrialRunner

class Told(Reporter):
    def startTest(self, test):
        super().startTest(test)
        said.setdefault(test.id(), "unknown")
    def say(self, test, status):
        if said.get(test.id()) != "fail":
            said[test.id()] = status
    def addSuccess(self, test):
        self.say(test, "success")
    def addFailure(self, test, fail):
        said[test.id()] = "fail"
    def addError(self, test, error):
        said[test.id()] = "fail"
    def addSkip(self, test, reason):
        self.say(test, "skip")
    def addExpectedFailure(self, test, error, todo=None):
        self.say(test, "xfail")
    def addUnexpectedSuccess(self, test, todo=None):
        self.say(test, "success")  # with which trial's run is PASSED

said = {}
sys.path.insert(0, os.getcwd())
suite = TestLoader().loadByNames(sys.argv[2:], recurse=True)
TrialRunner(Told, stream=open(os.devnull, "w")).run(suite)
with open(sys.argv[1], "w") as file:
    json.dump(said, file)
"""


def by_unittest(*targets: str, cwd: Path) -> dict[str, str]:
    """The status of each test that `unittest` runs for these names, one after the other."""
    return _verdicts(_UNITTEST, targets, cwd)


def by_trial(*targets: str, cwd: Path) -> dict[str, str]:
    """The same of trial. A success that was not expected is one, since trial passes then."""
    return _verdicts(_TRIAL, targets, cwd)


def _verdicts(program: str, targets: tuple[str, ...], cwd: Path) -> dict[str, str]:
    into = cwd / "peer-verdicts.json"
    done = subprocess.run(
        [sys.executable, "-c", program, str(into), *targets],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(into.read_text())
    return said
