"""What the writer keeps, shares and removes, as a reader sees it."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from data_files import (
    ADD,
    INIT,
    NOON,
    REFUSE,
    SOURCE,
    DataFile,
    basket_of,
    facts_in,
    record_shop,
    run_record,
)
from store_rows import names_in, rows_in
from whotests import records
from whotests.errors import DataError, InternalError, MachineError
from whotests.records import Batch, ContextRecord, PatternRecord
from whotests.store.reader import Reader
from whotests.store.writer import Writer
from whotests.types import FileState, LineBits, Outcome, Phase, Runner, RunStatus, TestName


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def test_facts_come_back(data: DataFile) -> None:
    """Every fact that was written is read, and no other."""
    record_shop(data)
    assert facts_in(data) == {
        *(("import", SOURCE, line) for line in (1, 4, 5, 7, 10, 17)),
        ("tests/test_b.py::test_new", SOURCE, 8),
        *(("tests/test_b.py::test_add[1]", SOURCE, line) for line in (8, 11, 15)),
        *(("tests/test_b.py::test_add[2]", SOURCE, line) for line in (8, 11, 15)),
        *(("tests/test_b.py::test_refuse", SOURCE, line) for line in (8, 11, 12)),
    }


def test_one_file_is_left(data: DataFile) -> None:
    """After a run there is one file, and a .gitignore that ignores the whole folder."""
    record_shop(data)
    assert sorted(path.name for path in data.path.parent.iterdir()) == [".gitignore", "data.db"]
    assert (data.path.parent / ".gitignore").read_text() == "*\n"


def test_folder_of_another_name_gets_no_gitignore(tmp_path: Path) -> None:
    """Only our own folder is hidden from git."""
    Writer.open(tmp_path / "build" / "data.db").close()
    assert not (tmp_path / "build" / ".gitignore").exists()


def test_patterns_and_footprints_are_shared(data: DataFile) -> None:
    """Contexts that ran the same lines share one footprint, whatever keys the run gave them."""
    record_shop(data)
    # MODULE has two units; INIT, ADD and REFUSE one each.
    assert rows_in(data.path, "pattern") == 5
    assert rows_in(data.path, "footprint") == 4


def test_second_run_shares_and_leaves_no_garbage(data: DataFile) -> None:
    """Running the same again leaves a file of the same rows."""
    record_shop(data)
    tables = ("run", "file", "run_file", "unit", "pattern", "footprint", "test", "context")
    before = {table: rows_in(data.path, table) for table in tables}
    record_shop(data, started=NOON + 10)
    assert {table: rows_in(data.path, table) for table in tables} == before


def test_record_written_again_replaces(data: DataFile) -> None:
    """A test and a context that are written again count as they were written last."""
    with data.run() as run:
        run.file(basket_of())
        run.test("t", INIT, outcome=Outcome.UNKNOWN, duration=None, complete=False)
        run.test("t", {**INIT, **ADD}, outcome=Outcome.PASSED, duration=1.5)
    with data.opened() as (reader, _):
        (test,) = reader.tests
        (context,) = reader.contexts()
    assert (test.outcome, test.duration, context.complete) == (Outcome.PASSED, 1.5, True)
    assert {line for _, _, line in facts_in(data)} == {8, 11, 15}


def test_context_that_is_written_again_adds_up(data: DataFile) -> None:
    """A label that opens a second time keeps what it ran the first time."""
    with data.run() as run:
        run.file(basket_of())
        run.label("checkout", INIT)
        run.label("checkout", REFUSE)
    with data.run(started=NOON - 10, append=True) as run:
        run.file(basket_of())
        run.label("both", {**INIT, **REFUSE})
    facts = facts_in(data)
    both = {fact[1:] for fact in facts if fact[0] == "both"}
    assert both
    assert {fact[1:] for fact in facts if fact[0] == "checkout"} == both


def test_failed_write_changes_nothing_and_can_be_repeated(data: DataFile) -> None:
    """On a full disk a batch is refused as a whole, and written when there is room again."""
    record_shop(data)
    pages = data.path.stat().st_size // 1024
    small = Writer.open(data.path, clock=lambda: NOON + 10, max_pages=pages + 2)
    small.begin_run(run_record(data.root, started=NOON + 10))
    tests = tuple(
        records.TestRecord(
            name=TestName(f"test_{number}" * 20),
            runner=Runner.PYTEST,
            outcome=Outcome.PASSED,
            duration=None,
        )
        for number in range(100)
    )
    batch = Batch(files=(basket_of().record(0),), tests=tests)
    for _ in range(2):
        with pytest.raises(MachineError, match="the disk is full; make room"):
            small.write(batch)
        assert rows_in(data.path, "test") == 4
    small.write(Batch(files=(basket_of().record(0),), tests=tests[:1]))
    small.close()
    assert rows_in(data.path, "test") == 5


def test_locked_file_is_left_after_a_while(data: DataFile) -> None:
    """Writing waits for another process's transaction, and then succeeds."""
    with data.run() as run:
        run.file(basket_of())
        other = sqlite3.connect(data.path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        letting_go = threading.Timer(0.2, other.execute, args=("ROLLBACK",))
        letting_go.start()
        run.test("t", INIT)
        letting_go.join()
        other.close()
    assert set(names_in(data)) == {"t"}


def open_files(folder: Path) -> list[str]:
    """The files in a folder that this process has open, where the system tells."""
    descriptors = Path("/proc/self/fd")
    names = [os.path.realpath(one) for one in descriptors.iterdir()] if descriptors.is_dir() else []
    return [name for name in names if name.startswith(os.path.realpath(folder) + os.sep)]


def test_suspended_writer_takes_up_again(data: DataFile) -> None:
    """Between suspend and the next write the file is closed; nothing is forgotten."""
    with data.run() as run:
        run.file(basket_of())
        run.test("one", INIT)
        run.writer.suspend()
        assert not open_files(data.path.parent)
        run.test("two", ADD)
        assert open_files(data.path.parent) or sys.platform != "linux"
    assert {name for name, _, _ in facts_in(data)} == {"one", "two"}


def test_other_thread_may_write(data: DataFile) -> None:
    """The writer is one thread's at a time, not always the same one's."""
    with data.run() as run:
        run.file(basket_of())
        thread = threading.Thread(target=run.test, args=("t", INIT))
        thread.start()
        thread.join()
    assert set(names_in(data)) == {"t"}


def test_write_outside_of_a_run_is_our_bug(data: DataFile) -> None:
    """Nothing is written without a run."""
    writer = Writer.open(data.path)
    with pytest.raises(InternalError, match="before begin_run"):
        writer.write(Batch())
    writer.close()


def test_pattern_of_nothing_takes_no_room(data: DataFile) -> None:
    """What has neither lines nor branches is no fact, has no row, and makes no context."""
    nothing = PatternRecord(key=7, file_key=0, unit_index=0, lines=LineBits(0))
    context = ContextRecord(key=0, test=None, phase=None, label="x", patterns=(7,), complete=True)
    with data.run() as run:
        run.file(basket_of())
        run.writer.write(Batch(patterns=(nothing,), contexts=(context,)))
    assert [rows_in(data.path, table) for table in ("unit", "pattern", "context")] == [0, 0, 0]
    assert facts_in(data) == set()


def test_several_patterns_of_one_kind_are_one(data: DataFile) -> None:
    """A run may number the same lines several times, and have nothing among them."""
    one = PatternRecord(key=3, file_key=0, unit_index=1, lines=LineBits(1 << 8))
    patterns = (one, one._replace(key=5), one._replace(key=4, lines=LineBits(0)))
    with data.run() as run:
        run.file(basket_of())
        for label, keys in (("x", (3, 4, 5)), ("y", (5, 3)), ("z", (4, 5))):
            context = ContextRecord(
                key=ord(label), test=None, phase=None, label=label, patterns=keys, complete=True
            )
            run.writer.write(Batch(patterns=patterns, contexts=(context,)))
    assert [rows_in(data.path, table) for table in ("pattern", "footprint")] == [1, 1]
    assert facts_in(data) == {(label, SOURCE, 8) for label in "xyz"}


def test_unknown_pattern_is_our_bug(data: DataFile) -> None:
    """A context of patterns that were never written is refused, and said so."""
    context = ContextRecord(key=0, test=None, phase=None, label="x", patterns=(7,), complete=True)
    with data.run() as run, pytest.raises(InternalError, match="pattern 7"):
        run.writer.write(Batch(contexts=(context,)))


def test_replaced_file_is_noticed(data: DataFile) -> None:
    """When the run's rows are gone from under it, writing says so instead of mixing things up."""
    with data.run(status=RunStatus.RUNNING) as run:
        run.file(basket_of())
        run.writer.suspend()
        data.path.unlink()
        with pytest.raises(DataError, match="no longer in"):
            run.test("t", INIT)


def test_another_run_of_the_same_id_is_noticed(data: DataFile) -> None:
    """Nothing is written into a run that has the place of this one in a file made anew."""
    with data.run(status=RunStatus.RUNNING) as run:
        run.file(basket_of())
        run.writer.suspend()
        data.path.unlink()
        with data.run() as other:
            other.file(basket_of())
            with pytest.raises(DataError, match="no longer in"):
                run.test("t", INIT)
    assert names_in(data) == {}


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 40, b"short"])
def test_foreign_file_is_not_touched(data: DataFile, content: bytes) -> None:
    """A file that is no SQLite file is refused and left as it is."""
    data.path.parent.mkdir()
    data.path.write_bytes(content)
    with pytest.raises(DataError, match="is not a data file of whotests"):
        Writer.open(data.path)
    assert data.path.read_bytes() == content


