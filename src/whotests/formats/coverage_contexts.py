"""Names of contexts as coverage.py and pytest-cov write them, and which contexts they mean.

    tests/test_a.py::test_b|run     pytest-cov: a test and its phase (setup, run, teardown)
    tests.test_a.Case.test_b        coverage.py's dynamic_context = test_function
    py3.13|...                      below a static context
    py3.13                          under a static context, outside of tests

May import query.facts and types. Refuses to lose one: what a name alone does not tell is in
`unclear`, to be kept beside the names.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from whotests.query.facts import ContextKey
from whotests.types import Phase, TestName

__all__ = ["MEANINGS", "context_name", "contexts_of", "told_meanings", "unclear"]

MEANINGS: Final = "whotests_contexts"
"""The key beside the names, which coverage.py passes over: names that seem to mean other contexts,
as an object of JSON, name -> [static context, test, phase, label]."""

_PHASES: Final = {"setup": Phase.SETUP, "run": Phase.CALL, "teardown": Phase.TEARDOWN}
_NAMES: Final = {phase: name for name, phase in _PHASES.items()}

_TEST_FUNCTION: Final = re.compile(r"(?:(?:[^\W\d]\w*|<locals>)\.)+(?:test\w*|runTest)")
_HEAD: Final = re.compile(r"::|\[")
"""Where the beginning of a test's name ends, in which a '|' is not the test's own."""


def context_name(key: ContextKey) -> str:
    """The name that coverage.py would give a context."""
    inner = key.label
    if key.test is not None:
        inner = str(key.test)
        if key.phase is not Phase.CALL or not _TEST_FUNCTION.fullmatch(inner):
            inner = f"{inner}|{_NAMES[key.phase or Phase.CALL]}"
    return "|".join(filter(None, (key.run_label, inner)))


def contexts_of(
    names: Iterable[str], *, told: Mapping[str, ContextKey] | None = None
) -> dict[str, ContextKey]:
    """What each of the names means, all of one file; `told` is what is known beforehand."""
    names = list(names)
    known = told or {}
    static = sorted(_static(names), key=len, reverse=True)
    return {name: known.get(name) or _meant(name, static) for name in names}


def unclear(keys: Iterable[ContextKey]) -> dict[str, ContextKey]:
    """The contexts whose names, among those of all, seem to mean others."""
    names = {context_name(key): key for key in keys}
    seeming = contexts_of(names)
    return {name: key for name, key in names.items() if seeming[name] != key}


def told_meanings(said: object) -> dict[str, ContextKey]:
    """What stands at MEANINGS, decoded; nonsense says nothing."""
    told: dict[str, ContextKey] = {}
    for name, meant in said.items() if isinstance(said, dict) else ():
        match meant:
            case [str(run_label), None, None, str(label)]:
                told[name] = ContextKey(run_label, None, None, label)
            case [str(run_label), str(test), str(phase), ""] if test and phase in set(Phase):
                told[name] = ContextKey(run_label, TestName(test), Phase(phase), "")
    return told


def _static(names: list[str]) -> set[str]:
    """The names that static contexts have, as far as that can be told.

    Where there is one, nothing is recorded without it: '' is then missing.
    """
    plain = {name for name in names if name and "|" not in name and not _is_test(name)}
    if "" not in names:
        return plain
    begun = {name[:place] for name in names for place in _bars(name)}
    return plain & begun


def _bars(name: str) -> Iterable[int]:
    return (place for place, letter in enumerate(name) if letter == "|")


def _is_test(name: str) -> bool:
    return _TEST_FUNCTION.fullmatch(name) is not None


def _meant(name: str, static: list[str]) -> ContextKey:
    body, bar, last = name.rpartition("|")
    phase = _PHASES.get(last) if bar and body else None
    inner = name if phase is None else body
    label, rest = _split(inner, static)
    if phase is not None and rest:
        return ContextKey(label, TestName(rest), phase, "")
    if _is_test(rest):
        return ContextKey(label, TestName(rest), Phase.CALL, "")
    label, rest = _split(name, static)
    return ContextKey(label, None, None, rest)


def _split(inner: str, static: list[str]) -> tuple[str, str]:
    """The static context in a name, and the rest."""
    for label in static:
        if inner == label:
            return label, ""
        if inner.startswith(f"{label}|"):
            return label, inner[len(label) + 1 :]
    end = _HEAD.search(inner)
    label, bar, _ = inner[: end.start() if end else len(inner)].rpartition("|")
    return (label, inner[len(label) + 1 :]) if bar else ("", inner)
