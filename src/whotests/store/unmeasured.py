"""How the tests of a run ended that recorded no facts: kept beside the runs that did.

May import the standard library and the store's own floor. Refuses to touch any fact.
"""

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from whotests.records import RunRecord, TestRecord
from whotests.store.connection import compact, connect_to_write, prepare_folder
from whotests.store.failures import translated
from whotests.store.history import keep_results
from whotests.store.schema import OUTCOMES
from whotests.store.stored_text import stored_text

__all__ = ["keep_outcomes"]

_OUTCOME_NUMBERS: Final = {outcome: number for number, outcome in enumerate(OUTCOMES)}


def keep_outcomes(path: Path, run: RunRecord, tests: Iterable[TestRecord], *, keep: int) -> None:
    """Adds how these tests ended in this run to the history of the data file at `path`, which is
    made if it is not there; of the run's name and label the last `keep` runs are kept.

    Raises DataError or MachineError as a writer does, and then nothing has changed.
    """
    ends = [
        (
            stored_text(name),
            _OUTCOME_NUMBERS[outcome],
            None if duration is None else round(duration * 1_000_000),
            True,
        )
        for name, _, outcome, duration in tests
    ]
    if not ends or not keep:
        return
    try:
        prepare_folder(path)
        connection = connect_to_write(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            keep_results(
                connection,
                ends,
                uid=os.urandom(16),
                name=run.name,
                label=run.label,
                started=run.started,
                measured=False,
                keep=keep,
            )
            connection.execute("COMMIT")
            compact(connection)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as failure:
        raise translated(path, failure) from failure
