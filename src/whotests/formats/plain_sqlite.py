"""All facts as plain tables in a SQLite file, for DuckDB, Datasette, pandas and the like.

May import formats, the tables of SQL and what is below. Refuses to need more than the standard
library: the tables are those of `whotests sql`, written out.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from whotests.formats.exporting import Export
from whotests.formats.registry import Format
from whotests.sql.code_rows import BranchRows, FileRows, LineRows, UnitRows
from whotests.sql.ground import Ground
from whotests.sql.relations import Relation
from whotests.sql.run_rows import ContextRows, HistoryRows, RunRows, TestRows
from whotests.sql.tables import BRANCH_FACT, FACT, Column, Table
from whotests.sql.wanted import ALL

__all__ = ["FORMAT", "FORMAT_ID", "write"]

FORMAT_ID: Final = 0x57686F50
"""'WhoP', in the SQLite header: tells such files from data files."""

_HEADER: Final = b"SQLite format 3\0"
_ID_PLACE: Final = slice(68, 72)

_NUMBERED: Final = ("context", "file")
"""Tables whose rows facts refer to, by a number: names in each fact would be a hundred times as
much."""

_FACTS: Final = (
    """CREATE TABLE {name}s (
    -- {description} Names are in the view {name}.
    file INTEGER NOT NULL REFERENCES file (number),
    line INTEGER NOT NULL,{further}
    context INTEGER NOT NULL REFERENCES context (number),
    unit INTEGER REFERENCES unit (id),
    PRIMARY KEY (file, line,{keys} context)
) WITHOUT ROWID""",
    """CREATE VIEW {name} AS
SELECT context.name AS context, file.path AS file, line,{keys} context.test, context.phase,
    unit.id AS unit, unit.name AS unit_name
FROM {name}s
JOIN context ON context.number = {name}s.context
JOIN file ON file.number = {name}s.file
LEFT JOIN unit ON unit.id = {name}s.unit""",
)


def write(export: Export, out: Path) -> tuple[str, ...]:
    """Writes all tables to `out`, which is not there yet; they hold everything."""
    ground = Ground(export.reader, export.catalogue)
    with closing(sqlite3.connect(out, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {FORMAT_ID}")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for relation in (
            RunRows(ground),
            TestRows(ground),
            HistoryRows(ground),
            ContextRows(ground),
            FileRows(ground),
            UnitRows(ground),
            LineRows(ground),
            BranchRows(ground),
        ):
            _write_table(connection, relation)
        _write_facts(connection, ground)
        connection.execute("COMMIT")
        connection.execute("PRAGMA optimize")
    return ()


def _write_table(connection: sqlite3.Connection, relation: Relation) -> None:
    table = relation.table
    numbered = table.name in _NUMBERED
    connection.execute(_created(table, numbered=numbered))
    holes = ", ".join("?" * len(table.columns))
    if not numbered:
        connection.executemany(f"INSERT INTO {table.name} VALUES ({holes})", relation.rows(ALL))
        return
    rows = sorted(relation.rows(ALL), key=lambda row: (row[0], row[1]))
    connection.executemany(f"INSERT INTO {table.name} VALUES (NULL, {holes})", rows)


def _created(table: Table, *, numbered: bool) -> str:
    """The statement that creates a table, with what its columns say as comments."""
    lines = []
    if numbered:
        lines.append("    number INTEGER PRIMARY KEY, -- what facts and branch_facts refer to")
    lines += map(_declared, table.columns)
    keys = ", ".join(table.key)
    lines.append(f"    {'UNIQUE' if numbered else 'PRIMARY KEY'} ({keys})")
    body = "\n".join(lines)
    return f"CREATE TABLE {table.name} (\n    -- {table.description}\n{body}\n)"


def _declared(column: Column) -> str:
    return f"    {column.name} {column.type}, -- {column.description}"


def _write_facts(connection: sqlite3.Connection, ground: Ground) -> None:
    for statement in _FACTS:
        for table, further, keys in (
            (FACT, "", ""),
            (BRANCH_FACT, "\n    next_line INTEGER NOT NULL,", " next_line,"),
        ):
            connection.execute(
                statement.format(
                    name=table.name, description=table.description, further=further, keys=keys
                )
            )
    files = dict(connection.execute("SELECT path, number FROM file"))
    # A name that several runs have stands in each of their rows, and the facts in the first.
    contexts = dict(connection.execute("SELECT name, min(number) FROM context GROUP BY name"))
    for facts in ground.facts(None):
        number = files[facts.path]
        units = {line: unit for line, (unit, _) in ground.owners(facts.path).items()}
        lines: list[tuple[int, ...]] = []
        branches: list[tuple[int, ...]] = []
        for key, ran in facts.contexts.items():
            context = contexts[key.name]
            lines += [(number, line, context) for line in ground.lines_in(ran.lines)]
            for place in ground.lines_in(ran.branches):
                branches.append((number, *facts.branches[place], context))
        # In the order in which they are going to lie there.
        lines.sort()
        branches.sort()
        connection.executemany(
            "INSERT INTO facts VALUES (?, ?, ?, ?)", ((*row, units.get(row[1])) for row in lines)
        )
        connection.executemany(
            "INSERT INTO branch_facts VALUES (?, ?, ?, ?, ?)",
            ((*row, units.get(row[1])) for row in branches),
        )


def _recognises(head: bytes) -> bool:
    return head.startswith(_HEADER) and head[_ID_PLACE] == FORMAT_ID.to_bytes(4, "big")


FORMAT: Final = Format(
    name="sqlite",
    title="plain tables in SQLite",
    file_name="whotests.sqlite",
    recognises=_recognises,
    write=write,
)
