"""Prints docs/schema.md: the tables of SQL, and those of the data file, from their descriptions.

    python scripts/schema_page.py > docs/schema.md

Needs whotests and nothing else. A test fails when the page is not current.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from whotests.sql.tables import TABLES
from whotests.store.schema import SCHEMA, VERSION

HEAD = (
    "# The tables of SQL\n\n"
    "What `whotests sql` offers, and behind it what a data file keeps. [sql.md](sql.md) has "
    "examples. This page is made by `scripts/schema_page.py` from the descriptions in "
    "`whotests.sql.tables` and `whotests.store.schema`.\n"
)

STORED = (
    "## What a data file keeps\n\n"
    "A data file is SQLite, of version {version} of this schema (`PRAGMA user_version`). SQL has "
    "its tables as `data.run`, `data.file` and so on; they hold all runs, superseded ones and "
    "parts too, packed as they are. `whotests.packing` tells how, and that may change with "
    "the version. Bitmaps are little-endian bytes: bit L of the whole is line L, unless said "
    "otherwise.\n"
)

COLUMN = re.compile(r"    (\w+)\s+(TEXT|INTEGER|REAL|BLOB)\b([^-]*)(?:-- (.*))?")
MORE = re.compile(r"    \s+-- (.*)")
TABLE = re.compile(r"CREATE TABLE (\w+) \(")
INDEX = re.compile(r"CREATE INDEX (\w+) ON (.*);")
REFERENCE = re.compile(r"REFERENCES (\w+)")


class StoredColumn(NamedTuple):
    """A column of the data file's schema, with its comment."""

    name: str
    type: str
    description: str


class StoredThing(NamedTuple):
    """A table, or (without columns) an index, with its comment."""

    name: str
    description: str
    columns: tuple[StoredColumn, ...]


def stored_things(schema: str) -> Iterator[StoredThing]:
    """The tables and indexes of a schema that is written like ours. ValueError: it is not."""
    comment: list[str] = []
    name = ""
    columns: list[StoredColumn] = []
    for line in schema.splitlines():
        if not name and line.startswith("-- "):
            comment.append(line.removeprefix("-- "))
        elif found := TABLE.fullmatch(line):
            name = found[1]
        elif name and line.startswith(")"):
            yield StoredThing(name, " ".join(comment), tuple(columns))
            comment, name, columns = [], "", []
        elif found := INDEX.fullmatch(line):
            yield StoredThing(f"{found[1]} on {found[2]}", " ".join(comment), ())
            comment = []
        elif name and (found := COLUMN.fullmatch(line)):
            said = (implied(found[1], found[3]), found[4] or "")
            columns.append(StoredColumn(found[1], found[2], "; ".join(filter(None, said))))
        elif name and (found := MORE.fullmatch(line)):
            last = columns[-1]
            columns[-1] = last._replace(description=f"{last.description} {found[1]}".strip())
        elif not name and not line:
            comment = []
        elif not line.startswith("    PRIMARY KEY"):
            raise ValueError(f"not understood in the schema: {line}")


def implied(name: str, constraints: str) -> str:
    """What a column says without a comment."""
    if found := REFERENCE.search(constraints):
        return f"`{found[1]}.id`"
    return "the row's number" if name == "id" and "PRIMARY KEY" in constraints else ""


def table_of(rows: Iterable[tuple[str, str, str]]) -> str:
    """A Markdown table of columns."""
    cells = (" | ".join((f"`{name}`", kind, escaped(text))) for name, kind, text in rows)
    return "\n".join(
        ("| column | type | what it says |", "|---|---|---|", *map("| {} |".format, cells))
    )


def escaped(text: str) -> str:
    """Text that stands in a cell."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for table in TABLES:
        parameters = [column.name for column in table.columns if column.parameter]
        title = f"{table.name}({', '.join(parameters)})" if parameters else table.name
        rows = ((column.name, column.type, column.description) for column in table.columns)
        key = ", ".join(f"`{name}`" for name in table.key)
        parts.append(
            f"## {title}\n\n{table.description} No two rows have the same {key}.\n\n"
            f"{table_of(rows)}\n"
        )
    parts.append(STORED.format(version=VERSION))
    indexes = []
    for thing in stored_things(SCHEMA):
        if thing.columns:
            parts.append(
                f"### data.{thing.name}\n\n{thing.description}\n\n{table_of(thing.columns)}\n"
            )
        else:
            indexes.append(
                f"- `{thing.name}`{': ' if thing.description else ''}{thing.description}"
            )
    if indexes:
        parts.append("### Indexes\n\n" + "\n".join(indexes) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
