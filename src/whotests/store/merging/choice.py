"""What of a data file is copied.

May import types only. Refuses to know what was asked for in which words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whotests.types import Outcome

__all__ = ["EVERYTHING", "Choice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to copy; None stands for all of a kind."""

    runs: frozenset[int] | None = None
    """Ids of runs in the file that is copied from."""
    context: Callable[[str], bool] | None = None
    """Asked for the names of a context, until it says yes: those that people write."""
    file: Callable[[str], bool] | None = None
    """Asked for the path of a file, as the copy has it."""
    outcomes: frozenset[Outcome] | None = None
    """Tests that ended so, and nothing that ran outside of tests."""

    @property
    def of_contexts(self) -> bool:
        """Whether it may leave out contexts."""
        return self.context is not None or self.outcomes is not None

    def has(self, names: Sequence[str]) -> bool:
        """Whether a context of one of these names is chosen."""
        return self.context is None or any(map(self.context, names))


EVERYTHING = Choice()
