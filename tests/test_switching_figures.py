"""With one and the same configuration, coverage.py and whotests measure and report the same."""

import json
import re
from pathlib import Path

import pytest

from measured_commands import run_plain, write_files
from report_figures import differences

PROJECT = {
    "lib/__init__.py": "",
    "lib/core.py": """
        def first(x):
            if x:
                return 1
            return 2

        def second():  # never called
            return 3

        class Thing:
            def __repr__(self):
                return "thing"

            def go(self, way):
                while way:
                    way -= 1
                if way is None:
                    raise NotImplementedError
                return way
    """,
    "lib/full.py": """
        def all_of_it():
            return 4
    """,
    "lib/empty.py": "",
    "lib/unused.py": "x = 1\nif x:\n    x = 2\n",
    "lib/gen/__init__.py": "",
    "lib/gen/made.py": "def made():\n    return 5\n",
    "lib/space/inner.py": "y = 1\n",
    "tools/helper.py": "def helped(z):\n    return z and 1\n",
    "prog.py": """
        import sys
        sys.path.insert(0, "tools")
        import helper
        from lib import core, empty, full
        from lib.gen import made
        core.first(1)
        core.Thing().go(2)
        full.all_of_it()
        helper.helped(1)
        made.made()
    """,
}

CONFIGURATIONS = {
    "folders": {".coveragerc": "[run]\nbranch = true\nsource = lib, tools\nparallel = false\n"},
    "packages": {
        "setup.cfg": """
            [coverage:run]
            source_pkgs = lib
            omit = */gen/*, *unused*
            [coverage:report]
            exclude_also =
                def __repr__
                raise NotImplementedError
        """
    },
    "everything named": {
        "tox.ini": """
            [coverage:run]
            branch = True
            source = .
            omit =
                prog.py
                tools/*
                lib
            [coverage:report]
            include_namespace_packages = yes
            partial_also = while way
            exclude_lines =
                never called
                def __repr__
        """
    },
    "toml": {
        "pyproject.toml": """
            [tool.coverage.run]
            source = ["${WHERE-lib}"]
            branch = true
            [tool.coverage.report]
            omit = ["lib/gen/*"]
            include = ["lib/*"]
        """
    },
    "own toml": {
        ".coveragerc.toml": """
            [run]
            source_dirs = ["lib", "tools"]
            branch = true
            [report]
            omit = ["full.py", "*/unused.py"]
            partial_branches_always = ["if way"]
        """,
        "setup.cfg": "[coverage:run]\nsource = nothing_here\n",
    },
    "included": {".coveragerc": "[run]\nbranch = 1\ninclude =\n    lib/core.py\n    */helper.py\n"},
}


def measured(folder: Path, configuration: dict[str, str], **env: str) -> None:
    """The project, run under coverage.py and under whotests."""
    write_files(folder, {**PROJECT, **configuration})
    for words in (("coverage", "run"), ("whotests", "run", "--")):
        python = ("python",) if words[0] == "whotests" else ()
        ended = run_plain("python", "-m", *words, *python, "prog.py", cwd=folder, env=env)
        assert ended.status == 0, ended.out + ended.err


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_figures_are_coverages(tmp_path: Path, name: str) -> None:
    """Of every file kind and each way to say what to measure: all figures of all files."""
    measured(tmp_path, CONFIGURATIONS[name])
    ended = run_plain("python", "-m", "coverage", "json", "-q", cwd=tmp_path)
    assert ended.status == 0, ended.out + ended.err
    theirs = json.loads((tmp_path / "coverage.json").read_text())
    assert theirs["totals"]["num_statements"] > 3
    ended = run_plain("python", "-m", "whotests", "report", "--json", cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert list(differences(json.loads(ended.out), theirs)) == []


REPORTS = [
    "show_missing = true\nsort = -miss",
    "skip_covered = true\nprecision = 2\nsort = Cover",
    "skip_empty = true\nsort = +stmts\nfail_under = 61",
    "sort = -brpart\nfail_under = 99",
    "sort = -name\nprecision = 1\nfail_under = 66.2\nomit = lib/g*/*",
    "contexts = a_label",
]


def cells(text: str) -> list[list[str]]:
    """The rows of a report: file, whole numbers, percentage; the total last."""
    rows = []
    for line in text.splitlines():
        found = re.match(r"(\S+)(?:  not imported)? +([\d ,]+\d) +([\d.]+)%(?: .*|$)", line)
        if found:
            name = found[1].lower() if found[1] == "TOTAL" else found[1]
            rows.append([name, *found[2].replace(",", "").split()[:4], found[3]])
    return rows


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both have measured the project, with branches and a label."""
    folder = tmp_path_factory.mktemp("reported")
    rc = "[run]\nbranch = true\nsource = lib, tools\ncontext = a_label\n"
    measured(folder, {".coveragerc": rc})
    return folder


@pytest.mark.parametrize("report", REPORTS)
def test_reports_are_coverages(reported: Path, report: str) -> None:
    """The same files in the same order with the same figures, and the same exit status."""
    rc = "[run]\nbranch = true\nsource = lib, tools\ncontext = a_label\n[report]\n"
    (reported / ".coveragerc").write_text(rc + report)
    theirs = run_plain("python", "-m", "coverage", "report", cwd=reported)
    ours = run_plain("python", "-m", "whotests", "report", cwd=reported)
    assert ours.status == theirs.status, ours.err + theirs.out
    expected = cells(theirs.out)
    assert len(expected) >= 3
    assert cells(ours.out) == expected


def test_one_number(reported: Path) -> None:
    """`--format total` prints the number that coverage.py prints."""
    (reported / ".coveragerc").write_text("[report]\nformat = total\nprecision = 3\n")
    theirs = run_plain("python", "-m", "coverage", "report", cwd=reported)
    assert run_plain("python", "-m", "whotests", "report", cwd=reported).out == theirs.out


def test_figures_after_migrating(tmp_path: Path) -> None:
    """With the table that `whotests migrate` writes, all is as with coverage.py's settings."""
    measured(tmp_path, CONFIGURATIONS["everything named"])
    before = run_plain("python", "-m", "whotests", "report", cwd=tmp_path)
    assert run_plain("python", "-m", "whotests", "migrate", cwd=tmp_path).status == 0
    (tmp_path / "tox.ini").unlink()
    ended = run_plain("python", "-m", "whotests", "run", "python", "prog.py", cwd=tmp_path)
    assert (ended.status, ended.err) == (0, "")
    assert run_plain("python", "-m", "whotests", "report", cwd=tmp_path).out == before.out
