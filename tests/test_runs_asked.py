"""The commands that ask, over several runs and several data files; `runs`, `status`, `erase`."""

import json
import os
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from data_files import ADD, INIT, MODULE, NOON, REFUSE, SOURCE, DataFile, Ran, basket_of
from measured_commands import Ended, run_plain
from whotests.store.reader import Reader
from whotests.types import RunStatus

ONE, TWO = "tests/test_b.py::test_one", "tests/test_b.py::test_two"


def record(
    data: DataFile,
    when: float,
    tests: dict[str, Ran],
    *,
    name: str = "",
    label: str = "",
    keep_runs: int = 1,
    status: RunStatus = RunStatus.FINISHED,
    pid: int | None = None,
) -> None:
    """A run of these tests, `when` seconds after noon; 'import' and other labels of its own."""
    with data.run(
        started=NOON + when, name=name, label=label, keep_runs=keep_runs, status=status, pid=pid
    ) as run:
        run.file(basket_of())
        run.label("import", MODULE)
        for test, ran in tests.items():
            run.test(test, ran)


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
    record(data, 0, {ONE: INIT}, name="nightly", keep_runs=3)
    record(data, 10, {ONE: INIT, TWO: ADD}, name="nightly", keep_runs=3)
    record(data, 20, {ONE: INIT, TWO: REFUSE}, name="nightly", keep_runs=3)
    record(data, 30, {TWO: REFUSE})
    return data


@pytest.fixture
def labels(data: DataFile) -> DataFile:
    """Runs of two labels, which differ in what they run."""
    record(data, 0, {ONE: ADD, TWO: INIT}, label="py3.11")
    record(data, 10, {ONE: REFUSE, TWO: INIT}, label="py3.12")
    return data


def whotests(folder: Path, *words: str, **environment: str) -> Ended:
    """A command of ours, as in a shell in the folder."""
    main = "from whotests.cli import main; main()"
    return run_plain("python", "-P", "-c", main, *words, cwd=folder, env=environment)


def answer(data: DataFile, *words: str) -> str:
    """What the command prints."""
    ended = whotests(data.root, *words)
    assert (ended.status, ended.err) == (0, "")
    return ended.out


def value(data: DataFile, *words: str) -> Any:
    """The JSON that the command prints."""
    return json.loads(answer(data, *words, "--json"))


