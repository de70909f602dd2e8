"""Parts of a run in the data file: what becomes of them, and what readers see meanwhile."""

import os
import sqlite3
import time
from pathlib import Path

from data_files import SOURCE, basket_of, run_record
from whotests import records
from whotests.records import Batch, ContextRecord, PatternRecord
from whotests.store.parts import MANY_PARTS
from whotests.store.reader import Reader
from whotests.store.writer import Writer
from whotests.types import Outcome, Phase, Runner, RunStatus, bits_of, lines_in
from whotests.types import TestName as Name

NAME = Name("tests/test_b.py::test_new")


def batch_of(
    lines: list[int], *, outcome: Outcome = Outcome.UNKNOWN, complete: bool = True
) -> Batch:
    """A test whose call ran these lines of the module of the basket."""
    file = basket_of().record(0)
    runner = Runner.OTHER if outcome is Outcome.UNKNOWN else Runner.PYTEST
    return Batch(
        files=(file,),
        patterns=(PatternRecord(key=0, file_key=0, unit_index=0, lines=bits_of(lines)),),
        tests=(records.TestRecord(name=NAME, runner=runner, outcome=outcome, duration=None),),
        contexts=(
            ContextRecord(
                key=0, test=NAME, phase=Phase.CALL, label="", patterns=(0,), complete=complete
            ),
        ),
    )


def later_part(path: Path, run_id: int) -> Writer:
    return Writer.later(path, run_record(path.parent)._replace(part_of=run_id))


def part_of(path: Path, run_id: int, lines: list[int], *, note: str = "", end: bool = True) -> None:
    """Writes a part, and ends it."""
    writer = later_part(path, run_id)
    writer.write(batch_of(lines, complete=end))
    status = RunStatus.INCOMPLETE if note else RunStatus.FINISHED
    if end:
        writer.finish_part(ended=time.time(), status=status, note=note)
    writer.close()


def seen_in(path: Path) -> tuple[list[tuple[RunStatus, str]], set[int], Outcome, bool]:
    """Status and note of the runs, and of the one test: its lines, outcome, and completeness."""
    with Reader.open(path) as reader:
        (test,) = reader.tests
        (context,) = [context for context in reader.contexts() if context.test is not None]
        held = {number: set(patterns) for number, patterns in reader.footprints()}
        lines = {
            int(line)
            for number in held[context.footprint_id]
            for line in lines_in(reader.all_patterns[number].lines)
        }
        runs = [(run.status, run.note) for run in reader.runs]
        assert {file.path for file in reader.files} == {SOURCE}
        return runs, lines, test.outcome, context.complete


def runs_in(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM run").fetchone()[0])
    finally:
        connection.close()


def begun(path: Path) -> Writer:
    writer = Writer.open(path)
    writer.begin_run(run_record(path.parent, pid=os.getppid()))  # that is alive, and not we
    return writer


def finished(writer: Writer) -> str:
    problem = writer.finish_run(
        ended=time.time(), status=RunStatus.FINISHED, exit_status=0, note="", append=False
    )
    writer.close()
    return problem


def test_a_run_takes_its_parts_in(tmp_path: Path) -> None:
    """Contexts of one test and phase become one, before the end for readers, then in the file."""
    path = tmp_path / "data.db"
    run = begun(path)
    run.write(batch_of([1], outcome=Outcome.PASSED))
    part_of(path, run.run_id, [1, 4])
    part_of(path, run.run_id, [5], end=False)
    whole = ({1, 4, 5}, Outcome.PASSED, True)
    assert seen_in(path) == ([(RunStatus.RUNNING, "")], *whole)
    assert runs_in(path) == 3
    assert finished(run) == ""
    # One part still says that it runs, in this very process.
    assert seen_in(path) == ([(RunStatus.FINISHED, "")], *whole)
    assert runs_in(path) == 2


def test_what_only_parts_have_is_the_runs(tmp_path: Path) -> None:
    """A test that the run itself never wrote is known by what its parts say of it."""
    path = tmp_path / "data.db"
    run = begun(path)
    part_of(path, run.run_id, [4])
    part_of(path, run.run_id, [4])
    finished(run)
    assert seen_in(path) == ([(RunStatus.FINISHED, "")], {4}, Outcome.UNKNOWN, True)
    assert runs_in(path) == 1


def test_the_last_part_takes_all_in(tmp_path: Path) -> None:
    """A part that ends after its run leaves nothing behind either."""
    path = tmp_path / "data.db"
    run = begun(path)
    run_id = run.run_id
    run.write(batch_of([1], outcome=Outcome.PASSED))
    late = later_part(path, run_id)
    late.write(batch_of([4]))
    finished(run)
    assert runs_in(path) == 2
    late.finish_part(ended=time.time(), status=RunStatus.FINISHED, note="")
    late.close()
    assert runs_in(path) == 1
    assert seen_in(path) == ([(RunStatus.FINISHED, "")], {1, 4}, Outcome.PASSED, True)


def test_many_parts_become_one_before_the_end(tmp_path: Path) -> None:
    """However many parts there were, the file has no more than a certain number of them."""
    path = tmp_path / "data.db"
    run = begun(path)
    for number in range(3 * MANY_PARTS):
        part_of(path, run.run_id, [(1, 4, 5)[number % 3]])
        assert runs_in(path) <= MANY_PARTS + 1
    finished(run)
    assert seen_in(path) == ([(RunStatus.FINISHED, "")], {1, 4, 5}, Outcome.UNKNOWN, True)


def test_a_part_that_failed_makes_the_run_incomplete(tmp_path: Path) -> None:
    """Its reason is given by the end, and stays in the run's row, with the process."""
    path = tmp_path / "data.db"
    run = begun(path)
    part_of(path, run.run_id, [1], note="the disk is full")
    problem = finished(run)
    assert problem.startswith("process ")
    assert problem.endswith(": the disk is full")
    assert seen_in(path)[0] == [(RunStatus.INCOMPLETE, problem)]


def test_another_run_leaves_parts_of_a_live_run_alone(tmp_path: Path) -> None:
    """A run that begins after a part has ended does not take that for its own past."""
    path = tmp_path / "data.db"
    first = begun(path)
    part_of(path, first.run_id, [4])
    second = begun(path)
    finished(second)
    finished(first)
    assert seen_in(path)[1:] == ({4}, Outcome.UNKNOWN, True)


def test_a_part_that_has_nothing_to_write_touches_nothing(tmp_path: Path) -> None:
    """No file is made by a part that writes nothing."""
    path = tmp_path / "data.db"
    writer = later_part(path, 1)
    writer.finish_part(ended=time.time(), status=RunStatus.FINISHED, note="")
    writer.close()
    assert not path.exists()
