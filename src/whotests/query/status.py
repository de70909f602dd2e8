"""What does the data hold, and how old is it?

May import types, errors and the store. Refuses to read a disk or to print.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from whotests.query.files import Catalogue
from whotests.query.sources import Staleness
from whotests.store.reader import Reader
from whotests.store.values import Run
from whotests.types import FileState, Outcome

__all__ = ["RunRow", "Status", "status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run, and how its tests ended."""

    run: Run
    outcomes: Mapping[Outcome, int]
    """Of the tests for which this is the newest run; only outcomes that occur."""

    @property
    def tests(self) -> int:
        """How many tests that is."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The answer."""

    paths: tuple[Path, ...]
    """The data files."""
    size: int
    """Bytes."""
    runs: tuple[RunRow, ...]
    """Those that were asked, the newest first."""
    other_runs: int
    """How many more are kept."""
    tests: int
    contexts: int
    """Contexts in which something measured ran."""
    labels: tuple[str, ...]
    """Contexts that are no test's: '' is before or between tests."""
    files: Mapping[FileState, int]
    """How many files by state; only states that occur."""
    stale: tuple[Staleness, ...]
    """Files that are not what they were when they were recorded."""


def status(reader: Reader, catalogue: Catalogue) -> Status:
    """What the data file holds."""
    outcomes: dict[int, dict[Outcome, int]] = {run.id: {} for run in reader.runs}
    for test in reader.tests:
        counts = outcomes[test.run_id]
        counts[test.outcome] = counts.get(test.outcome, 0) + 1
    contexts = 0
    labels: set[str] = set()
    for context in reader.contexts():
        contexts += 1
        if context.test is None:
            labels.add(context.label)
    current = [catalogue.current(path) for path in catalogue.versions]
    states: dict[FileState, int] = {}
    for file in current:
        states[file.state] = states.get(file.state, 0) + 1
    stale = (catalogue.stale(file) for file in current)
    return Status(
        paths=reader.paths,
        size=reader.size,
        runs=tuple(
            RunRow(
                run=run,
                outcomes={o: outcomes[run.id][o] for o in Outcome if o in outcomes[run.id]},
            )
            for run in reversed(reader.runs)
        ),
        other_runs=len(reader.all_runs) - len(reader.runs),
        tests=len(reader.tests),
        contexts=contexts,
        labels=tuple(sorted(labels)),
        files={state: states[state] for state in FileState if state in states},
        stale=tuple(one for one in stale if one is not None),
    )
