"""What ran under one label, or in one phase of a test, until that is over."""

from typing import Final

from whotests.types import Phase, TestName

__all__ = ["Context", "OpenTest"]

_PLACES = {Phase.SETUP: 0, Phase.CALL: 1, Phase.TEARDOWN: 2}


class Context:
    """A context of this run and the pattern numbers that it has collected since it was opened."""

    __slots__ = ("key", "label", "opening", "patterns", "phase", "test", "written")

    def __init__(
        self, key: int, test: TestName | None = None, phase: Phase | None = None, label: str = ""
    ) -> None:
        self.key = key
        self.test = test
        self.phase = phase
        self.label = label
        self.patterns: tuple[int, ...] | set[int] = ()
        """A set once something was added: most contexts are given all at once, and in a tuple of
        numbers there is nothing for the garbage collector to look at."""
        self.written = 0
        """How many patterns it had when it was last written while open."""
        self.opening = 0
        """A label's number among all labels that were opened."""

    def add(self, patterns: tuple[int, ...]) -> None:
        """More has run in it."""
        if isinstance(self.patterns, set):
            self.patterns.update(patterns)
        elif self.patterns:
            self.patterns = set(self.patterns).union(patterns)
        else:
            self.patterns = patterns


class OpenTest:
    """A test that runs, and the context of the phase that it is in."""

    __slots__ = ("__weakref__", "context", "name", "number")

    def __init__(self, name: TestName, number: int, phase: Phase) -> None:
        self.name: Final = name
        self.number: Final = number
        """The same for the same name: what a context runs when it opens again adds up."""
        self.context = self.context_of(phase)

    def context_of(self, phase: Phase) -> Context:
        """One of the phase that has run nothing yet."""
        return Context(self._key_of(phase), self.name, phase)

    def enter(self, phase: Phase) -> None:
        """Goes on to the phase."""
        ended = self.context
        if ended.patterns:
            self.context = self.context_of(phase)
        else:
            # Nobody keeps one that has run nothing: it can be that of the next phase.
            ended.key = self._key_of(phase)
            ended.phase = phase

    def _key_of(self, phase: Phase) -> int:
        return self.number * 4 + _PLACES[phase]
