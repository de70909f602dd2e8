"""Finds which tests make another one fail, by running it after fewer and fewer of them."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Answer", "Fails", "Isolation", "isolated"]

Fails = Callable[[Sequence[str]], bool]
"""Whether the test fails when these run before it, in this order, in a process of their own."""


class Answer(StrEnum):
    """What came out."""

    ALONE = "it fails alone"
    NEVER = "it passes alone and after all others"
    OTHERS = "others make it fail"
    UNSTEADY = "the same tests before it make it fail at one time and not at another"


class Isolation(NamedTuple):
    """What makes a test fail."""

    answer: Answer
    culprits: tuple[str, ...]
    """Tests after which it fails, in the order to run them in; it passes where any one of them
    is left out. For UNSTEADY, what was found the first time."""
    experiments: int
    """How often the test was run."""


def isolated(fails: Fails, candidates: Iterable[Sequence[str]]) -> Isolation:
    """What makes the test fail that `fails` is about, among the first of these candidates after
    which it does fail, each in the order to run them in.

    QuickXplain (Junker 2004, 'Preferred explanations and relaxations for over-constrained
    problems'): about 2 k log2(n / k) experiments for k culprits of n tests. It relies on no
    more than what it saw: the culprits that it names have made the test fail.
    """
    experiments = _Experiments(fails)
    if experiments.fail(()):
        return Isolation(Answer.ALONE, (), experiments.count)
    for each in candidates:
        if each and experiments.fail(suspects := tuple(each)):
            break
    else:
        return Isolation(Answer.NEVER, (), experiments.count)
    place = {test_id: number for number, test_id in enumerate(suspects)}

    def ordered(*parts: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted({each for part in parts for each in part}, key=place.__getitem__))

    def narrowed(
        kept: tuple[str, ...], candidates: tuple[str, ...], *, news: bool
    ) -> tuple[str, ...]:
        """Of the candidates as few as are needed beside those that are kept; `news`: whether it
        is not known yet that these are not enough."""
        if news and experiments.fail(kept):
            return ()
        if len(candidates) == 1:
            return candidates
        # A culprit is more often near to the test than far from it: those are kept longest.
        middle = len(candidates) // 2
        first, last = candidates[:middle], candidates[middle:]
        of_first = narrowed(ordered(kept, last), first, news=True)
        of_last = narrowed(ordered(kept, of_first), last, news=bool(of_first))
        return ordered(of_first, of_last)

    culprits = narrowed((), suspects, news=False)
    # Once more, both ways: chance, or time, may have had its part in it.
    steady = experiments.fail_anew(culprits) and not experiments.fail_anew(())
    return Isolation(Answer.OTHERS if steady else Answer.UNSTEADY, culprits, experiments.count)


class _Experiments:
    """Each experiment is done once, and counted."""

    def __init__(self, fails: Fails) -> None:
        self._fails = fails
        self._known: dict[tuple[str, ...], bool] = {}
        self.count = 0

    def fail(self, before: tuple[str, ...]) -> bool:
        if before not in self._known:
            self._known[before] = self.fail_anew(before)
        return self._known[before]

    def fail_anew(self, before: tuple[str, ...]) -> bool:
        self.count += 1
        return self._fails(before)
