"""What the reader gives, and what it says when there is nothing to give."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from data_files import ADD, INIT, NOON, SOURCE, DataFile, basket_of, record_shop
from whotests.errors import DataError
from whotests.store.reader import Reader
from whotests.store.schema import VERSION
from whotests.types import FileState, RunStatus


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def read_all(path: Path) -> int:
    """Reads everything there is; the number of contexts."""
    with Reader.open(path) as reader:
        assert len(reader.files) >= 0
        for _, ids in reader.footprints():
            list(ids)
        return len(list(reader.contexts())) + len(reader.all_patterns) + len(reader.tests)


def test_run_comes_back(data: DataFile) -> None:
    """A run is read as it was begun and finished."""
    with data.run(exit_status=1, note="3 lines lost"):
        pass
    with data.opened() as (reader, _):
        (run,) = reader.runs
    assert (run.command, run.status, run.exit_status) == (("pytest", "-q"), RunStatus.FINISHED, 1)
    assert (run.started, run.ended, run.note) == (NOON, NOON + 2, "3 lines lost")
    assert run.complete
    assert not run.killed


def test_newest_run_of_a_test_counts(data: DataFile) -> None:
    """Of a test that two runs have, only the newest one's facts are seen."""
    with data.run() as run, data.run(started=NOON + 1) as newer:
        for one in (run, newer):
            one.file(basket_of())
        newer.test("t", ADD)
        run.test("t", INIT)
        run.test("old", INIT)
    with data.opened() as (reader, _):
        by_test = {c.test.name: c.run_id for c in reader.contexts() if c.test}
    assert by_test == {"t": 2, "old": 1}


def test_versions_of_a_file(data: DataFile) -> None:
    """Each version of a file is there once, the one seen last first, with its date."""
    with data.run() as run, data.run(started=NOON + 1) as newer:
        run.file(basket_of())
        newer.file(basket_of(comment="# changed\n"))
    with data.opened() as (reader, _):
        assert [(file.path, file.recorded) for file in reader.files] == [
            (SOURCE, NOON + 1),
            (SOURCE, NOON),
        ]
        assert all(file.state is FileState.MEASURED for file in reader.files)


def test_no_data_yet(tmp_path: Path) -> None:
    """A missing file says how to make one."""
    with pytest.raises(DataError, match=r"no data yet: .* does not exist; record first with `who"):
        Reader.open(tmp_path / "data.db")


def test_empty_file(tmp_path: Path) -> None:
    """An empty file is no data either."""
    (tmp_path / "data.db").touch()
    with pytest.raises(DataError, match="is empty; record first"):
        Reader.open(tmp_path / "data.db")


def test_folder(tmp_path: Path) -> None:
    """A folder without a data file in it says so."""
    with pytest.raises(DataError, match="is a folder without a data file in it"):
        Reader.open(tmp_path)


def test_text_file(tmp_path: Path) -> None:
    """A file of another kind is named as such."""
    (tmp_path / "data.db").write_text("something else " * 100)
    with pytest.raises(DataError, match="is not a data file of whotests"):
        Reader.open(tmp_path / "data.db")


def test_database_of_another_program(tmp_path: Path) -> None:
    """An SQLite file of another program is refused."""
    connection = sqlite3.connect(tmp_path / "data.db")
    connection.execute("CREATE TABLE coverage_schema (version)")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match="is not a data file of whotests"):
        Reader.open(tmp_path / "data.db")


