"""Settings come from the nearest project, and what is wrong in them is told by name."""

import os
from pathlib import Path

import pytest

from measured_commands import write_files
from whotests.config.settings import load_settings
from whotests.errors import UsageError


def test_defaults_lie_under_the_root(tmp_path: Path) -> None:
    """Without settings: data and cache below the project's folder, nothing asked for."""
    write_files(tmp_path, {"pyproject.toml": "[project]\nname = 'x'\n", "a/b/c.txt": ""})
    settings = load_settings(tmp_path / "a" / "b")
    assert settings.root == tmp_path
    assert settings.data == tmp_path / ".whotests" / "data.db"
    assert settings.cache == tmp_path / ".whotests" / "cache"
    assert (settings.source, settings.omit, settings.context) == ((), (), "")


def test_table_is_read_relative_to_its_file(tmp_path: Path) -> None:
    """Paths are the file's own, names of packages stay names."""
    text = """
        [tool.whotests]
        source = ["lib", "networkx"]
        omit = ["lib/gen/*"]
        context = "nightly"
        data = "out/w.db"
    """
    write_files(tmp_path, {"pyproject.toml": text, "lib/x.py": ""})
    settings = load_settings(tmp_path / "lib")
    assert settings.root == tmp_path
    assert settings.source == (str(tmp_path / "lib"), "networkx")
    assert settings.omit == ("lib/gen/*",)
    assert settings.context == "nightly"
    assert settings.data == tmp_path / "out" / "w.db"


def test_arguments_win(tmp_path: Path) -> None:
    """What is given on the command line replaces the file's, relative to where one is."""
    text = "[tool.whotests]\nsource = ['lib']\nomit = ['x']\ncontext = 'a'\ndata = 'd.db'\n"
    write_files(tmp_path, {"pyproject.toml": text, "lib/x.py": "", "here/y.py": ""})
    settings = load_settings(
        tmp_path / "here", source=("y.py",), omit=("z",), context="", data=Path("e.db")
    )
    assert settings.source == (str(tmp_path / "here" / "y.py"),)
    assert settings.omit == ("z",)
    assert settings.context == ""
    assert settings.data == tmp_path / "here" / "e.db"


def test_root_with_a_table_is_preferred(tmp_path: Path) -> None:
    """A folder above with [tool.whotests] comes before a nearer project without."""
    write_files(
        tmp_path,
        {"pyproject.toml": "[tool.whotests]\n", "part/pyproject.toml": "[project]\nname='p'\n"},
    )
    assert load_settings(tmp_path / "part").root == tmp_path


@pytest.mark.parametrize("marker", ["setup.cfg", "setup.py", "pyproject.toml", ".git/HEAD"])
def test_root_is_the_nearest_project(tmp_path: Path, marker: str) -> None:
    """Each of the usual files marks a project's folder."""
    write_files(tmp_path, {f"p/{marker}": "", "p/q/r.txt": ""})
    assert load_settings(tmp_path / "p" / "q").root == tmp_path / "p"


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    """The message has the file, the key and the one that was meant."""
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\nsources = ['x']\n"})
    with pytest.raises(UsageError, match=r"pyproject\.toml.*'sources'.*nearest is 'source'"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("source = 'lib'", "'source' .* list of strings"),
        ("omit = [1]", r"'omit' .* list of strings, for instance omit = ..\*/migrations"),
        ("context = 3", "'context' .* string"),
        ("data = ['x']", "'data' .* string"),
    ],
)
def test_wrong_type_is_told_with_an_example(tmp_path: Path, line: str, told: str) -> None:
    """The message has the key, the type that it needs and the value that it has."""
    write_files(tmp_path, {"pyproject.toml": f"[tool.whotests]\n{line}\n"})
    with pytest.raises(UsageError, match=told):
        load_settings(tmp_path)


def test_table_that_is_none(tmp_path: Path) -> None:
    """`whotests = 1` below [tool] is told as such."""
    write_files(tmp_path, {"pyproject.toml": "[tool]\nwhotests = 1\n"})
    with pytest.raises(UsageError, match="must be a table"):
        load_settings(tmp_path)


@pytest.mark.parametrize("text", [b"[tool\n", b"x = '\xff'\n"])
def test_broken_toml_is_told(tmp_path: Path, text: bytes) -> None:
    """A pyproject.toml that is no TOML, or no UTF-8, is named."""
    (tmp_path / "pyproject.toml").write_bytes(text)
    with pytest.raises(UsageError, match="is not valid TOML"):
        load_settings(tmp_path)


def test_broken_toml_above_the_project_is_not_ours(tmp_path: Path) -> None:
    """A broken file of somebody else, further up, changes nothing."""
    write_files(tmp_path, {"pyproject.toml": "[tool\n", "p/setup.py": ""})
    assert load_settings(tmp_path / "p").root == tmp_path / "p"


def test_relative_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths come out absolute, whatever goes in."""
    monkeypatch.chdir(tmp_path)
    assert os.path.isabs(load_settings(Path()).data)


def test_branches_and_rules(tmp_path: Path) -> None:
    """Branches are off and rules the usual ones, until the table says otherwise."""
    settings = load_settings(tmp_path)
    assert not settings.branch
    assert (settings.exclude_lines, settings.partial_branches) == (None, None)
    assert (settings.exclude_also, settings.partial_also) == ((), ())
    text = r"""
        [tool.whotests]
        branch = true
        exclude_lines = []
        exclude_also = ['^\s*raise NotImplementedError']
        partial_branches = ["# one way"]
        partial_also = ["while busy:"]
    """
    write_files(tmp_path, {"pyproject.toml": text})
    settings = load_settings(tmp_path)
    assert settings.branch
    assert settings.exclude_lines == ()
    assert settings.exclude_also == (r"^\s*raise NotImplementedError",)
    assert settings.partial_branches == ("# one way",)
    assert settings.partial_also == ("while busy:",)
    assert not load_settings(tmp_path, branch=False).branch


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("branch", "'yes'", ["'branch'", "true or false", "'yes'"]),
        ("exclude_also", "'x'", ["'exclude_also'", "list of strings"]),
        ("exclude_lines", "['a', 'b(']", ["'exclude_lines'", "'b('", "at position 1"]),
        ("partial_also", "['*']", ["'partial_also'", "'*'", "at position 0"]),
        ("partial_branches", "['(?i)x']", ["'partial_branches'", "(?i:...)"]),
        ("exclude_also", "['a', '(?i)x']", ["'exclude_also'", "'(?i)x'", "(?i:...)"]),
        ("exclude_lines", "['a', '(?i)x']", ["'exclude_lines'", "'(?i)x'", "(?i:...)"]),
        ("partial_also", "['(?P<a>x)', '(?P<a>y)']", ["'partial_also'", "'a'", "name of its own"]),
    ],
)
def test_wrong_rules_are_named(tmp_path: Path, key: str, value: str, words: list[str]) -> None:
    """What is wrong is told with the file, the key, the expression and the place in it."""
    write_files(tmp_path, {"pyproject.toml": f"[tool.whotests]\n{key} = {value}\n"})
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path)
    for word in (str(tmp_path / "pyproject.toml"), *words):
        assert word in str(caught.value)


def test_an_expression_that_alone_excludes(tmp_path: Path) -> None:
    """It may begin with flags, as no other stands beside it; white space around it is left off."""
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\nexclude_lines = [' (?i)x ', ' ']\n"})
    assert load_settings(tmp_path).exclude_lines == ("(?i)x",)
