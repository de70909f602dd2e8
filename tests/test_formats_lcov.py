"""LCOV tracefiles: what is read of those of any tool, and what is said of those that are wrong."""

import codecs
from pathlib import Path

import pytest

from foreign_files import read_text
from whotests.errors import DataError
from whotests.formats.foreign import ForeignFork
from whotests.formats.lcov_reading import read_lcov
from whotests.formats.registry import recognised

COVERAGE = """\
SF:src/shop.py
DA:1,1
DA:4,1,EwgT+RAiRhdKojoX9qaXWQ
DA:5,0
LF:3
LH:2
FN:4,5,f
FNDA:1,f
FNF:1
FNH:1
BRDA:4,0,jump to line 5,0
BRDA:4,0,return from function 'f',1
BRDA:5,0,jump to line 4,-
BRDA:5,0,exit the module,-
BRF:4
BRH:1
end_of_record
SF:src/empty.py
end_of_record
"""


def test_a_tracefile_of_coverage(tmp_path: Path) -> None:
    """Lines, branches by their words, and checksums; a way out of the unit is 0."""
    foreign, files = read_text(tmp_path, COVERAGE, name="lcov")
    assert files["src/shop.py"] == (
        [1, 4, 5],
        {"": [1, 4]},
        [(4, 0), (4, 5), (5, 0), (5, 4)],
        {"": [(4, 0)]},
    )
    assert files["src/empty.py"] == ([], {}, [], {})
    assert foreign.branch
    (shop, _) = foreign.files
    assert shop.checksums == {4: "EwgT+RAiRhdKojoX9qaXWQ"}
    assert "contexts" in foreign.unsaid


def test_a_tracefile_that_begins_with_a_mark(tmp_path: Path) -> None:
    """Tools of Windows write one, which says that the file is UTF-8."""
    path = tmp_path / "lcov.info"
    path.write_bytes(codecs.BOM_UTF8 + COVERAGE.encode())
    assert recognised(path).name == "lcov"
    assert [file.path for file in read_lcov(path).files] == ["src/shop.py", "src/empty.py"]


def test_a_tracefile_of_lcov_2(tmp_path: Path) -> None:
    """Comments, versions, the newer records of functions, conditions, and counts that are no whole
    numbers; branches that have numbers only are counted."""
    text = (
        "# made by hand\r\nTN:\r\nSF:/ci/shop.py\r\nVER:1a2b\r\nFNL:0,1,9\r\nFNA:0,3,f\r\nFNF:1\r\n"
        "FNH:1\r\nBRDA:3,0,0,5\r\nBRDA:3,0,1,-\r\nBRDA:4,e1,a < b, c,0\r\nBRF:3\r\nBRH:1\r\n"
        "MCDC:3,2,t,1,0,a\r\nMCF:1\r\nMCH:1\r\nDA:3,1.5e3\r\nDA:4,-7\r\nDA:5,0\r\nend_of_record\r\n"
    )
    foreign, files = read_text(tmp_path, text, name="lcov")
    assert files == {"/ci/shop.py": ([3, 4, 5], {"": [3, 4]}, [], {})}
    (shop,) = foreign.files
    assert shop.forks == {3: ForeignFork(2, 1), 4: ForeignFork(1, 0)}


def test_records_of_several_tests_add_up(tmp_path: Path) -> None:
    """A file may come once for each test; what the record without a name has besides ran, too."""
    text = (
        "TN:\nSF:a.py\nDA:1,2\nDA:2,1\nDA:3,0\nBRDA:1,0,jump to line 2,1\n"
        "BRDA:1,0,jump to line 3,0\nend_of_record\n"
        "TN:tests/test_a.py::test_a|run\nSF:a.py\nDA:2,1\nBRDA:1,0,jump to line 2,1\n"
        "end_of_record\nTN:tests/test_a.py::test_b|setup\nSF:a.py\nDA:2,1\nend_of_record\n"
    )
    foreign, files = read_text(tmp_path, text, name="lcov")
    assert files["a.py"] == (
        [1, 2, 3],
        {"": [1], "tests/test_a.py::test_a|run": [2], "tests/test_a.py::test_b|setup": [2]},
        [(1, 2), (1, 3)],
        {"tests/test_a.py::test_a|run": [(1, 2)]},
    )
    assert "contexts" not in foreign.unsaid


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SF:a.py\nDA:1,1\n", "cut short"),
        ("SF:a.py\nSF:b.py\nend_of_record\n", "line 2, begins a file before the last one has"),
        ("TN:\nDA:1,1\nend_of_record\n", "line 2, stands outside"),
        ("SF:a.py\nDA:one,1\nend_of_record\n", "line 2, is no record of this kind: DA:one,1"),
        ("SF:a.py\nDA:1\nend_of_record\n", "line 2, is no record of this kind"),
        ("SF:a.py\nDA:0,1\nend_of_record\n", "speaks of line 0, which no source file has"),
        ("SF:a.py\nDA:99999999999,1\nend_of_record\n", "speaks of line 99999999999"),
        ("SF:a.py\nXYZ:1\nend_of_record\n", "line 2, is no record of LCOV: XYZ:1"),
        ("SF:a.py\nBRDA:1,0,1\nend_of_record\n", "line 2, is no record of this kind"),
        ("TN:\n\n", "has no record of a source file"),
        (b"SF:\xff\xfe\nend_of_record\n", "line 1, is not UTF-8"),
        ("SF:" + "x" * 10_000_000 + "\nend_of_record\n", "line 1, is longer than 65536 bytes"),
    ],
)
def test_wrong_tracefiles(tmp_path: Path, text: str | bytes, message: str) -> None:
    """They are refused with the line and the reason."""
    with pytest.raises(DataError, match=message):
        read_text(tmp_path, text, name="lcov", recognise=False)
