"""The commands that ask, as a person meets them: text, JSON, exit status, errors."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from asking import answer, make_forks, make_shop, whotests
from data_files import BASKET, INIT, SOURCE, DataFile, Measured, basket_of
from whotests.types import FileState, RunStatus, UnitKind


@pytest.fixture
def shop(tmp_path: Path) -> DataFile:
    """A project with the data of one run."""
    return make_shop(tmp_path)


def test_who(shop: DataFile) -> None:
    """`who` shows the line, the tests in a table, and a command to run them again."""
    assert answer(shop, "who", f"{SOURCE}:12") == (
        f"{SOURCE}:12\n"
        "  + 12 | raise ValueError(\n"
        "\n"
        "1 test ran it:\n"
        "test                          outcome    time  phase     runs\n"
        "tests/test_b.py::test_refuse  failed   250 ms  call   3 lines\n"
        "\n"
        "Run it again:\n"
        "  pytest tests/test_b.py::test_refuse\n"
    )


def test_who_nothing(shop: DataFile) -> None:
    """`who` says so when nothing ran it, and where the nearest lines are that ran."""
    assert answer(shop, "who", f"{SOURCE}:18") == (
        f"{SOURCE}:18\n"
        "  ! 18 | return os.getcwd()\n"
        "  Nothing ran it.\n"
        "  The nearest line that ran: 15 (2 tests).\n"
    )


def test_who_no_statement(shop: DataFile) -> None:
    """`who` says when there is nothing to run."""
    expected = (
        "Line 3 is no statement, so nothing can run it; the nearest statements are at 1 and 4."
    )
    assert expected in answer(shop, "who", f"{SOURCE}:3")


def test_who_import(shop: DataFile) -> None:
    """`who` says when only importing runs it."""
    text = answer(shop, "who", f"{SOURCE}:5")
    assert "No test runs it: it runs when the file is imported." in text
    assert "The nearest line that a test ran: 8 (4 tests)." in text


def test_who_import_and_nothing(shop: DataFile) -> None:
    """`who` of lines of which importing runs some names those that nothing ran."""
    text = answer(shop, "who", f"{SOURCE}:16-18")
    assert "No test runs it: it runs when the file is imported.\n  Nothing ran line 18.\n" in text


def test_who_of_an_empty_file(tmp_path: Path) -> None:
    """`who` says of a file that holds nothing that nothing can run it."""
    data = DataFile(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    empty = Measured(
        path="src/shop/__init__.py",
        text="",
        statements=frozenset(),
        units={"": (UnitKind.MODULE, 1, 1)},
    )
    data.save(empty)
    with data.run() as run:
        run.file(empty)
    assert "It holds no statement, so nothing can run it." in answer(data, "who", empty.path)


def test_who_function_by_its_dotted_name(shop: DataFile) -> None:
    """`who` of a function shows which lines each test ran and which none did."""
    text = answer(shop, "who", "shop.basket.Basket.add")
    assert f"{SOURCE}::Basket.add  lines 10-15\n    10 | def add(self, name):\n  + 11 |" in text
    assert re.search(r"test_refuse +failed +250 ms +call +3 lines +11-12\n", text)


def test_who_from_a_subfolder(shop: DataFile) -> None:
    """`who` says where to run the tests again when that is another folder than this one."""
    done = subprocess.run(
        [sys.executable, "-m", "whotests", "who", "basket.py:12"],
        cwd=shop.root / "src" / "shop",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"Run it again, in {shop.root}:\n  pytest tests/test_b.py::test_refuse\n" in done.stdout


def test_stale(shop: DataFile) -> None:
    """An answer about a file that changed is marked, with the date, and shows no wrong lines."""
    (shop.root / SOURCE).write_text("#\n" + BASKET)
    text = answer(shop, "who", f"{SOURCE}:12")
    assert text.startswith(f"{SOURCE}:12  stale\n\n1 test ran it:")
    assert re.search(
        rf"note: stale: {SOURCE} changed since; this speaks of what was recorded "
        r"2025-06-1\d \d\d:\d\d, version [0-9a-f]{8}\. Run again",
        text,
    )


def test_gone(shop: DataFile) -> None:
    """The same of a file that is gone."""
    (shop.root / SOURCE).unlink()
    assert f"stale: {SOURCE} is gone; this speaks" in answer(shop, "report")


def test_what(shop: DataFile) -> None:
    """`what` shows the lines that the test ran, and marks those that no other test runs."""
    assert answer(shop, "what", "refuse") == (
        "tests/test_b.py::test_refuse  failed  250 ms\n"
        "It ran 3 lines in 1 file; 1 of them no other test runs (marked *).\n"
        "\n"
        f"{SOURCE}  3 lines, 1 run by no other test\n"
        "  Basket.__init__\n"
        "       8 | self.items = []\n"
        "  Basket.add\n"
        "      11 | if not name:\n"
        "    * 12 |     raise ValueError(\n"
        '      13 |         "name"\n'
        "      14 |     )\n"
    )


def test_what_brief(shop: DataFile) -> None:
    """`what --brief` shows line numbers only."""
    text = answer(shop, "what", "refuse", "--brief")
    assert text.endswith("  Basket.__init__  8\n  Basket.add  11-12  * 12\n")


def test_report(shop: DataFile) -> None:
    """`report` is a table with a total."""
    assert answer(shop, "report", "--show-missing") == (
        "file                statements  missing  cover  tests  import only  missing lines\n"
        "src/shop/basket.py          11        1    91%      4            6  18\n"
        "total                       11        1    91%      4            6\n"
    )


def test_functions_that_nothing_imported(tmp_path: Path) -> None:
    """Functions of a file that nothing imported are known as long as its text is on the disk."""
    data = DataFile(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    basket = replace(basket_of(), state=FileState.NOT_IMPORTED)
    data.save(basket)
    with data.run() as run:
        run.file(basket)
    for target in (f"{SOURCE}::Basket.add", "Basket.add", "shop.basket.Basket.add"):
        text = answer(data, "who", target)
        assert text.startswith(f"{SOURCE}::Basket.add  lines 10-15\n")
        assert "Nothing imported it" in text
    (file,) = json.loads(answer(data, "report", "--json"))["files"]
    names = ["Basket.__init__", "Basket.add", "Basket.never", ""]
    assert [one["name"] for one in file["functions"]] == names
    (tmp_path / SOURCE).write_text(BASKET + "#\n")
    done = whotests(data, "who", f"{SOURCE}::Basket.add", status=2)
    assert "has changed since, so its functions are not known" in done.stderr
    (file,) = json.loads(answer(data, "report", "--json"))["files"]
    assert (file["functions"], file["missing"]) == (None, 11)


@pytest.mark.parametrize(("under", "status"), [("90.9", 0), ("91", 0), ("92", 2), ("100", 2)])
def test_fail_under(shop: DataFile, under: str, status: int) -> None:
    """`report --fail-under` prints the report, and ends with 2 when less ran."""
    done = whotests(shop, "report", "--fail-under", under, status=status)
    assert "total" in done.stdout
    assert ("91% of the statements ran, less than the" in done.stderr) == bool(status)


def test_what_of_nothing(shop: DataFile) -> None:
    """An empty test is an error of its own, not a part of every id."""
    assert "the test is empty; give its id" in whotests(shop, "what", "", status=2).stderr


def test_report_of_nothing(tmp_path: Path) -> None:
    """Where no file is counted, `report` says so, and `--fail-under` does not pass."""
    data = DataFile(tmp_path)
    with data.run():
        pass
    assert "note: nothing: no file is counted; record a run" in answer(data, "report")
    done = whotests(data, "report", "--fail-under", "50", status=2)
    assert done.stderr == "whotests: no file is counted, so --fail-under has nothing to hold\n"


def test_status(shop: DataFile) -> None:
    """`status` shows the run, when it was, and its tests."""
    text = answer(shop, "status")
    assert "1 run, 4 tests, 5 contexts, 1 file\n" in text
    assert "pytest -q\n  finished  2025-06-1" in text
    assert "4 tests: 3 passed, 1 failed\n" in text
    assert text.endswith("All files are as they were recorded.\n")


@pytest.mark.parametrize(
    ("end", "note", "expected"),
    [
        (RunStatus.INTERRUPTED, "", "incomplete: `pytest -q` of 2025-06-1"),
        (RunStatus.INCOMPLETE, "2 files lost", "could not be recorded completely (2 files lost)."),
        (RunStatus.RUNNING, "", "was killed; what it wrote until 2025-06-1"),
    ],
)
def test_incomplete_run(tmp_path: Path, end: RunStatus, note: str, expected: str) -> None:
    """Answers from a run that did not end well say so."""
    data = DataFile(tmp_path)
    with data.run(status=end, note=note) as run:
        run.file(basket_of())
        run.test("t", INIT)
    text = answer(data, "who", f"{SOURCE}:8")
    assert "1 test ran it:" in text
    assert expected in text


def test_json(shop: DataFile) -> None:
    """Each answer is a JSON object that says what it is."""
    questions = (["who", SOURCE], ["what", "*"], ["report"], ["status"])
    for arguments in questions:
        value = json.loads(answer(shop, *arguments, "--json"))
        assert value["format"] == f"whotests-{arguments[0]}"
        assert value["version"] == 1
        assert value["data"] == str(shop.path)


def test_json_is_as_documented(shop: DataFile, tmp_path_factory: pytest.TempPathFactory) -> None:
    """docs/json.md names every key of every answer, and no other."""
    text = (Path(__file__).parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
    # What whotests test writes is no answer; that of history needs runs of its own to test it.
    text = re.sub(r"^## (test|history)$.*?(?=^## |\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    (shop.root / SOURCE).unlink()
    found: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                # These are mappings by path, state and outcome.
                paths = ("files", "outcomes", "lines", "branches")
                if key not in paths or not isinstance(inner, dict):
                    collect(inner)
                found.add(key)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)

    for arguments in (
        ["who", f"{SOURCE}:18"],
        ["who", SOURCE],
        ["what", "*"],
        ["report"],
        ["status"],
        ["runs"],
        ["sql", "SELECT 1"],
    ):
        collect(json.loads(answer(shop, *arguments, "--json")))
    forks = make_forks(tmp_path_factory.mktemp("forks"))
    collect(json.loads(answer(forks, "who", f"{SOURCE}:11", "--json")))
    collect(json.loads(answer(forks, "report", "--json")))
    documented = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    assert found == documented


def test_who_json(shop: DataFile) -> None:
    """The JSON of `who` holds lines as numbers."""
    value = json.loads(answer(shop, "who", f"{SOURCE}:11-12", "--json"))
    assert value["targets"][0]["tested"] == [11, 12]
    by_test = {hit["test"]: hit["lines"][SOURCE] for hit in value["tests"]}
    assert by_test["tests/test_b.py::test_refuse"] == [11, 12]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["who", "nope.py"], "whotests: nope.py is no file of the data"),
        (["what", "nope"], "whotests: no test is called nope"),
        (["who", "x", "--data", "none.db"], "whotests: no data yet:"),
        (["who"], "Missing argument 'TARGET...'"),
        (["repot"], "no such command 'repot'; did you mean 'report'?"),
        (["report", "--sort", "size"], "is not one of name, statements"),
    ],
)
def test_errors(shop: DataFile, arguments: list[str], message: str) -> None:
    """What cannot be answered ends with status 2 and one clear sentence on standard error."""
    done = whotests(shop, *arguments, status=2)
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_damaged_file(shop: DataFile) -> None:
    """A data file that was cut short is named, with what to do."""
    shop.path.write_bytes(shop.path.read_bytes()[:5000])
    done = whotests(shop, "status", status=2)
    assert "is cut short or damaged; delete it and record again" in done.stderr


def test_colour(shop: DataFile) -> None:
    """Colour comes when it is asked for, and NO_COLOR takes it away."""
    coloured = whotests(shop, "report", FORCE_COLOR="1").stdout
    assert "\x1b[" in coloured
    assert "\x1b[3" not in whotests(shop, "report", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b" not in answer(shop, "report")


def test_narrow(shop: DataFile) -> None:
    """A narrow terminal gets fewer columns, and all of each test's name."""
    text = whotests(shop, "who", SOURCE, COLUMNS="50", FORCE_COLOR="1", NO_COLOR="1").stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    table = plain[plain.index("test ") : plain.index("Run them")]
    assert max(map(len, table.splitlines())) <= 50
    assert "tests/test_b.py::test_refuse" in table


