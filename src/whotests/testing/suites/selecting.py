"""Only those tests of a suite whose ids are asked for."""

import difflib
import unittest
from collections.abc import Container, Iterable
from contextvars import ContextVar
from typing import Any

from whotests.errors import UsageError
from whotests.testing.suites.listing import list_test
from whotests.testing.suites.ordering import SuiteOrCase, iterate_tests

__all__ = ["filter_by_ids"]

NAMED_IN_MESSAGE = 10
"""How many unknown ids a message names, and how many modules that could not be imported."""
COMPARED_IN_FULL = 2_000
"""Ids above which only likely ones are compared: each comparison takes some 20 µs."""

_filtering: ContextVar[bool] = ContextVar("whotests_filtering", default=False)
"""A suite's own `filter_by_ids` may call ours for its parts, which know their own ids only."""


def filter_by_ids(
    suite_or_case: SuiteOrCase, test_ids: Container[str], *, allow_unknown: bool = False
) -> SuiteOrCase:
    """The suite with those tests only whose ids are in `test_ids`; its classes stay.

    A suite or test may have a `filter_by_ids(test_ids)` of its own, which answers for what is
    in it. Plain suites, and those that lack that method, lose tests in place.

    UsageError names the ids that no test has, with those that come nearest, and what could not
    be imported: the suite is then left alone. `allow_unknown` is for one of several suites that
    share a list of ids. A container that cannot be iterated over tells nothing of its ids: then
    it is an error if it selects nothing of a suite that has tests.
    """
    if allow_unknown or _filtering.get():
        return _filtered(suite_or_case, test_ids)
    known = _known_ids(suite_or_case)
    if known is not None and isinstance(test_ids, Iterable):
        unknown = [test_id for test_id in test_ids if test_id not in known]
        if unknown:
            raise UsageError(_unknown_message(unknown, known, list_test(suite_or_case).errors))
    token = _filtering.set(True)
    try:
        filtered = _filtered(suite_or_case, test_ids)
    finally:
        _filtering.reset(token)
    if known and not isinstance(test_ids, Iterable) and not _known_ids(filtered):
        raise UsageError(
            f"none of the {len(known)} tests is selected by {test_ids!r}. "
            f"Their ids are like {min(known)!r}."
        )
    return filtered


def _filtered(suite_or_case: SuiteOrCase, test_ids: Container[str]) -> SuiteOrCase:
    own = getattr(suite_or_case, "filter_by_ids", None)
    if own is not None:
        return own(test_ids)
    if hasattr(suite_or_case, "id"):
        return suite_or_case if suite_or_case.id() in test_ids else unittest.TestSuite()
    if isinstance(suite_or_case, unittest.TestSuite):
        tests: list[Any] = suite_or_case._tests
        tests[:] = [_filtered(item, test_ids) for item in tests if item is not None]
    return suite_or_case


def _known_ids(suite_or_case: SuiteOrCase) -> set[str] | None:
    """The ids of all tests; None where some part does not tell which tests it has."""
    ids = set()
    for test in iterate_tests(suite_or_case):
        if not hasattr(test, "id"):
            return None
        ids.add(test.id())
    return ids


def _nearest(test_id: str, known: set[str]) -> list[str]:
    """Known ids that read alike; of very many, only of the same name or in the same class."""
    among: Iterable[str] = known
    if len(known) > COMPARED_IN_FULL:
        parent, _, name = test_id.rpartition(".")
        among = [each for each in known if each.rpartition(".")[0] == parent]
        among += [each for each in known if each.rpartition(".")[2] == name][:COMPARED_IN_FULL]
    return difflib.get_close_matches(test_id, sorted(set(among)), n=2)


def _unknown_message(unknown: list[str], known: set[str], errors: list[str]) -> str:
    named = sorted(unknown)[:NAMED_IN_MESSAGE]
    lines = [f"no test has {'this id' if len(unknown) == 1 else f'these {len(unknown)} ids'}:"]
    for test_id in named:
        nearest = _nearest(test_id, known)
        lines.append(f"  {test_id}" + (f" (nearest: {', '.join(nearest)})" if nearest else ""))
    if len(unknown) > len(named):
        lines.append(f"  … and {len(unknown) - len(named)} more")
    if errors:
        lines.append("These could not be loaded, the tests may be in them:")
        lines.extend(f"  {error}" for error in errors[:NAMED_IN_MESSAGE])
        if len(errors) > NAMED_IN_MESSAGE:
            lines.append(f"  … and {len(errors) - NAMED_IN_MESSAGE} more")
    lines.append("Nothing was selected: list the tests anew, or leave these ids out.")
    return "\n".join(lines)
