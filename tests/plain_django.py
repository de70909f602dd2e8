"""A test runner of Django's that writes how each test ended, as unittest counts it."""

import json
import os
import unittest
from typing import Any

from django.test.runner import DiscoverRunner


class _Ended(unittest.TextTestResult):
    """The worst that was said of each test, and what was said of no test."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ended: dict[str, str] = {}
        self.outside: dict[str, str] = {}

    def _note(self, test: Any, status: str) -> None:
        if isinstance(test, unittest.loader._FailedTest):  # type: ignore[attr-defined]
            self.outside[test._testMethodName] = status
        elif isinstance(test, unittest.TestCase):
            if self.ended.get(test.id()) != "failed":
                self.ended[test.id()] = status
        else:
            self.outside[str(test)] = status

    def addSuccess(self, test: Any) -> None:
        super().addSuccess(test)
        self._note(test, "passed")

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._note(test, "failed")

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._note(test, "failed")

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skipped")

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._note(test, "xfailed")

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._note(test, "failed")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed")

    def stopTestRun(self) -> None:
        super().stopTestRun()
        with open(os.environ["ENDED"], "w", encoding="utf-8") as file:
            json.dump({"ended": self.ended, "outside": self.outside}, file)


class Runner(DiscoverRunner):  # type: ignore[misc]
    """Django's own, with that result."""

    def get_resultclass(self) -> type:
        return _Ended
