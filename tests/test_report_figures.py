"""The figures of `report` are coverage.py's: per file, function and class, whatever ran."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_files import DataFile
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
from measured_commands import run_measured, run_plain, write_files
from report_figures import differences
from source_programs import SOURCES
from whotests.query.files import Catalogue
from whotests.query.report import report
from whotests.reports.as_json import report_json
from whotests.source.rules import Rules
from whotests.store.reader import Reader


def ours(data: DataFile, rules: Rules | None = None) -> dict[str, Any]:
    """What `whotests report --json` says."""
    with Reader.open(data.path) as reader:
        catalogue = Catalogue(reader, data, cwd=data.root, roots=(data.root,), rules=rules)
        answer = report(reader, catalogue, regions=True)
        document = report_json(answer, data=[data.path], runs=reader.runs)
        found: dict[str, Any] = json.loads(json.dumps(document))
        return found


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    """A project of many programs."""
    write_programs(tmp_path)
    return DataFile(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("settings", RULES.values(), ids=RULES)
def test_figures_are_coverages(data: DataFile, settings: dict[str, Any], share: float) -> None:
    """Of the same facts both tools say the same, under whatever rules."""
    save_arcs(data.root, share)
    found = coverage_of(data.root, settings)
    found.load()
    record_as(found, data, rules_of(settings))
    theirs_ = theirs(found, data.root)
    assert theirs_["totals"]["num_branches"] > 70
    assert list(differences(ours(data), theirs_)) == []


@pytest.mark.parametrize("settings", RULES.values(), ids=RULES)
def test_rules_of_now_apply(data: DataFile, settings: dict[str, Any]) -> None:
    """Other rules than those of the recording give what coverage.py reports under them."""
    # One line of this is a statement under some rules only, and so is not always recorded.
    number = list(SOURCES).index("match all of whose last case is excluded")
    (data.root / f"src/program_{number:03}.py").unlink()
    save_arcs(data.root, 0.5)
    # What ran of excluded lines is recorded, too.
    recorded = coverage_of(data.root, RULES["none"])
    recorded.load()
    record_as(recorded, data, rules_of(RULES["more"]))
    found = coverage_of(data.root, settings)
    found.load()
    assert list(differences(ours(data, rules_of(settings)), theirs(found, data.root))) == []


TESTS = """
    import asyncio

    import pytest

    import shapes


    class Items:
        items = [0, 2]

        async def __aiter__(self):
            yield self

        async def __aenter__(self):
            return self

        async def __aexit__(self, *error):
            pass


    def test_last():
        assert shapes.last(0) == shapes.last(0) or True


    @pytest.mark.parametrize("value", [1, {"a": 1}])
    def test_unused(value):
        assert shapes.unused(value)() is not None


    def test_outer():
        outer = shapes.Outer()
        outer.items = [0, 2]
        assert outer.size == 0
        outer.size = 3
        assert outer.Inner().method() == 1
        assert outer.chosen() == 11


    def test_later():
        async def all_of():
            return [one async for one in shapes.Outer().later(Items())]

        assert len(asyncio.run(all_of())) == 1


    def test_refusal():
        with pytest.raises(AttributeError):
            shapes.Outer().size
"""


@pytest.mark.parametrize("command", ["whotests run --branch", "pytest --whotests-branch"])
def test_real_runs_give_coverages_figures(tmp_path: Path, command: str) -> None:
    """A suite that each tool ran for itself has the same figures in both."""
    files = {
        "pyproject.toml": "[tool.whotests]\nexclude_also = ['def helper']\n",
        "coverage.ini": "[run]\nbranch = true\nsource = src\n[report]\nexclude_also = def helper\n",
        "src/shapes.py": SHAPES,
        "src/never.py": "def f(x):\n    if x:\n        return 1\n",
        "tests/test_shapes.py": TESTS,
    }
    write_files(tmp_path, files)
    env = {"PYTHONPATH": str(tmp_path / "src")}
    pytest_words = ("pytest", "-q", "-p", "no:cacheprovider")
    if command.startswith("whotests"):
        ended = run_measured(
            "python", "-m", *pytest_words, cwd=tmp_path, options=("--branch",), env=env
        )
    else:
        options = ("--whotests", "--whotests-branch")
        ended = run_plain("python", "-m", *pytest_words, *options, cwd=tmp_path, env=env)
    assert ended.status == 0, ended.out + ended.err
    measure = ("coverage", "run", "--rcfile=coverage.ini", "--data-file=cov", "-m", *pytest_words)
    ended = run_plain("python", "-m", *measure, cwd=tmp_path, env=env)
    assert ended.status == 0, ended.out + ended.err
    say = ("coverage", "json", "-q", "--rcfile=coverage.ini", "--data-file=cov", "-o", "cov.json")
    assert run_plain("python", "-m", *say, cwd=tmp_path, env=env).status == 0
    ended = run_plain("python", "-m", "whotests", "report", "--json", cwd=tmp_path)
    assert ended.status == 0, ended.err
    theirs_ = json.loads((tmp_path / "cov.json").read_text())
    assert theirs_["totals"]["num_partial_branches"] > 3
    assert list(differences(json.loads(ended.out), theirs_)) == []
