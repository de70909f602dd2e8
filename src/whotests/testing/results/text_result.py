"""A result that writes what happens, for people."""

import math
import unittest
from datetime import timedelta
from typing import Protocol

from whotests.testing.details.content import Details
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.results.result import TestResult, reason_of

__all__ = ["TextTestResult"]

DOTS = 1
NAMES = 2


class Writable(Protocol):
    """What is written to."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class TextTestResult(TestResult):
    """Writes a letter per test, or its name with `verbosity` 2, and at the end what failed.

    Without a stream it writes nothing.
    """

    def __init__(
        self,
        stream: Writable | None,
        failfast: bool = False,
        tb_locals: bool = False,
        verbosity: int = DOTS,
    ) -> None:
        super().__init__(failfast=failfast, tb_locals=tb_locals)
        self.stream = stream
        self.sep1 = "=" * 70 + "\n"
        self.sep2 = "-" * 70 + "\n"
        self.verbosity = verbosity
        self._dotted = False
        self._start = self._now()

    def startTestRun(self) -> None:
        super().startTestRun()
        self._start = self._now()
        self._write("Tests running...\n")

    def stopTestRun(self) -> None:
        took = self._now() - self._start
        for label, problems in (("ERROR", self.errors), ("FAIL", self.failures)):
            for test, text in problems:
                self._write(f"{self.sep1}{label}: {test.id()}\n{self.sep2}{text}")
        for test in self.unexpectedSuccesses:
            self._write(f"{self.sep1}UNEXPECTED SUCCESS: {test.id()}\n{self.sep2}")
        plural = "" if self.testsRun == 1 else "s"
        seconds = self._delta_to_float(took, 3)
        end = "\n\n" if self._dotted else "\n"
        self._write(f"{end}Ran {self.testsRun} test{plural} in {seconds:.3f}s\n")
        if self.wasSuccessful():
            self._write("OK\n")
        else:
            found = len(self.failures) + len(self.errors) + len(self.unexpectedSuccesses)
            self._write(f"FAILED (failures={found})\n")
        super().stopTestRun()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        if self.verbosity >= NAMES:
            self._write(f"{test.id()} ... ", flush=True)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        super().addSuccess(test, details)
        self._outcome(".", "ok")

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addError(test, err, details)
        self._outcome("E", "ERROR")

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addFailure(test, err, details)
        self._outcome("F", "FAIL")

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        super().addExpectedFailure(test, err, details)
        self._outcome("x", "expected failure")

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        super().addUnexpectedSuccess(test, details)
        self._outcome("u", "unexpected success")

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        super().addSkip(test, reason, details)
        self._outcome("s", f"skipped {reason_of(reason, details)!r}")

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        super().addSubTest(test, subtest, err)
        if err is None or err[0] is None:
            return
        if issubclass(err[0], test.failureException):
            self._outcome("F", "FAIL")
        else:
            self._outcome("E", "ERROR")

    def _outcome(self, letter: str, words: str) -> None:
        if self.verbosity >= NAMES:
            self._write(f"{words}\n", flush=True)
        elif self.verbosity == DOTS:
            self._write(letter, flush=True)
            self._dotted = True

    def _write(self, text: str, flush: bool = False) -> None:
        if self.stream is None:
            return
        self.stream.write(text)
        if flush:
            self.stream.flush()

    def _delta_to_float(self, delta: timedelta, precision: int) -> float:
        """Seconds, rounded up to so many digits."""
        shift = float(10**precision)
        return math.ceil(delta.total_seconds() * shift) / shift
