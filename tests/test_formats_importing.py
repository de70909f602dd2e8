"""Importing: where sources lie, what is kept without them, and what becomes of older data."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import coverage
import pytest

from facts import whotests_facts
from measured_commands import Ended, run_plain, write_files
from whotests.store.reader import Reader
from whotests.types import bits_of

MOD = "def f(x):\n    if x:\n        return 1\n    return 2\n"
CALL = "tests/test_m.py::test_f|run"

Facts = Mapping[str, Mapping[str, list[int]]]
"""Context -> path -> lines."""


def project(root: Path, settings: str = "") -> Path:
    """A project with one module."""
    write_files(root, {"pyproject.toml": f"[tool.whotests]\n{settings}", "src/mod.py": MOD})
    return root


def save(path: Path, facts: Facts, **plugins: str) -> Path:
    """A data file of coverage.py with these facts."""
    data = coverage.CoverageData(str(path))
    for context, lines in facts.items():
        data.set_context(context)
        data.add_lines(lines)
    data.add_file_tracers(plugins)
    data.close(force=True)
    return path


def run(root: Path, *words: str) -> Ended:
    """`whotests` in the project's folder."""
    return run_plain("python", "-m", "whotests", *words, cwd=root)


def imported(root: Path, *words: str) -> Ended:
    """`whotests import`, which has to end well."""
    ended = run(root, "import", *words)
    assert ended.status == 0, ended.out + ended.err
    return ended


def report(root: Path, *words: str) -> dict[str, Any]:
    """What `whotests report --json` says."""
    found: dict[str, Any] = json.loads(run(root, "report", "--json", *words).out)
    return found


def facts_of(root: Path, data: str = ".whotests/data.db") -> dict[tuple[str, str], int]:
    """(context, path) -> bitmap of lines."""
    return {key: bits for key, bits in whotests_facts(root / data, root).items() if bits}


def test_one_clear_line(tmp_path: Path) -> None:
    """It says how much was imported, and what the format does not tell."""
    project(tmp_path)
    save(tmp_path / ".coverage", {"": {"src/mod.py": [1]}, CALL: {"src/mod.py": [2, 3]}})
    ended = imported(tmp_path, ".coverage")
    assert ended.out == (
        "imported 1 file, 1 test in 2 contexts, 3 lines that they ran, as run 'imported' of "
        ".whotests/data.db\n"
    )
    assert ended.err == (
        "whotests: not told there: outcomes and durations of tests, digests of sources\n"
    )


@pytest.mark.parametrize(
    "path",
    ["src/mod.py", "./src/../src/mod.py", "src\\mod.py", "{root}/src/mod.py", "{real}/src/mod.py"],
)
def test_places_of_a_source(tmp_path: Path, path: str) -> None:
    """Relative and absolute paths, with either slash and through links, mean the file here."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    root = project(tmp_path / "link")
    path = path.format(root=root, real=tmp_path / "real")
    save(root / ".coverage", {CALL: {path: [2]}})
    assert imported(root, ".coverage").err.count("\n") == 1
    assert facts_of(root) == {(CALL, "src/mod.py"): bits_of([2])}
    assert report(root)["total"]["statements"] == 4


def test_relative_to_the_working_folder(tmp_path: Path) -> None:
    """What is relative is taken from where the command runs, if there is such a file."""
    root = project(tmp_path)
    save(root / "src" / ".coverage", {CALL: {"mod.py": [2]}})
    imported(root / "src", ".coverage")
    assert facts_of(root) == {(CALL, "src/mod.py"): bits_of([2])}


def test_paths_of_another_machine(tmp_path: Path) -> None:
    """[paths] of the settings say where another machine's folders lie here."""
    root = project(tmp_path, '[tool.whotests.paths]\nsource = ["src", "/ci/build/src"]\n')
    save(root / ".coverage", {CALL: {"/ci/build/src/mod.py": [2], "/ci/other/mod.py": [2]}})
    ended = imported(root, ".coverage")
    assert "/ci/other/mod.py was left out: it is not below" in ended.err
    assert facts_of(root) == {(CALL, "src/mod.py"): bits_of([2])}


