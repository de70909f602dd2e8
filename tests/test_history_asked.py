"""`whotests history`: what is flaky, what is slower, and what becomes of it in other data files."""

import json
import socket
from pathlib import Path

import pytest

from changing_files import ends, history_of, record, version
from data_files import ADD, INIT, NOON, DataFile
from kept_runs import answer, refusal, whotests
from whotests.errors import UsageError
from whotests.query.history import Flaky, Slower
from whotests.store.merging.choice import Choice
from whotests.store.merging.combining import How, combine
from whotests.store.merging.slicing import write_subset
from whotests.store.series import read_series
from whotests.types import Outcome

PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED
WORDS = {
    ".": PASSED,
    "F": FAILED,
    "E": Outcome.ERROR,
    "s": SKIPPED,
    "x": Outcome.EXPECTED_FAILURE,
    "X": Outcome.UNEXPECTED_SUCCESS,
    "?": Outcome.UNKNOWN,
}


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    """A project without data."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    return DataFile(tmp_path)


def record_all(data: DataFile, outcomes: str, *, changes: str = "") -> None:
    """A run for each sign; a '|' among the changes is a change of the code before that run."""
    number = 0
    for when, sign in enumerate(outcomes):
        number += changes[when : when + 1] == "|"
        record(data, when, {"t": (ADD, WORDS[sign])}, files=[version(add=number)])


@pytest.mark.parametrize(
    ("outcomes", "changes", "flips", "failed"),
    [
        (".F.", "", 2, "1 of 3"),
        ("..FF", "", 1, "2 of 4"),
        (".sF", "", 1, "1 of 2"),
        (".?F", "", 1, "1 of 2"),
        ("x.E", "", 1, "1 of 3"),
        (".X", "", 1, "1 of 2"),
        ("..F.F..", "   |   ", 3, "2 of 7"),
        (".F.", "  |", 1, "1 of 2"),
    ],
)
def test_flaky_is_what_ended_differently_with_the_same_code(
    data: DataFile, outcomes: str, changes: str, flips: int, failed: str
) -> None:
    """Failures and errors, or passes; what was skipped or not ended says nothing."""
    record_all(data, outcomes, changes=changes)
    (flaky,) = history_of(data).flaky
    assert isinstance(flaky, Flaky)
    assert (flaky.flips, f"{flaky.failed} of {flaky.ran}") == (flips, failed)


@pytest.mark.parametrize(
    ("outcomes", "changes"),
    [("...", ""), ("FFF", ""), (".F", " |"), (".ss", ""), ("F.F", " ||"), (".?.", "")],
)
def test_what_changes_with_its_code_is_not_flaky(
    data: DataFile, outcomes: str, changes: str
) -> None:
    """A test that breaks when its code changes does what it is for."""
    record_all(data, outcomes, changes=changes)
    assert not history_of(data).flaky


def durations(
    data: DataFile, *seconds: float, others: int = 0, pace: float = 1.0, first: int = 0
) -> None:
    """A run for each duration of 't'; `others` tests took `pace` times 0.5 s in the last 3."""
    for when, each in enumerate(seconds):
        slow = pace if when >= len(seconds) - 3 else 1.0
        with data.run(started=NOON + first + when) as run:
            run.file(version())
            run.test("t", INIT, duration=each)
            for number in range(others):
                run.test(f"other{number}", ADD, duration=0.5 * slow)


@pytest.mark.parametrize(
    "seconds",
    [
        (1, 1, 1, 1, 2, 2, 2),
        (0.1, 0.11, 0.1, 9, 0.1, 0.1, 0.1, 0.2, 0.2, 0.19),
        (1, 1.1, 0.9, 1, 1.2, 5, 1, 1.8, 1.7, 3),
    ],
)
def test_slower_is_what_takes_longer_in_each_of_the_last_runs(
    data: DataFile, seconds: tuple[float, ...]
) -> None:
    """By half at least, by medians: one run that took long, before or now, changes nothing."""
    durations(data, *seconds)
    (slower,) = history_of(data).slower
    assert isinstance(slower, Slower)
    assert slower.times == pytest.approx(2, rel=0.3)


@pytest.mark.parametrize(
    "seconds",
    [
        (1, 1, 1, 1, 1.4, 1.4, 1.4),
        (1, 1, 1, 2, 2, 2),
        (1, 1, 1, 1, 1, 9, 1),
        (0.01, 0.01, 0.01, 0.01, 0.02, 0.02, 0.02),
        (1, 2, 4, 1, 3, 1, 4, 2, 4, 4, 3),
        (2, 2, 2, 2, 1, 1, 1),
    ],
)
def test_what_is_not_surely_slower_is_not_named(data: DataFile, seconds: tuple[float, ...]) -> None:
    """Small differences, single runs, few runs, and tests whose times vary anyway."""
    durations(data, *seconds)
    assert not history_of(data).slower


def test_a_slow_machine_makes_no_test_slower(data: DataFile) -> None:
    """Where all tests take twice as long, the run did; one that takes longer still is named."""
    durations(data, 1, 1, 1, 1, 1, 2, 2, 2, others=20, pace=2.0)
    assert not history_of(data).slower
    durations(data, *[1] * 8, 4, 4, 4, others=20, pace=2.0)
    assert [slower.series.name for slower in history_of(data).slower] == ["t"]


def test_a_test_is_named_wholly_or_in_part(data: DataFile) -> None:
    """A whole name wins over a part; what no test is called is an error with a hint."""
    tests = dict.fromkeys(("a.py::test_one", "a.py::test_one_more", "b::x"), (INIT, PASSED))
    record(data, 0, tests)
    record(data, 1, tests, label="py3")

    def titles(test: str) -> list[str]:
        return [series.title for series in history_of(data, test=test).asked]

    assert titles("a.py::test_one") == ["a.py::test_one", "py3/a.py::test_one"]
    assert titles("py3/a.py::test_one") == ["py3/a.py::test_one"]
    assert len(titles("test_one")) == 4
    with pytest.raises(UsageError, match=r"called a.py::test_oen, .*did you mean a.py::test_one\?"):
        titles("a.py::test_oen")


def test_histories_of_names_are_apart(data: DataFile) -> None:
    """`--run NAME` tells of the runs of that name; by default of that of the newest run."""
    record(data, 0, {"t": (INIT, FAILED)}, name="nightly")
    record(data, 1, {"t": (INIT, PASSED)}, name="nightly")
    record(data, 2, {"t": (INIT, FAILED)})
    assert ends(data, "t") == [(2, "failed")]
    assert ends(data, "t", run="nightly") == [(0, "failed"), (1, "passed")]
    with pytest.raises(UsageError, match="no run is called weekly"):
        ends(data, "t", run="weekly")


def test_the_command_lists_what_is_notable(data: DataFile) -> None:
    """With signs for outcomes and bars for durations, the newest last."""
    record_all(data, "..F.F..")
    durations(data, 1, 1, 1, 1, 2.5, 2.5, 2.5, first=7)
    lines = answer(data, "history").splitlines()
    assert lines[0].startswith("1 test in 14 runs, since 2025-06-15 ")
    assert lines[0].endswith("1 with all that tests ran, 13 with how they ended")
    flaky = lines.index("flaky: passed and failed with the same code")
    assert lines[flaky + 1].split() == ["test", "flips", "failed", "last", "outcomes"]
    row = lines[flaky + 2].split()
    assert (row[:5], row[-1]) == (["t", "4", "2", "of", "7"], "..F.F.........")
    slower = lines.index("slower: medians of the last 3 runs, and of those before")
    assert lines[slower + 1].split() == ["test", "before", "now", "times", "durations"]
    row = lines[slower + 2].split()
    assert (row[0], row[-1]) == ("t", "▁▁▁▁▁▁▁▄▄▄▄███")


def test_the_command_tells_of_one_test(data: DataFile) -> None:
    """Each run, the newest first: when, how it ended, how long it took, which code, which run."""
    record_all(data, ".F.", changes="  |")
    lines = answer(data, "history", "t").splitlines()
    assert lines[:3] == ["t", "outcomes   .F.", "durations  ███"]
    assert lines[3].startswith("flaky: 1 flip with the same code, failed in 1 of 2 runs")
    cells = [[cell for cell in line.split("  ") if cell] for line in lines[4:]]
    assert [cell.strip() for cell in cells[0]] == [
        *("began", "age", "outcome", "took", "code", "run"),
    ]
    assert [[row[2].strip(), *map(str.strip, row[4:])] for row in cells[1:]] == [
        ["passed", "2", "3"],
        ["failed", "1", "-"],
        ["passed", "1", "-"],
    ]
    assert cells[1][3].strip() == "250 ms"
    assert "called u" in refusal(data, "history", "u")


def test_the_answer_as_json(data: DataFile) -> None:
    """As docs/json.md says."""
    record_all(data, ".F")
    told = json.loads(answer(data, "history", "t", "--json"))
    assert {key: told[key] for key in ("format", "version", "incomplete_runs", "slower")} == {
        "format": "whotests-history",
        "version": 1,
        "incomplete_runs": [],
        "slower": [],
    }
    first, second = told["runs"]
    assert (first["kept"], second["kept"]) == (None, 2)
    assert told["flaky"] == [
        {
            "test": "t",
            "name": "t",
            "label": "",
            "flips": 1,
            "failed": 1,
            "ran": 2,
            "last": NOON + 1,
        }
    ]
    (test,) = told["tests"]
    page = (Path(__file__).parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.split("\n## history\n")[1].split("\n## ")[0]
    keys = {key for row in (*told["runs"], *told["flaky"], test, *test["entries"]) for key in row}
    assert {key for key in {*keys, *told} if f"`{key}`" not in section + page[:2000]} == set()
    assert json.loads(answer(data, "history", "?", "--json"))["tests"] == told["tests"]
    assert [entry["outcome"] for entry in test["entries"]] == ["passed", "failed"]
    assert test["entries"][1] == {
        "run": second["uid"],
        "started": NOON + 1,
        "outcome": "failed",
        "duration": 0.25,
        "code": 1,
    }


def test_runs_say_that_there_is_a_history(data: DataFile) -> None:
    """And `erase --history` takes that away, and no run."""
    record_all(data, "...")
    assert "How tests ended in 2 past runs is known, too: `whotests history`." in answer(
        data, "runs"
    )
    assert json.loads(answer(data, "runs", "--json"))["past_runs"] == 2
    assert "erased how tests ended in 2 past runs of" in answer(data, "erase", "--history")
    assert ends(data, "t") == [(2, "passed")]
    assert "past" not in answer(data, "runs")
    assert whotests(data.root, "erase", "--history", "--run", "3").status == 2


def test_sql_has_the_history(data: DataFile) -> None:
    """The table `history`, with past runs and those that are there."""
    record_all(data, ".F.", changes="  |")
    query = "SELECT started, outcome, code, run FROM history WHERE test = 't' ORDER BY 1"
    rows = json.loads(answer(data, "sql", query, "--json"))["rows"]
    assert [row[1:] for row in rows] == [["passed", 1, None], ["failed", 1, None], ["passed", 2, 3]]


def combined(target: Path, *inputs: Path, keep_history: int = 100, label: str = "") -> None:
    how = How(root=str(target.parent), keep_history=keep_history, label=label)
    combine(target, inputs, how, here=socket.gethostname(), now=NOON + 100)


def test_combining_takes_histories_along(tmp_path: Path) -> None:
    """Past runs of all inputs, each once; what combining replaces becomes history, too."""
    one, other = DataFile(tmp_path / "one"), DataFile(tmp_path / "other")
    for when in range(3):
        record(one, when, {"t": (INIT, PASSED)})
        record(other, 10 + when, {"u": (ADD, FAILED)})
    target = DataFile(tmp_path / "all")
    for _ in range(2):
        combined(target.path, one.path, other.path)
        assert ends(target, "t") == [(0, "passed"), (1, "passed"), (2, "passed")]
        # Both became one run, which began when the first did.
        assert ends(target, "u") == [(2, "failed"), (10, "failed"), (11, "failed")]
    record(one, 20, {"t": (INIT, FAILED)})
    combined(target.path, one.path)
    assert ends(target, "t")[-2:] == [(2, "passed"), (20, "failed")]
    assert ends(target, "u") == [(2, "failed"), (10, "failed"), (11, "failed")]
    combined(target.path, one.path, keep_history=1)
    assert ends(target, "t") == [(20, "failed")]
    assert ends(target, "u") == [(11, "failed")]


def test_combined_histories_are_below_their_label(tmp_path: Path) -> None:
    """As the runs that they belong to."""
    one = DataFile(tmp_path / "one")
    record(one, 0, {"t": (INIT, PASSED)}, label="linux")
    record(one, 1, {"t": (INIT, FAILED)}, label="linux")
    target = DataFile(tmp_path / "all")
    combined(target.path, one.path, label="py3.13")
    assert ends(target, "py3.13/linux/t") == [(0, "passed"), (1, "failed")]


def test_several_data_files_are_asked_as_one(tmp_path: Path) -> None:
    """`--data` twice: their histories are one."""
    one, other = DataFile(tmp_path / "one"), DataFile(tmp_path / "other")
    for when in range(2):
        record(one, when, {"t": (INIT, PASSED)})
        record(other, 10 + when, {"t": (INIT, PASSED)}, label="x")
    told = read_series([one.path, other.path])
    assert [(series.title, len(series.entries)) for series in told.series] == [("t", 2), ("x/t", 2)]


def test_a_subset_has_the_history_of_its_tests(data: DataFile) -> None:
    """Of the tests that were chosen by their names; a choice by outcomes or files has none."""
    for when in range(2):
        record(data, when, {"t": (INIT, PASSED), "u": (ADD, FAILED)})
    for name, choice, left in (
        ("some", Choice(context=lambda name: name.startswith("t")), {"t": 2}),
        ("failed", Choice(outcomes=frozenset({FAILED})), {"u": 1}),
        ("all", Choice(), {"t": 2, "u": 2}),
    ):
        target = DataFile(data.root / name)
        write_subset([data.path], target.path, choice, replace=False)
        series = history_of(target).told.series
        assert {each.name: len(each.entries) for each in series} == left
