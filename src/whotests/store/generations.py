"""Which runs count now, which did before, and what `--run` means.

Runs of one name and label take each other's place. Those of which a newer one has taken it at
one time are a generation. May import the standard library, types, errors and the store's
values. Refuses to change anything.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from whotests.errors import UsageError
from whotests.store.values import Run

__all__ = ["chosen", "generations"]

_REF: Final = re.compile(r"(?s)(?P<who>[^~]*)(?:~(?P<before>[0-9]{1,9}))?")
_DIGITS: Final = 18
"""A number with more of them is no run's."""


def generations(runs: Iterable[Run]) -> Mapping[int, int]:
    """Run id -> how many generations before the current one of its name and label it is; 0: it
    is current."""
    times: dict[tuple[str, str], set[float]] = {}
    for run in runs:
        if run.superseded is not None:
            times.setdefault((run.name, run.label), set()).add(run.superseded)
    ages = {
        (*kind, time): age
        for kind, several in times.items()
        for age, time in enumerate(sorted(several, reverse=True), start=1)
    }
    return {
        run.id: 0 if run.superseded is None else ages[run.name, run.label, run.superseded]
        for run in runs
    }


def chosen(runs: Sequence[Run], ref: str | None = None) -> tuple[Run, ...]:
    """The runs that `ref` means, in the order in which they began.

    None: the current runs of the name that the newest of them has. A number: that run. A name:
    its current runs, of all labels. With '~N': those of N generations before, for each label.
    '~N' alone goes back from what None means. Raises UsageError when that is no run.
    """
    ages = generations(runs)
    if ref is None:
        return _default(runs, ages)
    match = _REF.fullmatch(ref)
    if match is None:
        raise UsageError(
            f"--run {ref}: write a run's number or name, with ~N for N generations before; "
            "for instance --run nightly~1"
        )
    who, back = match["who"], int(match["before"] or 0)
    if who.isdecimal() and len(who) <= _DIGITS:
        found = _by_number(runs, ages, int(who), back=back, wanted=match["before"] is not None)
    elif not who and match["before"] is not None:
        names = {run.name for run in _default(runs, ages)}
        found = [run for run in runs if run.name in names and ages[run.id] == back]
    else:
        found = [run for run in runs if run.name == who and ages[run.id] == back]
    if not found:
        raise UsageError(f"--run {ref}: {_why_none(runs, who, back)}")
    return tuple(found)


def _default(runs: Sequence[Run], ages: Mapping[int, int]) -> tuple[Run, ...]:
    current = [run for run in runs if not ages[run.id]]
    if not current:
        return ()
    newest = max(current, key=lambda run: (run.started, run.id))
    return tuple(run for run in current if run.name == newest.name)


def _by_number(
    runs: Sequence[Run], ages: Mapping[int, int], number: int, *, back: int, wanted: bool
) -> list[Run]:
    """That run; or, with a `~`, the generation so many before its own."""
    asked = [run for run in runs if run.id == number]
    if not wanted:
        return asked
    return [
        run
        for run in runs
        for one in asked
        if (run.name, run.label) == (one.name, one.label) and ages[run.id] == ages[one.id] + back
    ]


def _why_none(runs: Sequence[Run], who: str, back: int) -> str:
    names = sorted({run.name for run in runs if run.name})
    numbers = {str(run.id) for run in runs}
    if not who and not back:
        return "no run is without a name; `whotests runs` lists those that are kept"
    if who in names or who in numbers or not who:
        return "so many generations are not kept; `whotests runs` lists those that are"
    if who.isdecimal():
        return f"no run has the number {who}; `whotests runs` lists those that are kept"
    from difflib import get_close_matches  # much to import, and seldom needed

    near = get_close_matches(who, names, n=1)
    hint = f"did you mean {near[0]}?" if near else "`whotests runs` lists those that are kept"
    return f"no run is called {who}; {hint}"
