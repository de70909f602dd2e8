"""What tests look at in a data file, and a process that is no more."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from data_files import DataFile


def names_in(data: DataFile) -> dict[str, str]:
    """Test name -> outcome."""
    with data.opened() as (reader, _):
        return {test.name: test.outcome.value for test in reader.tests}


def rows_in(path: Path, table: str) -> int:
    """How many rows a table has."""
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        connection.close()


def dead_pid() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid
