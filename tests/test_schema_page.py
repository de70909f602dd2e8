"""docs/schema.md is made from the schemas, and describes every column."""

import runpy
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from whotests.sql.tables import TABLES
from whotests.store.schema import SCHEMA

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "schema_page.py"
PAGE = ROOT / "docs" / "schema.md"


def test_the_page_is_current() -> None:
    """`python scripts/schema_page.py > docs/schema.md` changes nothing."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    assert done.stdout == PAGE.read_text(encoding="utf-8")


def test_every_stored_column_is_described() -> None:
    """Each table, column and index that SQLite makes of the schema has a description."""
    things = runpy.run_path(str(SCRIPT))["stored_things"](SCHEMA)
    described = {thing.name: thing for thing in things}
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    tables = [n for (n,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
    assert [name for name, thing in described.items() if thing.columns] == tables
    for name in tables:
        columns = connection.execute(f"SELECT name, type FROM pragma_table_info('{name}')")
        assert [(c.name, c.type) for c in described[name].columns] == columns.fetchall()
    indexes = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type='index' AND sql NOTNULL"
    )
    assert [n.partition(" ")[0] for n, thing in described.items() if not thing.columns] == [
        n for (n,) in indexes
    ]
    for thing in described.values():
        assert thing.description, thing.name
        for column in thing.columns:
            assert column.description, f"{thing.name}.{column.name}"
    connection.close()


def test_sqlite_itself_can_check_what_the_schema_declares() -> None:
    """What one table declares of another one holds for SQLite: dumps by Python look at that."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_a_table_or_column_that_nobody_described_is_seen() -> None:
    """A comment that is missing leaves the description empty; strange text is an error."""
    stored_things = runpy.run_path(str(SCRIPT))["stored_things"]
    (thing,) = stored_things("CREATE TABLE a (\n    b TEXT NOT NULL\n);\n")
    assert thing.description == ""
    assert thing.columns[0].description == ""
    with pytest.raises(ValueError, match="not understood"):
        list(stored_things("CREATE TABLE a (\n    b VARCHAR(7)\n);\n"))


def test_every_column_of_sql_is_described() -> None:
    """Keys are columns, descriptions are there, and names occur once."""
    assert len({table.name for table in TABLES}) == len(TABLES)
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert set(table.key) <= set(names)
        assert table.description.endswith(".")
        assert all(column.description for column in table.columns)
