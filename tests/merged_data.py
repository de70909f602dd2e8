"""What a data file says, as plain sets that do not know how it is stored.

shard(tmp_path / "a", tests={"tests/test_a.py::test_one": [8]})   # a data file
told(path)                                                        # all that it says
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from data_files import NOON, DataFile, Measured, basket_of
from whotests.packing.branches import Branch
from whotests.store.reader import Reader
from whotests.types import Outcome, RunStatus, lines_in

__all__ = ["TEST", "Told", "content", "shard", "told"]

TEST = "tests/test_a.py::test_one"

_UNIT_OF = {8: "Basket.__init__", 11: "Basket.add", 12: "Basket.add", 15: "Basket.add"}


class Told(NamedTuple):
    """All that a data file says."""

    facts: frozenset[tuple[str, str, str, bytes, int | Branch]]
    """Run, context with its label, path, digest, and line or branch."""
    tests: Mapping[tuple[str, str], Outcome]
    """Run and name with its label -> outcome."""
    files: frozenset[tuple[str, bytes]]
    runs: Sequence[tuple[str, str, bool]]
    """Name, label, whether it counts."""


def told(*paths: Path) -> Told:
    """What the data files say together, of all runs."""
    facts: set[tuple[str, str, str, bytes, int | Branch]] = set()
    tests: dict[tuple[str, str], Outcome] = {}
    files: set[tuple[str, bytes]] = set()
    with Reader.open(paths) as reader:
        runs = reader.all_runs
    for run in runs:
        with Reader.open(paths, run=str(run.id)) as reader:
            versions = {file.id: file for file in reader.files}
            files.update((file.path, file.digest) for file in versions.values())
            tests.update({(run.name, test.title): test.outcome for test in reader.tests})
            footprints = {number: tuple(ids) for number, ids in reader.footprints()}
            patterns = reader.all_patterns
            for context in reader.contexts():
                for pattern in map(patterns.__getitem__, footprints[context.footprint_id]):
                    file = versions[pattern.unit.file_id]
                    all_branches = reader.branches(file.id).all
                    ran: list[int | Branch] = [*lines_in(pattern.lines)]
                    ran += [all_branches[place] for place in lines_in(pattern.branches)]
                    facts.update(
                        (run.name, context.name, file.path, file.digest, each) for each in ran
                    )
    counted = sorted((run.name, run.label, run.superseded is None) for run in runs)
    return Told(frozenset(facts), tests, frozenset(files), counted)


def content(path: Path) -> Mapping[str, list[tuple[object, ...]]]:
    """The rows of all tables, as they are stored."""
    connection = sqlite3.connect(path)
    try:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr)
            for (name,) in names.fetchall()
        }
    finally:
        connection.close()


def shard(
    folder: Path,
    *,
    tests: Mapping[str, Iterable[int | Branch]] | None = None,
    labels: Mapping[str, Iterable[int | Branch]] | None = None,
    files: Sequence[Measured] = (),
    outcome: Outcome = Outcome.PASSED,
    status: RunStatus = RunStatus.FINISHED,
    pid: int | None = None,
    started: float = NOON,
    name: str = "",
    label: str = "",
    rules: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
) -> Path:
    """The data file of one run over the first of `files` (by default BASKET), in `folder`.

    What ran are lines and branches of Basket's methods.
    """
    measured = files or (basket_of(),)
    branch = any(file.branches for file in measured)
    data = DataFile(folder)
    with data.run(
        started=started,
        status=status,
        pid=pid,
        branch=branch,
        name=name,
        label=label,
        rules=rules,
    ) as run:
        for file in measured:
            run.file(file)
        for test, ran in (tests or {}).items():
            run.test(test, _by_unit(measured[0].path, ran), outcome=outcome)
        for name_of_label, ran in (labels or {}).items():
            run.label(name_of_label, _by_unit(measured[0].path, ran))
    return data.path


def _by_unit(
    path: str, ran: Iterable[int | Branch]
) -> Mapping[tuple[str, str], Sequence[int | Branch]]:
    units: dict[tuple[str, str], list[int | Branch]] = {}
    for each in ran:
        line = each if isinstance(each, int) else each[0]
        units.setdefault((path, _UNIT_OF[line]), []).append(each)
    return units
