"""The commands that ask, over several runs and several data files; `runs` and `status`."""

import os
import shutil
import sqlite3
import time
from pathlib import Path
from socket import gethostname

import pytest

from data_files import ADD, INIT, NOON, REFUSE, SOURCE, DataFile, basket_of
from kept_runs import ONE, TWO, answer, record, record_nightly, refusal, value, whotests
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


@pytest.fixture
def labels(data: DataFile) -> DataFile:
    """Runs of two labels, which differ in what they run."""
    record(data, 0, {ONE: ADD, TWO: INIT}, label="py3.11")
    record(data, 10, {ONE: REFUSE, TWO: INIT}, label="py3.12")
    return data


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


def test_a_run_that_goes_on_takes_until_now(data: DataFile) -> None:
    """Though its processes may write nothing for long; one that was killed took until it wrote."""
    record(data, 0, {ONE: INIT}, status=RunStatus.RUNNING)
    for pid, state in ((os.getpid(), "running"), (2**22 + 1, "killed")):
        connection = sqlite3.connect(data.path)
        times = (time.time() - 7200, time.time() - 7190)
        connection.execute(
            "UPDATE run SET pid = ?, host = ?, started = ?, heartbeat = ?",
            (pid, gethostname(), *times),
        )
        connection.commit()
        connection.close()
        for command in ("runs", "status"):
            out = answer(data, command)
            assert state in out
            assert ("2 h " in out) is (state == "running")
            assert ("10.00 s" in out) is (state == "killed")


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


def test_no_run_at_all(data: DataFile) -> None:
    """Whoever asks for one is told that there is no data yet."""
    record(data, 0, {ONE: INIT})
    assert answer(data, "erase") == f"erased run 1 of {data.path}\n"
    assert answer(data, "erase") == f"nothing to erase: {data.path} holds no run\n"
    for words in (("--run", "nightly"), ("--run", ""), ("--run", "~1"), ()):
        assert "no data yet" in refusal(data, "report", *words)


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