def test_paths_that_climb_out(tmp_path: Path) -> None:
    """What lies outside of the project is never opened: a pipe would never end."""
    root = project(tmp_path / "project")
    outside = tmp_path / "outside.py"
    os.mkfifo(outside)
    os.mkfifo(root / "inside.py")
    (root / "leads.py").symlink_to(outside)
    hostile = [
        "../outside.py",
        "src/../../outside.py",
        "..\\outside.py",
        str(outside),
        "/dev/zero",
        "C:\\outside.py",
        "",
        "new\nline.py",
        "x" * 10_000_000,
    ]
    pipes = ["inside.py", "leads.py"]
    lines = {path: [2] for path in (*hostile, *pipes, "src/mod.py")}
    save(root / ".coverage", {CALL: lines})
    ended = imported(root, ".coverage")
    assert ended.err.count("was left out") == 5
    assert "so were 4 more files" in ended.err
    assert len(ended.err) < 5000
    assert "leads.py is imported without its source: a link leads out" in ended.err
    with Reader.open(root / ".whotests" / "data.db") as reader:
        assert [file.path for file in reader.files] == ["inside.py", "leads.py", "src/mod.py"]
    assert run(root, "report").status == run(root, "status").status == 0


def test_nothing_left_to_import(tmp_path: Path) -> None:
    """Where nothing lies in the project, it ends with status 2 and a hint, and without data."""
    root = project(tmp_path)
    save(root / ".coverage", {CALL: {"/ci/src/mod.py": [2], "/ci/src/other.py": [2]}})
    ended = run(root, "import", ".coverage")
    assert ended.status == 2
    assert "nothing could be imported: /ci/src/mod.py: it is not below" in ended.err
    assert "[paths]" in ended.err
    assert not (root / ".whotests").exists()


OTHER_TEXTS = {
    "gone": (None, [2], "it is not there"),
    "shorter": ("x = 1\n", [1, 2], "line 2, and the source here has 1"),
    "blank there": ("x = 1\n\ny = 2\n", [1, 2], "line 2 could run there, and is blank"),
    "a comment there": ("x = 1\n# no\ny = 2\n", [1, 2], "is blank or a comment"),
    "not Python": ("x = = 1\ny\n", [1, 2], "SyntaxError"),
    "unreadable": ("x = '\0'\ny\n", [1, 2], "null bytes"),
}


@pytest.mark.parametrize(("text", "lines", "said"), OTHER_TEXTS.values(), ids=OTHER_TEXTS)
def test_another_text_than_that_which_ran(
    tmp_path: Path, text: str | None, lines: list[int], said: str
) -> None:
    """Facts about a text that is not there are kept, and neither counted nor mixed with any."""
    root = project(tmp_path)
    if text is not None:
        (root / "src" / "other.py").write_text(text)
    save(root / ".coverage", {CALL: {"src/other.py": lines, "src/mod.py": [2]}})
    ended = imported(root, ".coverage")
    assert "src/other.py is imported without its source: " in ended.err
    assert said in ended.err
    answer = report(root)
    assert [file["path"] for file in answer["files"]] == ["src/mod.py"]
    assert [one["path"] for one in answer["not_measured"]] == ["src/other.py"]
    assert facts_of(root)[CALL, "src/other.py"] == bits_of(lines)
    who = json.loads(run(root, "who", "--json", "src/other.py:2").out)
    assert [test["test"] for test in who["tests"]] == ["tests/test_m.py::test_f"]
    assert "What else it could run is not known" in run(root, "who", "src/other.py:2").out


def test_a_test_in_which_the_other_tool_lost_track(tmp_path: Path) -> None:
    """What one test of many seems to have run is left out where its lines are no code, and named:
    tracers note lines of other files where a test comes to the recursion limit."""
    root = project(tmp_path)
    (root / "src" / "mod.py").write_text("def f():\n    return 1\n\n\ndef g():\n    return 2\n")
    facts = {"": {"src/mod.py": [1, 5]}, CALL: {"src/mod.py": [2]}}
    save(root / ".coverage", {**facts, "t.py::test_deep|run": {"src/mod.py": [6, 467]}})
    ended = imported(root, ".coverage")
    assert "src/mod.py|t.py::test_deep|call was left out, as the other tool lost track" in ended.err
    assert "it speaks of line 467, and the source here has 6" in ended.err
    assert facts_of(root) == {
        ("", "src/mod.py"): bits_of([1, 5]),
        (CALL, "src/mod.py"): bits_of([2]),
    }


