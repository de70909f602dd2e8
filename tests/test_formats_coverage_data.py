"""coverage.py's data file: its own reports on ours, ours on its own, and there and back."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import coverage
import pytest

from branch_facts import BranchFacts
from data_files import DataFile
from facts import whotests_facts
from figure_programs import (
    RULES,
    SHAPES,
    coverage_of,
    record_as,
    rules_of,
    save_arcs,
    theirs,
    write_programs,
)
from measured_commands import Ended, run_measured, run_plain, write_files
from report_figures import differences
from whotests.store.reader import Reader
from whotests.types import Outcome

DATA = ".whotests/data.db"

PROJECT = {
    "pyproject.toml": "[tool.whotests]\nsource = ['src']\n",
    "src/shapes.py": SHAPES,
    "src/withs.py": """
        import contextlib
        import threading


        def last_lines(values):
            with contextlib.nullcontext(), contextlib.suppress(KeyError):
                with threading.Lock():
                    for value in values:
                        if value:
                            values[value]
            return values


        def jumps(values):
            for value in values:
                with contextlib.suppress(
                    LookupError,
                ):
                    if value > 2:
                        break
                    if value > 1:
                        continue
                    if not value: return value
                    raise LookupError(
                        value
                    )
            else:
                with contextlib.nullcontext(): value = 3
            with contextlib.nullcontext(dict) as nothing:
                while value:
                    value -= 1
                    if value == 7:
                        nothing()
            with contextlib.nullcontext():
                match value:
                    case 0:
                        value = 1
                    case [*values]:
                        value = 2


        def one_line(x): return x


        def documented():
            "Nothing else."
    """,
    "src/never.py": "def f(x):\n    if x:\n        return 1\n",
    "src/empty.py": "",
    "tests/test_withs.py": """
        import unittest

        import pytest

        import shapes
        import withs


        @pytest.mark.parametrize("values", [{}, {1: 2}, {1: 3, 2: 4}], ids=["", "a|b", "c::d|run"])
        def test_last_lines(values):
            assert withs.last_lines(values) == values


        @pytest.mark.parametrize("values", [[], [0], [1], [2, 3], [9, 0]])
        def test_jumps(values):
            withs.jumps(values)


        @pytest.fixture
        def three():
            return withs.one_line(3)


        def test_one_line(three):
            assert three == 3


        class TestCase(unittest.TestCase):
            def setUp(self):
                withs.documented()

            def test_one_line(self):
                assert withs.one_line(3) == 3

            def tearDown(self):
                assert shapes.Outer().chosen() == 11
    """,
}


def whotests(root: Path, *words: str) -> Ended:
    """The command, run in the project's folder; it has to end well."""
    ended = run_plain("python", "-m", "whotests", *words, cwd=root)
    assert ended.status == 0, ended.out + ended.err
    return ended


def figures(root: Path, data: str = DATA) -> dict[str, Any]:
    """What `whotests report --json` says."""
    found: dict[str, Any] = json.loads(whotests(root, "report", "--json", "--data", data).out)
    return found


def their_figures(root: Path, data: str) -> dict[str, Any]:
    """What `coverage json` says, under no settings of its own."""
    (root / "none.ini").write_text("")
    out = str(root / f"{data}.json")
    words = ("json", "-q", "--show-contexts", "--rcfile=none.ini", f"--data-file={data}", "-o", out)
    ended = run_plain("python", "-m", "coverage", *words, cwd=root)
    assert ended.status == 0, ended.out + ended.err
    document: dict[str, Any] = json.loads(Path(out).read_text())
    return document


def their_contexts(root: Path, data: str) -> dict[tuple[str, str], set[int]]:
    """(context, path) -> lines that ran, of a data file of coverage.py; not folded."""
    read = coverage.CoverageData(str(root / data), read_only=True)
    read.read()
    found: dict[tuple[str, str], set[int]] = {}
    for path in read.measured_files():
        name = Path(path).relative_to(root).as_posix()
        for line, contexts in read.contexts_by_lineno(path).items():
            for context in contexts:
                found.setdefault((context, name), set()).add(line)
    read.close()
    return found


def record(root: Path, *options: str) -> None:
    """Runs the project's tests under `whotests run`."""
    ended = run_measured(
        *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        cwd=root,
        options=options,
        env={"PYTHONPATH": str(root / "src")},
    )
    assert ended.status == 0, ended.out + ended.err


def record_with_coverage(root: Path, *options: str, core: str = "ctrace") -> None:
    """Runs them under pytest-cov, into `.coverage`."""
    (root / "none.ini").write_text("")
    words = ("--cov=src", "--cov-config=none.ini", "--cov-report=", *options)
    ended = run_plain(
        *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words),
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "COVERAGE_CORE": core},
    )
    assert ended.status == 0, ended.out + ended.err


def recorded(root: Path, *options: str) -> Path:
    """A project, recorded by whotests."""
    write_files(root, PROJECT)
    record(root, *options)
    return root