def refusal(data: DataFile, *words: str) -> str:
    """What the command says when it refuses."""
    ended = whotests(data.root, *words)
    assert (ended.status, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    return ended.err


def dump(path: Path) -> list[str]:
    """All that a data file holds, as SQL, and how it is kept."""
    connection = sqlite3.connect(path)
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    dumped = [mode, *connection.iterdump()]
    connection.close()
    return dumped


# -- runs ---------------------------------------------------------------------------------


def test_runs(nightly: DataFile) -> None:
    """`runs` lists what is kept, the newest first, and which of it answers speak of."""
    lines = answer(nightly, "runs").splitlines()
    assert lines[0].split() == [
        *("run", "name", "generation", "began", "age", "took", "status", "tests", "command"),
    ]
    rows = [line.split("  ") for line in lines[1:5]]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert [row[:3] for row in cells] == [
        ["* 4", "-", "current"],
        ["3", "nightly", "current"],
        ["2", "nightly", "~1"],
        ["1", "nightly", "~2"],
    ]
    assert [row[-2:] for row in cells] == [
        ["1 passed", "pytest -q"],
        ["2 passed", "pytest -q"],
        ["2 passed", "pytest -q"],
        ["1 passed", "pytest -q"],
    ]
    assert lines[6].startswith("* is what commands speak of. --run N or --run NAME asks others")


def test_runs_of_one_name_need_no_columns_for_it(data: DataFile) -> None:
    """Without names and contexts there are no columns of them, and nothing to choose."""
    record(data, 0, {ONE: INIT})
    header, row = answer(data, "runs").splitlines()
    assert "name" not in header
    assert "context" not in header
    assert row.startswith("* 1")


def test_runs_on_a_narrow_terminal(nightly: DataFile) -> None:
    """Eighty columns are enough for numbers, names and generations."""
    terminal = {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "COLUMNS": "80", "TERM": "xterm"}
    out = whotests(nightly.root, "runs", **terminal).out
    lines = [line for line in out.splitlines() if "nightly" in line]
    assert len(lines) == 3
    assert all("~" in line or "current" in line for line in lines)


def test_runs_json(nightly: DataFile) -> None:
    """The JSON of `runs` has all runs, or those that were asked for."""
    runs = value(nightly, "runs")["runs"]
    assert [(run["id"], run["name"], run["generation"], run["asked"]) for run in runs] == [
        (4, "", 0, True),
        (3, "nightly", 0, False),
        (2, "nightly", 1, False),
        (1, "nightly", 2, False),
    ]
    assert [run["tests"] for run in runs] == [1, 2, 2, 1]
    assert [run["superseded"] is None for run in runs] == [True, True, False, False]
    assert len({run["uid"] for run in runs}) == 4
    (one,) = value(nightly, "runs", "--run", "nightly~2")["runs"]
    assert one["id"] == 1


# -- asking other runs --------------------------------------------------------------------


def test_every_question_takes_a_run(nightly: DataFile) -> None:
    """who, what, report and status speak of the runs that --run means."""
    line = f"{SOURCE}:15"
    assert value(nightly, "who", line)["tests"] == []
    (hit,) = value(nightly, "who", line, "--run", "nightly~1")["tests"]
    assert (hit["test"], hit["run"]) == (TWO, 2)
    assert value(nightly, "who", line, "--run", "3")["tests"] == []
    (file,) = value(nightly, "what", TWO, "--run", "2")["files"]
    assert file["units"][0]["lines"] == [11, 15]
    assert TWO not in [test["test"] for test in value(nightly, "what", "*", "--run", "1")["tests"]]
    figures = {
        ref: value(nightly, "report", "--run", ref)["total"]["missing"]
        for ref in ("nightly", "nightly~1", "nightly~2")
    }
    assert figures == {"nightly": 2, "nightly~1": 2, "nightly~2": 4}
    status = value(nightly, "status", "--run", "nightly~1")
    assert ([run["id"] for run in status["runs"]], status["other_runs"]) == ([2], 3)


@pytest.mark.parametrize("command", [("who", SOURCE), ("what", "*"), ("report",), ("status",)])
def test_no_such_run(nightly: DataFile, command: tuple[str, ...]) -> None:
    """A run that is not there is told in a sentence."""
    told = "whotests: --run weekly: no run is called weekly; `whotests runs` lists those"
    assert refusal(nightly, *command, "--run", "weekly").startswith(told)


def test_status_tells_of_other_runs(nightly: DataFile) -> None:
    """`status` speaks of the runs that are asked, and says how many more there are."""
    text = answer(nightly, "status")
    assert "1 run, 1 test, 2 contexts, 1 file" in text
    assert "3 more runs are kept; see `whotests runs`." in text
    text = answer(nightly, "status", "--run", "nightly")
    assert "nightly: pytest -q\n" in text


# -- labels -------------------------------------------------------------------------------


def test_who_tells_tests_of_several_labels_apart(labels: DataFile) -> None:
    """Tests stand below the labels of their runs; the command to run them again needs no label."""
    text = answer(labels, "who", f"{SOURCE}:11")
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("py3")]
    assert rows == [f"py3.11/{ONE}", f"py3.12/{ONE}"]
    assert f"Run them again:\n  pytest {ONE}\n" in text
    hits = value(labels, "who", f"{SOURCE}:12")["tests"]
    assert [(hit["test"], hit["label"], hit["title"]) for hit in hits] == [
        (ONE, "py3.12", f"py3.12/{ONE}")
    ]


def test_one_label_is_not_shown(labels: DataFile) -> None:
    """Where one run is asked, its tests have their own names."""
    text = answer(labels, "who", f"{SOURCE}:11", "--run", "1")
    assert next(line.split()[0] for line in text.splitlines() if ONE in line) == ONE
    assert f"py3.11/{ONE}" not in text
    assert answer(labels, "what", ONE, "--run", "1").startswith(f"{ONE}  passed")


def test_what_finds_tests_with_and_without_labels(labels: DataFile) -> None:
    """A name means the tests of all labels, and below a label the one of it."""
    both = [f"py3.11/{ONE}", f"py3.12/{ONE}"]
    for text, titles in (
        (ONE, both),
        ("test_one", both),
        ("*_one", both),
        (f"py3.12/{ONE}", both[1:]),
        ("py3.11/*_one", both[:1]),
        ("3.11/tests/test_b.py::test_o", both[:1]),
    ):
        found = [test["title"] for test in value(labels, "what", text)["tests"]]
        assert found == titles, text
    assert "is part of 2 tests" in refusal(labels, "what", "test_")
    lines = answer(labels, "what", "test_one", "--brief").splitlines()
    assert lines[0].startswith(f"py3.11/{ONE}  passed")
    assert lines[1].startswith(f"py3.12/{ONE}  passed")