def test_newer_version(data: DataFile) -> None:
    """A file of a newer version says who made it and what to do."""
    record_shop(data)
    connection = sqlite3.connect(data.path, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.execute("UPDATE run SET whotests = '9.1'")
    connection.close()
    expected = rf"was made by whotests 9\.1 \(data version {VERSION + 1}, .* up to {VERSION}\)"
    with pytest.raises(DataError, match=expected):
        Reader.open(data.path)


def test_file_cut_short_anywhere(data: DataFile) -> None:
    """Wherever a file was cut, reading it says so: it never answers from half a file."""
    record_shop(data)
    whole = data.path.read_bytes()
    cut = data.root / "cut.db"
    for size in (1, 50, 99, 100, 511, 1024, 1500, 4096, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"cut short or damaged|not a data file"):
            read_all(cut)


def test_damaged_pages(data: DataFile) -> None:
    """Pages that were overwritten never make the reader crash: it answers or raises DataError."""
    record_shop(data)
    whole = bytearray(data.path.read_bytes())
    damaged = data.root / "damaged.db"
    refused = 0
    for start in range(1024, len(whole), 1024):
        content = whole.copy()
        content[start : start + 1024] = b"\xa5" * 1024
        damaged.write_bytes(content)
        try:
            read_all(damaged)
        except DataError:
            refused += 1
    assert refused


WRITE_AND_DIE = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from data_files import ADD, INIT, DataFile, basket_of
data = DataFile(Path(sys.argv[2]))
with data.run(started=1_750_000_000.0) as run:
    run.file(basket_of())
    for number in range(int(sys.argv[3])):
        run.test(f"test_{number}", INIT if number % 2 else ADD)
    os._exit(9)
"""


def killed_run(data: DataFile, tests: int) -> None:
    """Leaves what a killed process leaves: the file and its log beside it."""
    here = str(Path(__file__).parent)
    arguments = [sys.executable, "-c", WRITE_AND_DIE, here, str(data.root), str(tests)]
    assert subprocess.run(arguments, timeout=60).returncode == 9


@pytest.mark.parametrize("tests", [0, 1, 20])
def test_killed_run_is_readable(data: DataFile, tests: int) -> None:
    """All batches that a killed run wrote are there."""
    killed_run(data, tests)
    assert data.path.with_name("data.db-wal").stat().st_size
    with data.opened() as (reader, _):
        assert len(reader.tests) == tests
        assert reader.runs[0].killed


def test_page_that_a_full_disk_let_begin(data: DataFile) -> None:
    """Of the file a page is there in part, and whole in the log: all can be read, and written."""
    killed_run(data, 20)
    with open(data.path, "ab") as file:
        file.write(bytes(64))
    with data.opened() as (reader, _):
        assert len(reader.tests) == 20
    with data.run() as run:
        run.file(basket_of())
        run.test("another", INIT)
    assert data.path.stat().st_size % 512 == 0
    with data.opened() as (reader, _):
        assert "another" in [test.name for test in reader.tests]


def test_log_cut_short(data: DataFile) -> None:
    """A log that was cut short loses the last batches, not the file."""
    killed_run(data, 20)
    log = data.path.with_name("data.db-wal")
    content = log.read_bytes()
    data.path.with_name("data.db-shm").unlink()
    log.write_bytes(content[: len(content) // 2])
    with data.opened() as (reader, _):
        assert 0 < len(reader.tests) < 20


def test_read_only_folder_with_a_log(data: DataFile) -> None:
    """What a killed run left can be read where nothing may be written."""
    killed_run(data, 5)
    folder = data.path.parent
    data.path.with_name("data.db-shm").unlink()
    folder.chmod(0o500)
    for path in folder.iterdir():
        path.chmod(0o400)
    try:
        with data.opened() as (reader, _):
            assert len(reader.tests) == 5
    finally:
        folder.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs root")
def test_read_only_folder_as_another_user(data: DataFile) -> None:
    """The same, as a user to whom the permissions really apply."""
    killed_run(data, 5)
    place = Path("/var/tmp") / f"whotests-test-{os.getpid()}"
    shutil.copytree(data.path.parent, place)
    try:
        (place / "data.db-shm").unlink()
        for path in place.iterdir():
            path.chmod(0o444)
        place.chmod(0o555)
        code = (
            "import os, shutil, sys, tempfile, urllib.parse\n"
            "from pathlib import Path\n"
            "from whotests.store.reader import Reader\n"
            "os.setuid(65534)\n"
            "with Reader.open(Path(sys.argv[1])) as reader: print(len(reader.tests))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(place / "data.db")], capture_output=True, text=True
        )
        assert done.stdout == "5\n", done.stderr
    finally:
        place.chmod(0o700)
        shutil.rmtree(place)


def test_size_counts_the_log(data: DataFile) -> None:
    """The size is what the data takes on the disk, its log included."""
    killed_run(data, 20)
    with data.opened() as (reader, _):
        assert reader.size > data.path.stat().st_size
