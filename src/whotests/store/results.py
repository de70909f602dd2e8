"""How many tests ended, as few bytes: an outcome, a duration, and whether the code changed.

May import the standard library, packing and the store's own floor. Refuses to know of runs.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from whotests.packing.steps import deflated, inflated
from whotests.store.schema import OUTCOMES
from whotests.types import Outcome

__all__ = [
    "MOST_NAMES",
    "Result",
    "pack_names",
    "pack_results",
    "unpack_durations",
    "unpack_names",
    "unpack_results",
]

MOST_NAMES: Final = 10_000
"""In one row: what is packed has to be unpacked as a whole."""

_WINDOW: Final = -15
_LEVEL: Final = 7
"""Names that are much alike take ten times as long at zlib's highest, for a fiftieth less."""

_CHANGED: Final = 0x80
_SHORTEST: Final = 10.0
"""Microseconds; what took less counts as that."""

_STEP: Final = 1.08
"""From one duration that can be told to the next: they are right to within 4 %."""

_LONGEST: Final = 255
_STEPS: Final = [_SHORTEST * _STEP ** (step + 0.5) for step in range(_LONGEST - 1)]
"""Microseconds from which on a duration counts as the next step."""

_DURATIONS: Final = (None, *(_SHORTEST * _STEP**step / 1e6 for step in range(_LONGEST)))
"""Seconds, by the byte that stands for them: up to 52 minutes, and any time beyond that."""


class Result(NamedTuple):
    """How one test ended in one run."""

    outcome: Outcome
    duration: float | None
    """Seconds, to within 4 %; None when unknown."""
    changed: bool
    """When it was run next, code that it ran had changed, or that is not known."""


def pack_results(results: Sequence[tuple[int, int | None, bool]]) -> bytes:
    """Outcomes (by their place in OUTCOMES), durations in microseconds and changes, deflated: a
    byte for each outcome, with the highest bit where the code changed; then one for each
    duration: 0 when unknown, else one more than the power of 1.08 that 10 µs times it comes to.
    """
    outcomes = bytes(outcome | _CHANGED * changed for outcome, _, changed in results)
    durations = bytes(
        0 if duration is None else 1 + bisect_right(_STEPS, duration) for _, duration, _ in results
    )
    return deflated(outcomes + durations, _WINDOW)


def unpack_results(blob: bytes) -> Iterator[Result]:
    """What `pack_results` was given. Raises ValueError for bytes that it never made."""
    content = inflated(blob, _WINDOW)
    count, odd = divmod(len(content), 2)
    outcomes = content[:count]
    if odd or any(number & ~_CHANGED >= len(OUTCOMES) for number in set(outcomes)):
        raise ValueError("packed results are damaged")
    for number, step in zip(outcomes, content[count:], strict=True):
        yield Result(OUTCOMES[number & ~_CHANGED], _DURATIONS[step], number >= _CHANGED)


def unpack_durations(blob: bytes) -> list[float | None]:
    """The durations of what `pack_results` was given, alone."""
    content = inflated(blob, _WINDOW)
    return [_DURATIONS[step] for step in content[len(content) // 2 :]]


def pack_names(names: Iterable[str]) -> bytes:
    """Names in order: a JSON array of ASCII, deflated."""
    content = json.dumps(list(names), separators=(",", ":")).encode("ascii")
    return deflated(content, _WINDOW, level=_LEVEL)


def unpack_names(blob: bytes) -> list[str]:
    """What `pack_names` was given. Raises ValueError for bytes that it never made."""
    names = json.loads(inflated(blob, _WINDOW))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("packed names are damaged")
    return names
