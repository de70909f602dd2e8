"""What goes into a format and comes back: nothing is lost that the format can hold."""

import json
import random
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import coverage
import pytest
from coverage.parser import PythonParser

from facts import whotests_facts
from figure_programs import SHAPES
from measured_commands import run_measured, run_plain, write_files

PROJECT = {
    "pyproject.toml": "[tool.whotests]\nexclude_also = ['def helper']\nsource = ['src']\n",
    "coverage.ini": "[run]\nbranch = true\nsource = src\n[report]\nexclude_also = def helper\n",
    "src/shapes.py": SHAPES,
    "src/never.py": "def f(x):\n    if x:\n        return 1\n",
    "src/empty.py": "",
    "tests/test_shapes.py": """
        import asyncio

        import pytest

        import shapes


        @pytest.mark.parametrize("value", [1, {"a": 1}])
        def test_unused(value):
            assert shapes.unused(value)() is not None


        class TestOuter:
            @pytest.fixture
            def outer(self):
                return shapes.Outer()

            def test_size(self, outer):
                outer.items = [0, 2]
                assert outer.size == 0
                outer.size = 3

            def test_inner(self, outer):
                assert outer.Inner().method() == 1
                assert outer.chosen() == 11


        def test_last():
            assert shapes.last(0) == shapes.last(0) or True
    """,
}

WAYS = {
    "coverage-json": ("coverage-json",),
    "lcov": ("lcov", "--checksums"),
    "lcov with contexts": ("lcov", "--contexts"),
    "cobertura": ("cobertura",),
}
HOLD_CONTEXTS = ("coverage-json", "lcov with contexts")


def whotests(root: Path, *words: str) -> str:
    """What the command prints, run in the project's folder; it has to end well."""
    ended = run_plain("python", "-m", "whotests", *words, cwd=root)
    assert ended.status == 0, ended.out + ended.err
    return ended.out


def figures(root: Path, data: Path, *, tests: bool) -> dict[str, Any]:
    """The figures of a report, of files, functions and classes."""
    report = json.loads(whotests(root, "report", "--json", "--data", str(data)))
    for part in (report["total"], *report["files"]):
        for key in ("import_only", "import_only_lines", *(() if tests else ("tests",))):
            part.pop(key, None)
    for file in report["files"]:
        del file["stale"]
        if not file["statements"]:
            del file["imported"]
    return {key: report[key] for key in ("files", "total", "not_measured", "branch")}


def without_makers(text: str) -> str:
    """A document of JSON or XML without who wrote it, when and where."""
    text = re.sub(r'"version": "[^"]*", "timestamp": "[^"]*"', "", text)
    text = re.sub(r' version="[^"]*" timestamp="\d+"', "", text)
    return re.sub(r"<source>[^<]*</source>", "", text)


def recorded(root: Path, option: str) -> Path:
    """A project whose tests were recorded."""
    write_files(root, PROJECT)
    ended = run_measured(
        *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        cwd=root,
        options=(option,),
        env={"PYTHONPATH": str(root / "src")},
    )
    assert ended.status == 0, ended.out + ended.err
    return root


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose tests were recorded, with branches."""
    return recorded(tmp_path_factory.mktemp("project"), "--branch")


@pytest.fixture(scope="module")
def project_of_lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without branches."""
    return recorded(tmp_path_factory.mktemp("lines"), "--no-branch")


@pytest.mark.parametrize("way", ["coverage-json", "lcov with contexts", "cobertura"])
def test_lines_to_theirs_to_ours(project_of_lines: Path, tmp_path: Path, way: str) -> None:
    """Without branches, too, figures and contexts come back."""
    check_round_trip(project_of_lines, tmp_path, way)


@pytest.mark.parametrize("way", WAYS)
def test_ours_to_theirs_to_ours(project: Path, tmp_path: Path, way: str) -> None:
    """The figures are the same, who ran which line as well where the format can tell, and what is
    exported again is the same file."""
    check_round_trip(project, tmp_path, way)


def check_round_trip(project: Path, tmp_path: Path, way: str) -> None:
    """Fails unless what goes there and back is the same."""
    ours, theirs = project / ".whotests" / "data.db", tmp_path / "theirs"
    back, again = tmp_path / "back.db", tmp_path / "again"
    whotests(project, "export", *WAYS[way], "-o", str(theirs))
    whotests(project, "import", str(theirs), "--data", str(back))
    tests = way in HOLD_CONTEXTS
    assert figures(project, back, tests=tests) == figures(project, ours, tests=tests)
    if tests:
        named = [
            {key: lines for key, lines in whotests_facts(data, project).items() if key[0]}
            for data in (ours, back)
        ]
        assert named[0]
        if way == "lcov with contexts":  # what is excluded does not stand there
            named[0] = {key: lines & named[1].get(key, 0) for key, lines in named[0].items()}
        assert named[1] == {key: lines for key, lines in named[0].items() if lines}
    whotests(project, "export", *WAYS[way], "--data", str(back), "-o", str(again))
    assert without_makers(again.read_text()) == without_makers(theirs.read_text())


