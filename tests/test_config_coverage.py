"""coverage.py's settings are read where it reads them, and understood as it understands them."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import coverage.config
import pytest
from coverage.exceptions import CoverageException
from hypothesis import given, settings
from hypothesis import strategies as st

import whotests
from measured_commands import run_plain, write_files
from whotests.config.coverage_file import KINDS, CoverageFile, find_coverage_file
from whotests.config.project import find_project
from whotests.config.settings import load_settings
from whotests.config.unused import unused_sentences
from whotests.errors import UsageError
from whotests.source.rules import DEFAULT_EXCLUDE, DEFAULT_PARTIAL

ENVIRONMENT = {"NAME": "shop", "EMPTY": "", "DIGITS": "2", "FLAG": "true"}

DIFFERENT = {"run:_crash"}
"""Options that coverage.py has for its own tests."""

UNCHECKED = {"concurrency"}
"""Keys of which coverage.py looks at the values, while they mean nothing here."""

FILES = (".coveragerc", ".coveragerc.toml", "setup.cfg", "tox.ini", "pyproject.toml")


def theirs(folder: Path, environ: Mapping[str, str]) -> coverage.config.CoverageConfig | None:
    """What coverage.py reads in the folder; None when it refuses."""
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        with chdir(folder):
            return coverage.config.read_coverage_config(True, warn=lambda _: None)
    except (CoverageException, ValueError):
        return None
    finally:
        os.environ.clear()
        os.environ.update(before)


def ours(folder: Path, environ: Mapping[str, str]) -> CoverageFile | None:
    """What we read there."""
    project = find_project(folder)
    return find_coverage_file(folder, tool=project.tool, cwd=folder, environ=environ)


def differences(found: CoverageFile | None, config: Any) -> Iterator[str]:
    """Keys of which the two have other values."""
    values = {} if found is None else found.values
    default = coverage.config.CoverageConfig()
    for section, keys in KINDS.items():
        for key in keys:
            option = f"{section}:{key}"
            usual = default.get_option(option)
            mine = values.get((section, key), tuple(usual) if isinstance(usual, list) else usual)
            if key == "exclude_lines":
                mine = (*mine, *values.get((section, "exclude_also"), ()))
            elif key == "partial_branches":
                mine = (*mine, *values.get((section, "partial_also"), ()))
            other = config.get_option(option)
            other = tuple(other) if isinstance(other, list) else other
            if option == "run:parallel" and "subprocess" in values.get(("run", "patch"), ()):
                mine = True
            if (mine or None) != (other or None):
                yield f"{option}: {mine!r}, coverage.py {other!r}"
    paths = () if found is None else found.paths
    if dict(paths) != {name: tuple(places) for name, places in config.paths.items()}:
        yield f"paths: {paths!r}, coverage.py {config.paths!r}"
    file = None if found is None else str(found.file)
    if file != config.config_file:
        yield f"file: {file}, coverage.py {config.config_file}"


def test_all_options_are_known() -> None:
    """Every option of the installed coverage.py has its kind here, and the other way round."""
    known = {f"{section}:{key}" for section, keys in KINDS.items() for key in keys}
    options = {where for _, where, *_ in coverage.config.CoverageConfig.CONFIG_FILE_OPTIONS}
    if coverage.version_info >= (7, 17):
        assert known == options - DIFFERENT
    else:
        assert options - DIFFERENT <= known


def test_usual_rules_are_coverages() -> None:
    """What is excluded when nobody says anything is what coverage.py excludes."""
    config = coverage.config.CoverageConfig()
    assert tuple(config.exclude_list) == DEFAULT_EXCLUDE
    assert tuple(config.partial_list) == DEFAULT_PARTIAL


WORDS = st.sampled_from(
    ["a", "src/*", "$NAME", "${NAME}", "${GONE-x y}", "${EMPTY}", "$$5", "${GONE}", "~/x", "$GONE"]
)
NUMBERS = st.sampled_from(["0", "2", "$DIGITS", "${GONE-1}", "x", "85.5"])
FLAGS = st.sampled_from(["true", "false", "$FLAG", "${GONE-true}", "maybe"])
EXPRESSIONS = st.sampled_from(["def $$x", "a b", "raise", "${NAME}$$", "b("])


def ini_value(kind: str) -> st.SearchStrategy[str]:
    if kind == "flag":
        return st.one_of(FLAGS, st.sampled_from(["yes", "On", "0", "1", "True"]))
    if kind in ("whole", "number"):
        return NUMBERS
    if kind == "list":
        return st.lists(WORDS, max_size=3).flatmap(
            lambda words: st.sampled_from([", ".join(words), "\n    ".join(["", *words])])
        )
    if kind == "expressions":
        return st.lists(EXPRESSIONS, max_size=2).map(lambda words: "\n    ".join(["", *words]))
    return WORDS


def toml_value(kind: str) -> st.SearchStrategy[str]:
    if kind == "flag":
        return st.one_of(st.sampled_from(["true", "false"]), FLAGS.map(json.dumps))
    if kind in ("whole", "number"):
        return st.one_of(st.sampled_from(["1", "3"]), NUMBERS.map(json.dumps))
    if kind == "list":
        return st.one_of(st.lists(WORDS, max_size=3).map(json.dumps), st.just('"a"'))
    if kind == "expressions":
        return st.lists(EXPRESSIONS, max_size=2).map(json.dumps)
    return WORDS.map(json.dumps)


@st.composite
def one_file(draw: st.DrawFn, name: str) -> str:
    """The text of a file of settings, some of which are not coverage.py's."""
    toml = name.endswith(".toml")
    own = name.startswith(".coveragerc")
    lines = []
    prefixes = ["tool.coverage.", ""] if toml else ["coverage:", ""]
    for section, keys in draw(
        st.lists(st.sampled_from(sorted(KINDS.items())), max_size=3, unique_by=lambda s: s[0])
    ):
        prefix = draw(st.sampled_from(prefixes)) if own else prefixes[0]
        lines.append(f"[{prefix}{section}]")
        for key in draw(
            st.lists(st.sampled_from(sorted(keys.keys() - UNCHECKED)), max_size=4, unique=True)
        ):
            value = draw(toml_value(keys[key]) if toml else ini_value(keys[key]))
            lines.append(f"{key} = {value}")
    if draw(st.booleans()):
        lines.append(f"[{prefixes[0]}paths]")
        places = draw(st.lists(WORDS, min_size=1, max_size=2))
        lines.append("one = " + (json.dumps(places) if toml else ", ".join(places)))
    if draw(st.booleans()):
        lines += ["[other]", 'thing = "1"']
    return "\n".join(lines) + "\n"