def test_report_names_labels(labels: DataFile) -> None:
    """`report` counts all labels together and says so."""
    text = answer(labels, "report")
    assert "note: contexts: py3.11 and py3.12 count together; --run asks one of them" in text
    assert "contexts:" not in answer(labels, "report", "--run", "1")


def test_labels_of_ones_own_below_those_of_runs(data: DataFile) -> None:
    """A user's context that ran a line is told with the label of its run."""
    for when, label in enumerate(("a", "b")):
        with data.run(started=NOON + when, label=label) as run:
            run.file(basket_of())
            run.label("slow", INIT)
    assert "It ran under 'a/slow' and under 'b/slow'." in answer(data, "who", f"{SOURCE}:8")
    found = value(data, "who", f"{SOURCE}:8")["labels"]
    assert [(hit["run_label"], hit["label"]) for hit in found] == [("a", "slow"), ("b", "slow")]


# -- several data files -------------------------------------------------------------------


@pytest.fixture
def shards(data: DataFile) -> tuple[Path, Path]:
    """Two data files of one project, one of them in a folder of a folder."""
    record(data, 0, {ONE: INIT}, label="py3.11")
    first = data.root / "shards" / "one" / "data.db"
    first.parent.mkdir(parents=True)
    shutil.move(data.path, first)
    record(data, 10, {ONE: ADD}, label="py3.12")
    second = data.root / "shards" / "two.db"
    shutil.move(data.path, second)
    (data.root / "shards" / "notes.txt").write_text("nothing")
    (data.root / "shards" / ".coverage").write_bytes(b"SQLite format 3\0" + bytes(100))
    return first, second


def test_several_data_files(data: DataFile, shards: tuple[Path, Path]) -> None:
    """--data may be repeated, or name a folder: all of them answer as one, and stay as they are."""
    before = [path.read_bytes() for path in shards]
    for given in (
        [f"--data={path}" for path in shards],
        ["--data", "shards"],
        ["--data", "shards", "--data", str(shards[0])],
    ):
        found = value(data, "who", f"{SOURCE}:7-15", *given)
        assert {hit["title"] for hit in found["tests"]} == {f"py3.11/{ONE}", f"py3.12/{ONE}"}
        assert [Path(path).name for path in found["data_files"]] == ["data.db", "two.db"]
        assert value(data, "report", *given)["total"]["missing"] == 2
        assert len(value(data, "what", ONE, *given)["tests"]) == 2
        assert value(data, "status", *given)["tests"] == 2
        assert len(value(data, "runs", *given)["runs"]) == 2
    assert [path.read_bytes() for path in shards] == before
    assert "2 data files asked as one" in answer(data, "status", "--data", "shards")
    assert not data.path.exists()


def test_one_data_file_of_a_folder(data: DataFile, shards: tuple[Path, Path]) -> None:
    """A folder with one data file is that file."""
    found = value(data, "status", "--data", "shards/one")
    assert (found["data"], found["tests"]) == (str(shards[0]), 1)


def test_folder_without_data(data: DataFile, shards: tuple[Path, Path]) -> None:
    """A folder that has no data file of ours says so."""
    for path in shards:
        path.unlink()
    told = "shards is a folder without a data file in it; give the data file with --data FILE"
    assert told in refusal(data, "who", SOURCE, "--data", "shards")


def test_shard_that_is_none(data: DataFile, shards: tuple[Path, Path]) -> None:
    """A file that is not ours among several is named."""
    foreign = data.root / "shards" / ".coverage"
    told = refusal(data, "status", "--data", str(shards[0]), "--data", str(foreign))
    assert ".coverage is not a data file of whotests" in told


# -- damaged rows --------------------------------------------------------------------------


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
        ("pid", "'me'"),
        ("part_of", "99"),
    ],
)
def test_rows_of_runs_that_make_no_sense(nightly: DataFile, column: str, wrong: str) -> None:
    """Whatever stands in the row of a run, there is an answer, or a sentence about the file."""
    connection = sqlite3.connect(nightly.path)
    connection.execute(f"UPDATE run SET {column} = {wrong} WHERE id = 3")
    connection.commit()
    connection.close()
    for words in (["runs"], ["status", "--run", "2"], ["erase", "--run", "2"]):
        ended = whotests(nightly.root, *words)
        assert ended.status in (0, 2), ended.err
        assert "Traceback" not in ended.err
        assert (ended.status == 0) == (ended.err == ""), ended.err
    assert whotests(nightly.root, "erase").status == 0


# -- erase --------------------------------------------------------------------------------


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
