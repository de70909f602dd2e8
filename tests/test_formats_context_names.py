"""Names of contexts as coverage.py and pytest-cov write them, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whotests.formats.coverage_contexts import context_name, contexts_of, unclear
from whotests.query.facts import ContextKey
from whotests.types import Phase, TestName


def of_test(name: str, phase: Phase = Phase.CALL, label: str = "") -> ContextKey:
    """A phase of a test."""
    return ContextKey(label, TestName(name), phase, "")


def other(label: str = "", *, run_label: str = "") -> ContextKey:
    """What is no test's."""
    return ContextKey(run_label, None, None, label)


NAMES = {
    "": other(),
    "import": other("import"),
    "warm-up": other("warm-up"),
    "tests/test_a.py::test_b|setup": of_test("tests/test_a.py::test_b", Phase.SETUP),
    "tests/test_a.py::test_b|run": of_test("tests/test_a.py::test_b"),
    "tests/test_a.py::TestC::test_b[a|b::c]|teardown": of_test(
        "tests/test_a.py::TestC::test_b[a|b::c]", Phase.TEARDOWN
    ),
    "README.md|run": of_test("README.md"),
    "tests.test_a.Case.test_b": of_test("tests.test_a.Case.test_b"),
    "tests.test_a.make.<locals>.Case.test_b": of_test("tests.test_a.make.<locals>.Case.test_b"),
    "tests.test_a.Case.runTest": of_test("tests.test_a.Case.runTest"),
    "tests.test_a.Case.test_b|setup": of_test("tests.test_a.Case.test_b", Phase.SETUP),
    "tests.test_a.Case.check_b|run": of_test("tests.test_a.Case.check_b"),
    "py3.13|import": other("import", run_label="py3.13"),
    "py3.13|tests/test_a.py::test_b|run": of_test("tests/test_a.py::test_b", label="py3.13"),
    "py3.13|tests.test_a.Case.test_b": of_test("tests.test_a.Case.test_b", label="py3.13"),
    "linux|py3.13|tests/test_a.py::test_b|run": of_test(
        "tests/test_a.py::test_b", label="linux|py3.13"
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_and_what_they_mean(name: str) -> None:
    """A context has the name that coverage.py gives it, and the name means that context."""
    assert context_name(NAMES[name]) == name
    assert contexts_of(["", name])[name] == NAMES[name]
    assert unclear([other(), NAMES[name]]) == {}


def test_what_a_static_context_alone_means() -> None:
    """Where nothing ran without one, plain names are static contexts, and so are those that
    others begin with."""
    assert contexts_of(["py3.11", "py3.13"])["py3.11"] == other(run_label="py3.11")
    below = contexts_of(["", "py3.13", "mine", "py3.13|tests/test_a.py::test_b|run"])
    assert below["py3.13"] == other(run_label="py3.13")
    assert below["mine"] == other("mine")


def test_a_call_has_two_names() -> None:
    """Both tools' names of one test's call mean that."""
    found = contexts_of(["", "m.test_a", "m.test_a|run"])
    assert set(found.values()) == {other(), of_test("m.test_a")}


WORDS = st.text(st.sampled_from("ab.|:[]/-<"), max_size=6) | st.sampled_from(
    ["", "import", "run", "t.test_a", "a/test_b.py::test_c", "x|run", "|setup", "py3", "test_a"]
)
KEYS = st.builds(
    lambda label, test, phase, inner: (
        ContextKey(label, TestName(test), phase, "")
        if test
        else ContextKey(label, None, None, inner)
    ),
    WORDS,
    WORDS,
    st.sampled_from(Phase),
    WORDS,
)


@given(st.lists(KEYS, max_size=6))
def test_any_contexts_come_back(keys: list[ContextKey]) -> None:
    """With what is unclear kept beside the names, each name means a context that has it."""
    names = {context_name(key) for key in keys}
    told = unclear(keys)
    assert told.keys() <= names
    meant = contexts_of(names, told=told)
    for name, key in meant.items():
        assert context_name(key) == name
        assert key in keys
