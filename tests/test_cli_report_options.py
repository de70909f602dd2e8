"""`whotests report` tells of the files and contexts that it is asked for, in the form asked for."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from measured_commands import Ended, run_measured, run_plain, write_files
from whotests.config.file_settings import SORT_COLUMNS
from whotests.query.report import SortKey

PROJECT = {
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "shop/__init__.py": "",
    "shop/a_b.py": """
        def sell(n):
            if n:
                return n
            return 0

        def close():
            return "closed"
    """,
    "shop/full.py": "def f():\n    return 1\n",
    "shop/gen/__init__.py": "",
    "shop/gen/made.py": "def made():\n    return 5\n",
    "test_shop.py": """
        from shop import a_b, full
        from shop.gen import made

        def test_sell():
            assert a_b.sell(1) == 1

        def test_close():
            assert a_b.close() == "closed"

        def test_full():
            assert full.f() == 1
    """,
}
PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the data of a run of its tests, with branches."""
    folder = tmp_path_factory.mktemp("shop")
    write_files(folder, PROJECT)
    ended = run_measured(*PYTEST, cwd=folder, options=("--source", "shop", "--branch"))
    assert ended.status == 0, ended.out + ended.err
    return folder


@pytest.fixture(autouse=True)
def usual_settings(shop: Path) -> None:
    """Each test begins without settings."""
    write_files(shop, {"pyproject.toml": PROJECT["pyproject.toml"]})


def report(folder: Path, *options: str, status: int = 0) -> Ended:
    ended = run_plain("python", "-m", "whotests", "report", *options, cwd=folder)
    assert ended.status == status, ended.out + ended.err
    return ended


def listed(text: str) -> list[str]:
    """The files of a report, in order."""
    return re.findall(r"^(shop/\S+)", text, re.MULTILINE)


def total(text: str) -> list[str]:
    """Statements, missing, branches, partial and percentage of all."""
    found = re.search(r"^total +(.+?%)", text, re.MULTILINE)
    assert found is not None
    return found[1].split()


EVERYTHING = [
    "shop/__init__.py",
    "shop/a_b.py",
    "shop/full.py",
    "shop/gen/__init__.py",
    "shop/gen/made.py",
]


@pytest.mark.parametrize(
    ("options", "settings", "files", "figures"),
    [
        ("", "", EVERYTHING, "10 2 2 1 75%"),
        ("--include shop/gen/*", "report_include = ['shop/gen/*']", EVERYTHING[3:], "2 1 0 0 50%"),
        (
            "--include a_b.py --include full.py",
            "report_include = ['a_b.py', 'full.py']",
            EVERYTHING[1:3],
            "8 1 2 1 80%",
        ),
        (
            "--omit shop/gen --omit */a_b.py",
            "report_omit = ['shop/gen', '*/a_b.py']",
            ["shop/__init__.py", "shop/full.py"],
            "2 0 0 0 100%",
        ),
        (
            "--skip-covered",
            "skip_covered = true",
            ["shop/a_b.py", "shop/gen/made.py"],
            "10 2 2 1 75%",
        ),
        (
            "--skip-empty",
            "skip_empty = true",
            ["shop/a_b.py", "shop/full.py", "shop/gen/made.py"],
            "10 2 2 1 75%",
        ),
        ("--contexts test_sell", "report_contexts = ['test_sell']", EVERYTHING, "10 8 2 1 25%"),
        (
            "--contexts test_close\\|run --contexts full",
            "report_contexts = ['test_close\\|run', 'full']",
            EVERYTHING,
            "10 8 2 0 17%",
        ),
        ("--contexts nobody", "report_contexts = ['nobody']", EVERYTHING, "10 10 2 0 0%"),
    ],
)
def test_what_a_report_speaks_of(
    shop: Path, options: str, settings: str, files: list[str], figures: str
) -> None:
    """Files and contexts, chosen by options or by the settings; what is not listed counts in the
    total only where it is skipped."""
    text = report(shop, *options.split()).out
    assert listed(text) == files
    assert total(text) == figures.split()
    write_files(shop, {"pyproject.toml": f"[tool.whotests]\n{settings}\n"})
    assert report(shop).out == text


def test_options_win_over_settings(shop: Path) -> None:
    """Each option has a way to say the contrary of the settings."""
    text = report(shop).out
    table = (
        "[tool.whotests]\nskip_covered = true\nskip_empty = true\nshow_missing = true\n"
        "precision = 3\nsort = '-cover'\nformat = 'markdown'\nreport_include = ['x']\n"
    )
    write_files(shop, {"pyproject.toml": table})
    options = ["--no-skip-covered", "--no-skip-empty", "--no-show-missing", "--precision", "0"]
    options += ["--sort", "name", "--format", "text", "--include", "*"]
    assert report(shop, *options).out == text


@pytest.mark.parametrize(
    ("sort", "files"),
    [
        ("missing", ["shop/a_b.py", "shop/gen/made.py"]),
        ("+missing", ["shop/__init__.py", "shop/full.py"]),
        ("-missing", ["shop/gen/made.py", "shop/a_b.py"]),
        ("-name", EVERYTHING[:2:-1][:2]),
        ("cover", ["shop/gen/made.py", "shop/a_b.py"]),
        ("-cover", ["shop/gen/__init__.py", "shop/full.py"]),
        ("+branches", ["shop/__init__.py", "shop/full.py"]),
    ],
)
def test_order(shop: Path, sort: str, files: list[str]) -> None:
    """Columns have a direction of their own, which '+' and '-' change; ties by name, which goes
    the same way."""
    assert listed(report(shop, "--sort", sort).out)[:2] == files