@st.composite
def some_files(draw: st.DrawFn) -> dict[str, str]:
    names = draw(st.lists(st.sampled_from(FILES), min_size=1, max_size=3, unique=True))
    return {name: draw(one_file(name)) for name in names}


@settings(max_examples=400, deadline=None)
@given(some_files())
def test_files_are_understood_alike(files: dict[str, str]) -> None:
    """Of any files of settings we take the one that coverage.py takes, with the same values; and
    what it refuses, we refuse."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        for file, text in files.items():
            (folder / file).write_text(text)
        config = theirs(folder, ENVIRONMENT)
        environ = {**os.environ, **ENVIRONMENT}
        if config is None:
            with pytest.raises(UsageError):
                ours(folder, environ)
        else:
            assert list(differences(ours(folder, environ), config)) == []


def test_a_variable_that_has_to_be_there(tmp_path: Path) -> None:
    """`${NAME?}` is filled in, and without it the message names file, key and variable."""
    write_files(tmp_path, {".coveragerc": "[run]\ncontext = py-${NAME?}\n"})
    found = ours(tmp_path, {"NAME": "3.13"})
    assert found is not None
    assert found.values == {("run", "context"): "py-3.13"}
    told = r"\.coveragerc: 'context' of \[run\] needs the environment variable NAME"
    with pytest.raises(UsageError, match=told):
        ours(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (".coveragerc", "[run]\nbranch = maybe\n", r"'branch' of \[run\] must be true or false"),
        (".coveragerc", "no section\n", "is not a file of settings"),
        (".coveragerc", "[report]\nprecision = x\n", "'precision' of .* a whole number"),
        (".coveragerc", "[report]\nprecision = 44\n", "'precision' of .* from 0 to 9"),
        (".coveragerc", "[report]\nfail_under = 101\n", "'fail_under' of .* from 0 to 100"),
        (".coveragerc", "[report]\nsort = size\n", "'sort' of .* one of name, stmts"),
        (".coveragerc", "[report]\nformat = pdf\n", "'format' of .* one of text"),
        (".coveragerc", "[report]\nexclude_also = b(\n", r"'exclude_also' .* invalid .* 'b\('"),
        (".coveragerc", "[run]\nsource_dirs = nowhere\n", "'source_dirs' .* no folder"),
        (".coveragerc", "[run]\nomit = a**\n", r"'omit' of \[run\]: the pattern 'a\*\*'"),
        (".coveragerc.toml", "[run]\nsource = 'x'\n", "'source' of .* a list of strings"),
        (".coveragerc.toml", "[run\n", "is not valid TOML"),
        ("setup.cfg", "[coverage:run]\nbranch = 7\n", r"'branch' of \[coverage:run\]"),
        ("pyproject.toml", "[tool.coverage.run]\ncontext = 3\n", "'context' of .* a string"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, text: str, told: str) -> None:
    """The message has the file, the key, and what it needs."""
    write_files(tmp_path, {name: text})
    with pytest.raises(UsageError, match=rf"{name}.*{told}"):
        load_settings(tmp_path)


def test_our_own_table_wins(tmp_path: Path) -> None:
    """With `[tool.whotests]`, even an empty one, coverage.py's settings are not looked at."""
    files = {"pyproject.toml": "[tool.whotests]\n", ".coveragerc": "[run]\nbranch = maybe\n"}
    write_files(tmp_path, files)
    assert load_settings(tmp_path).file == tmp_path / "pyproject.toml"
    assert not load_settings(tmp_path).branch


