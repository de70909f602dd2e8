"""Erasing runs, and data files with rows of runs that make no sense."""

import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from data_files import INIT, NOON, DataFile, basket_of, run_record
from kept_runs import ONE, TWO, answer, record, record_nightly, refusal, value, whotests
from whotests.store.reader import Reader
from whotests.store.writer import Writer
from whotests.types import RunStatus


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    """A project with the data of nothing."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    data = DataFile(tmp_path)
    data.save(basket_of())
    return data


@pytest.fixture
def nightly(data: DataFile) -> DataFile:
    """Three generations of 'nightly', and a newer run of no name."""
    record_nightly(data)
    return data


def dump(path: Path) -> list[object]:
    """All that a data file holds, row by row, and how it is kept."""
    connection = sqlite3.connect(path)
    try:
        dumped: list[object] = connection.execute("PRAGMA journal_mode").fetchall()
        tables = "SELECT name, sql FROM sqlite_schema ORDER BY name"
        for name, sql in connection.execute(tables).fetchall():
            dumped.append((name, sql))
            if sql.startswith("CREATE TABLE"):
                dumped += connection.execute(f"SELECT * FROM {name}").fetchall()
        return dumped
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("superseded", "x'00'"),
        ("started", "'soon'"),
        ("started", "9e999"),
        ("ended", "-9e999"),
        ("name", "x'ff'"),
        ("label", "x'00'"),
        ("uid", "1"),
        ("status", "'dancing'"),
        ("command", "'5'"),
        ("command", "'{'"),
        ("command", f"'{'[' * 9999}'"),
        ("root", "x'00'"),
        ("rules", "'[]'"),
        ("rules", """'[["("], []]'"""),
        ("pid", "'me'"),
        ("part_of", "99"),
    ],
)
def test_rows_of_runs_that_make_no_sense(nightly: DataFile, column: str, wrong: str) -> None:
    """Whatever stands in the row of a run, there is an answer, or a sentence about the file."""
    connection = sqlite3.connect(nightly.path)
    connection.execute(f"UPDATE run SET {column} = {wrong} WHERE id >= 3")
    connection.commit()
    connection.close()
    commands = (["report"], ["runs"], ["status", "--run", "2"])
    for words in (*commands, ["erase", "--run", "2"]):
        ended = whotests(nightly.root, *words)
        assert ended.status in (0, 2), ended.err
        assert "Traceback" not in ended.err
        assert (ended.status == 0) == (ended.err == ""), ended.err
    assert whotests(nightly.root, "erase").status == 0


def test_erase_a_run(nightly: DataFile) -> None:
    """What is erased is gone with all that nothing else needs, and its place is taken again."""
    assert answer(nightly, "erase", "--run", "nightly") == (
        f"erased run 3 of {nightly.path}; 3 are left\n"
    )
    runs = value(nightly, "runs")["runs"]
    assert [(run["id"], run["generation"]) for run in runs] == [(4, 0), (2, 0), (1, 1)]
    assert [run["superseded"] is None for run in runs] == [True, True, False]
    assert answer(nightly, "erase", "--run", "1", "--run", "4") == (
        f"erased runs 1, 4 of {nightly.path}; 1 is left\n"
    )
    with Reader.open(nightly.path) as reader:
        assert [run.id for run in reader.all_runs] == [2]
        assert [test.name for test in reader.tests] == [ONE, TWO]
        assert reader.all_runs[0].superseded is None
        for table, rows in (("test", 2), ("context", 3), ("footprint", 3), ("pattern", 4)):
            assert len(list(reader.stored.rows(table))) == rows, table
    assert not list(nightly.path.parent.glob("data.db-*"))


def test_erase_all(nightly: DataFile) -> None:
    """Without --run, or with `all`, nothing is left; a second time there is nothing to do."""
    other = nightly.root / "copy.db"
    shutil.copyfile(nightly.path, other)
    size = nightly.path.stat().st_size
    assert answer(nightly, "erase") == f"erased runs 1, 2, 3, 4 of {nightly.path}\n"
    assert nightly.path.stat().st_size <= size
    assert answer(nightly, "erase", "--run", "all", "--data", "copy.db") == (
        f"erased runs 1, 2, 3, 4 of {other}\n"
    )
    assert "no data yet" in refusal(nightly, "runs")
    assert answer(nightly, "erase") == f"nothing to erase: {nightly.path} holds no run\n"
    nightly.path.unlink()
    assert answer(nightly, "erase") == f"nothing to erase: {nightly.path} holds no run\n"
    assert not nightly.path.exists()
    record(nightly, 50, {ONE: INIT})
    assert value(nightly, "status")["tests"] == 1


def test_erase_all_or_nothing(nightly: DataFile) -> None:
    """One of several that is no run: none is erased."""
    before = dump(nightly.path)
    assert "no run is called weekly" in refusal(
        nightly, "erase", "--run", "nightly", "--run", "weekly"
    )
    assert "--run all means every run" in refusal(nightly, "erase", "--run", "all", "--run", "1")
    assert dump(nightly.path) == before
    assert not list(nightly.path.parent.glob("data.db-*"))


def test_erase_leaves_a_run_that_goes_on(data: DataFile) -> None:
    """What still writes is not erased, by itself or with all others."""
    record(data, 0, {ONE: INIT})
    record(data, 10, {TWO: INIT}, name="on", status=RunStatus.RUNNING, pid=os.getpid())
    # Its clock stands still, and a silence of a day would count as dead.
    connection = sqlite3.connect(data.path)
    connection.execute("UPDATE run SET heartbeat = strftime('%s', 'now') + 0.0 WHERE name = 'on'")
    connection.commit()
    connection.close()
    for words in (["--run", "on"], ["--run", "all"], []):
        told = refusal(data, "erase", *words)
        assert f"run 2 (`pytest -q`) still runs (process {os.getpid()} on " in told
    assert len(value(data, "runs")["runs"]) == 2
    answer(data, "erase", "--run", "1")
    assert [run["name"] for run in value(data, "runs")["runs"]] == ["on"]


def test_erase_leaves_a_process_that_goes_on(data: DataFile) -> None:
    """A run that was killed is not erased while a process that it started records for it."""
    record(data, 0, {ONE: INIT}, status=RunStatus.RUNNING, pid=2**22 + 1)
    writer = Writer.open(data.path)
    writer.begin_run(run_record(data.root)._replace(part_of=1))
    for words in (["--run", "1"], []):
        told = refusal(data, "erase", *words)
        assert "run 1 (`pytest -q`) still runs (a process that it started)" in told
    writer.finish_part(ended=NOON + 10, status=RunStatus.FINISHED, note="")
    writer.close()
    assert answer(data, "erase", "--run", "1") == f"erased run 1 of {data.path}\n"


def test_erase_leaves_what_is_not_ours(data: DataFile) -> None:
    """A file of another program, or of a newer whotests, stays as it is."""
    data.path.parent.mkdir()
    for content in (b"hello" * 100, b"SQLite format 3\0" + bytes(4000)):
        data.path.write_bytes(content)
        for words in ([], ["--run", "1"]):
            assert "is not a data file of whotests" in refusal(data, "erase", *words)
        assert data.path.read_bytes() == content
    data.path.unlink()
    record(data, 0, {ONE: INIT})
    connection = sqlite3.connect(data.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    content = data.path.read_bytes()
    assert "upgrade whotests" in refusal(data, "erase")
    assert data.path.read_bytes() == content
    assert "is not a data file" in refusal(data, "erase", "--data", ".whotests")
    if hasattr(os, "mkfifo"):
        os.mkfifo(data.root / "pipe")
        assert "is not a data file" in refusal(data, "erase", "--data", "pipe")


@pytest.mark.parametrize("damage", ["older", "cut short", "nonsense"])
def test_erase_what_cannot_be_used(data: DataFile, damage: str) -> None:
    """A file of ours that is too old or damaged is removed itself; a single run of it cannot be."""
    record(data, 0, {ONE: INIT})
    if damage == "cut short":
        data.path.write_bytes(data.path.read_bytes()[:3000])
    else:
        connection = sqlite3.connect(data.path)
        if damage == "older":
            connection.execute("PRAGMA user_version = 1")
        else:
            connection.execute("UPDATE run SET status = 'dancing'")
            connection.commit()
        connection.close()
    assert "delete it and record again" in refusal(data, "erase", "--run", "1")
    assert answer(data, "erase") == f"erased {data.path}, which could not be used any more\n"
    assert not data.path.exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_erase_without_permission(nightly: DataFile) -> None:
    """A file that may not be written is left as it is, and the reason told."""
    nightly.path.chmod(0o400)
    nightly.path.parent.chmod(0o500)
    assert "check the permissions" in refusal(nightly, "erase")
    nightly.path.parent.chmod(0o700)
    assert len(value(nightly, "runs")["runs"]) == 4
