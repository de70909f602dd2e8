"""Every name of testtools is there, and can be called as there."""

import inspect
import unittest
from collections.abc import Iterator
from inspect import Parameter
from types import ModuleType
from typing import Any

import pytest
import testtools
import testtools.content
import testtools.content_type
import testtools.testresult.doubles
import testtools.testsuite

from whotests import testing
from whotests.testing import doubles
from whotests.testing.details import content, content_types

NOT_OURS = {
    "__version__": "testtools' own",
    "version": "testtools' own",
    "DetailsDict": "a type, which is Details here",
}

UNITTEST = "parameters have the names that they have in unittest"
DIFFERENT = {
    "testtools.MultiTestResult.addError": "`err`, as in all other results",
    "testresult.MultiTestResult.addError": "`err`, as in all other results",
    "testtools.TestCase": "unittest's one argument, not any",
    "testtools.TestCase.assertEqual": UNITTEST,
    "testtools.TestCase.assertIn": UNITTEST,
    "testtools.TestCase.assertIs": UNITTEST,
    "testtools.TestCase.assertIsInstance": UNITTEST,
    "testtools.TestCase.assertIsNone": UNITTEST,
    "testtools.TestCase.assertIsNot": UNITTEST,
    "testtools.TestCase.assertIsNotNone": UNITTEST,
    "testtools.TestCase.assertNotIn": UNITTEST,
}
"""Calls that are not taken as there where arguments are given by name."""

PLACES: dict[str, tuple[ModuleType, ModuleType]] = {
    "testtools": (testtools, testing),
    "testresult": (testtools.testresult, testing),
    "doubles": (testtools.testresult.doubles, doubles),
    "content": (testtools.content, testing),
    "content_type": (testtools.content_type, content_types),
    "testsuite": (testtools.testsuite, testing),
}


def names() -> Iterator[tuple[str, str]]:
    """What testtools says that it exports, with the place."""
    for place, (theirs, _) in PLACES.items():
        exported = getattr(theirs, "__all__", ("ContentType", "JSON", "UTF8_TEXT"))
        yield from ((place, name) for name in exported if name not in NOT_OURS)


@pytest.mark.parametrize(("place", "name"), list(names()))
def test_each_name_can_be_imported(place: str, name: str) -> None:
    """What testtools exports is in the module of ours that stands for it."""
    theirs, ours = PLACES[place]
    assert hasattr(ours, name)
    assert callable(getattr(ours, name)) is callable(getattr(theirs, name))


def signatures() -> Iterator[tuple[str, Any, Any]]:
    """Functions and public methods that both have, and constructors."""
    for place, name in names():
        theirs, ours = (getattr(module, name, None) for module in PLACES[place])
        if not callable(theirs) or ours is None:
            continue
        if inspect.isclass(theirs) and issubclass(theirs, BaseException):
            continue  # made with anything
        yield f"{place}.{name}", theirs, ours
        if inspect.isclass(theirs):
            for method, their_method in inspect.getmembers(theirs, inspect.isfunction):
                inherited = method in vars(unittest.TestCase) or method in vars(unittest.TestResult)
                if method.startswith("_") or (inherited and method not in _own(theirs)):
                    continue
                yield f"{place}.{name}.{method}", their_method, getattr(ours, method, None)


def _own(kind: type) -> set[str]:
    return {name for each in kind.__mro__ if "testtools" in each.__module__ for name in vars(each)}


CASES = {name: (theirs, ours) for name, theirs, ours in signatures()}


@pytest.mark.parametrize("name", CASES)
def test_each_call_that_testtools_takes_is_taken(name: str) -> None:
    """Parameters have the same names in the same order; what may be left out there may be here."""
    theirs, ours = CASES[name]
    assert ours is not None, "there is no such method"
    if name in DIFFERENT:
        with pytest.raises(AssertionError):
            _check_calls(theirs, ours)
    else:
        _check_calls(theirs, ours)


def _check_calls(theirs: Any, ours: Any) -> None:
    expected = inspect.signature(theirs).parameters.values()
    taken = list(inspect.signature(ours).parameters.values())
    kinds = {each.kind for each in taken}
    positional = [each for each in taken if each.kind in POSITIONAL]
    for place, parameter in enumerate(expected):
        if parameter.kind is Parameter.VAR_POSITIONAL or parameter.kind is Parameter.VAR_KEYWORD:
            assert parameter.kind in kinds
            continue
        if parameter.kind in POSITIONAL and Parameter.VAR_POSITIONAL not in kinds:
            assert place < len(positional), f"{parameter.name} is not taken"
            same = positional[place]
            if same.kind is not Parameter.POSITIONAL_ONLY and place > 0:
                assert same.name == parameter.name
            if parameter.default is not Parameter.empty:
                assert same.default is not Parameter.empty, f"{parameter.name} may be left out"
    assert [each.name for each in positional[len(expected) :] if _is_needed(each)] == []


POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def _is_needed(parameter: Parameter) -> bool:
    return parameter.default is Parameter.empty


def test_all_that_is_exported_exists() -> None:
    """`__all__` of the modules names what is there, once."""
    for module in (testing, doubles, content, content_types):
        exported: list[str] = module.__all__
        assert len(set(exported)) == len(exported)
        assert [name for name in exported if not hasattr(module, name)] == []