@pytest.mark.parametrize("astray", [["", "a.py::test_1|run"], ["", "import"]])
def test_several_contexts_that_do_not_fit(tmp_path: Path, astray: list[str]) -> None:
    """Where that is so outside of tests, or in several, the source is another one."""
    root = project(tmp_path)
    lines = {"a.py::test_1|run": [1], "a.py::test_2|run": [2], "": [1], "import": [1]}
    save(
        root / ".coverage",
        {
            name: {"src/mod.py": [*some, *([9] if name in astray else [])]}
            for name, some in lines.items()
        },
    )
    assert "src/mod.py is imported without its source" in imported(root, ".coverage").err


def test_a_format_that_tells_what_could_run(tmp_path: Path) -> None:
    """Without the source, a file counts with the figures that the format tells, if it does."""
    root = project(tmp_path)
    (root / "lcov.info").write_text(
        "TN:\nSF:src/gone.py\nDA:1,1\nDA:2,0\nBRDA:1,0,jump to line 2,0\n"
        "BRDA:1,0,jump to line 4,3\nDA:4,1\nend_of_record\n"
    )
    ended = imported(root, "lcov.info")
    assert "src/gone.py is imported without its source: it is not there" in ended.err
    (file,) = report(root)["files"]
    assert (file["path"], file["statements"], file["missing"]) == ("src/gone.py", 3, 1)
    assert (file["branches"], file["taken_branches"]) == (2, [[1, 4]])
    assert file["stale"]["gone"]


def test_two_imports_are_not_mixed(tmp_path: Path) -> None:
    """Of a text that is not there, what another import tells may be about another one."""
    root = project(tmp_path)
    for name, line in (("one", 2), ("two", 3)):
        save(root / name, {CALL: {"gone.py": [line]}})
        imported(root, name, "--append")
    with Reader.open(root / ".whotests" / "data.db") as reader:
        assert [file.path for file in reader.files] == ["gone.py", "gone.py"]


def test_several_files_become_one_run(tmp_path: Path) -> None:
    """Shards that are imported together are one run, about one text."""
    root = project(tmp_path)
    one = save(root / "one", {CALL: {"gone.py": [2], "src/mod.py": [2]}})
    two = save(root / "two", {CALL: {"gone.py": [3], "src/mod.py": [3]}, "": {"gone.py": [1]}})
    imported(root, one.name, two.name)
    assert facts_of(root) == {
        (CALL, "gone.py"): bits_of([2, 3]),
        ("", "gone.py"): bits_of([1]),
        (CALL, "src/mod.py"): bits_of([2, 3]),
    }
    with Reader.open(root / ".whotests" / "data.db") as reader:
        assert len(reader.runs) == 1


def test_what_several_files_say_is_said_once(tmp_path: Path) -> None:
    """Shards that speak of the same file without a source do not say so one by one."""
    root = project(tmp_path)
    for name in ("one", "two"):
        save(root / name, {CALL: {"gone.py": [2], "src/mod.py": [2]}})
    ended = imported(root, "one", "two")
    assert ended.err.count("gone.py is imported without its source") == 1


def test_static_contexts_are_runs(tmp_path: Path) -> None:
    """Each static context becomes a run of that label, below the one that is given."""
    root = project(tmp_path)
    save(
        root / ".coverage",
        {f"{python}|{CALL}": {"src/mod.py": [2]} for python in ("py3.11", "py3.13")},
    )
    ended = imported(root, ".coverage", "--context", "linux", "--run-name", "nightly")
    assert "as 2 runs 'nightly' of" in ended.out
    with Reader.open(root / ".whotests" / "data.db") as reader:
        assert [(run.name, run.label) for run in reader.runs] == [
            ("nightly", "linux/py3.11"),
            ("nightly", "linux/py3.13"),
        ]


def test_files_of_plugins(tmp_path: Path) -> None:
    """What a plugin of coverage.py measured is kept, and the plugin is named."""
    root = project(tmp_path)
    (root / "page.html").write_text("<p>\n{{ x }}\n</p>\n")
    save(
        root / ".coverage",
        {CALL: {"page.html": [2], "src/mod.py": [2]}},
        **{"page.html": "templates.Plugin"},
    )
    ended = imported(root, ".coverage")
    assert "only templates.Plugin, a plugin of coverage.py, knows its statements" in ended.err
    assert facts_of(root)[CALL, "page.html"] == bits_of([2])


