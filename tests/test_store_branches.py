"""Branches in a data file, of runs with them and without, of one Python and another."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from data_files import INIT, NOON, REFUSE, SOURCE, DataFile, Ran, basket_of, facts_in, record_forks
from store_rows import rows_in
from whotests.types import lines_in


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def branch_facts(data: DataFile) -> set[tuple[str, int, int]]:
    """All (test or label, line, end) of the file, for SOURCE only."""
    with data.opened() as (reader, _):
        footprints = {key: tuple(ids) for key, ids in reader.footprints()}
        patterns = reader.all_patterns
        return {
            (
                context.test.name if context.test else context.label,
                *reader.branches(patterns[pattern_id].unit.file_id).all[place],
            )
            for context in reader.contexts()
            for pattern_id in footprints[context.footprint_id]
            for place in lines_in(patterns[pattern_id].branches)
        }


TAKEN: Ran = {(SOURCE, "Basket.add"): [11, (11, 12), 12]}


def test_branches_come_back(data: DataFile) -> None:
    """Every branch that was taken is read, and the file's list with it."""
    record_forks(data)
    assert branch_facts(data) == {("tests/test_b.py::test_add", 11, 15)}
    with data.opened() as (reader, _):
        (file,) = reader.files
        assert reader.branches(file.id).all == ((11, 12), (11, 15))
        assert reader.runs[0].branch


def test_same_lines_by_other_branches(data: DataFile) -> None:
    """Contexts that ran the same lines and took other branches do not share a pattern."""
    with data.run(branch=True) as run:
        run.file(basket_of(branch=True))
        run.test("one", {(SOURCE, "Basket.add"): [11, (11, 12)]})
        run.test("other", {(SOURCE, "Basket.add"): [11, (11, 15)]})
        run.test("none", {(SOURCE, "Basket.add"): [11]})
    assert rows_in(data.path, "pattern") == 3
    assert branch_facts(data) == {("one", 11, 12), ("other", 11, 15)}
    assert {fact for fact in facts_in(data) if fact[0] == "none"} == {("none", SOURCE, 11)}


@pytest.mark.parametrize("branch_first", [True, False])
def test_run_without_branches_keeps_those_of_others(data: DataFile, branch_first: bool) -> None:
    """Of a file that one run saw with branches and another without, branches are known."""
    for number, branch in enumerate((branch_first, not branch_first)):
        with data.run(started=NOON + 10 * number, branch=branch, append=True) as run:
            run.file(basket_of(branch=branch))
            run.test(f"test_{branch}", TAKEN if branch else REFUSE)
    assert branch_facts(data) == {("test_True", 11, 12)}


def test_branches_of_another_python(data: DataFile) -> None:
    """Two runs that see other branches in the same text each keep their facts right."""
    shorter = replace(basket_of(), branches=((8, 10), (11, 15), (17, -4)))
    with data.run(branch=True) as run:
        run.file(basket_of(branch=True))
        run.test("one", TAKEN)
    with data.run(started=NOON + 10, branch=True, append=True) as run:
        run.file(shorter)
        run.test(
            "other",
            {
                (SOURCE, "Basket.__init__"): [8, (8, 10)],
                (SOURCE, "Basket.add"): [11, (11, 15)],
                (SOURCE, "Basket.never"): [(17, -4)],
            },
        )
    with data.run(started=NOON + 20, branch=True, append=True) as run:
        run.file(basket_of(branch=True))
        run.test("third", {(SOURCE, "Basket.add"): [11, (11, 12), (11, 15)]})
    assert branch_facts(data) == {
        ("one", 11, 12),
        ("other", 8, 10),
        ("other", 11, 15),
        ("other", 17, -4),
        ("third", 11, 12),
        ("third", 11, 15),
    }


def test_branches_go_with_the_last_run_that_had_them(data: DataFile) -> None:
    """When a run without branches replaces one with them, no list of branches is left."""
    record_forks(data)
    with data.run(started=NOON + 10) as run:
        run.file(basket_of())
        run.test("t", INIT)
    connection = sqlite3.connect(data.path)
    assert connection.execute("SELECT branches, partial FROM file").fetchall() == [(b"", b"")]
    connection.close()
    with data.opened() as (reader, _):
        assert not reader.branches(reader.files[0].id).all