def test_columns_of_settings() -> None:
    """Settings know the columns that there are."""
    assert tuple(key.value for key in SortKey) == SORT_COLUMNS


def test_markdown(shop: Path) -> None:
    """A table that Markdown shows as it is meant, names with underscores, too."""
    out = report(shop, "--format", "markdown", "-m", "--skip-covered").out
    assert out == (
        "| file | statements | missing | branches | partial | cover | tests | import only "
        "| missing lines and branches |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
        "| shop/a\\_b.py | 6 | 1 | 2 | 1 | 75% | 2 | 2 | 4 |\n"
        "| shop/gen/made.py | 2 | 1 | 0 | 0 | 50% | 0 | 1 | 2 |\n"
        "| **total** | **10** | **2** | **2** | **1** | **75%** | **3** | **4** |  |\n"
        "\n"
        "3 files not listed: nothing of them is missing.\n"
    )


def test_one_number(shop: Path) -> None:
    """For badges: the percentage alone, with the digits asked for."""
    assert report(shop, "--format", "total").out == "75\n"
    assert report(shop, "--format", "total", "--precision", "2").out == "75.00\n"


def test_fail_under_of_the_settings(shop: Path) -> None:
    """It counts without an option, and is named as what it is; 0 on the command line lifts it."""
    write_files(shop, {"pyproject.toml": "[tool.whotests]\nfail_under = 75.5\n"})
    told = "75.0% of the statements and branches ran, less than the 75.5% of 'fail_under' in the"
    assert told in report(shop, status=2).err
    assert report(shop, "--fail-under", "0").err == ""
    assert report(shop, "--skip-covered", "--fail-under", "75").err == ""


def test_json_has_all_files(shop: Path) -> None:
    """What is skipped in a table is not in JSON; what is left out is."""
    answer = json.loads(report(shop, "--json", "--skip-covered", "--omit", "*/gen/*").out)
    assert [file["path"] for file in answer["files"]] == EVERYTHING[:3]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--sort size", "is not one of name, statements"),
        ("--include a**", "--include: the pattern 'a**'"),
        ("--contexts b(", "--contexts has an invalid regular expression, 'b('"),
        ("--include nowhere.py", "no file of the data is left by --include 'nowhere.py'; patterns"),
        ("--format pdf", "'pdf' is not one of"),
        ("--config gone.toml", "cannot read"),
    ],
)
def test_what_is_wrong_is_named(shop: Path, options: str, told: str) -> None:
    """Exit status 2 and one sentence."""
    assert told in report(shop, *options.split(), status=2).err


def test_keys_without_meaning_are_told_once(shop: Path, tmp_path: Path) -> None:
    """Those of reports by `report`, those of runs by `run`, each on standard error."""
    write_files(tmp_path, {".coveragerc": "[run]\ntimid = 1\n[xml]\noutput = x\n", "p.py": "1\n"})
    ended = run_measured("python", "p.py", cwd=tmp_path)
    assert ended.err == (
        "whotests: .coveragerc: 'timid' of [run] changes nothing: there is one way to measure, "
        "and no tracer to choose\n"
    )
    assert report(tmp_path).err == (
        "whotests: .coveragerc: 'output' of [xml] changes nothing: `whotests export` writes where "
        "its option -o says\n"
    )


def test_the_command_of_the_settings(tmp_path: Path) -> None:
    """`whotests run` alone runs it."""
    settings = "[tool.whotests]\ncommand = ['python', 'p.py', 'x y']\n"
    write_files(tmp_path, {"pyproject.toml": settings, "p.py": "import sys; print(sys.argv[1:])"})
    ended = run_plain("python", "-m", "whotests", "run", cwd=tmp_path)
    assert (ended.status, ended.out) == (0, "['x y']\n")


def test_include_of_a_run(tmp_path: Path) -> None:
    """Of the source, only files that match are measured and listed."""
    write_files(tmp_path, PROJECT)
    options = ("--source", "shop", "--include", "shop/gen/*", "--include", "full.py")
    assert run_measured(*PYTEST, cwd=tmp_path, options=options).status == 0
    assert listed(report(tmp_path).out) == EVERYTHING[2:]


def test_exports_leave_out_what_reports_leave_out(shop: Path) -> None:
    """Formats of figures go by the settings; data is written whole."""
    write_files(shop, {"pyproject.toml": "[tool.whotests]\nreport_omit = ['*/gen/*']\n"})
    words = ("python", "-m", "whotests", "export", "lcov", "-o", "-")
    assert "made.py" not in run_plain(*words, cwd=shop).out
    assert "SF:shop/gen/made.py" in run_plain(*words, "--omit", "*/full.py", cwd=shop).out
    ended = run_plain("python", "-m", "whotests", "export", "sqlite", "--omit", "x", cwd=shop)
    assert ended.status == 2
    assert "whotests subset --files" in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names")
def test_exports_leave_what_is_no_file_what_it_is(shop: Path, tmp_path: Path) -> None:
    """A pipe gets what is exported, and a link leads where it led: neither becomes a file."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "real.info")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        for place in (pipe, link):
            words = ("python", "-m", "whotests", "export", "lcov", "-o", str(place))
            ended = run_plain(*words, cwd=shop)
            assert (ended.status, ended.out) == (0, f"wrote {place}\n"), ended.err
        assert b"SF:shop/full.py" in os.read(reader, 1 << 16)
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert "SF:shop/full.py" in (tmp_path / "real.info").read_text()
