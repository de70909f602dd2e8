"""What stands in one batch twice, and batches that are written again after others have written."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from data_files import (
    ADD,
    INIT,
    NOON,
    REFUSE,
    SOURCE,
    DataFile,
    Ran,
    RunInProgress,
    basket_of,
    facts_in,
)
from whotests import records
from whotests.errors import InternalError
from whotests.records import Batch, ContextRecord, PatternRecord
from whotests.types import LineBits, Outcome, Phase, Runner, TestName, bits_of


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def outcome_of(name: str, outcome: Outcome = Outcome.PASSED) -> records.TestRecord:
    """A test that ended so."""
    return records.TestRecord(
        name=TestName(name), runner=Runner.PYTEST, outcome=outcome, duration=None
    )


def label_of(key: int, patterns: Sequence[int], *, complete: bool = True) -> ContextRecord:
    """A label, named by its key, that ran these patterns."""
    return ContextRecord(
        key=key,
        test=None,
        phase=None,
        label=f"label {key}",
        patterns=tuple(patterns),
        complete=complete,
    )


def patterns_of(*parts: Ran, file_key: int = 0, first: int = 0) -> tuple[PatternRecord, ...]:
    """Patterns of BASKET; their keys count from `first`."""
    basket = basket_of()
    found = [item for part in parts for item in part.items()]
    return tuple(
        PatternRecord(
            key=key,
            file_key=file_key,
            unit_index=basket.unit_of(unit),
            lines=LineBits(bits_of(line for line in lines if isinstance(line, int))),
            branches=0,
        )
        for key, ((_, unit), lines) in enumerate(found, first)
    )


def lines_by_label(data: DataFile) -> Mapping[str, set[int]]:
    """What each test and label ran."""
    lines: dict[str, set[int]] = {}
    for name, _, line in facts_in(data):
        lines.setdefault(name, set()).add(line)
    return lines


def outcomes_in(data: DataFile) -> dict[str, Outcome]:
    """Test name -> outcome."""
    with data.opened() as (reader, _):
        return {test.name: test.outcome for test in reader.tests}


def execute(data: DataFile, sql: str) -> Sequence[tuple[int, ...]]:
    """What another program does to the file."""
    with closing(sqlite3.connect(data.path, isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


REFUSE_CONTEXTS = (
    "CREATE TRIGGER refuse BEFORE INSERT ON context BEGIN SELECT RAISE(ABORT, 'no room'); END"
)


def refused(run: RunInProgress, data: DataFile, batch: Batch) -> None:
    """The batch fails after nearly all of it was written."""
    execute(data, REFUSE_CONTEXTS)
    with pytest.raises(InternalError, match="no room"):
        run.writer.write(batch)
    execute(data, "DROP TRIGGER refuse")


def test_batch_is_written_again_after_others_wrote_the_same(data: DataFile) -> None:
    """Rows that another process adds after a failure are used, and no id is given out twice."""
    batch = Batch(
        files=(basket_of().record(0),),
        patterns=patterns_of(INIT, ADD),
        tests=(outcome_of("pkg::test_mine"),),
        contexts=(
            ContextRecord(
                key=0,
                test=TestName("pkg::test_mine"),
                phase=Phase.CALL,
                label="",
                patterns=(0, 1),
                complete=True,
            ),
        ),
    )
    with data.run() as run:
        refused(run, data, batch)
        with data.run(started=NOON + 1) as other:
            other.file(basket_of())
            other.test("pkg::test_other", {**REFUSE, **INIT})
            run.writer.write(batch)
            other.test("pkg::test_later", {**ADD})
    assert lines_by_label(data) == {
        "pkg::test_mine": {8, 11, 15},
        "pkg::test_other": {8, 11, 12},
        "pkg::test_later": {11, 15},
    }
    for table, number in (("unit", 2), ("pattern", 3)):
        counted = f"SELECT count(*), count(DISTINCT id) FROM {table}"
        assert execute(data, counted) == [(number, number)]


def test_what_is_known_stays_so_after_a_failure(data: DataFile) -> None:
    """A batch that fails costs nothing of those before, and its patterns may come with another."""
    with data.run() as run:
        run.writer.write(
            Batch(
                files=(basket_of().record(0),),
                patterns=patterns_of(INIT),
                contexts=(label_of(0, [0]),),
            )
        )
        batch = Batch(
            patterns=patterns_of(ADD, first=1), contexts=(label_of(0, [1]), label_of(1, [0, 1]))
        )
        refused(run, data, batch)
        assert lines_by_label(data) == {"label 0": {8}}
        run.writer.write(Batch(contexts=(label_of(2, [0]),)))
        run.writer.write(batch)
    assert lines_by_label(data) == {"label 0": {8, 11, 15}, "label 1": {8, 11, 15}, "label 2": {8}}


def test_context_twice_in_a_batch_adds_up(data: DataFile) -> None:
    """A label that opened twice between two writes has all that it ran, new or known before."""
    with data.run() as run:
        run.writer.write(
            Batch(
                files=(basket_of().record(0),),
                patterns=patterns_of(INIT, ADD, REFUSE),
                contexts=(label_of(0, [0], complete=False),),
            )
        )
        run.writer.write(
            Batch(
                contexts=(
                    label_of(0, [1]),
                    label_of(1, [0], complete=False),
                    label_of(1, [2]),
                    label_of(0, [2]),
                    label_of(1, [0]),
                )
            )
        )
    assert lines_by_label(data) == {"label 0": {8, 11, 12, 15}, "label 1": {8, 11, 12}}
    with data.opened() as (reader, _):
        assert [context.complete for context in reader.contexts()] == [True, True]


def test_what_a_batch_says_last_of_a_test_counts(data: DataFile) -> None:
    """A test may begin and end in one batch, whatever else ends in it."""
    with data.run() as run:
        run.writer.write(Batch(tests=(outcome_of("t::known", Outcome.UNKNOWN),)))
        run.writer.write(
            Batch(
                tests=(
                    outcome_of("t::known"),
                    outcome_of("t::new", Outcome.UNKNOWN),
                    outcome_of("t::new", Outcome.FAILED),
                )
            )
        )
    assert outcomes_in(data) == {"t::known": Outcome.PASSED, "t::new": Outcome.FAILED}


def test_names_that_cannot_be_encoded_stand_among_others(data: DataFile) -> None:
    """One such name in a batch costs no other test, and each is there once."""
    names = ("t::one", "t::two\udcff", "t\udcfe::three", "t::four[\ud800]", "t::five")
    tests = tuple(map(outcome_of, names))
    with data.run() as run:
        run.writer.write(Batch(tests=tests))
        run.writer.write(Batch(tests=(*tests, outcome_of("t::six\udcff", Outcome.FAILED))))
    assert outcomes_in(data) == {
        "t::one": Outcome.PASSED,
        r"t::two\udcff": Outcome.PASSED,
        r"t\udcfe::three": Outcome.PASSED,
        r"t::four[\ud800]": Outcome.PASSED,
        "t::five": Outcome.PASSED,
        r"t::six\udcff": Outcome.FAILED,
    }


def test_version_of_a_file_under_two_keys(data: DataFile) -> None:
    """A file that came under two spellings of its path is one; what ran of either adds up."""
    basket = basket_of()
    with data.run() as run:
        run.writer.write(
            Batch(
                files=(basket.record(0), basket.record(1)),
                patterns=(*patterns_of(INIT, ADD), *patterns_of(INIT, REFUSE, file_key=1, first=2)),
                contexts=(label_of(0, [0, 1, 2, 3]), label_of(1, [2])),
            )
        )
    assert lines_by_label(data) == {"label 0": {8, 11, 12, 15}, "label 1": {8}}
    with data.opened() as (reader, _):
        (file,) = reader.files
        assert file.path == SOURCE
    assert execute(data, "SELECT count(*) FROM pattern") == [(3,)]


@pytest.mark.parametrize("known", [False, True])
def test_a_batch_of_many_files_is_few_statements(data: DataFile, known: bool) -> None:
    """For each of them sqlite3 lets go of the interpreter, and a thread that writes while the
    program computes may wait for it each time: so they do not grow with the files, be these known
    or new."""
    count = 120
    files = tuple(
        basket_of(path=f"pkg/folder{number % 7}/module{number}.py").record(number)
        for number in range(count)
    )
    each = len(patterns_of(INIT, ADD))
    batch = Batch(
        files=files,
        patterns=tuple(
            pattern
            for number in range(count)
            for pattern in patterns_of(INIT, ADD, file_key=number, first=number * each)
        ),
        contexts=tuple(label_of(key, range(key + each)) for key in range(count)),
    )
    if known:
        with data.run() as run:
            run.writer.write(batch)
    statements: list[str] = []
    with data.run(started=NOON + 1) as run:
        run.writer._connected().set_trace_callback(statements.append)
        run.writer.write(batch)
        run.writer._connected().set_trace_callback(None)
    assert len(statements) < count, statements
    assert lines_by_label(data)["label 0"] == {8, 11, 15}
    assert execute(data, "SELECT count(*), count(DISTINCT id) FROM file") == [(count, count)]