def test_room_for_names(shop: DataFile) -> None:
    """A terminal goes without other columns only as far as the names need their room."""
    text = whotests(shop, "who", SOURCE, COLUMNS="60", FORCE_COLOR="1", NO_COLOR="1").stdout
    header = re.search(r"test +outcome.*", re.sub(r"\x1b\[[0-9;]*m", "", text))
    assert header is not None
    assert header[0].split() == ["test", "outcome", "runs", "of", "it"]
    assert "tests/test_b.py::test_refuse " in text


def test_output_of_any_encoding(shop: DataFile) -> None:
    """Answers need no more than ASCII of their own."""
    done = whotests(shop, "who", SOURCE, PYTHONIOENCODING="ascii")
    assert "4 tests ran it" in done.stdout


def test_help_loads_no_command(shop: DataFile) -> None:
    """`--help` and one command load no other command, and asking loads no rich for JSON."""
    code = (
        "import sys; from whotests.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "print(*sorted(m for m in sys.modules if m.startswith(('whotests.cli.', 'rich'))))"
    )

    def loaded(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=shop.root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]

    assert loaded("--help") == "whotests.cli.group"
    assert loaded("who", SOURCE, "--json") == (
        "whotests.cli.asking whotests.cli.group whotests.cli.who"
    )


def test_an_answer_loads_no_more_than_it_needs(shop: DataFile) -> None:
    """Asking one data file loads nothing of merging, SQL, recording or exports, and nothing that
    starts processes."""
    code = (
        "import sys; from whotests.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path[:0] = {sys.path!r}\n{code}",
            "who",
            SOURCE,
        ],
        cwd=shop.root,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.splitlines()[-1].split()
    assert "whotests.store.reader" in loaded
    for name in ("store.merging", "store.stored", "store.writer", "sql", "recording", "formats"):
        assert f"whotests.{name}" not in loaded
    assert "subprocess" not in loaded
