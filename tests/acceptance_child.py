"""Runs tests of testtools, or of what uses it, in this process; lines of JSON at the end.

Called as: acceptance_child.py RESULTS PROJECT [MODULE...], in the folder that has the package
`tests`. Without modules, all tests are one.
"""

import importlib
import json
import sys
import traceback
import unittest
from pathlib import Path
from typing import Any

import acceptance_names

UNKNOWN = "began, and nothing was told of its end"


class Collected(unittest.TestResult):
    """What came of each test: '' if it passed, 'skipped: …', or the text of what went wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.outcomes.setdefault(test.id(), UNKNOWN)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._settle(test, "")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._settle(test, "")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._settle(test, f"skipped: {reason}")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self.outcomes[test.id()] = "".join(traceback.format_exception(*err))

    addFailure = addError

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self.outcomes[test.id()] = "passed, though it expects a failure"

    def _settle(self, test: unittest.TestCase, outcome: str) -> None:
        if self.outcomes.get(test.id(), UNKNOWN) == UNKNOWN:
            self.outcomes[test.id()] = outcome


def main(results: str, project: str, *modules: str) -> None:
    importlib.import_module("meant")  # it puts the names in their places
    import testscenarios

    lines = []
    for name in modules or (project,):
        module = f"tests.{name}" if modules else "tests"
        suite = importlib.import_module(module).test_suite()
        collected = Collected()
        unittest.TestSuite(testscenarios.generate_scenarios(suite)).run(collected)
        prefix = f"{module}."
        outcomes = {
            test_id.removeprefix(prefix): text for test_id, text in collected.outcomes.items()
        }
        lines.append(json.dumps({"module": name, "outcomes": outcomes}))
    lines.append(json.dumps({"taken": sorted(acceptance_names.TAKEN_FROM_PEER)}))
    Path(results).write_text("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
