"""The same tests several times: `--repeat`, `--until-failure`."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from whotests.runner.wanted import Order, Wanted

__all__ = ["Round", "rounds_of"]

_SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class Round:
    """One run of several."""

    number: int
    """From 1 on."""
    of: int | None
    """How many there are at most; None: nobody knows."""
    order: Order

    @property
    def alone(self) -> bool:
        """Whether it is the only one that was asked for."""
        return self.of == 1

    def __str__(self) -> str:
        of = "" if self.of is None else f" of {self.of:,}"
        return f"round {self.number:,}{of}"


def rounds_of(wanted: Wanted) -> Iterator[Round]:
    """The rounds that are wanted, one after the other; who runs them stops when one is the last:
    for `until_failure` that of the first failure.

    Each round is a run of its own, with new hosts, so that what a test leaves behind in a
    process is never taken for its next result. Rounds in random order shuffle each in its own
    way: with the seeds S, S + 1, S + 2...
    """
    of = wanted.repeat if wanted.repeat > 1 or not wanted.until_failure else None
    numbers = count(1) if of is None else range(1, of + 1)
    for number in numbers:
        order = wanted.order
        if order.by == "random":
            order = Order("random", (order.seed + number - 1) % _SEEDS)
        yield Round(number, of, order)
