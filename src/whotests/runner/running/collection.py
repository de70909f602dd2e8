"""Which tests there are, by whose word: decisions only."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from whotests.runner.items import Key

__all__ = ["Collection", "Found"]

_make_tuple = tuple.__new__  # takes a third of the time of Key(...)


class Found(NamedTuple):
    """A test that a host found."""

    key: Key
    group: str


class Collection:
    """The tests of each suite, as one host found them; others may have found other ones."""

    def __init__(self, suites: int) -> None:
        self.open = deque(range(suites))
        """Suites that nobody collects yet, or any more."""
        self._suites = [_Collected() for _ in range(suites)]
        self._settled = 0

    @property
    def complete(self) -> bool:
        """Whether it is known of each suite what it has."""
        return self._settled == len(self._suites)

    @property
    def found(self) -> list[Found]:
        """All tests, suite by suite, in the order of their hosts."""
        return [
            _make_tuple(Found, (_make_tuple(Key, (number, test_id)), group))
            for number, suite in enumerate(self._suites)
            for test_id, group in suite.tests
        ]

    def settle(
        self,
        suite: int,
        tests: Iterable[tuple[str, str]],
        *,
        digest: str,
        seconds: float = 0.0,
        ordered: bool = False,
    ) -> None:
        """This is what the suite has: ids and groups, which may depend on their order; it took so
        long to find them."""
        collected = self._suites[suite]
        if collected.digest is None:
            self._settled += 1
            collected.tests = list(tests)
            collected.digest = digest
            collected.seconds = seconds
            collected.ordered = ordered

    @property
    def ordered(self) -> frozenset[int]:
        """The suites whose tests depend on their order."""
        return frozenset(number for number, suite in enumerate(self._suites) if suite.ordered)

    def is_settled(self, suite: int) -> bool:
        """Whether it is known what the suite has."""
        return self._suites[suite].digest is not None

    def seconds(self) -> dict[int, float]:
        """How long it took a new host of each suite to find its tests."""
        return {number: suite.seconds for number, suite in enumerate(self._suites)}

    def is_same(self, suite: int, digest: str | None) -> bool:
        """Whether a host with this digest found what the suite has."""
        return digest is not None and self._suites[suite].digest == digest

    def lacking(self, suite: int, tests: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Ids of the suite that are not among these tests."""
        there = {test_id for test_id, _ in tests}
        return frozenset(
            test_id for test_id, _ in self._suites[suite].tests if test_id not in there
        )


class _Collected:
    """What is known of one suite."""

    def __init__(self) -> None:
        self.tests: list[tuple[str, str]] = []
        self.digest: str | None = None
        """None: nothing is known."""
        self.seconds = 0.0
        self.ordered = False