@pytest.fixture(scope="module", params=["--branch", "--no-branch"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, recorded by whotests, and its export."""
    root = recorded(tmp_path_factory.mktemp("project"), request.param)
    assert "wrote .coverage" in whotests(root, "export", "coverage").out
    return root


def test_reports_of_coverage_give_our_figures(project: Path) -> None:
    """`coverage json` on our export says of files, functions and classes what we say."""
    ours = figures(project)
    assert ours["total"]["statements"] > 100
    assert list(differences(ours, their_figures(project, ".coverage"))) == []


def test_contexts_of_an_export(project: Path) -> None:
    """The export has each context's lines under the name that pytest-cov gives it."""
    expected = {key: bits for key, bits in whotests_facts(project / DATA, project).items() if bits}
    found = {
        key: sum(1 << line for line in lines)
        for key, lines in their_contexts(project, ".coverage").items()
    }
    assert ("tests/test_withs.py::test_last_lines[c::d|run]|run", "src/withs.py") in found
    assert ("import", "src/withs.py") in found
    assert found == expected


@pytest.mark.parametrize(
    ("said", "words", "used"),
    [
        ("true", (), "true"),
        ("false", ("--relative-files",), "true"),
        ("true", ("--absolute-files",), "false"),
    ],
)
def test_relative_files(project: Path, said: str, words: tuple[str, ...], used: str) -> None:
    """Paths are as coverage.py's settings want them, unless an option says otherwise: with the
    others, its reports would say that nothing ran."""
    settings = project / ".coveragerc"
    settings.write_text(f"[run]\nrelative_files = {said}\n")
    whotests(project, "export", "coverage", "-o", "placed", *words)
    settings.write_text(f"[run]\nrelative_files = {used}\n")
    words = ("json", "-q", "--data-file=placed", "-o", "placed.json")
    ended = run_plain("python", "-m", "coverage", *words, cwd=project)
    settings.unlink()
    assert ended.status == 0, ended.out + ended.err
    found = json.loads((project / "placed.json").read_text())
    assert list(differences(figures(project), found)) == []


def test_html_of_coverage_shows_contexts(project: Path, tmp_path: Path) -> None:
    """`coverage html --show-contexts` and `coverage report` open on our export."""
    (project / "none.ini").write_text("")
    for words in (("html", "-q", "--show-contexts", "-d", str(tmp_path)), ("report",)):
        ended = run_plain("python", "-m", "coverage", *words, "--rcfile=none.ini", cwd=project)
        assert ended.status == 0, ended.out + ended.err
    page = next(tmp_path.glob("*withs_py.html")).read_text()
    assert "tests/test_withs.py::test_one_line|setup" in page


def test_ours_to_theirs_to_ours(project: Path) -> None:
    """Contexts, lines and branches come back as they were, and so does what nothing imported."""
    ended = whotests(project, "import", ".coverage", "--data", "back.db")
    assert "10 tests in " in ended.out
    before, after = (whotests_facts(project / name, project) for name in (DATA, "back.db"))
    assert after == before
    branches = BranchFacts(project)
    before, after = (branches.of_whotests(project / name) for name in (DATA, "back.db"))
    assert {k: v for k, v in after.items() if v} == {k: v for k, v in before.items() if v}
    ours, back = figures(project), figures(project, "back.db")
    for answer in (ours, back):
        for file in answer["files"]:
            file.pop("stale")
    assert back["files"] == ours["files"]
    assert back["total"] == ours["total"]
    with Reader.open(project / "back.db") as reader:
        assert {(test.outcome, test.duration) for test in reader.tests} == {(Outcome.UNKNOWN, None)}


def test_runs_of_several_contexts(tmp_path: Path) -> None:
    """Runs side by side are in one file below their contexts, though one recorded no branches; and
    come back as runs of these contexts."""
    write_files(tmp_path, PROJECT)
    record(tmp_path, "--branch", "--context", "py3.13")
    record(tmp_path, "--no-branch", "--context", "linux|py3.11")
    ended = whotests(tmp_path, "export", "coverage")
    assert "some of the runs recorded no branches" in ended.err
    assert list(differences(figures(tmp_path), their_figures(tmp_path, ".coverage"))) == []
    whotests(tmp_path, "import", ".coverage", "--data", "back.db")
    with Reader.open(tmp_path / "back.db") as back, Reader.open(tmp_path / DATA) as reader:
        assert [run.label for run in back.runs] == ["linux|py3.11", "py3.13"]
        assert [test.title for test in back.tests] == [test.title for test in reader.tests]
    assert (
        list(differences(figures(tmp_path, "back.db"), their_figures(tmp_path, ".coverage"))) == []
    )


@pytest.mark.parametrize("option", ["--cov-branch", "--cov-append"])
def test_theirs_to_ours(tmp_path: Path, option: str) -> None:
    """Of pytest-cov's data we report what coverage.py reports, contexts included; and on our
    export of it coverage.py reports that again."""
    write_files(tmp_path, PROJECT)
    record_with_coverage(tmp_path, option, "--cov-context=test")
    whotests(tmp_path, "import", ".coverage")
    expected = their_figures(tmp_path, ".coverage")
    assert expected["totals"].get("num_branches", 0) == 0 or option == "--cov-branch"
    assert list(differences(figures(tmp_path), expected)) == []
    whotests(tmp_path, "export", "coverage", "-o", "again")
    assert list(differences(figures(tmp_path), their_figures(tmp_path, "again"))) == []
    assert folded(tmp_path, "again") == folded(tmp_path, ".coverage")


def folded(root: Path, data: str) -> dict[tuple[str, str], set[int]]:
    """The same as `their_contexts`, of first lines of statements."""
    found = {}
    for (context, path), lines in their_contexts(root, data).items():
        parser = coverage.parser.PythonParser(filename=str(root / path))
        parser.parse_source()
        some = parser.translate_lines(lines) & (parser.statements | parser.excluded)
        if some:
            found[context, path] = some
    return found


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_any_share_of_branches_to_ours(tmp_path: Path, share: float) -> None:
    """Whatever part of what a program could do was done, imported figures are coverage.py's."""
    write_programs(tmp_path)
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\nsource = ['src']\n"})
    save_arcs(tmp_path, share)
    found = coverage_of(tmp_path, RULES["usual"])
    found.load()
    expected = theirs(found, tmp_path)
    whotests(tmp_path, "import", "cov")
    assert expected["totals"]["num_branches"] > 70
    assert list(differences(figures(tmp_path), expected)) == []


def test_what_sys_monitoring_records(tmp_path: Path) -> None:
    """coverage.py's fast core notes a line that branches nowhere as a way from it to itself."""
    write_programs(tmp_path)
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\nsource = ['src']\n"})
    save_arcs(tmp_path, 0.6)
    before = coverage.CoverageData(str(tmp_path / "cov"))
    before.read()
    arcs = {path: before.arcs(path) or [] for path in before.measured_files()}
    before.erase()
    data = coverage.CoverageData(str(tmp_path / "cov"))
    data.add_arcs({path: as_lines(path, some) for path, some in arcs.items()})
    data.touch_files(arcs)
    data.close(force=True)
    found = coverage_of(tmp_path, RULES["usual"])
    found.load()
    whotests(tmp_path, "import", "cov")
    assert list(differences(figures(tmp_path), theirs(found, tmp_path))) == []


def as_lines(path: str, arcs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Branches as they are, and all other ways as lines."""
    parser = coverage.parser.PythonParser(filename=path)
    parser.parse_source()
    ways = Counter(line for line, _ in parser.arcs())
    return {(line, end if ways[line] > 1 else line) for line, end in arcs}


@pytest.mark.parametrize(
    "core",
    [
        "ctrace",
        pytest.param(
            "sysmon", marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="came with 3.12")
        ),
    ],
)
def test_theirs_without_contexts(tmp_path: Path, core: str) -> None:
    """What was recorded without contexts is all in one, and its figures are coverage.py's."""
    write_files(tmp_path, PROJECT)
    # The fast core of some Pythons has no branches.
    branch = () if core == "sysmon" else ("--cov-branch",)
    record_with_coverage(tmp_path, *branch, core=core)
    ended = whotests(tmp_path, "import", ".coverage")
    assert "0 tests in 1 context" in ended.out
    assert list(differences(figures(tmp_path), their_figures(tmp_path, ".coverage"))) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_any_share_of_branches_to_theirs(tmp_path: Path, share: float) -> None:
    """The same of what coverage.py reports on an export."""
    write_programs(tmp_path)
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\nsource = ['src']\n"})
    save_arcs(tmp_path, share)
    found = coverage_of(tmp_path, RULES["usual"])
    found.load()
    record_as(found, DataFile(tmp_path), rules_of(RULES["usual"]))
    whotests(tmp_path, "export", "coverage", "-o", "exported")
    assert list(differences(figures(tmp_path), their_figures(tmp_path, "exported"))) == []


def test_a_test_function_as_context(tmp_path: Path) -> None:
    """coverage.py's own contexts of test functions are tests by their dotted names, below the
    static context, and are written so again."""
    write_files(
        tmp_path,
        {
            "pyproject.toml": "[tool.whotests]\n",
            "none.ini": "[run]\ndynamic_context = test_function\n",
            "mod.py": "def f():\n    return 1\n",
            "prog.py": """
                import mod

                class Checks:
                    def test_method(self):
                        mod.f()

                def test_function():
                    mod.f()

                test_function()
                Checks().test_method()
            """,
        },
    )
    words = ("run", "--rcfile=none.ini", "--context=py3", "--branch", "--include=mod.py")
    ended = run_plain(
        *("python", "-m", "coverage", *words, "prog.py"),
        cwd=tmp_path,
        env={"COVERAGE_CORE": "ctrace"},
    )
    assert ended.status == 0, ended.out + ended.err
    before = folded(tmp_path, ".coverage")
    assert before["py3|__main__.Checks.test_method", "mod.py"] == {2}
    whotests(tmp_path, "import", ".coverage")
    with Reader.open(tmp_path / DATA) as reader:
        assert {test.title for test in reader.tests} == {
            "py3/__main__.Checks.test_method",
            "py3/__main__.test_function",
        }
    whotests(tmp_path, "export", "coverage", "-o", "again")
    assert folded(tmp_path, "again") == before
