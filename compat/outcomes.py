"""What the tests of one run came to, and how two runs of the same suite differ."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

__all__ = ["Outcomes", "differences", "read_outcomes"]

Event = tuple[str, str, str, str]
"""Kind, test, outcome, what else there is to tell (a reason, an exception, a warning's text)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """One run: everything that its runner reported, in order."""

    tests: tuple[Event, ...]
    """Also errors of collecting, and the end."""
    warnings: tuple[Event, ...]
    status: int
    """Exit status of the command."""

    @property
    def count(self) -> int:
        """Tests that were reported; subtests are compared, but not counted."""
        return len({name for kind, name, *_ in self.tests if kind == "test"})

    @property
    def summary(self) -> str:
        """'3 passed, 1 skipped': each outcome with its number."""
        words = Counter(
            outcome.removeprefix("call ") for kind, _, outcome, _ in self.tests if kind == "test"
        )
        return ", ".join(f"{number:,} {word}" for word, number in words.most_common())


def read_outcomes(events: Path, *, status: int) -> Outcomes:
    """What a recorder wrote. Raises ValueError where a run was cut off or had no test."""
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    all_events = [event(line) for line in lines]
    if not any(kind == "end" for kind, *_ in all_events):
        raise ValueError("the runner did not come to its end")
    if not any(kind == "test" for kind, *_ in all_events):
        raise ValueError("no test ran")
    return Outcomes(
        tests=tuple(one for one in all_events if one[0] != "warning"),
        warnings=tuple(one for one in all_events if one[0] == "warning"),
        status=status,
    )


def event(line: str) -> Event:
    kind, name, outcome, detail = json.loads(line)
    return kind, name, outcome, detail


def differences(plain: Outcomes, measured: Outcomes, *, ordered: bool) -> Iterator[str]:
    """One line for each test whose outcome, reason, warnings or place in the order differ."""
    if plain.status != measured.status:
        yield f"exit status {plain.status}, measured {measured.status}"
    yield from of_multisets(plain.tests, measured.tests)
    yield from of_multisets(plain.warnings, measured.warnings)
    if ordered:
        pairs = zip_longest(names(plain), names(measured), fillvalue="nothing")
        for number, (one, other) in enumerate(pairs, 1):
            if one != other:
                yield f"order: number {number} is {one}, measured {other}"
                return


def names(outcomes: Outcomes) -> list[str]:
    return [name for kind, name, *_ in outcomes.tests if kind in ("test", "subtest")]


def of_multisets(plain: tuple[Event, ...], measured: tuple[Event, ...]) -> Iterator[str]:
    lost, new = Counter(plain), Counter(measured)
    common = lost & new
    for word, rest in (("only plain", lost - common), ("only measured", new - common)):
        for kind, name, outcome, detail in sorted(rest):
            yield f"{word}: {kind} {name}: {outcome}: {detail}"
