"""`whotests export sqlite`: the tables of SQL, written out for other tools."""

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data_files import NOON, DataFile
from sql_data import asked, record_odd_shop, sandbox
from whotests.formats.exporting import Export
from whotests.formats.plain_sqlite import FORMAT
from whotests.sql.tables import TABLES, Table


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFile:
    """A project with two runs."""
    data = DataFile(tmp_path_factory.mktemp("sql"))
    (data.root / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    record_odd_shop(data)
    return data


ORDINARY = [t for t in TABLES if not any(column.parameter for column in t.columns)]


def written(data: DataFile, out: Path) -> tuple[str, ...]:
    """Writes the data's export to `out`."""
    assert FORMAT.write is not None
    with data.opened() as (reader, catalogue):
        exported = Export(
            reader=reader, catalogue=catalogue, root=data.root, cwd=data.root, now=NOON
        )
        return FORMAT.write(exported, out)


@pytest.fixture(scope="module")
def plain(data: DataFile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The export, opened."""
    out = tmp_path_factory.mktemp("export") / "whotests.sqlite"
    assert written(data, out) == ()
    with closing(sqlite3.connect(out)) as connection:
        yield connection


@pytest.mark.parametrize(
    "table",
    ORDINARY,
    ids=lambda table: table.name,
)
def test_a_table_has_the_rows_that_sql_gives(
    data: DataFile, plain: sqlite3.Connection, table: Table
) -> None:
    """Under the same names, so that queries can be taken from one to the other."""
    columns = ", ".join(column.name for column in table.columns)
    with sandbox(data) as box:
        expected = Counter(asked(box, f"SELECT {columns} FROM {table.name}"))
    assert Counter(plain.execute(f"SELECT {columns} FROM {table.name}")) == expected
    assert expected


def test_the_file_is_sound(plain: sqlite3.Connection) -> None:
    """Every number refers to a row, and every value is of its column's type."""
    assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
    for table in ORDINARY:
        for column in table.columns:
            types = {
                name
                for (name,) in plain.execute(
                    f"SELECT DISTINCT typeof({column.name}) FROM {table.name}"
                )
            }
            assert types <= {column.type.lower(), "null"}, f"{table.name}.{column.name}"


def test_tables_describe_their_columns(plain: sqlite3.Connection) -> None:
    """What the columns say stands in the statements that made them."""
    (made,) = plain.execute("SELECT sql FROM sqlite_schema WHERE name = 'test'").fetchone()
    assert "duration REAL, -- seconds of wall time over all phases" in made


def test_facts_of_a_line_are_found_by_key(plain: sqlite3.Connection) -> None:
    """Asking who tests a line reads its facts only."""
    plan = plain.execute(
        "EXPLAIN QUERY PLAN"
        " SELECT context FROM fact WHERE file = 'src/shop/basket.py' AND line = 11"
    ).fetchall()
    assert any("facts USING PRIMARY KEY (file=? AND line=?)" in row[3] for row in plan)


def test_the_command_writes_the_file(data: DataFile, tmp_path: Path) -> None:
    """Its default name; what is no export is not replaced."""
    out = tmp_path / "mine.sqlite"

    def export(status: int) -> str:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from whotests.cli import main; main()",
                *("export", "sqlite", "-o", str(out)),
            ],
            cwd=data.root,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        return done.stderr

    assert export(0) == ""
    assert export(0) == ""
    with closing(sqlite3.connect(out)) as connection:
        assert connection.execute("SELECT count(*) FROM test").fetchone() == (9,)
    out.unlink()
    with closing(sqlite3.connect(out)) as connection, connection:
        connection.execute("CREATE TABLE precious (a)")
    before = out.read_bytes()
    assert "left as it is" in export(2)
    assert out.read_bytes() == before


def test_it_takes_the_standard_library_only(data: DataFile, tmp_path: Path) -> None:
    """Who has no apsw has their data all the same."""
    (tmp_path / "apsw.py").write_text("raise ModuleNotFoundError('no apsw', name='apsw')\n")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from whotests.cli import main; main()",
            *("export", "sqlite", "-o", str(tmp_path / "out.sqlite")),
        ],
        cwd=data.root,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_an_empty_project_is_exported(tmp_path: Path) -> None:
    """Tables without rows."""
    data = DataFile(tmp_path)
    with data.run():
        pass
    written(data, tmp_path / "out.sqlite")
    with closing(sqlite3.connect(tmp_path / "out.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM fact").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM run").fetchone() == (1,)
