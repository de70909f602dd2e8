"""The files of the data as queries see them: one version of each, and whether it is stale.

May import types, errors and the store. Refuses to read a disk: a `SourceTree` does.
"""

from functools import cached_property
from itertools import groupby
from pathlib import Path

from whotests.query.sources import SourceText, SourceTree, Staleness, text_of
from whotests.query.targets import Places, Target, resolve
from whotests.source.text import digest_of
from whotests.store.reader import Reader
from whotests.store.values import FileVersion

__all__ = ["Catalogue"]


class Catalogue:
    """Chooses, for each path, the version to speak of; reads a source only when asked for it."""

    def __init__(
        self, reader: Reader, tree: SourceTree, *, cwd: Path, roots: tuple[Path, ...]
    ) -> None:
        """`cwd` and `roots` are what targets may be relative to; the runs' roots are added."""
        self._reader = reader
        self._tree = tree
        self._cwd = cwd
        self._roots = (*roots, *dict.fromkeys(Path(run.root) for run in reversed(reader.runs)))
        self._digests: dict[str, bytes | None] = {}
        self._texts: dict[int, SourceText | None] = {}

    @cached_property
    def versions(self) -> dict[str, tuple[FileVersion, ...]]:
        """Path -> its versions, the newest seen first."""
        return {
            path: tuple(versions)
            for path, versions in groupby(self._reader.files, key=lambda version: version.path)
        }

    def current(self, path: str) -> FileVersion:
        """The version to speak of: the one on the disk if recorded, else the one seen last."""
        versions = self.versions[path]
        digest = self._digest(path) if len(versions) > 1 else None
        return next((version for version in versions if version.digest == digest), versions[0])

    def stale(self, file: FileVersion) -> Staleness | None:
        """Whether the disk has another version than `file`, or none at all."""
        digest = self._digest(file.path)
        if digest == file.digest:
            return None
        return Staleness(
            path=file.path, gone=digest is None, recorded=file.recorded, digest=file.digest
        )

    def text(self, file: FileVersion) -> SourceText | None:
        """The text of this version, or None when the disk does not have it any more."""
        if file.id not in self._texts:
            self._texts[file.id] = text_of(file, self._tree)
        return self._texts[file.id]

    def target(self, text: str) -> Target:
        """What `text` means, in the versions to speak of. Raises UsageError."""
        files = {path: self.current(path) for path in self.versions}
        return resolve(
            text,
            Places(files=files, units=self._reader.units, cwd=self._cwd, roots=self._roots),
        )

    def _digest(self, path: str) -> bytes | None:
        if path not in self._digests:
            content = self._tree.read(path)
            self._digests[path] = None if content is None else digest_of(content)
        return self._digests[path]
