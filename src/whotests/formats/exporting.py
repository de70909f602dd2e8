"""What a format is handed to write: all facts, and where the sources lie.

May import query and what is below. Refuses to know any format.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from whotests.query.facts import FileFacts, file_facts
from whotests.query.files import Catalogue
from whotests.store.reader import Reader

__all__ = ["Export"]


class Export(NamedTuple):
    """What is to be written."""

    reader: Reader
    catalogue: Catalogue
    root: Path
    """The project's folder: paths of files are relative to it."""
    cwd: Path
    now: float
    """Seconds since the epoch, UTC."""
    contexts: bool | None = None
    """Whether to write who ran what, where a format leaves the choice; None: as it usually does."""
    checksums: bool = False
    """Write checksums of the lines' texts, where a format has them."""
    relative: bool = False
    """Write paths relative to the project's folder, where a format leaves the choice."""
    paths: Collection[str] | None = None
    """Of the files of these paths only; None: of all."""

    @property
    def branch(self) -> bool:
        """Whether branches were recorded."""
        return any(run.branch for run in self.reader.runs)

    def files(self) -> Iterator[FileFacts]:
        """The facts of each file, by path."""
        return file_facts(self.reader, self.catalogue, paths=self.paths)

    def place(self, path: str) -> Path:
        """Where a file of the data lies on this machine, whether it is there or not."""
        return self.root / path
