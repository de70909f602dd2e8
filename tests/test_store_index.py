"""The index from patterns to footprints: the same answers, whatever happened since it was made."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from data_files import NOON, SOURCE, DataFile, Ran, RunInProgress, basket_of, run_record
from whotests.errors import DataError
from whotests.store.index import make_index
from whotests.store.reader import Reader
from whotests.store.writer import Writer
from whotests.types import RunStatus

LINES = {
    "Basket.__init__": [8],
    "Basket.add": [11, 12, 15],
    "Basket.never": [18],
    "Basket": [4, 5, 7, 10, 17],
    "": [1, 4],
}


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def ran_at_random(chance: random.Random) -> Ran:
    """Some lines of some functions of the basket."""
    return {
        (SOURCE, unit): chance.sample(LINES[unit], chance.randint(1, len(LINES[unit])))
        for unit in chance.sample(sorted(LINES), chance.randint(1, len(LINES)))
    }


def record(run: RunInProgress, *names: str, seed: int) -> None:
    """Tests that ran this and that."""
    chance = random.Random(seed)
    run.file(basket_of())
    for name in names:
        run.test(name, ran_at_random(chance))


def index(data: DataFile) -> int:
    """Makes the index, however few footprints there are; how many patterns it has."""
    with closing(sqlite3.connect(data.path, isolation_level=None)) as connection:
        make_index(connection, many=1, worth=1)
        return int(connection.execute("SELECT count(*) - 1 FROM occurrence").fetchone()[0])


def answers(data: DataFile, *, indexed: bool = True) -> object:
    """All that is looked up by pattern."""
    if not indexed:
        with closing(sqlite3.connect(data.path, isolation_level=None)) as connection:
            connection.execute("DELETE FROM occurrence")
            connection.execute("DELETE FROM total")
    with Reader.open(data.path) as reader:
        patterns = sorted(reader.all_patterns)
        return (
            [reader.footprints_with([pattern]) for pattern in patterns],
            reader.footprints_with(patterns),
            {test.name: reader.lines_of_tests([test.id])[test.id] for test in reader.tests},
        )


def test_same_answers(data: DataFile) -> None:
    """What is looked up in the index is what the footprints say."""
    with data.run() as run:
        record(run, *(f"test_{number}" for number in range(30)), seed=1)
    plain = answers(data)
    assert index(data) > 5
    assert answers(data) == plain
    assert answers(data, indexed=False) == plain


def test_many_tests_at_once(data: DataFile) -> None:
    """How many lines tests ran does not depend on how many are asked about, or on the index."""
    with data.run() as run:
        record(run, *(f"test_{number}" for number in range(700)), seed=3)
    for _ in range(2):
        with Reader.open(data.path) as reader:
            tests = [test.id for test in reader.tests]
            together = reader.lines_of_tests(tests)
            for test in tests[::70]:
                assert reader.lines_of_tests([test]) == {test: together[test]}
            assert len(together) == 700
        assert index(data) > 5


def test_what_came_later_is_found(data: DataFile) -> None:
    """Footprints that are newer than the index are looked through."""
    with data.run() as run:
        record(run, *(f"test_{number}" for number in range(30)), seed=1)
    index(data)
    with data.run(started=NOON + 10, append=True) as run:
        record(run, *(f"test_new_{number}" for number in range(9)), seed=7)
    with_index = answers(data)
    assert with_index == answers(data, indexed=False)


def test_what_a_part_adds_is_found(data: DataFile) -> None:
    """What a part of a later run adds to the footprints of its tests is found, too."""
    with data.run() as run:
        record(run, *(f"test_{number}" for number in range(20)), seed=1)
    index(data)
    with data.run(started=NOON + 10, append=True) as run:
        record(run, "test_0", "test_1", seed=4)
        part = Writer.later(
            data.path, run_record(data.root)._replace(part_of=run.writer.run_id), clock=lambda: NOON
        )
        inner = RunInProgress(part)
        record(inner, "test_0", "test_2", seed=5)
        part.finish_part(ended=NOON + 11, status=RunStatus.FINISHED, note="")
        part.close()
        with Reader.open(data.path) as reader:
            meanwhile = {test.name: reader.lines_of_tests([test.id]) for test in reader.tests}
        assert len(meanwhile) == 20
    with_index = answers(data)
    assert with_index == answers(data, indexed=False)


def test_ids_that_are_given_out_again(data: DataFile) -> None:
    """An index never says of a footprint what was true of one that had its id before."""
    for round_ in range(4):
        with data.run(started=NOON + 10 * round_) as run:
            record(run, *(f"test_{number}" for number in range(20)), seed=round_)
        with_index = answers(data)
        assert with_index == answers(data, indexed=False)
        index(data)


def test_index_is_made_anew_when_much_is_new(data: DataFile) -> None:
    """An index that knows most footprints is kept; otherwise there is a new one."""
    with data.run() as run:
        record(run, *(f"test_{number}" for number in range(30)), seed=1)
    index(data)
    with closing(sqlite3.connect(data.path, isolation_level=None)) as connection:
        query = "SELECT footprints FROM occurrence WHERE pattern_id = 0"
        before = connection.execute(query).fetchone()
        make_index(connection, many=1, worth=1)
        assert connection.execute(query).fetchone() == before
        connection.execute("INSERT INTO footprint SELECT id + 10000, patterns FROM footprint")
        make_index(connection, many=1, worth=1)
        assert connection.execute(query).fetchone() != before


def test_no_index_of_few_footprints(data: DataFile) -> None:
    """An ordinary data file has none."""
    with data.run() as run:
        record(run, "test", seed=1)
    with closing(sqlite3.connect(data.path)) as connection:
        assert connection.execute("SELECT count(*) FROM occurrence").fetchone() == (0,)


def test_damaged_index(data: DataFile) -> None:
    """An index that was damaged is said to be."""
    with data.run() as run:
        record(run, *(f"test_{number}" for number in range(30)), seed=1)
    index(data)
    with closing(sqlite3.connect(data.path, isolation_level=None)) as connection:
        connection.execute("UPDATE occurrence SET footprints = x'5812' WHERE pattern_id > 0")
    with Reader.open(data.path) as reader, pytest.raises(DataError, match="is damaged"):
        reader.footprints_with(list(reader.all_patterns))
