"""How each test ended in every run of which that is known, in the order in which these began.

May import the standard library, types, errors and the store's own floor. Refuses to judge, and
to change what it reads.
"""

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from whotests.store.failures import damaged, translated
from whotests.store.generations import chosen
from whotests.store.history import PastRun, PastTests, ends_of, past_runs
from whotests.store.liveness import this_host
from whotests.store.reading import connect_to_read
from whotests.store.recorded_runs import recorded_runs
from whotests.store.schema import OUTCOMES
from whotests.store.shards import data_files
from whotests.store.values import Run, labelled
from whotests.types import Outcome

__all__ = ["AllSeries", "Entry", "RunThen", "Series", "read_series", "series_of"]


class RunThen(NamedTuple):
    """A run as far as its outcomes tell of it."""

    uid: bytes
    name: str
    label: str
    started: float
    """Seconds since the epoch, UTC."""
    measured: bool
    """It recorded what its tests ran."""
    kept: int | None
    """Its number, when it is kept with all of its facts."""


class Entry(NamedTuple):
    """How a test ended in one run."""

    run: RunThen
    outcome: Outcome
    duration: float | None
    """Seconds; of runs that are not kept, to within 4 %."""
    code: int | None
    """From 1 on, and one more with each change of the code that the test ran; None when the run
    did not record that."""


class Series(NamedTuple):
    """One test of one label, from its first run to its last."""

    name: str
    label: str
    entries: tuple[Entry, ...]

    @property
    def title(self) -> str:
        """Its name below its label."""
        return labelled(self.label, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllSeries:
    """What is known of the runs of some names."""

    paths: tuple[Path, ...]
    runs: tuple[RunThen, ...]
    """In the order in which they began."""
    kept: tuple[Run, ...]
    """Those of them that are kept with all of their facts."""
    series: tuple[Series, ...]
    """By title."""


def read_series(
    data: Sequence[Path],
    *,
    run: str | None = None,
    root: str = "",
    aliases: Sequence[tuple[str, tuple[str, ...]]] = (),
    here: str | None = None,
    clock: Callable[[], float] = time.time,
) -> AllSeries:
    """What the data files tell of the runs of one name: that of the run that `run` means
    (`store.generations.chosen`), by default of the newest one.

    The other arguments are as for `Reader.open`. Raises DataError and UsageError as that does,
    but a file whose runs have recorded nothing but outcomes will do.
    """
    paths = data_files(data)
    if len(paths) == 1:
        connection = connect_to_read(paths[0])
    else:
        from whotests.store.merging import merged  # much to import, and seldom needed

        connection = merged(paths, root=root, aliases=aliases)
    with closing(connection), _sound(paths[0]):
        kept = recorded_runs(
            connection, paths[0], here=this_host() if here is None else here, now=clock()
        )
        names = _names(kept, past_runs(connection), run)
        return series_of(connection, paths, kept=kept, names=names)


def series_of(
    connection: sqlite3.Connection,
    paths: Sequence[Path],
    *,
    kept: Sequence[Run],
    names: Collection[str],
) -> AllSeries:
    """What a data file tells of the runs of these names; `kept` are all that it keeps.

    `paths` are those of the data file, or of those that it was made of. Raises DataError when it
    is damaged.
    """
    with _sound(paths[0]):
        of_these = [run for run in kept if run.name in names]
        reading = _Reading(connection)
        for past in past_runs(connection):
            if past.name in names:
                reading.add_past(past)
        for run in of_these:
            reading.add_kept(run)
        return AllSeries(
            paths=tuple(paths),
            runs=tuple(sorted(reading.runs, key=_in_order)),
            kept=tuple(of_these),
            series=tuple(sorted(reading.series(), key=lambda series: series.title)),
        )


def _names(kept: Sequence[Run], past: Sequence[PastRun], ref: str | None) -> frozenset[str]:
    if ref is None and (past or kept):
        moments = [(each.started, each.name) for each in past]
        moments += [(each.started, each.name) for each in kept]
        return frozenset((max(moments)[1],))
    if ref is not None and any(run.name == ref for run in past):
        return frozenset((ref,))
    return frozenset(run.name for run in chosen(kept, ref))


def _in_order(run: RunThen) -> tuple[float, bytes]:
    return run.started, run.uid


class _Told(NamedTuple):
    """An entry before it is known which code it was."""

    run: RunThen
    outcome: Outcome
    duration: float | None
    changed: bool


class _Reading:
    """Collects what runs tell of their tests."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names = PastTests(connection).names
        self.runs: dict[RunThen, None] = {}
        self._told: dict[tuple[str, str], dict[bytes, _Told]] = {}
        """Name and label of a test -> uid of a run -> what that tells; what comes last counts."""

    def add_past(self, past: PastRun) -> None:
        then = RunThen(past.uid, past.name, past.label, past.started, past.measured, None)
        self.runs[then] = None
        for number, result in zip(past.numbers(), past.results(), strict=True):
            test = self._told.setdefault((self._names[number], past.label), {})
            test[past.uid] = _Told(then, *result)

    def add_kept(self, run: Run) -> None:
        then = RunThen(run.uid, run.name, run.label, run.started, True, run.id)
        # What it has left in the history is of tests that newer runs ran again.
        self.runs.pop(then._replace(kept=None), None)
        self.runs[then] = None
        for name, outcome, microseconds, changed in ends_of(self._connection, run.id):
            seconds = None if microseconds is None else microseconds / 1e6
            test = self._told.setdefault((name, run.label), {})
            test[run.uid] = _Told(then, OUTCOMES[outcome], seconds, changed)

    def series(self) -> Iterator[Series]:
        for (name, label), told in self._told.items():
            ordered = sorted(told.values(), key=lambda each: _in_order(each.run))
            yield Series(name, label, tuple(_numbered(ordered)))


def _numbered(told: Iterable[_Told]) -> Iterator[Entry]:
    code = 1
    changed = False
    for run, outcome, duration, changed_then in told:
        if run.measured:
            code += changed
            changed = changed_then
        yield Entry(run, outcome, duration, code if run.measured else None)


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as failure:
        raise translated(path, failure) from failure
    except (LookupError, TypeError, ValueError) as failure:
        raise damaged(path, failure) from failure
