"""Runs one test case of `whotests.testing` in this process, and tells what came of it."""

import unittest
from typing import NamedTuple

from whotests.testing import TestCase

__all__ = ["Ran", "ran", "ran_all"]


class Ran(NamedTuple):
    """How a test ended."""

    outcome: str
    """'passed', 'failed', 'error', 'skipped', 'expected failure' or 'unexpected success'."""
    text: str
    """What was reported, with tracebacks; empty if it passed."""


def ran(case: type[TestCase], name: str = "test_it") -> Ran:
    """The outcome of this one method of the case."""
    result = unittest.TestResult()
    case(name).run(result)
    assert result.testsRun == 1
    reports = (
        ("error", result.errors),
        ("failed", result.failures),
        ("skipped", result.skipped),
        ("expected failure", result.expectedFailures),
    )
    found = [Ran(outcome, text) for outcome, several in reports for _, text in several]
    found += [Ran("unexpected success", "") for _ in result.unexpectedSuccesses]
    assert len(found) <= 1
    return found[0] if found else Ran("passed", "")


def ran_all(case: type[TestCase]) -> dict[str, Ran]:
    """The outcomes of all methods of the case, by their names without 'test_'."""
    names = unittest.defaultTestLoader.getTestCaseNames(case)
    return {name.removeprefix("test_"): ran(case, name) for name in names}
