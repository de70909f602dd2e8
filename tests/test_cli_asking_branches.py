"""The commands that ask, where branches and rules count, as a person meets them."""

import json
from pathlib import Path

import pytest

from asking import answer, make_forks, make_shop, whotests
from data_files import BASKET, NOON, SOURCE, DataFile, basket_of


@pytest.fixture
def forks(tmp_path_factory: pytest.TempPathFactory) -> DataFile:
    """A project with the data of one run with branches."""
    return make_forks(tmp_path_factory.mktemp("forks"))


def test_report_with_branches(forks: DataFile) -> None:
    """With branches, `report` counts them, and lists the missing ones as coverage.py does."""
    assert answer(forks, "report", "-m", "--precision", "1") == (
        "file                statements  missing  branches  partial  cover  tests  import only"
        "  missing lines and branches\n"
        "src/shop/basket.py          11        2         2        1  76.9%      2            6"
        "  12, 18\n"
        "total                       11        2         2        1  76.9%      2            6\n"
    )


def test_who_of_a_fork(forks: DataFile) -> None:
    """`who` of a line with branches shows who takes each, and each test where it went."""
    assert answer(forks, "who", f"{SOURCE}:11") == (
        f"{SOURCE}:11\n"
        "  + 11 | if not name:\n"
        "    11->12  nothing\n"
        "    11->15  1 test\n"
        "\n"
        "1 test ran it:\n"
        "test                       outcome    time  phase     runs  goes to\n"
        "tests/test_b.py::test_add  passed   250 ms  call   3 lines  15\n"
        "\n"
        "Run it again:\n"
        "  pytest tests/test_b.py::test_add\n"
    )


def test_who_of_a_branch(forks: DataFile) -> None:
    """`who` of a branch tells who takes it, or that its line leads elsewhere."""
    assert "\n\n1 test took it:\n" in answer(forks, "who", f"{SOURCE}:11->15")
    assert answer(forks, "who", f"{SOURCE}:11->12") == (
        f"{SOURCE}:11->12\n"
        "  ! 11 | if not name:\n"
        "    12 |     raise ValueError(\n"
        "  Nothing takes it.\n"
        "  1 test runs line 11 and goes elsewhere.\n"
    )


def settings(data: DataFile, *lines: str) -> None:
    """Gives the project these settings."""
    table = "\n".join(("[tool.whotests]", *lines, ""))
    (data.root / "pyproject.toml").write_text(table)


def test_settings_of_now_count(forks: DataFile) -> None:
    """Who changes what is excluded sees it in the next report, without running anything."""
    settings(forks, 'exclude_also = ["def never"]')
    *_, total = answer(forks, "report").splitlines()
    assert total.split()[:6] == ["total", "9", "1", "2", "1", "82%"]
    value = json.loads(answer(forks, "report", "--json"))
    assert value["files"][0]["excluded_lines"] == [17, 18]
    settings(forks, 'exclude_also = ["raise ValueError"]')
    assert json.loads(answer(forks, "report", "--json"))["total"]["branches"] == 0
    assert "11->12  nothing (a rule excludes it)\n" in answer(forks, "who", f"{SOURCE}:11")
    settings(forks, 'partial_also = ["if not name"]')
    total = json.loads(answer(forks, "report", "--json"))["total"]
    assert (total["branches"], total["branches_missing"]) == (2, 0)
    assert "11->12  nothing (a rule excuses it)\n" in answer(forks, "who", f"{SOURCE}:11")


def test_recorded_rules_count_for_another_text(forks: DataFile) -> None:
    """Where the text is another one by now, the recorded rules are used, and this is said."""
    settings(forks, 'exclude_also = ["def never"]')
    (forks.root / SOURCE).write_text(BASKET + "#\n")
    text = answer(forks, "report")
    assert " 77%" in text
    assert f"rules: the project excludes other lines than when {SOURCE} was recorded" in text
    assert json.loads(answer(forks, "report", "--json"))["recorded_rules"] == [SOURCE]


def test_rules_of_another_project_do_not_count(forks: DataFile, tmp_path: Path) -> None:
    """A data file that is named is counted by the rules of its own project."""
    shop = make_shop(tmp_path)
    settings(shop, 'exclude_also = ["def never"]')
    value = json.loads(answer(shop, "report", "--json", "--data", str(forks.path)))
    assert value["total"]["excluded"] == 0


def test_invalid_rule(forks: DataFile) -> None:
    """An invalid expression is an error that names the file, the key and the place."""
    settings(forks, 'exclude_also = ["def never("]')
    done = whotests(forks, "report", status=2)
    assert "pyproject.toml: 'exclude_also' of [tool.whotests]" in done.stderr
    assert "'def never(': missing ), unterminated subpattern at position 9" in done.stderr


def test_some_runs_without_branches(forks: DataFile) -> None:
    """When only some runs recorded branches, the report says which did not."""
    with forks.run(started=NOON + 10, append=True) as run:
        run.file(basket_of())
        run.test("t", {(SOURCE, "Basket.add"): [11, 12]})
    for question in (["report"], ["who", f"{SOURCE}:11"], ["who", f"{SOURCE}::Basket.add"]):
        assert "branches: `pytest -q` recorded none; what only it" in answer(forks, *question)
    assert "branches:" not in answer(forks, "who", f"{SOURCE}:8")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("11->18", "line 11 of src/shop/basket.py has the branches 11->12, 11->15"),
        ("12->15", "line 12 of src/shop/basket.py has no branches"),
        ("99->15", "has the lines 1 to 18"),
        # What a shell leaves of an unquoted one.
        ("11-", "a branch has to be quoted"),
        ("11->", f"as in '{SOURCE}:11->15' or '{SOURCE}:11->exit'"),
    ],
)
def test_wrong_branches(forks: DataFile, target: str, words: str) -> None:
    """A branch that is none is an error that says which there are."""
    assert words in whotests(forks, "who", f"{SOURCE}:{target}", status=2).stderr


def test_branch_without_branches(tmp_path: Path) -> None:
    """Without recorded branches, asking for one tells how to record them."""
    done = whotests(make_shop(tmp_path), "who", f"{SOURCE}:11->12", status=2)
    assert "record them with `whotests run --branch" in done.stderr


def test_what_with_branches(forks: DataFile) -> None:
    """`what --json` lists the branches that a test took, and those that no other test takes."""
    value = json.loads(answer(forks, "what", "test_add", "--json"))
    (unit,) = [one for one in value["files"][0]["units"] if one["name"] == "Basket.add"]
    assert (unit["branches"], unit["branches_alone"]) == ([[11, 15]], [[11, 15]])