@pytest.mark.parametrize("how", ["argument", "WHOTESTS_CONFIG", "COVERAGE_RCFILE"])
def test_a_file_that_is_named(tmp_path: Path, how: str) -> None:
    """An argument and two variables name the file; its sections need no prefix."""
    files = {"ci/cov.ini": "[run]\nbranch = true\n", ".coveragerc": "[run]\ncontext = x\n"}
    write_files(tmp_path, files)
    config = Path("ci/cov.ini") if how == "argument" else None
    environ = {} if how == "argument" else {how: "ci/cov.ini"}
    read = load_settings(tmp_path, config=config, environ=environ)
    assert (read.branch, read.context, read.file) == (True, "", tmp_path / "ci/cov.ini")
    with pytest.raises(UsageError, match=r"cannot read .*gone\.ini"):
        load_settings(tmp_path, environ={"COVERAGE_RCFILE": "gone.ini"})


def test_a_named_file_with_our_table(tmp_path: Path) -> None:
    """A TOML file with `[tool.whotests]` is ours, any other one coverage.py's."""
    files = {
        "ours.toml": "[tool.whotests]\ncontext = 'a'\n[tool.coverage.run]\ncontext = 'b'\n",
        "theirs.toml": "[tool.coverage.run]\ncontext = 'b'\n",
    }
    write_files(tmp_path, files)
    assert load_settings(tmp_path, config=Path("ours.toml")).context == "a"
    assert load_settings(tmp_path, config=Path("theirs.toml")).context == "b"


ALL = """
    [run]
    branch = true
    command_line = -m pytest -q
    context = py-${GONE-3}
    include = never/*
    omit =
        */gen/*
        lib
    source =
        lib
        shop
    source_pkgs = lib
    data_file = out/.coverage.py3

    [report]
    contexts = test_a, test_b
    exclude_also = def __repr__
    exclude_lines =
        never ever
    fail_under = 85.5
    format = markdown
    include = lib/*
    include_namespace_packages = yes
    omit = lib/x.py
    partial_also = while busy
    partial_branches = # one way
    partial_branches_always = while 1:
    precision = 2
    show_missing = on
    skip_covered = 1
    skip_empty = true
    sort = -Miss

    [paths]
    lib =
        lib
        /ci/*/lib
"""


def test_each_key_in_our_words(tmp_path: Path) -> None:
    """Every key that has a meaning here comes out as ours."""
    write_files(tmp_path, {".coveragerc": ALL, "lib/x.py": ""})
    read = load_settings(tmp_path, environ={})
    assert read.file == tmp_path / ".coveragerc"
    assert read.branch
    assert read.command == ("python", "-m", "pytest", "-q")
    assert read.context == "py-3"
    assert (read.source, read.source_pkgs) == ((str(tmp_path / "lib"),), ("lib", "shop"))
    assert (read.include, read.omit) == ((), ("*/gen/*",))
    assert read.data == tmp_path / "out" / ".whotests.py3.db"
    assert read.report_contexts == ("test_a", "test_b")
    assert (read.exclude_lines, read.exclude_also) == (("never ever",), ("def __repr__",))
    assert (read.fail_under, read.precision, read.format) == (85.5, 2, "markdown")
    assert (read.report_include, read.report_omit) == (("lib/*",), ("lib/x.py",))
    assert read.include_namespace_packages
    assert read.partial_branches == ("# one way",)
    assert read.partial_also == ("while busy", "while 1:")
    assert (read.show_missing, read.skip_covered, read.skip_empty) == (True, True, True)
    assert read.sort == "-missing"
    assert read.paths == (("lib", ("lib", "/ci/*/lib")),)
    told = {(section, key) for section, key, _ in read.unused}
    assert told == {("run", "include"), ("run", "omit")}