def save_contexts(root: Path) -> coverage.Coverage:
    """A data file of coverage.py in which several contexts ran some lines, by chance."""
    chance = random.Random(7)
    data = coverage.CoverageData(str(root / "cov"))
    for context in ("", "import", "tests/test_a.py::test_a|setup", "tests/test_a.py::test_a|run"):
        data.set_context(context)
        arcs = {}
        for path in sorted((root / "src").glob("*.py")):
            parser = PythonParser(filename=str(path))
            parser.parse_source()
            possible = sorted(parser.arcs())
            arcs[str(path)] = [arc for arc in possible if chance.random() < 0.3]
        data.add_arcs(arcs)
        data.touch_files(arcs)
    data.write()
    found = coverage.Coverage(data_file=str(root / "cov"), config_file=str(root / "coverage.ini"))
    found.load()
    return found


def test_coverages_json_to_ours_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that `coverage json --show-contexts` says comes back, figures, regions and contexts."""
    write_files(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    found = save_contexts(tmp_path)
    found.config.json_show_contexts = True
    found.json_report(outfile="theirs.json")
    whotests(tmp_path, "import", "theirs.json")
    whotests(tmp_path, "export", "coverage-json", "-o", "ours.json")
    ours, theirs = (json.loads(Path(name).read_text()) for name in ("ours.json", "theirs.json"))
    assert ours["totals"] == theirs["totals"]
    assert list(ours["files"]) == sorted(theirs["files"])
    for path, theirs_ in theirs["files"].items():
        ours_ = ours["files"][path]
        statements = {*ours_["executed_lines"], *ours_["missing_lines"], *ours_["excluded_lines"]}
        # Lines inside a statement, that a tracer saw, are those of the statement's first one.
        kept = {
            line: names for line, names in theirs_["contexts"].items() if int(line) in statements
        }
        for line, names in ours_.pop("contexts").items():
            assert sorted(names) == sorted(kept.pop(line, names))
        assert not kept
        del theirs_["contexts"]
        for kind in ("functions", "classes"):
            for part in (*ours_[kind].values(), *theirs_[kind].values()):
                del part["contexts"]
        assert ours_ == theirs_


def test_coverages_lcov_to_ours_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very same tracefile is written again, checksums included."""
    write_files(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    found = save_contexts(tmp_path)
    found.config.lcov_line_checksums = True
    found.lcov_report(outfile="theirs.info")
    whotests(tmp_path, "import", "theirs.info")
    whotests(tmp_path, "export", "lcov", "--checksums", "-o", "ours.info")
    theirs = Path("theirs.info").read_text().replace("except from", "return from")
    assert theirs.count("BRDA") > 20
    assert Path("ours.info").read_text() == theirs


def test_coverages_xml_to_ours_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same elements with the same figures are written again."""
    write_files(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    found = save_contexts(tmp_path)
    found.xml_report(outfile="theirs.xml")
    whotests(tmp_path, "import", "theirs.xml")
    whotests(tmp_path, "export", "cobertura", "-o", "ours.xml")
    lines = []
    for name in ("ours.xml", "theirs.xml"):
        document = ElementTree.parse(name).getroot()
        lines.append(
            {
                each.attrib["name"]: [line.attrib for line in each.iter("line")]
                for each in document.iter("class")
            }
        )
    assert len(lines[0]["shapes.py"]) > 50
    assert lines[0] == lines[1]


@pytest.mark.parametrize("way", WAYS)
def test_without_the_sources(project: Path, tmp_path: Path, way: str) -> None:
    """Where the sources are not there, lines and branches are kept as they are told, and it is
    said that they are kept apart."""
    whotests(project, "export", *WAYS[way], "-o", str(tmp_path / "theirs"))
    elsewhere = tmp_path / "elsewhere"
    write_files(elsewhere, {"pyproject.toml": PROJECT["pyproject.toml"]})
    theirs = (tmp_path / "theirs").read_text()
    (elsewhere / "theirs").write_text(theirs.replace(f">{project}<", f">{elsewhere}<"))
    ended = run_plain("python", "-m", "whotests", "import", "theirs", cwd=elsewhere)
    assert ended.status == 0, ended.err
    assert "src/shapes.py is imported without its source: it is not there" in ended.err
    counts = [
        {
            file["path"]: [file["statements"], file["missing"], file.get("branches_missing")]
            for file in json.loads(whotests(root, "report", "--json"))["files"]
            if file["statements"]
        }
        for root in (project, elsewhere)
    ]
    assert counts[0] == counts[1]
