"""Which tests are flaky, which take longer than they did, and how did a test end over time?

May import types, errors and the store. Refuses to read a disk or to print.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from whotests.errors import UsageError
from whotests.query.name_glob import name_glob
from whotests.store.series import AllSeries, RunThen, Series
from whotests.types import Outcome

__all__ = ["Flaky", "History", "Slower", "history"]

_GOOD: Final = frozenset({Outcome.PASSED, Outcome.EXPECTED_FAILURE})
_BAD: Final = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.UNEXPECTED_SUCCESS})

_RECENT: Final = 3
"""Runs whose median is 'now'."""

_BEFORE: Final = 20
"""Runs before these, at most, whose median is 'before'; at least four of them."""

_FEWEST_BEFORE: Final = 4

_TIMES: Final = 1.5
_SECONDS: Final = 0.05
_DEVIATIONS: Final = 4.0
_NORMAL: Final = 1.4826
"""Times the median of the distances from a median: the standard deviation, if all is normal."""

_PACE_TESTS: Final = 300
"""So many tests tell how fast a run was as a whole."""

_FEWEST_TESTS: Final = 10
"""Fewer ones do not."""

_PACE_SECONDS: Final = 0.001
"""Shorter ones tell more of the clock than of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaky:
    """A test that ended differently while the code that it ran stayed the same."""

    series: Series
    flips: int
    """How often it failed after it had passed, or passed after it had failed, without a change of
    its code in between."""
    failed: int
    """How often it failed, of the runs of such code."""
    ran: int
    """How many these runs are."""
    last: RunThen
    """The run of the last such flip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slower:
    """A test that takes longer than it did."""

    series: Series
    before: float
    """Seconds: the median of up to 20 runs before the last 3."""
    now: float
    """Seconds: the median of the last 3."""

    @property
    def times(self) -> float:
        """So many times as long."""
        return self.now / self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The answer."""

    told: AllSeries
    flaky: tuple[Flaky, ...]
    """The most flips first."""
    slower: tuple[Slower, ...]
    """The most seconds lost first."""
    asked: tuple[Series, ...]
    """The tests that were asked for, by title."""


def history(told: AllSeries, *, test: str | None = None) -> History:
    """What is to be said of all tests; or of those that `test` means: a name, or a part of some.

    Raises UsageError where no test has it.
    """
    asked = () if test is None else _meant(told.series, test)
    series = told.series if test is None else asked
    flaky = [found for each in series if (found := _flaky(each)) is not None]
    paces = _paces(told.series)
    slower = [slow for each in series if (slow := _slower(each, paces)) is not None]
    return History(
        told=told,
        flaky=tuple(sorted(flaky, key=lambda found: (-found.flips, found.series.title))),
        slower=tuple(
            sorted(slower, key=lambda found: (found.before - found.now, found.series.title))
        ),
        asked=asked,
    )


def _meant(series: Sequence[Series], test: str) -> tuple[Series, ...]:
    exact = tuple(each for each in series if test in (each.name, each.title))
    if exact:
        return exact
    parts = tuple(each for each in series if test in each.title)
    if parts:
        return parts
    fits = name_glob(test)
    matching = tuple(each for each in series if fits(each.title))
    if matching:
        return matching
    from difflib import get_close_matches  # much to import, and seldom needed

    near = get_close_matches(test, [each.title for each in series], n=1)
    hint = f"did you mean {near[0]}?" if near else "`whotests history` alone lists what is notable"
    raise UsageError(f"no test of the history is called {test}, wholly or in part; {hint}")


def _flaky(series: Series) -> Flaky | None:
    flips = 0
    last: RunThen | None = None
    before: tuple[int, bool] | None = None
    codes: dict[int, list[bool]] = {}
    for run, outcome, _, code in series.entries:
        if code is None or (outcome not in _GOOD and outcome not in _BAD):
            continue
        good = outcome in _GOOD
        codes.setdefault(code, []).append(good)
        if before is not None and before[0] == code and before[1] is not good:
            flips += 1
            last = run
        before = (code, good)
    if last is None:
        return None
    mixed = [ends for ends in codes.values() if len(set(ends)) > 1]
    return Flaky(
        series=series,
        flips=flips,
        failed=sum(ends.count(False) for ends in mixed),
        ran=sum(map(len, mixed)),
        last=last,
    )


def _times(series: Series) -> list[tuple[RunThen, float]]:
    return [
        (entry.run, entry.duration)
        for entry in series.entries
        if entry.duration and entry.outcome in _GOOD
    ]


def _paces(series: Iterable[Series]) -> Mapping[RunThen, float]:
    """How slow each run was as a whole: the median, over tests that many runs have, of how long
    each took to how long it usually does. A busy machine makes no test slower."""
    ratios: dict[RunThen, list[float]] = {}
    candidates = sorted(series, key=_length, reverse=True)[:_PACE_TESTS]
    for each in candidates:
        times = _times(each)
        if len(times) <= _FEWEST_BEFORE:
            continue
        usual = median(seconds for _, seconds in times)
        if usual >= _PACE_SECONDS:
            for run, seconds in times:
                ratios.setdefault(run, []).append(seconds / usual)
    return {run: median(those) for run, those in ratios.items() if len(those) >= _FEWEST_TESTS}


def _length(series: Series) -> int:
    return len(series.entries)


def _slower(series: Series, paces: Mapping[RunThen, float]) -> Slower | None:
    if len(series.entries) < _RECENT + _FEWEST_BEFORE:
        return None
    seconds = [duration / paces.get(run, 1.0) for run, duration in _times(series)]
    recent, earlier = seconds[-_RECENT:], seconds[:-_RECENT][-_BEFORE:]
    if len(earlier) < _FEWEST_BEFORE:
        return None
    now, before = median(recent), median(earlier)
    spread = _NORMAL * median(abs(each - before) for each in earlier)
    notable = (
        now >= before * _TIMES
        and now - before >= _SECONDS
        and now - before >= _DEVIATIONS * spread
        and min(recent) > before
    )
    return Slower(series=series, before=before, now=now) if notable else None
