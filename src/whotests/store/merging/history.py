"""What a data file keeps of past runs, copied to another one.

May import the standard library and the store's own floor. Refuses to know of facts.
"""

import sqlite3
from collections.abc import Collection

from whotests.store.history import Ended, PastRun, PastTests, keep_results, past_runs
from whotests.store.merging.choice import Choice
from whotests.store.merging.source import Source
from whotests.store.schema import OUTCOMES
from whotests.store.values import labelled

__all__ = ["take_history"]

_ALL = 1 << 31


def take_history(
    connection: sqlite3.Connection,
    source: Source,
    *,
    kinds: Collection[tuple[str, str]] | None = None,
    choice: Choice,
    name: str | None = None,
    label: str = "",
) -> None:
    """Copies what is kept of past runs: of one that is known here already, what comes to it.

    `kinds` are the names and labels there of the runs to take; None: all. They get this `name`,
    unless it is None, and their labels are below `label`. What was chosen by files or outcomes
    has no history.
    """
    if choice.file is not None or choice.outcomes is not None:
        return
    with source.intact():
        past = past_runs(source.connection)
        if not past:
            return
        names = PastTests(source.connection).names
        known = PastTests(connection)
        for run in past:
            if kinds is not None and (run.name, run.label) not in kinds:
                continue
            ends = _ends(run, names, choice)
            if ends:
                inner = run.label
                keep_results(
                    connection,
                    ends,
                    uid=run.uid,
                    name=run.name if name is None else name,
                    label=(labelled(label, inner) if inner else label) if label else inner,
                    started=run.started,
                    measured=run.measured,
                    keep=_ALL,
                    known=known,
                )


def _ends(run: PastRun, names: dict[int, str], choice: Choice) -> list[Ended]:
    ends: list[Ended] = []
    for number, result in zip(run.numbers(), run.results(), strict=True):
        test = names[number]
        if choice.has((test, labelled(run.label, test))):
            outcome, duration, changed = result
            microseconds = None if duration is None else round(duration * 1e6)
            ends.append((test, OUTCOMES.index(outcome), microseconds, changed))
    return ends
