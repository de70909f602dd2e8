"""`whotests migrate` writes what coverage.py's settings say, and tells what changes."""

import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measured_commands import Ended, run_plain, write_files
from whotests.config.file_settings import FileSettings
from whotests.config.own_table import read_own_table
from whotests.config.own_toml import table_text
from whotests.config.pytest_cov import translated_words
from whotests.config.settings import load_settings

RC = """
    [run]
    branch = true
    source =
        shop
        tools
    parallel = true
    context = py-${LABEL-none}
    data_file = out/.coverage

    [report]
    exclude_also =
        def __repr__
        if x == '\\d "quoted"':
    fail_under = 90
    sort = -cover

    [paths]
    shop =
        shop
        */site-packages/shop
"""


def migrate(folder: Path, *options: str, status: int = 0, **env: str) -> Ended:
    ended = run_plain("python", "-m", "whotests", "migrate", *options, cwd=folder, env=env)
    assert ended.status == status, ended.out + ended.err
    return ended


def test_the_table_says_the_same(tmp_path: Path) -> None:
    """With it, every setting is what it was with coverage.py's file."""
    write_files(tmp_path, {".coveragerc": RC, "shop/x.py": "", "tools/y.py": ""})
    before = load_settings(tmp_path, environ={"LABEL": "7"})
    ended = migrate(tmp_path, LABEL="7")
    after = load_settings(tmp_path)
    assert after.file == tmp_path / "pyproject.toml"
    assert after == before._replace(file=after.file, unused=())
    assert ended.out == "wrote [tool.whotests] to pyproject.toml:\n\n" + after.file.read_text()
    for told in (
        "[run] parallel: left out; all processes",
        "[run] context: variables of the environment are filled in",
        "[run] data_file: data; ours lies beside",
        "[report] sort: the columns have their full names",
    ):
        assert ended.err.count(f"whotests: {told}") == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_file_stays_as_it_was(tmp_path: Path, newline: str) -> None:
    """The table comes at the end; every byte before it, and the mode, are those of before."""
    before = f'# mine{newline}[project]{newline}name   = "x"'.encode()
    file = tmp_path / "pyproject.toml"
    file.write_bytes(before)
    file.chmod(0o640)
    write_files(tmp_path, {".coveragerc": "[run]\nbranch = true\n"})
    migrate(tmp_path)
    expected = f"{newline}{newline}[tool.whotests]{newline}branch = true{newline}".encode()
    assert file.read_bytes() == before + expected
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == [".coveragerc", "pyproject.toml"]


def test_print_leaves_files_alone(tmp_path: Path) -> None:
    """With `--print`, the table is on standard output, and nothing else happens."""
    write_files(tmp_path, {"setup.cfg": "[coverage:run]\nbranch = true\nsource_pkgs = shop\n"})
    ended = migrate(tmp_path, "--print")
    assert ended.out == '[tool.whotests]\nsource_pkgs = ["shop"]\nbranch = true\n'
    assert ended.err == ""
    assert [path.name for path in tmp_path.iterdir()] == ["setup.cfg"]


@pytest.mark.parametrize(
    ("files", "options", "told"),
    [
        ({}, (), "there are no settings of coverage.py's in"),
        ({"tox.ini": "[tox]\n"}, (), "there are no settings of coverage.py's in"),
        (
            {".coveragerc": "", "pyproject.toml": "[tool.whotests]\n"},
            (),
            "has [tool.whotests] already",
        ),
        (
            {".coveragerc": "", "pyproject.toml": "tool = {}\n"},
            (),
            "takes no table [tool.whotests]",
        ),
        ({".coveragerc": "[run]\nbranch = 5\n"}, (), "'branch' of [run] must be true or false"),
        ({}, ("--config", "gone.ini"), "cannot read"),
    ],
)
def test_what_cannot_be_migrated(
    tmp_path: Path, files: dict[str, str], options: tuple[str, ...], told: str
) -> None:
    """The message says what is wrong and what to do, and all files stay as they were."""
    write_files(tmp_path, files)
    ended = migrate(tmp_path, *options, status=2)
    assert told in ended.err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_addopts(tmp_path: Path) -> None:
    """Options of pytest-cov in pytest's settings are told with ours."""
    files = {
        ".coveragerc": "[run]\nsource = .\n",
        "pytest.ini": "[pytest]\naddopts = -q --cov=shop --cov-report=html\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['--cov', 'shop', '-x']\n",
    }
    write_files(tmp_path, files)
    told = migrate(tmp_path).err
    assert (
        "whotests: pytest.ini: instead of `--cov=shop --cov-report=html` pytest needs "
        "`--whotests=shop`; there are no reports in HTML\n" in told
    )
    assert (
        "whotests: pyproject.toml: instead of `--cov shop` pytest needs "
        "`--whotests=shop --whotests-report=term`\n" in told
    )


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("--cov", "--whotests --whotests-report=term"),
        ("--cov --cov-report=", "--whotests --whotests-report="),
        ("--cov=a --cov b --cov-report xml:x", "--whotests=a --whotests=b --whotests-report=xml:x"),
        ("--no-cov --cov-reset", "--no-whotests --whotests-reset"),
        ("--cov=html5lib --cov-report=html:out", "--whotests=html5lib"),
        ("--cov-fail-under 80 -x", "--whotests-fail-under=80"),
        ("--cov-context=test --cov-config=.coveragerc", ""),
        ("-x --verbose", ""),
    ],
)
def test_words_of_pytest_cov(words: str, ours: str) -> None:
    """Each option of pytest-cov has its counterpart, with its value."""
    assert " ".join(translated_words(words.split())[1]) == ours


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
LISTS = st.lists(TEXTS, max_size=4).map(tuple)


KEYS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "source": LISTS,
        "context": TEXTS,
        "branch": st.booleans(),
        "command": LISTS,
        "fail_under": st.one_of(st.none(), st.floats(0, 100)),
        "precision": st.integers(0, 9),
        "paths": st.dictionaries(TEXTS, LISTS.filter(bool), max_size=3).map(
            lambda groups: tuple(groups.items())
        ),
    }
)


@settings(max_examples=200, deadline=None)
@given(KEYS.map(lambda keys: FileSettings()._replace(**keys)))
def test_any_table_comes_back(said: FileSettings) -> None:
    """Whatever stands in the settings, TOML gives it back."""
    table = tomllib.loads(table_text(said))["tool"]["whotests"]
    assert read_own_table(table, file=Path("x")) == said


def test_a_link_stays_one() -> None:
    """Where pyproject.toml is a link, the file that it leads to has the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, {".coveragerc": "[run]\nbranch = 1\n", "else/where.toml": ""})
        (folder / "pyproject.toml").symlink_to("else/where.toml")
        migrate(folder)
        assert (folder / "pyproject.toml").is_symlink()
        assert (folder / "else/where.toml").read_text() == "[tool.whotests]\nbranch = true\n"
        assert json.dumps(sorted(path.name for path in (folder / "else").iterdir())) == (
            '["where.toml"]'
        )
