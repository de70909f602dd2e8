"""What is kept of a case that runs, so that it can run once more."""

import tracemalloc
import unittest
from typing import Any

from whotests.hosts.twins import again, kept


class Case(unittest.TestCase):
    """A case with an attribute that running it changes."""

    def test_it(self) -> None:
        """It notes that it ran, and what."""
        self.ran = True


def test_a_case_is_made_again_as_it_was_before_it_ran() -> None:
    """Attributes that came since then are gone; those that were there are the same objects."""
    case = Case("test_it")
    values = vars(case).copy()
    what = kept(case)
    case.run(unittest.TestResult())
    twin = again(what)
    assert hasattr(case, "ran")
    assert type(twin) is Case
    assert twin is not case
    assert vars(twin) == values
    assert all(vars(twin)[name] is value for name, value in values.items())
    assert again(what) is not twin


def test_a_case_that_cannot_be_copied_is_kept_itself() -> None:
    """It has no attributes of its own, or its class makes none but by its own way."""

    class Slots:
        __slots__ = ()

    class Error(Exception):
        pass

    for case in (Slots(), Error()):
        assert again(kept(case)) is case


def test_what_is_kept_is_smaller_than_a_copy() -> None:
    """With many tests it is what the memory of a run grows by while it goes on."""

    def copy(case: Case) -> Any:
        twin = object.__new__(Case)
        twin.__dict__.update(case.__dict__)
        return twin

    sizes = []
    for way in (kept, copy):
        cases: list[Any] = [Case("test_it") for _ in range(1_000)]
        tracemalloc.start()
        for place, case in enumerate(cases):
            cases[place] = way(case)
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert sizes[0] < sizes[1] * 0.75
