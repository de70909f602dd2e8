"""Damaged files of other tools, to be imported, and of ours, to be combined and read: each is
taken, or refused with a sentence.

By hand, for longer: `python tests/foreign_fuzz.py FORMAT FILES SEED`, FORMAT one of FORMATS.
"""

import io
import os
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

from data_files import DataFile, record_forks
from foreign_bytes import damaged
from foreign_cells import edited
from foreign_files import Said, read_text
from peak_memory import peak_megabytes
from whotests.cli.group import cli

__all__ = ["FORMATS", "Fuzz"]

FORMATS = {
    "coverage": (),
    "coverage-json": (),
    "lcov": ("--contexts", "--checksums"),
    "cobertura": (),
    "whotests": (),
}
"""Formats of other tools, and the options of their exports; and our own data files."""

DATABASES = ("coverage", "whotests")

SLOWEST = 10.0
"""Seconds of processor time that one file may take. They take milliseconds."""

LARGEST = 500
"""Megabytes that the process may take, whatever it has imported before."""


class Fuzz:
    """A project, and its data in one format, to be damaged and imported."""

    def __init__(self, folder: Path, format_name: str) -> None:
        self.root = folder
        self.format = format_name
        self.outcomes: Counter[str] = Counter()
        data = DataFile(folder)
        record_forks(data)
        whole = data.path
        if format_name != "whotests":
            whole = folder / "whole"
            with inside(folder):
                words = ("export", format_name, *FORMATS[format_name], "-o", str(whole))
                status, said = command(*words)
            assert status == 0, said
        self.bytes = whole.read_bytes()
        self.data = folder / "imported" / "data.db"

    def run(self, files: int, seed: int) -> None:
        """Imports so many damaged files. Raises AssertionError for the first that goes wrong."""
        with inside(self.root):
            before = sorted(self.root.iterdir())
            assert self.one(self.bytes, "undamaged") == "imported"
            for number in range(files):
                random = Random(f"{seed} {number}")
                by_cells = self.format in DATABASES and random.random() < 0.6
                content = (edited if by_cells else damaged)(self.bytes, random)
                self.outcomes[self.one(content, f"seed {seed}, file {number}")] += 1
            assert self.one(self.bytes, "undamaged") == "imported"
            left = set(self.root.iterdir()) - {*before, self.data.parent, self.root / "damaged"}
            assert not left, f"left behind: {left}"

    def read(self, content: bytes) -> dict[str, Said]:
        """What the format reads in a file, by path."""
        _, files = read_text(self.root, content, name=self.format, recognise=False)
        return files

    def one(self, content: bytes, what: str) -> str:
        """How the import of a file ended; `what` says which it is."""
        file = self.root / "damaged"
        file.write_bytes(content)
        self.data.unlink(missing_ok=True)
        began = time.process_time()
        try:
            for words in self._commands(file):
                status, said = command(*words)
                if status:
                    break
        except BaseException as error:
            error.add_note(f"{self.format}, {what}")
            raise
        took = time.process_time() - began
        assert took < SLOWEST, f"{self.format}, {what}: {took:.0f} s"
        if status == 0:
            return "imported"
        assert status == 2, f"{self.format}, {what}: status {status}: {said}"
        assert said.startswith("whotests: "), f"{self.format}, {what}: {said}"
        assert said[:-1].isprintable(), f"{self.format}, {what}: {said!r}"
        assert len(said) < 1500, f"{self.format}, {what}: {said}"
        # What is left may be runs that others took the place of.
        nothing = not runs_in(self.data) or " holds no run;" in said
        assert nothing, f"{self.format}, {what}: something was imported: {said}"
        return "refused"

    def _commands(self, file: Path) -> Iterator[tuple[str, ...]]:
        """What is done with a file; when one fails, no more is."""
        if self.format == "whotests":
            yield "combine", str(file), "--data", str(self.data)
            yield "report", "--json", "--data", str(self.data)
        else:
            yield "import", str(file), "--data", str(self.data)


def command(*words: str) -> tuple[int, str]:
    """The exit status of a whotests command, and what it says on stderr."""
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        status = cli.main(words, standalone_mode=False)
    return status or 0, said.getvalue()


def runs_in(data: Path) -> int:
    """How many runs a data file has, if it is there."""
    if not data.exists():
        return 0
    with closing(sqlite3.connect(data)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM run").fetchone()
        return int(count)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """With this folder as the current one."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def main(format_name: str, files: int, seed: int) -> None:
    """Imports so many files, and says how that went."""
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder), format_name)
        began = time.monotonic()
        fuzz.run(files, seed)
        took = time.monotonic() - began
    assert peak_megabytes() < LARGEST, f"{format_name}: {peak_megabytes():.0f} MB"
    print(
        f"{format_name}: {files:,} files in {took:.0f} s, seed {seed}: "
        f"{fuzz.outcomes['imported']:,} imported, {fuzz.outcomes['refused']:,} refused; "
        f"{peak_megabytes():.0f} MB"
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
