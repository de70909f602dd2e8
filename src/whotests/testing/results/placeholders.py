"""Tests that are known by what is to be reported for them."""

import unittest
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from whotests.testing.details.content import Details
from whotests.testing.details.traceback_content import OptExcInfo, TracebackContent
from whotests.testing.results.any_result import ExtendedToOriginalDecorator
from whotests.testing.results.result import TestResult

__all__ = ["ErrorHolder", "PlaceHolder"]


class PlaceHolder(unittest.TestCase):
    """A test that reports one outcome when it is run, and does nothing else."""

    failureException: Any = None

    def __init__(
        self,
        test_id: str,
        short_description: str | None = None,
        details: Details | None = None,
        outcome: str = "addSuccess",
        error: OptExcInfo | None = None,
        tags: Iterable[str] | None = None,
        timestamps: tuple[datetime | None, datetime | None] = (None, None),
    ) -> None:
        """A test of this id. `outcome` is the method of the result that is called.

        `error` becomes the detail "traceback"; `timestamps` are when it began and ended.
        """
        self._test_id = test_id
        self._short_description = short_description
        self._details = {} if details is None else details
        self._outcome_name = outcome
        self._tags = frozenset(tags or ())
        self._timestamps = timestamps
        self._testMethodName = "run"
        if error is not None:
            self._details["traceback"] = TracebackContent(error, self)

    def __call__(self, result: Any = None) -> None:
        self.run(result)

    def run(self, result: Any = None) -> None:
        """Report the outcome."""
        told = TestResult() if result is None else ExtendedToOriginalDecorator(result)
        began, ended = self._timestamps
        if began is not None:
            told.time(began)
        told.tags(set(self._tags), set())
        told.startTest(self)
        if ended is not None:
            told.time(ended)
        getattr(told, self._outcome_name)(self, details=self._details)
        told.stopTest(self)
        told.tags(set(), set(self._tags))

    def debug(self) -> None:
        """There is nothing to run."""

    def countTestCases(self) -> int:
        return 1

    def id(self) -> str:
        return self._test_id

    def shortDescription(self) -> str:
        return self.id() if self._short_description is None else self._short_description

    def __str__(self) -> str:
        return self.id()

    def __repr__(self) -> str:
        shown: list[object] = [self._outcome_name, self._test_id, self._details]
        if self._short_description is not None:
            shown.append(self._short_description)
        kind = type(self)
        return f"<{kind.__module__}.{kind.__name__}({', '.join(map(repr, shown))})>"


def ErrorHolder(
    test_id: str,
    error: OptExcInfo,
    short_description: str | None = None,
    details: Details | None = None,
) -> PlaceHolder:
    """A place holder that reports an error with this exception's traceback."""
    return PlaceHolder(
        test_id,
        short_description=short_description,
        details=details,
        outcome="addError",
        error=error,
    )
