"""The files of the data as queries see them: one version of each, and whether it is stale.

May import types, errors and the store. Refuses to read a disk: a `SourceTree` does.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

from whotests.query.rules import under_rules
from whotests.query.sources import SourceText, SourceTree, Staleness, text_of
from whotests.query.targets import Places, Target, resolve
from whotests.source.rules import Rules
from whotests.source.text import digest_of
from whotests.store.reader import Reader
from whotests.store.values import FileVersion, Unit
from whotests.types import FileState

__all__ = ["Catalogue"]


class Catalogue:
    """Chooses, for each path, the version to speak of; reads a source only when asked for it."""

    def __init__(
        self,
        reader: Reader,
        tree: SourceTree,
        *,
        cwd: Path,
        roots: tuple[Path, ...],
        rules: Rules | None = None,
    ) -> None:
        """`cwd` and `roots` are what targets may be relative to; the runs' roots are added.

        `rules` are the project's own of now; None: those that were recorded are.
        """
        self._reader = reader
        self._tree = tree
        self._cwd = cwd
        self._roots = (*roots, *dict.fromkeys(Path(run.root) for run in reversed(reader.runs)))
        self._digests: dict[str, bytes | None] = {}
        self._texts: dict[int, SourceText | None] = {}
        self._rules = rules
        self._rules_of = {
            run.id: Rules(exclude=run.exclude, partial=run.partial)
            for run in reader.all_runs
            if run.exclude is not None and run.partial is not None
        }

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

    def ruled(self, file: FileVersion) -> FileVersion | None:
        """This version under the project's rules of now.

        None when these are others than those that it was recorded under, and the disk does not
        have it any more.
        """
        before = self._rules_of.get(file.rules_run)
        if self._rules is None or before in (None, self._rules) or not file.statements:
            return file
        source = self._tree.read(file.path)
        if source is None or digest_of(source) != file.digest:
            return None
        return under_rules(file, source, now=self._rules, before=before)

    def units(self, file: FileVersion, *, named: str = "") -> Sequence[Unit] | None:
        """The units of a version, the module first. None when they are not known: nothing
        imported the file, and the disk does not have that version any more.

        `named`: empty where nothing can have this name, if that is quickly seen.
        """
        if file.state is not FileState.MEASURED and named.isascii() and named:
            # There may be a thousand of these.
            source = self._tree.read(file.path)
            definition = rb"(?:def|class)[\s\\]+%s\b" % re.escape(named.encode())
            if source is not None and re.search(definition, source) is None:
                return ()
        units = self._reader.units(file.id)
        if units or file.state is FileState.MEASURED:
            return units
        text = self.text(file)
        return None if text is None else text.units(file)

    def target(self, text: str) -> Target:
        """What `text` means, in the versions to speak of. Raises UsageError."""
        files = {path: self.current(path) for path in self.versions}
        return resolve(
            text,
            Places(
                files=files,
                units=self.units,
                branches=self._reader.branches,
                cwd=self._cwd,
                roots=self._roots,
            ),
        )

    def _digest(self, path: str) -> bytes | None:
        if path not in self._digests:
            content = self._tree.read(path)
            self._digests[path] = None if content is None else digest_of(content)
        return self._digests[path]