def test_imports_take_the_place_of_imports_only(tmp_path: Path) -> None:
    """What was recorded stays; an older import of that name goes, unless it is added to."""
    root = project(tmp_path)
    write_files(root, {"test_m.py": "from src import mod\n\ndef test_f():\n    mod.f(0)\n"})
    ended = run(root, "run", "--source", "src", "--", "pytest", "-q", "-p", "no:cacheprovider")
    assert ended.status == 0, ended.out + ended.err
    save(root / "one", {"a.py::test_1|run": {"src/mod.py": [2]}})
    save(root / "two", {"a.py::test_2|run": {"src/mod.py": [3]}})
    data = root / ".whotests" / "data.db"

    def tests(ref: str | None) -> set[str]:
        with Reader.open(data, run=ref) as reader:
            return {test.name for test in reader.tests}

    imported(root, "one")
    assert tests(None) == {"a.py::test_1"}
    imported(root, "two")
    assert tests("imported") == {"a.py::test_2"}
    imported(root, "one", "--append")
    assert tests("imported") == {"a.py::test_1", "a.py::test_2"}
    assert tests("") == {"test_m.py::test_f"}


def test_a_failed_import_changes_nothing(tmp_path: Path) -> None:
    """When one of the files is damaged, the data stays what it was, byte for byte."""
    root = project(tmp_path)
    save(root / "good", {CALL: {"src/mod.py": [2]}})
    imported(root, "good")
    data = root / ".whotests" / "data.db"
    before = data.read_bytes()
    content = save(root / "bad", {f"c{number}": {"src/mod.py": [2]} for number in range(999)})
    content.write_bytes(content.read_bytes()[:9000])
    ended = run(root, "import", "good", "bad")
    assert ended.status == 2
    assert "bad is cut short or damaged" in ended.err
    assert "Traceback" not in ended.err
    assert data.read_bytes() == before
    assert sorted(entry.name for entry in data.parent.iterdir()) == [".gitignore", "data.db"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "nothing cannot be read: No such file or directory"),
        (("src",), "src cannot be read: Is a directory"),
        (("src/mod.py",), "src/mod.py is of no format that whotests reads"),
        (("--format", "coverage", "src/mod.py"), "is no data file of coverage.py"),
        (("pipe",), "pipe is no ordinary file"),
        ((".coverage", "--run-name", "a~1"), "a run cannot be called 'a~1'"),
    ],
)
def test_wrong_calls(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """A file that is none, or none that can be read, ends with status 2 and is named."""
    root = project(tmp_path)
    save(root / ".coverage", {CALL: {"src/mod.py": [2]}})
    os.mkfifo(root / "pipe")
    ended = run(root, "import", *words)
    assert ended.status == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_exports_replace_their_own_kind_only(tmp_path: Path) -> None:
    """A file of another kind is left as it is; one of the same kind is replaced as a whole."""
    root = project(tmp_path)
    save(root / ".coverage", {CALL: {"src/mod.py": [2]}})
    imported(root, ".coverage")
    before = (root / "src" / "mod.py").read_bytes()
    ended = run(root, "export", "coverage", "-o", "src/mod.py")
    assert ended.status == 2
    assert "src/mod.py is there already and is not coverage.py's data" in ended.err
    assert (root / "src" / "mod.py").read_bytes() == before
    for words in (("src",), ("nowhere/.coverage",)):
        assert run(root, "export", "coverage", "-o", *words).status == 2
    assert run(root, "export", "coverage").status == 0
    read = coverage.CoverageData(str(root / ".coverage"))
    read.read()
    assert read.measured_files() == {str(root / "src" / "mod.py")}
    read.close()
    assert [e.name for e in root.iterdir() if e.name.startswith(".whotests-")] == []


def test_an_export_says_what_has_changed(tmp_path: Path) -> None:
    """Reports of coverage.py would not fit a source that has changed: it is named."""
    root = project(tmp_path)
    save(root / ".coverage", {CALL: {"src/mod.py": [2]}})
    imported(root, ".coverage")
    (root / "src" / "mod.py").write_text(MOD + "# more\n")
    ended = run(root, "export", "coverage", "-o", "exported")
    assert ended.status == 0
    assert "of these the disk has another text than was recorded" in ended.err
    assert "src/mod.py" in ended.err
