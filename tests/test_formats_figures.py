"""Our JSON, LCOV and Cobertura XML are what coverage.py writes of the same facts."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import coverage
import pytest

from data_files import NOON, DataFile
from figure_programs import RULES, coverage_of, record_as, rules_of, save_arcs, write_programs
from whotests.formats.exporting import Export
from whotests.formats.registry import format_named
from whotests.query.files import Catalogue
from whotests.store.reader import Reader

SHARES = [0.0, 0.4, 1.0]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFile:
    """A project of many programs, in which commands are given."""
    write_programs(tmp_path)
    monkeypatch.chdir(tmp_path)
    return DataFile(tmp_path)


def recorded(data: DataFile, settings: dict[str, Any], share: float) -> coverage.Coverage:
    """coverage.py with a share of all that could run, which is recorded in the data file, too."""
    save_arcs(data.root, share)
    found = coverage_of(data.root, settings)
    found.load()
    record_as(found, data, rules_of(settings))
    return found


def exported(data: DataFile, name: str, *, checksums: bool = False) -> Path:
    """Our export in a format."""
    out = data.root / f"ours.{name}"
    write = format_named(name).write
    assert write is not None
    with Reader.open(data.path) as reader:
        catalogue = Catalogue(reader, data, cwd=data.root, roots=(data.root,), rules=None)
        export = Export(
            reader=reader,
            catalogue=catalogue,
            root=data.root,
            cwd=data.root,
            now=NOON,
            checksums=checksums,
        )
        write(export, out)
    return out


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("settings", RULES.values(), ids=RULES)
def test_json_is_coverages(data: DataFile, settings: dict[str, Any], share: float) -> None:
    """Key by key, but for who wrote it and when; regions have the contexts of their lines only."""
    found = recorded(data, settings, share)
    found.config.json_show_contexts = True
    found.json_report(outfile=str(data.root / "theirs.json"))
    theirs = json.loads((data.root / "theirs.json").read_text())
    ours = json.loads(exported(data, "coverage-json").read_text())
    assert theirs["totals"]["num_branches"] > 70
    for document in (ours, theirs):
        del document["meta"]["version"], document["meta"]["timestamp"]
    for file in theirs["files"].values():
        for part in (file, *file["functions"].values(), *file["classes"].values()):
            del part["contexts"]  # of a test that has no name there
    for file in ours["files"].values():
        of_file = file.pop("contexts")
        assert set(file["executed_lines"]) <= set(map(int, of_file))
        for part in (*file["functions"].values(), *file["classes"].values()):
            for line, names in part.pop("contexts").items():
                assert names == of_file[line] == ["t|run"]
    assert ours == theirs


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("settings", RULES.values(), ids=RULES)
def test_lcov_is_coverages(data: DataFile, settings: dict[str, Any], share: float) -> None:
    """Record by record, with checksums; functions that a branch leaves by raising are 'returned'
    from, since what is recorded of both is that they were left."""
    for path in (data.root / "src").iterdir():
        if "\x0b" in path.read_text(encoding="latin-1"):
            path.unlink()  # coverage.py takes this for the end of a line, and sums up another one
    found = recorded(data, settings, share)
    found.config.lcov_line_checksums = True
    found.lcov_report(outfile=str(data.root / "theirs.lcov"))
    theirs = (data.root / "theirs.lcov").read_text().replace("except from", "return from")
    ours = exported(data, "lcov", checksums=True).read_text()
    assert theirs.count("BRDA:") > 70
    assert ours.splitlines() == theirs.splitlines()


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("settings", RULES.values(), ids=RULES)
def test_cobertura_is_coverages(data: DataFile, settings: dict[str, Any], share: float) -> None:
    """Element by element and attribute by attribute, but for the conditions, which coverage.py
    does not write, and for the folder that names are relative to."""
    found = recorded(data, settings, share)
    found.xml_report(outfile=str(data.root / "theirs.xml"))
    theirs = ElementTree.parse(data.root / "theirs.xml").getroot()
    ours = ElementTree.parse(exported(data, "cobertura")).getroot()
    for line in ours.iter("line"):
        for conditions in line.findall("conditions"):
            line.remove(conditions)
    assert len(list(theirs.iter("line"))) > 200
    assert [each.text for each in ours.iter("source")] == [str(data.root)]
    assert shown(ours, "src/") == shown(theirs, "")


def shown(document: ElementTree.Element, below: str) -> list[tuple[str, dict[str, str]]]:
    """All elements and their attributes, names of files below a folder."""
    found = []
    for element in document.iter():
        attributes = dict(element.attrib)
        if element.tag == "class":
            attributes["filename"] = attributes["filename"].removeprefix(below)
        if element.tag == "package":
            attributes["name"] = re.sub(r"^src$", ".", attributes["name"]) if below else "."
        if element.tag == "coverage":
            del attributes["version"], attributes["timestamp"]
        found.append((element.tag, attributes))
    return [each for each in found if each[0] not in ("sources", "source")]
