"""Files that may be coverage.py's data: old, damaged, contradictory, hostile."""

import sqlite3
from contextlib import closing
from pathlib import Path

import coverage
import pytest

from data_files import DataFile, record_shop
from whotests.errors import DataError
from whotests.formats.coverage_file import read, recognises
from whotests.formats.foreign import Foreign, ForeignFile
from whotests.query.facts import ContextKey
from whotests.types import lines_in


def saved(path: Path, *, arcs: bool = False) -> Path:
    """A data file of coverage.py: two contexts in a.py, a plugin's file, one idle file."""
    data = coverage.CoverageData(str(path))
    for context in ("", "t.py::test|run"):
        data.set_context(context)
        if arcs:
            data.add_arcs({"/p/a.py": [(-1, 1), (1, 2), (2, -1)]})
        else:
            data.add_lines({"/p/a.py": [1, 2, 9]})
    if not arcs:
        data.add_lines({"/p/a.html": [3]})
        data.add_file_tracers({"/p/a.html": "templates.Plugin"})
    data.touch_file("/p/never.py")
    data.close(force=True)
    return path


def files_of(foreign: Foreign) -> dict[str, ForeignFile]:
    """Its files by path."""
    return {file.path: file for file in foreign.files}


def changed(path: Path, *statements: str) -> Path:
    """The file after these statements of SQL."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def test_lines_and_contexts(tmp_path: Path) -> None:
    """Lines come by context, files of plugins with their names, files that did not run without."""
    foreign = read(saved(tmp_path / ".coverage"))
    assert not foreign.branch
    assert foreign.made_by == f"coverage.py {coverage.__version__}"
    files = files_of(foreign)
    assert {key.name: list(lines_in(ran.lines)) for key, ran in files["/p/a.py"].ran.items()} == {
        "": [1, 2, 9],
        "t.py::test|call": [1, 2, 9],
    }
    assert files["/p/a.html"].plugin == "templates.Plugin"
    assert files["/p/never.py"].ran == {}


def test_arcs(tmp_path: Path) -> None:
    """Pairs of lines come as they are, and their ends as lines that ran."""
    foreign = read(saved(tmp_path / ".coverage", arcs=True))
    assert foreign.branch
    ran = files_of(foreign)["/p/a.py"].ran[ContextKey("", None, None, "")]
    assert ran.branches == {(-1, 1), (1, 2), (2, -1)}
    assert list(lines_in(ran.lines)) == [1, 2]


def test_recognised() -> None:
    """By its beginning, old ones too, and never a data file of ours."""
    assert recognises(b"SQLite format 3\0" + bytes(84))
    assert recognises(b"!coverage.py: This is a private format, don't read it directly!{}")
    assert not recognises(b"{}")


def test_our_own_data(tmp_path: Path) -> None:
    """A data file of ours is told where to go."""
    data = DataFile(tmp_path)
    record_shop(data)
    assert not recognises(data.path.read_bytes())
    with pytest.raises(DataError, match="whotests combine"):
        read(data.path)


OLD = {
    "coverage.py 4": (
        b"!coverage.py: This is a private format, don't read it directly!"
        b'{"lines":{"/p/a.py":[1,2]}}',
        "coverage.py 4",
    ),
    "coverage.py 3": (b"\x80\x02}q\x01(U\x09collectorq\x02", "no data file of coverage.py"),
    "text": (b"hello", "no data file of coverage.py"),
    "nothing": (b"", "no data file of coverage.py"),
    "a header": (b"SQLite format 3\0" + bytes(20), "cut short"),
}


@pytest.mark.parametrize(("content", "said"), OLD.values(), ids=OLD)
def test_other_files(tmp_path: Path, content: bytes, said: str) -> None:
    """What is no SQLite, or an old coverage.py's, is called what it is."""
    (tmp_path / ".coverage").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read(tmp_path / ".coverage")


