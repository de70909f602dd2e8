"""coverage.py's JSON: what is read of it, and what is said of that which is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from foreign_files import read_text
from whotests.errors import DataError

FILE: dict[str, Any] = {
    "executed_lines": [1, 2],
    "summary": {"covered_lines": 2},
    "missing_lines": [4],
    "excluded_lines": [6, 7],
    "contexts": {"1": [""], "2": ["tests/test_a.py::test_a|run", "x"], "6": ["x"]},
    "executed_branches": [[2, 4]],
    "missing_branches": [[2, -1]],
    "functions": {"f": {"executed_lines": [2], "contexts": {"2": ["another"]}}},
    "classes": {"": {}},
}


def document(meta: object = None, **files: object) -> str:
    """A document of these files."""
    usual = {"format": 3, "version": "7.17.3", "branch_coverage": True, "show_contexts": True}
    return json.dumps({"meta": usual if meta is None else meta, "files": files, "totals": {}})


def test_all_of_a_file_is_read(tmp_path: Path) -> None:
    """Lines by context, branches, what is excluded; regions repeat it, and are passed over."""
    text = document(**{"src/shop.py": FILE, "src/empty.py": {"executed_lines": []}})
    foreign, files = read_text(tmp_path, text, name="coverage-json")
    assert files["src/shop.py"] == (
        [1, 2, 4],
        {"": [1], "tests/test_a.py::test_a|run": [2], "x": [2, 6]},
        [(2, -1), (2, 4)],
        {"": [(2, 4)]},
    )
    assert files["src/empty.py"] == ([], {}, [], {})
    assert foreign.branch
    assert foreign.made_by == "7.17.3"


def test_a_document_without_contexts(tmp_path: Path) -> None:
    """All that ran did so in no context, also in the format of coverage.py 4."""
    file = {key: value for key, value in FILE.items() if key.endswith("_lines")}
    text = "\ufeff \n" + document({"version": "4.5", "timestamp": "2026-01-01T10:00:00"}, a=file)
    foreign, files = read_text(tmp_path, text, name="coverage-json")
    assert files == {"a": ([1, 2, 4], {"": [1, 2]}, [], {})}
    assert foreign.unsaid == ("outcomes and durations of tests", "contexts")
    assert foreign.created is not None


def changed(**changes: object) -> str:
    """The document with other values for some keys of the file."""
    return document(a=FILE | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(a=FILE)[:-20], "cut short"),
        (document(a=FILE)[:90], "cut short|missing|no end"),
        ('{"meta": {"format": 3}}', "it has no 'meta' and 'files'"),
        (document({"format": 4}), "of format 4, of which this whotests knows"),
        (document({"format": "3"}), "of format 3, of"),
        (document(a=FILE) + "{}", "something stands behind its end"),
        (changed(missing_lines=[2]), "a: line 2 is both executed and missing"),
        (changed(excluded_lines=[4]), "a: line 4 is both missing and excluded"),
        (changed(missing_branches=[[2, 4]]), "a: branch 2->4 is both executed and missing"),
        (changed(executed_lines=[1, "2"]), "a list of lines has something else in it"),
        (changed(executed_lines=[True]), "a list of lines has something else in it"),
        (changed(executed_lines={"1": 2}), "a list of lines has something else in it"),
        (changed(executed_lines=[-1]), "speaks of line -1, which no source file has"),
        (changed(missing_branches=[[1, 2, 3]]), "a list of branches has something else in it"),
        (changed(missing_branches=[[1, 10**30]]), "speaks of a branch"),
        (changed(contexts={"one": ["x"]}), "one is no line"),
        (changed(contexts={"1": [1]}), "a list of contexts has something else in it"),
        (changed(contexts=[]), "'{' is missing"),
        (changed(executed_lines=0).replace("0", "[" * 100_000, 1), "."),
        (
            changed(executed_lines=0).replace("0", "[" * 100_000 + "]" * 100_000, 1),
            "recursion|too deep",
        ),
        (
            changed(executed_lines=0).replace("0", "[" + "[]," * 1_000_000 + "1]", 1),
            "larger than any",
        ),
        (document(**{"x" * 10_000_000: FILE}), "longer than any name"),
        (document(**{"x" * 100_000: FILE}), "too long a name"),
        ('{"meta": {}, "files": {"a": {}, "a": {}}}', "is there twice"),
        ('{"meta": {}, "files": {"a": {} "b": {}}}', "without a comma"),
        ('{"meta": {}, "files": {"a": {"executed_lines": [1, 2}}}', "brackets do not fit"),
        ('{"meta": {}, "files": {"a": {"executed_lines": ]}}}', "."),
        ('{"meta": nul, "files": {}}', "."),
        ('{"meta": {"a": "\\x"}, "files": {}}', "."),
        ('{"meta": {"' + '\\"' * 1_000_000, "a string has no end|no end"),
    ],
)
def test_wrong_documents(tmp_path: Path, text: str, message: str) -> None:
    """They are refused with the place and the reason."""
    with pytest.raises(DataError, match=message):
        read_text(tmp_path, text, name="coverage-json", recognise=False)
