"""What a data file says of tests before a run: how they ended last, how long they take.

May import the standard library and the store's own floor. Refuses to change what it reads.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

from whotests.store.failures import damaged, translated
from whotests.store.history import PastRun, PastTests, past_runs
from whotests.store.reading import connect_to_read
from whotests.store.schema import OUTCOMES
from whotests.types import Outcome

__all__ = ["last_outcomes", "past_durations"]

_FEW: Final = 2
"""Past runs of each name and label whose durations count beside those of the runs that are kept."""

_TESTS: Final = "FROM test JOIN scope ON scope.id = scope_id JOIN run ON run.id = run_id"

_T = TypeVar("_T")


def past_durations(data: Path) -> dict[str, float]:
    """How long each test takes, in seconds, by its id: the median of the last few times, of an
    even number the lower one. Tests of which that is not known are not in there; empty when there
    is no data file yet.

    Raises DataError or MachineError as a reader does.
    """
    return _asked(data, _durations) or {}


def last_outcomes(data: Path, *, label: str | None = None) -> dict[str, Outcome]:
    """How each test ended in the newest run that has it, measured or not, by its id; `label`: in
    the runs of that label alone, since the same test under another one is another test. Empty
    when there is no data file yet.

    Raises DataError or MachineError as a reader does.
    """
    return _asked(data, lambda connection: _outcomes(connection, label)) or {}


def _durations(connection: sqlite3.Connection) -> dict[str, float]:
    several: list[dict[str, float | None]] = []
    for (run_id,) in connection.execute("SELECT id FROM run ORDER BY started DESC").fetchall():
        rows = connection.execute(
            f"SELECT scope.name || test.name, duration / 1e6 {_TESTS} WHERE run_id = ?", (run_id,)
        )
        several.append(dict(rows))
    runs = _newest(past_runs(connection))
    names = PastTests(connection).names if runs else {}
    several += [
        dict(zip(map(names.__getitem__, run.numbers()), run.durations(), strict=True))
        for run in runs
    ]
    if len(several) == 1:
        return {test_id: took for test_id, took in several[0].items() if took is not None}
    durations: dict[str, float] = {}
    for test_id in dict.fromkeys(chain.from_iterable(several)):
        known = [took for those in several if (took := those.get(test_id)) is not None]
        if known:
            known.sort()
            durations[test_id] = known[(len(known) - 1) // 2]
    return durations


def _newest(runs: list[PastRun]) -> list[PastRun]:
    """The last few of each name and label."""
    kinds: dict[tuple[str, str], list[PastRun]] = {}
    for run in runs:
        kinds.setdefault((run.name, run.label), []).append(run)
    return [run for those in kinds.values() for run in those[-_FEW:]]


def _outcomes(connection: sqlite3.Connection, label: str | None) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    moments: dict[str, float] = {}
    rows = connection.execute(
        f"SELECT scope.name || test.name, outcome, run.started {_TESTS}"
        " WHERE :label IS NULL OR run.label = :label ORDER BY run.started, run_id",
        {"label": label},
    )
    for test_id, outcome, started in rows:
        outcomes[test_id] = OUTCOMES[outcome]
        moments[test_id] = started
    # What measured runs have left here is of tests that newer ones ran again, or that are gone.
    runs = [
        run
        for run in past_runs(connection)
        if not run.measured and (label is None or run.label == label)
    ]
    names = PastTests(connection).names if runs else {}
    for run in runs:
        for number, result in zip(run.numbers(), run.results(), strict=True):
            if moments.get(names[number], 0.0) <= run.started:
                outcomes[names[number]] = result.outcome
    return outcomes


def _asked(data: Path, ask: Callable[[sqlite3.Connection], _T]) -> _T | None:
    if not data.exists():
        return None
    with closing(connect_to_read(data)) as connection:
        try:
            return ask(connection)
        except sqlite3.Error as failure:
            raise translated(data, failure) from failure
        except (LookupError, TypeError, ValueError) as failure:
            raise damaged(data, failure) from failure