@pytest.mark.parametrize(
    ("file", "data"),
    [
        (".coverage", ".whotests/data.db"),
        (".coverage.py3", ".whotests.py3.db"),
        ("out/.coverage", "out/.whotests.db"),
        ("cov.sqlite", ".whotests.cov.sqlite.db"),
    ],
)
def test_the_data_file_is_never_coverages(tmp_path: Path, file: str, data: str) -> None:
    """Ours lies beside coverage.py's, under a name that `coverage combine` does not take."""
    write_files(tmp_path, {".coveragerc": f"[run]\ndata_file = {file}\n"})
    assert load_settings(tmp_path, environ={}).data == tmp_path / data
    write_files(tmp_path, {".coveragerc": ""})
    assert load_settings(tmp_path, environ={"COVERAGE_FILE": file}).data == tmp_path / data


def test_every_key_means_something_or_has_a_reason(tmp_path: Path) -> None:
    """Of all keys there are, each is told or changes what is read."""
    (tmp_path / "lib").mkdir()
    examples = {
        "flag": "true",
        "text": "x",
        "path": "x",
        "list": "x",
        "expressions": "x",
        "number": "50",
        "whole": "3",
    }
    special = {"sort": "miss", "format": "total", "source_dirs": "lib"}
    file = tmp_path / ".coveragerc"
    file.touch()
    usual = load_settings(tmp_path, environ={})
    for section, keys in KINDS.items():
        for key, kind in keys.items():
            file.write_text(f"[{section}]\n{key} = {special.get(key, examples[kind])}\n")
            read = load_settings(tmp_path, environ={})
            told = [unused for unused in read.unused if unused[:2] == (section, key)]
            changed = read._replace(unused=()) != usual
            assert changed is not bool(told), (section, key)
            assert all(reason for _, _, reason in told)


def test_what_coverage_does_not_know_is_told(tmp_path: Path) -> None:
    """Unknown keys and sections, and those of plug-ins, each once with the reason."""
    text = "[run]\nplugins = a_plugin\nbrunch = yes\n[a_plugin]\nx = 1\n[thing]\ny = 1\n"
    write_files(tmp_path, {".coveragerc": text})
    reasons = {(section, key): why for section, key, why in load_settings(tmp_path).unused}
    assert reasons.keys() == {
        ("run", "plugins"),
        ("run", "brunch"),
        ("a_plugin", ""),
        ("thing", ""),
    }
    assert "does not know it either" in reasons["run", "brunch"]
    assert "plug-in" in reasons["a_plugin", ""]
    write_files(tmp_path, {".coveragerc": "[report]\nfail_undr = 90\n"})
    ((section, key, _),) = load_settings(tmp_path).unused
    assert (section, key) == ("report", "fail_undr")


@pytest.mark.parametrize(
    ("name", "text", "section"),
    [
        ("setup.cfg", "[metadata]\nname=a\n[coverage:report]\nbogus=1\n", "coverage:report"),
        ("tox.ini", "[testenv]\ndeps=a\n[coverage:report]\nbogus=1\n", "coverage:report"),
        (
            "pyproject.toml",
            "[project]\nname='a'\n[tool.coverage.report]\nbogus=1\n",
            "tool.coverage.report",
        ),
    ],
)
def test_sections_of_other_programs_are_not_told(
    tmp_path: Path, name: str, text: str, section: str
) -> None:
    """Of a file of many programs that is named, what is coverage.py's is told, by the commands
    that it is about."""
    (tmp_path / name).write_text(text)
    settings = load_settings(tmp_path, config=Path(name), environ={})
    assert [(unused[0], unused[1]) for unused in settings.unused] == [(section, "bogus")]
    assert unused_sentences(settings, of_reports=False) == []
    assert len(unused_sentences(settings, of_reports=True)) == 1


def test_nothing_is_loaded_where_there_is_nothing(tmp_path: Path) -> None:
    """Without settings of coverage.py's, what reads them is not even imported."""
    files = {"pyproject.toml": "[project]\nname = 'x'\n", "setup.cfg": "[x]\n", "tox.ini": "[y]\n"}
    write_files(tmp_path, files)
    code = (
        "import sys; from pathlib import Path; from whotests.config.settings import load_settings;"
        "load_settings(Path()); print([m for m in sys.modules if 'coverage' in m or "
        "'configparser' in m or m == 'shlex'])"
    )
    ended = run_plain("python", "-S", "-c", code, cwd=tmp_path, env=with_library())
    assert (ended.out, ended.err) == ("[]\n", "")


def with_library() -> dict[str, str]:
    """An environment in which a Python without site packages finds whotests."""
    return {"PYTHONPATH": str(Path(whotests.__file__).parents[1])}