BROKEN: dict[str, tuple[tuple[str, ...], str]] = {
    "an older schema": (("UPDATE coverage_schema SET version = 6",), "version 6 .* an older"),
    "a newer schema": (("UPDATE coverage_schema SET version = 8",), "version 8 .* another"),
    "no version": (("DELETE FROM coverage_schema",), "version none"),
    "a version that is none": (("UPDATE coverage_schema SET version = 'x'",), "makes no sense"),
    "other tables": (("DROP TABLE coverage_schema",), "no data file of coverage.py"),
    "a table is missing": (("DROP TABLE arc",), "no table 'arc'"),
    "a column is missing": (("ALTER TABLE arc RENAME COLUMN tono TO x",), "no column 'tono'"),
    "a view for a table": (
        (
            "DROP TABLE line_bits",
            "CREATE VIEW line_bits AS WITH RECURSIVE n(file_id, context_id, numbits) AS"
            " (SELECT 1, 1, x'02' UNION ALL SELECT 1, 1, x'02' FROM n) SELECT * FROM n",
        ),
        "no table 'line_bits'",
    ),
    "a virtual table": (
        ("DROP TABLE arc", "CREATE VIRTUAL TABLE arc USING fts5(file_id, context_id)"),
        "no table 'arc'",
    ),
    "a computed column": (
        (
            "DROP TABLE line_bits",
            "CREATE TABLE line_bits (file_id integer, context_id integer,"
            " numbits blob AS (zeroblob(100000000)))",
            "INSERT INTO line_bits VALUES (1, 1)",
        ),
        "no column 'numbits'",
    ),
    "lines and arcs": (("INSERT INTO arc VALUES (1, 1, 1, 2)",), "at once"),
    "a context without a name": (
        ("UPDATE line_bits SET context_id = 9 WHERE rowid = 1",),
        "context 9",
    ),
    "a file without a name": (("UPDATE line_bits SET file_id = 9 WHERE rowid = 1",), "file 9"),
    "a path that is a number": (("UPDATE file SET path = x'00' WHERE id = 1",), "makes no sense"),
    "no path": (("UPDATE file SET path = NULL",), "makes no sense"),
    "lines that are text": (("UPDATE line_bits SET numbits = 'abc'",), "makes no sense"),
    "a line that no file has": (
        ("UPDATE line_bits SET numbits = zeroblob(1000000) || x'01'",),
        "makes no sense|line 8000000",
    ),
    "text that is no UTF-8": (
        ("UPDATE context SET context = CAST(x'ff' AS TEXT) WHERE id = 1",),
        "cut short or damaged",
    ),
}


@pytest.mark.parametrize(("statements", "said"), BROKEN.values(), ids=BROKEN)
def test_contradictions(tmp_path: Path, statements: tuple[str, ...], said: str) -> None:
    """What makes no sense ends with a sentence that names the file and the fault."""
    path = changed(saved(tmp_path / ".coverage"), *statements)
    with pytest.raises(DataError, match=said) as raised:
        files_of(read(path))
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("line", [1 << 40, -(1 << 40), 1_000_001])
def test_arcs_that_no_file_has(tmp_path: Path, line: int) -> None:
    """Nor do numbers of lines that would take all memory."""
    path = changed(
        saved(tmp_path / ".coverage", arcs=True), f"UPDATE arc SET tono = {line} WHERE tono = 2"
    )
    with pytest.raises(DataError, match="which no source file has"):
        files_of(read(path))


def test_high_lines_in_many_contexts(tmp_path: Path) -> None:
    """A few rows cannot claim all memory."""
    path = changed(
        saved(tmp_path / ".coverage", arcs=True),
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
        " INSERT INTO context SELECT i, 'c' || i FROM n",
        "INSERT INTO arc SELECT 1, id, 999999 - id, 1 FROM context WHERE id > 99",
    )
    with pytest.raises(DataError, match="more contexts than can be"):
        files_of(read(path))


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_cut_short(tmp_path: Path, cut: float) -> None:
    """So does a file that lost its end."""
    path = saved(tmp_path / ".coverage")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(DataError, match="cut short or damaged"):
        files_of(read(path))


def test_a_log_beside_it(tmp_path: Path) -> None:
    """A file that another program holds open is left alone, and nothing is made beside it."""
    path = changed(saved(tmp_path / ".coverage"), "PRAGMA journal_mode = WAL")
    with pytest.raises(DataError, match="another program has it open"):
        read(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [".coverage"]


def test_nothing_is_written(tmp_path: Path) -> None:
    """Reading changes no byte and adds no file."""
    path = saved(tmp_path / ".coverage")
    before = path.read_bytes()
    path.chmod(0o444)
    files_of(read(path))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [".coverage"]


def test_the_meaning_of_names_may_be_anything(tmp_path: Path) -> None:
    """What our exports say of names is passed over where it is not what we write."""
    for text in (
        "[]",
        "{",
        '{"": 1}',
        '{"": [1, 2, 3, 4]}',
        '{"": ["", "t", null, ""]}',
        "[" * 9999,
    ):
        path = tmp_path / f"{abs(hash(text))}"
        changed(saved(path), f"INSERT INTO meta VALUES ('whotests_contexts', '{text}')")
        keys = files_of(read(path))["/p/a.py"].ran
        assert {key.name for key in keys} == {"", "t.py::test|call"}
