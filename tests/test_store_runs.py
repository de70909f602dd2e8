"""Which runs a data file keeps when another one ends, dies, or is of another machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from data_files import (
    ADD,
    INIT,
    MODULE,
    NOON,
    REFUSE,
    SOURCE,
    DataFile,
    basket_of,
    facts_in,
    record_shop,
    run_record,
)
from store_rows import dead_pid, names_in, rows_in
from whotests.store.writer import Writer
from whotests.types import Outcome, RunStatus


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def test_finished_run_removes_older_runs(data: DataFile) -> None:
    """A run that finished removes what had ended before it began."""
    record_shop(data)
    with data.run(started=NOON + 10) as run:
        run.file(basket_of())
        run.test("tests/test_b.py::test_new", INIT)
    assert names_in(data) == {"tests/test_b.py::test_new": "passed"}
    assert rows_in(data.path, "run") == 1


@pytest.mark.parametrize(
    ("status", "append"), [(RunStatus.FINISHED, True), (RunStatus.INTERRUPTED, False)]
)
def test_partial_run_keeps_other_tests(data: DataFile, status: RunStatus, append: bool) -> None:
    """With append, or when interrupted, only tests that ran again lose their older record."""
    record_shop(data)
    with data.run(started=NOON + 10, status=status, append=append) as run:
        run.file(basket_of())
        run.test("tests/test_b.py::test_refuse", {**INIT, **REFUSE})
    assert names_in(data)["tests/test_b.py::test_refuse"] == "passed"
    assert len(names_in(data)) == 4
    assert rows_in(data.path, "test") == 4
    assert rows_in(data.path, "run") == 2


def test_interrupted_test_does_not_remove_its_older_record(data: DataFile) -> None:
    """A test that was cut off does not cost what was known of it."""
    record_shop(data)
    with data.run(started=NOON + 10, status=RunStatus.INTERRUPTED) as run:
        run.file(basket_of())
        run.test("tests/test_b.py::test_new", INIT, outcome=Outcome.UNKNOWN)
    assert rows_in(data.path, "test") == 5


def test_run_without_tests_keeps_those_of_before(data: DataFile) -> None:
    """A run that came to no test (a broken conftest) is no reason to forget the older ones."""
    record_shop(data)
    with data.run(started=NOON + 10) as run:
        run.file(basket_of())
        run.label("import", INIT)
    assert len(names_in(data)) == 4
    assert rows_in(data.path, "run") == 2


def test_runs_of_scripts_replace_each_other(data: DataFile) -> None:
    """Where no run has tests, the newest one is kept."""
    for number in range(3):
        with data.run(started=NOON + 10 * number) as run:
            run.file(basket_of())
            run.label("", INIT)
    assert rows_in(data.path, "run") == 1


def test_incomplete_run_removes_nothing(data: DataFile) -> None:
    """A run in which whotests failed costs no older data."""
    record_shop(data)
    with data.run(started=NOON + 10, status=RunStatus.INCOMPLETE) as run:
        run.file(basket_of())
    assert len(names_in(data)) == 4


def test_killed_run_costs_nothing_and_goes_later(data: DataFile) -> None:
    """A killed run leaves older data; the next run that finishes removes both."""
    record_shop(data)
    with data.run(started=NOON + 10, status=RunStatus.RUNNING, pid=dead_pid()) as run:
        run.file(basket_of())
        run.test("late", INIT)
    assert set(names_in(data)) >= {"late", "tests/test_b.py::test_new"}
    with data.run(started=NOON + 20) as run:
        run.file(basket_of())
        run.test("only", INIT)
    assert set(names_in(data)) == {"only"}


def test_runs_at_once_are_both_kept(data: DataFile) -> None:
    """A run that ends does not touch a run that began before it had ended, nor its rows."""
    with data.run() as first:
        first.file(basket_of())
        first.test("one", INIT)
        with data.run(started=NOON + 1) as second:
            second.file(basket_of())
            second.label("import", MODULE)
            second.test("two", {**INIT, **ADD})
        first.test("three", {**INIT, **ADD})
    assert set(names_in(data)) == {"one", "two", "three"}
    assert ("three", SOURCE, 15) in facts_in(data)


def test_run_of_another_machine_is_alive_for_a_day(data: DataFile) -> None:
    """What another machine writes is left alone until it has been silent for a day."""
    writer = Writer.open(data.path, clock=lambda: NOON)
    writer.begin_run(run_record(data.root, host="elsewhere", pid=dead_pid()))
    writer.close()
    with data.run(started=NOON + 3600):
        pass
    assert rows_in(data.path, "run") == 2
    with data.run(started=NOON + 90_000):
        pass
    assert rows_in(data.path, "run") == 1


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from data_files import ADD, INIT, DataFile, basket_of
data = DataFile(Path({root!r}))
name = sys.argv[1]
with data.run(started=float(sys.argv[2])) as run:
    run.file(basket_of())
    for number in range(30):
        run.test(f"{{name}}-{{number}}", INIT if number % 2 else ADD)
    print("ready", flush=True)
    sys.stdin.readline()
"""


def test_two_processes_at_once(data: DataFile) -> None:
    """Two processes that make and write the same file at once both get everything in."""
    code = CHILD.format(tests=str(Path(__file__).parent), root=str(data.root))
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, name, str(NOON)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("left", "right")
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.communicate("\n", timeout=30)
        assert child.returncode == 0
    expected = {f"{name}-{number}" for name in ("left", "right") for number in range(30)}
    assert set(names_in(data)) == expected
    assert sorted(path.name for path in data.path.parent.iterdir()) == [".gitignore", "data.db"]


def test_process_killed_while_it_runs(data: DataFile) -> None:
    """What a process wrote before SIGKILL can be read, and its run counts as killed."""
    code = CHILD.format(tests=str(Path(__file__).parent), root=str(data.root))
    child = subprocess.Popen(
        [sys.executable, "-c", code, "lost", str(NOON)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    with data.opened() as (reader, _):
        assert not reader.runs[0].killed
    child.kill()
    child.communicate()
    with data.opened() as (reader, _):
        (run,) = reader.runs
        assert run.killed
        assert not run.complete
        assert len(reader.tests) == 30
