"""Which of two outcomes of one test counts."""

from whotests.types import Outcome

__all__ = ["worse"]

_FROM_BEST_TO_WORST = (
    Outcome.UNKNOWN,
    Outcome.PASSED,
    Outcome.SKIPPED,
    Outcome.EXPECTED_FAILURE,
    Outcome.UNEXPECTED_SUCCESS,
    Outcome.FAILED,
    Outcome.ERROR,
)
_RANK = {outcome: rank for rank, outcome in enumerate(_FROM_BEST_TO_WORST)}


def worse(one: Outcome, other: Outcome) -> Outcome:
    """The one that counts when parts of a test end differently; anything beats 'unknown'."""
    if one is other or other is Outcome.UNKNOWN:
        return one
    return one if _RANK[one] >= _RANK[other] else other
