"""Real suites, out to JSON, LCOV and Cobertura XML and in from them, with equal figures."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from exact_suites import SUITES, Suite
from measured_commands import run_measured, run_plain
from report_figures import differences
from test_formats_coverage_suites import figures, folder, prepared, their_figures, whotests

pytestmark = pytest.mark.suites
__all__ = ["folder"]

EXIT = re.compile(r"(?:return|except) from function '[^'\n]*'|jump to the function exit")
FORMATS = ("coverage-json", "lcov", "cobertura")


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_out_and_back(suite: Suite, folder: Path, tmp_path: Path) -> None:
    """What we write is what coverage.py writes of the same facts, and gives the same figures when
    it is imported."""
    root, environment, command = prepared(suite, folder)
    chosen = [word for name in suite.source for word in ("--source", name)]
    data = tmp_path / "data.db"
    measured = run_measured(
        *command, cwd=root, env=environment, options=(*chosen, "--branch", "--data", str(data))
    )
    assert measured.status == 0, measured.out[-3000:] + measured.err
    whotests(root, "export", "coverage", "-o", str(tmp_path / "cov"), "--data", str(data))
    for name in FORMATS:
        whotests(root, "export", name, "-o", str(tmp_path / name), "--data", str(data))
    for name in ("json", "lcov", "xml"):
        words = (name, "-q", "--ignore-errors", f"--data-file={tmp_path / 'cov'}")
        ended = run_plain(
            *("python", "-m", "coverage", *words, "-o", str(tmp_path / f"theirs.{name}")), cwd=root
        )
        assert ended.status == 0, ended.out + ended.err

    ours, theirs = (
        json.loads((tmp_path / name).read_text()) for name in ("coverage-json", "theirs.json")
    )
    assert ours["totals"]["covered_branches"] > 100
    assert without_contexts(ours) == without_contexts(theirs)
    # That a function was left is recorded, not whether by raising; and coverage.py has no words for
    # some ways out.
    texts = [EXIT.sub("exit", (tmp_path / name).read_text()) for name in ("lcov", "theirs.lcov")]
    assert texts[0] == texts[1]
    assert lines_of(tmp_path / "cobertura") == lines_of(tmp_path / "theirs.xml")

    for name in FORMATS:
        back = tmp_path / f"{name}.db"
        whotests(root, "import", str(tmp_path / name), "--data", str(back))
        assert list(differences(figures(root, back), their_figures(root, tmp_path / "cov"))) == []


def without_contexts(document: dict[str, Any]) -> dict[str, Any]:
    """The figures of a document of coverage.py's JSON."""
    for file in document["files"].values():
        for part in (file, *file["functions"].values(), *file["classes"].values()):
            part.pop("contexts", None)
    return {key: document[key] for key in ("files", "totals")}


def lines_of(path: Path) -> list[tuple[str, list[dict[str, str]]]]:
    """The attributes of the lines of each class, by the names of files alone: the two name them
    from other folders on."""
    classes = ElementTree.parse(path).getroot().iter("class")
    found = [(each.attrib["name"], [line.attrib for line in each.iter("line")]) for each in classes]
    return sorted(found, key=lambda each: (each[0], len(each[1]), str(each[1])))
