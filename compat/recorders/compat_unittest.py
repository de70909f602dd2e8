# ruff: noqa: N802, SIM115
"""`python compat_unittest.py ARGUMENTS`: `python -m unittest` that writes down every outcome.

COMPAT_EVENTS names the file. Each line is a JSON list: what kind of event, of which test, and
what there is to tell of it.
"""

import json
import os
import re
import sys
import unittest
import warnings

BY_CHANCE = re.compile(
    r"\b0x[0-9a-fA-F]{4,}"
    r"|\b20\d\d-\d\d-\d\d([ T][0-9:.+]+)?|\b\d\d-\d\d-20\d\d|\b\d\d:\d\d:\d\d[0-9.+:]*"
)
"""Addresses, and what the clock says."""
FILE = open(os.environ["COMPAT_EVENTS"], "a")
PROCESS = os.getpid()


def write(*event):
    if os.getpid() == PROCESS:
        FILE.write(json.dumps([BY_CHANCE.sub("...", str(word)) for word in event]) + "\n")
        FILE.flush()


def exception_line(error):
    return f"{error[0].__name__}: {error[1]}".split("\n")[0] if error else ""


class Outcomes:
    """Mixed into a result: writes what it is told, and passes it on."""

    def addSuccess(self, test):
        write("test", test.id(), "passed", "")
        super().addSuccess(test)

    def addFailure(self, test, error):
        write("test", test.id(), "failed", exception_line(error))
        super().addFailure(test, error)

    def addError(self, test, error):
        write("test", test.id(), "error", exception_line(error))
        super().addError(test, error)

    def addSkip(self, test, reason):
        write("test", test.id(), "skipped", reason)
        super().addSkip(test, reason)

    def addExpectedFailure(self, test, error):
        write("test", test.id(), "expected failure", exception_line(error))
        super().addExpectedFailure(test, error)

    def addUnexpectedSuccess(self, test):
        write("test", test.id(), "unexpected success", "")
        super().addUnexpectedSuccess(test)

    def addSubTest(self, test, subtest, error):
        write("subtest", subtest.id(), "failed" if error else "passed", exception_line(error))
        super().addSubTest(test, subtest, error)


class Result(Outcomes, unittest.TextTestResult):
    def showwarning(self, message, category, filename, lineno, file=None, line=None):
        write("warning", "", category.__name__, message)


class Runner(unittest.TextTestRunner):
    resultclass = Result


def main():
    sys.path.insert(0, os.getcwd())
    del sys.path[1]
    warnings.simplefilter("default")
    program = unittest.main(module=None, testRunner=Runner, exit=False)
    result = program.result
    write("end", "", f"status {int(not result.wasSuccessful())}", f"{result.testsRun} ran")
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
