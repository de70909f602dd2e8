"""What a test uses and leaves no trace of."""

import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from whotests.testing.cases.case_state import state_of
from whotests.testing.cases.fixtures import use_fixture
from whotests.testing.cases.patching import Patch
from whotests.testing.cases.temporary import make_directory, remove_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Belongings"]

__unittest = True

_Fixture = TypeVar("_Fixture")


class Belongings(unittest.TestCase):
    """Fixtures, patches, a directory and arbitrary values of a test."""

    _cleanups: list[tuple[Callable[..., Any], Any, Any]]

    def useFixture(self, fixture: _Fixture) -> _Fixture:
        """Set up a fixture, to be cleaned up after the test; its details become the test's."""
        return use_fixture(self, fixture)

    def patch(self, obj: Any, attribute: str, value: object) -> Patch:
        """Give an attribute another value until the test is over, or until `restore()`."""
        patch = Patch(obj, attribute, value)
        self.addCleanup(patch.restore)
        return patch

    def temporary_directory(self) -> "Path":
        """The test's own directory, which is removed after all other clean-ups."""
        state = state_of(self)
        if state.directory is None:
            state.directory = make_directory(self.id())
            self._cleanups.insert(0, (remove_directory, (state.directory,), {}))
        return state.directory

    def mktemp(self) -> str:
        """A path in the test's own directory that does not exist; another one each time."""
        return str(self.temporary_directory() / f"temp-{self.getUniqueInteger()}")

    def getUniqueInteger(self) -> int:
        """1, 2, 3 …"""
        state = state_of(self)
        state.numbers_given += 1
        return state.numbers_given

    def getUniqueString(self, prefix: str | None = None) -> str:
        """'<prefix>-<integer>', where the prefix is the test's id unless one is given."""
        return f"{self.id() if prefix is None else prefix}-{self.getUniqueInteger()}"
