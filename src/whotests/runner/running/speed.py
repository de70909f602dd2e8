"""How long tests presumably take, by what is known of them and what was seen meanwhile."""

from collections.abc import Sequence

from whotests.runner.items import Item

__all__ = ["FLOOR", "Speed"]

_GUESS = 0.02
"""Seconds that a test takes of which nothing is known, as long as none of those was seen."""

FLOOR = 0.000_2
"""Seconds that handing on any test takes, beside its own."""


class Speed:
    """What tests take that a run has seen, and what all others may be expected to take."""

    def __init__(self, items: Sequence[Item]) -> None:
        known = [item.seconds for item in items if item.seconds is not None]
        self.all_known = len(known) == len(items)
        self.unknown = sum(known) / len(known) if known else _GUESS
        """Seconds of a test that no run has seen."""
        self._seen = 0

    def of(self, item: Item) -> float:
        """Seconds of this test, with what handing it on takes."""
        seconds = item.seconds
        if seconds is None:
            seconds = self.unknown
        return seconds if seconds > FLOOR else FLOOR

    def of_all(self, items: Sequence[Item]) -> float:
        """Seconds of all of these."""
        if len(items) == 1:
            return self.of(items[0])
        return sum(map(self.of, items))

    def learn(self, seconds: float) -> None:
        """One of those that no run had seen took so long."""
        self._seen += 1
        self.unknown += (seconds - self.unknown) / self._seen