def test_unwritable_place(tmp_path: Path) -> None:
    """A folder that cannot be made is the machine's refusal, with a way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="--data FILE"):
        Writer.open(tmp_path / "file" / "data.db")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no RLIMIT_FSIZE")
def test_no_more_room_for_the_file(data: DataFile) -> None:
    """When the system refuses to let the file grow, that is said, and older data stays whole."""
    record_shop(data)
    code = """
import json, resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from data_files import ADD, INIT, DataFile, basket_of
from whotests.errors import MachineError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
data = DataFile(Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    with data.run(started=1_750_000_100.0) as run:
        run.file(basket_of())
        for number in range(500):
            run.test(f"test_{number}" * 20, INIT)
except MachineError as error:
    print(json.dumps(str(error)))
"""
    arguments = [sys.executable, "-c", code, str(Path(__file__).parent), str(data.root)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    message = json.loads(done.stdout)
    assert str(data.path) in message
    assert "space" in message or "full" in message
    assert set(names_in(data)) >= {"tests/test_b.py::test_new"}


def test_phases_and_labels_come_back(data: DataFile) -> None:
    """Contexts keep their phase or their label."""
    with data.run() as run:
        run.file(basket_of())
        run.label("", INIT)
        run.label("nightly", INIT)
        run.test("t", INIT, phase=Phase.SETUP)
    with data.opened() as (reader, _):
        contexts = {(c.test.name if c.test else None, c.phase, c.label) for c in reader.contexts()}
    assert contexts == {(None, None, ""), (None, None, "nightly"), ("t", Phase.SETUP, "")}


def test_reader_of_a_folder_in_use(data: DataFile) -> None:
    """A reader sees what is written so far while the run goes on."""
    with data.run() as run:
        run.file(basket_of())
        run.test("t", INIT)
        with Reader.open(data.path) as reader:
            assert [test.name for test in reader.tests] == ["t"]
            assert reader.runs[0].pid == os.getpid()


@pytest.mark.parametrize(
    "name",
    [
        "t.py::test",
        "t.py::C::test[a::b.c]",
        "pkg.mod.Case.test",
        "plain",
        "t.py::test[",
        "[odd]",
        "::",
        "ends.",
        "tests/a.b/t.py::test_ü",
    ],
)
def test_names_come_back(data: DataFile, name: str) -> None:
    """Whatever a runner calls a test, it is called so again, also when it runs again."""
    for started, append in ((NOON, False), (NOON + 10, True)):
        with data.run(started=started, append=append) as run:
            run.file(basket_of())
            run.test(name, INIT)
    assert set(names_in(data)) == {name}
    assert rows_in(data.path, "test") == 1


def test_rules_of_a_run_come_back(data: DataFile) -> None:
    """The rules that a run went by are kept with it."""
    rules = (("# no test", "é"), ("while True:",))
    with data.run(rules=rules) as run:
        run.file(basket_of())
    record_shop(data, started=NOON + 1)
    with data.run(started=NOON + 2, rules=rules, append=True) as run:
        run.file(basket_of())
    with data.opened() as (reader, _):
        assert [(run.exclude, run.partial) for run in reader.runs] == [(None, None), rules]


def test_outline_of_what_nothing_imported(data: DataFile) -> None:
    """A file that nothing imported takes no room for its units; imported once, it has them."""
    with data.run() as run:
        run.file(replace(basket_of(), state=FileState.NOT_IMPORTED))
    with data.opened() as (reader, _):
        assert reader.units(reader.files[0].id) == ()
    record_shop(data, started=NOON + 1)
    with data.run(started=NOON + 2, append=True) as run:
        run.file(replace(basket_of(), state=FileState.NOT_IMPORTED))
    with data.opened() as (reader, _):
        assert [unit.qualname for unit in reader.units(reader.files[0].id)][:2] == ["", "Basket"]


def test_same_text_in_two_places(data: DataFile) -> None:
    """Files of one text are told apart by their paths, and each is stored once."""
    for number in range(2):
        with data.run(started=NOON + number, append=True) as run:
            run.file(basket_of("a.py"))
            run.file(basket_of("b.py"))
            run.test(f"t{number}", {("b.py", "Basket.add"): [11]})
    assert rows_in(data.path, "file") == 2
    assert {fact[1] for fact in facts_in(data)} == {"b.py"}


def test_file_of_an_older_version(data: DataFile) -> None:
    """A data file that an older whotests made is refused, with what to do, and left as it is."""
    record_shop(data)
    connection = sqlite3.connect(data.path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    before = data.path.read_bytes()
    with pytest.raises(DataError, match=r"data version 1.*delete it and record again"):
        Reader.open(data.path)
    with pytest.raises(DataError, match=r"data version 1.*delete it and record again"):
        Writer.open(data.path)
    assert data.path.read_bytes() == before
