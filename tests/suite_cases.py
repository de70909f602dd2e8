"""Tests for suites to run, and a result that keeps their ids."""

import unittest
from collections.abc import Callable


class Case(unittest.TestCase):
    """A test that calls something."""

    __test__ = False

    def __init__(self, name: str, body: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._name = name
        self._body = body

    def id(self) -> str:
        return self._name

    def runTest(self) -> None:
        self._body()


class Ids(unittest.TestResult):
    """Keeps the ids of the tests, by how they ended."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: list[str] = []

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.passed.append(test.id())

    @property
    def erred(self) -> list[str]:
        return [test.id() for test, _text in self.errors]
