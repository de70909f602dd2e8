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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fail_under = 101", "'fail_under' .* number from 0 to 100, for instance fail_under = 90"),
        ("fail_under = nan", "'fail_under' .* number from 0 to 100"),
        ("fail_under = true", "'fail_under' .* number from 0 to 100"),
        ("precision = 10", "'precision' .* whole number from 0 to 9"),
        ("precision = 1.5", "'precision' .* whole number from 0 to 9"),
        ("precision = true", "'precision' .* whole number from 0 to 9"),
        ("keep_runs = 0", "'keep_runs' .* whole number from 1 on"),
        ("sort = 'size'", "'sort' .* one of name, statements"),
        ("sort = 1", "'sort' .* one of name, statements"),
        ("format = 'html'", "'format' .* one of text, markdown, total"),
        ("format = ['text']", "'format' .* one of text, markdown, total"),
        ("skip_empty = 1", "'skip_empty' .* true or false"),
        ("command = 'pytest'", "'command' .* list of strings"),
        ("report_contexts = ['b(']", "'report_contexts' .* invalid regular expression, 'b\\('"),
        ("omit = ['a**']", r"'omit' .*: the pattern 'a\*\*'"),
        ("report_include = ['[']", r"'report_include' .*: the pattern '\['"),
        ("paths = ['a']", "'paths' .* table of lists of strings, for instance paths = {"),
        ("paths = { a = [] }", "'paths' .* table of lists of strings"),
        ("run_name = 'all'", "'run_name' .*: a run cannot be called 'all'"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, line: str, told: str) -> None:
    """Each key says what it needs, and what it has."""
    write_files(tmp_path, {"pyproject.toml": f"[tool.whotests]\n{line}\n"})
    with pytest.raises(UsageError, match=rf"pyproject\.toml: {told}"):
        load_settings(tmp_path)


def test_settings_of_reports_and_machines(tmp_path: Path) -> None:
    """All that is not about measuring comes as it stands in the file."""
    text = """
        [tool.whotests]
        command = ["pytest", "-q"]
        fail_under = 85
        format = "markdown"
        include = ["lib/*"]
        include_namespace_packages = true
        precision = 1
        report_contexts = [" test_a "]
        report_include = ["*/x.py"]
        report_omit = ["gen"]
        show_missing = true
        skip_covered = true
        skip_empty = true
        sort = "-import"
        source_pkgs = ["lib"]

        [tool.whotests.paths]
        lib = ["lib", "/ci/*/lib"]
    """
    write_files(tmp_path, {"pyproject.toml": text, "lib/x.py": ""})
    read = load_settings(tmp_path)
    assert read.command == ("pytest", "-q")
    assert (read.fail_under, read.format, read.precision) == (85.0, "markdown", 1)
    assert (read.include, read.include_namespace_packages) == (("lib/*",), True)
    assert read.paths == (("lib", ("lib", "/ci/*/lib")),)
    assert read.report_contexts == ("test_a",)
    assert (read.report_include, read.report_omit) == (("*/x.py",), ("gen",))
    assert (read.show_missing, read.skip_covered, read.skip_empty) == (True, True, True)
    assert (read.sort, read.source_pkgs, read.unused) == ("-import", ("lib",), ())


def test_globs_of_the_command_line(tmp_path: Path) -> None:
    """They are relative to where they were typed, but for names that fit anywhere."""
    write_files(tmp_path, {"setup.py": "", "sub/gen/x.py": ""})
    globs = ("gen", "gen/*.py", "x.py", "*/y.py", "/z/*")
    read = load_settings(tmp_path / "sub", omit=globs, include=globs)
    sub = tmp_path / "sub"
    assert read.omit == (f"{sub}/gen", f"{sub}/gen/*.py", "x.py", "*/y.py", "/z/*")
    assert read.include == read.omit
    with pytest.raises(UsageError, match=r"--include: the pattern 'a\*\*'"):
        load_settings(tmp_path, include=("a**",))


def test_source_on_the_command_line_replaces_packages(tmp_path: Path) -> None:
    """What is named there is measured, and nothing of what the file names."""
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\nsource_pkgs = ['a']\n"})
    read = load_settings(tmp_path, source=("b",))
    assert (read.source, read.source_pkgs) == (("b",), ())


@pytest.mark.parametrize("marker", [".coveragerc", ".coveragerc.toml", "tox.ini"])
def test_files_of_coverage_mark_a_project(tmp_path: Path, marker: str) -> None:
    """Where coverage.py would be run is the project's folder."""
    write_files(tmp_path, {f"p/{marker}": "", "p/q/r.txt": "", "setup.py": ""})
    assert load_settings(tmp_path / "p" / "q").root == tmp_path / "p"
