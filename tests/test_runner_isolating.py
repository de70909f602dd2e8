"""Isolating: which tests make another one fail."""

from collections.abc import Sequence
from math import log2

from hypothesis import given
from hypothesis import strategies as st

from whotests.runner.isolation.isolating import Answer, isolated

TESTS = tuple(f"t{n}" for n in range(64))


@given(st.sets(st.integers(0, 63), min_size=1, max_size=5), st.integers(1, 64))
def test_it_finds_all_culprits(numbers: set[int], size: int) -> None:
    """Where so many tests have to run before it to make it fail, those are found, in order, in
    about 2 k log2 n experiments."""
    before = TESTS[:size]
    needed = {f"t{n}" for n in numbers}

    def fails(tests: Sequence[str]) -> bool:
        assert list(tests) == [each for each in before if each in set(tests)]
        return needed <= set(tests)

    found = isolated(fails, [before])
    if needed <= set(before):
        assert found.answer is Answer.OTHERS
        assert found.culprits == tuple(each for each in before if each in needed)
        assert found.experiments <= 4 + 2 * len(needed) * (1 + log2(64))
    else:
        assert found.answer is Answer.NEVER


@given(st.lists(st.sets(st.integers(0, 15), max_size=4), max_size=6), st.sets(st.integers(0, 15)))
def test_what_it_names_makes_it_fail(causes: list[set[int]], cures: set[int]) -> None:
    """Whatever other tests do, even where one undoes what another one did: after the culprits
    that it names the test fails."""
    before = TESTS[:16]

    def fails(tests: Sequence[str]) -> bool:
        numbers = {int(each[1:]) for each in tests}
        return any(cause <= numbers and not (cures - cause) & numbers for cause in causes)

    found = isolated(fails, [before])
    assert (found.answer is Answer.ALONE) == fails(())
    if found.answer is Answer.OTHERS:
        assert fails(found.culprits)
    elif found.answer is Answer.NEVER:
        assert not fails(before)
    else:
        assert found.answer is Answer.ALONE


def test_it_fails_alone() -> None:
    """Then one experiment says so."""
    found = isolated(lambda tests: True, [TESTS])
    assert (found.answer, found.culprits, found.experiments) == (Answer.ALONE, (), 1)


def test_it_never_fails() -> None:
    """Neither alone nor after those before it, nor after all."""
    found = isolated(lambda tests: False, [TESTS[:5], TESTS])
    assert (found.answer, found.experiments) == (Answer.NEVER, 3)


def test_nothing_is_before_it() -> None:
    """Then those that come after it are tried."""
    assert isolated(lambda tests: False, [()]).answer is Answer.NEVER
    found = isolated(lambda tests: "t9" in tests, [(), TESTS])
    assert (found.answer, found.culprits) == (Answer.OTHERS, ("t9",))


def test_one_that_comes_after_it() -> None:
    """A culprit that runs after the test in this order is found where none before it is one."""
    found = isolated(lambda tests: "t60" in tests, [TESTS[:5], TESTS])
    assert (found.answer, found.culprits) == (Answer.OTHERS, ("t60",))


def test_the_order_is_that_of_the_candidates() -> None:
    """Another order of the same tests is tried where the first one does nothing; what it names is
    in the order that did."""

    def fails(tests: Sequence[str]) -> bool:
        return [each for each in tests if each in ("t1", "t3")] == ["t3", "t1"]

    found = isolated(fails, [TESTS[:5], TESTS[4::-1]])
    assert (found.answer, found.culprits) == (Answer.OTHERS, ("t3", "t1"))


def test_chance_is_noticed() -> None:
    """What fails the second time as it did not the first time is no culprit for sure."""
    times = 0

    def fails(tests: Sequence[str]) -> bool:
        nonlocal times
        times += 1
        return "t3" in tests and times < 10

    assert isolated(fails, [TESTS]).answer is Answer.UNSTEADY
