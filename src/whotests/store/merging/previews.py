"""What is looked at of each input before any is copied: its runs, and which files are the same.

May import the standard library, config and the store's own floor. Refuses to change anything.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from whotests.errors import DataError
from whotests.store.merging.aliases import Aliases
from whotests.store.merging.runs import Row, below
from whotests.store.merging.source import Source, Stamp
from whotests.store.merging.twins import File, renamed

__all__ = ["FILES", "Paths", "Preview", "paths_here", "previews"]

FILES: Final = (
    "SELECT folder.name || file.name, digest, line_count FROM file"
    " JOIN folder ON folder.id = folder_id"
)

_LINES_OF_A_TELLING_FILE: Final = 3
"""Shorter ones (many are empty) say nothing of where they belong."""

Paths = Sequence[tuple[str, tuple[str, ...]]]
"""`[paths]`, as `Settings.paths` has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What of an input decides how it is combined."""

    path: Path
    runs: tuple[Row, ...]
    files: tuple[File, ...]
    telling: frozenset[bytes]
    """Digests of files that are found again by them."""
    stamp: Stamp | None
    """What tells whether the file has changed since."""


def previews(
    paths: Sequence[Path], *, name: str | None = None, label: str = ""
) -> Sequence[Preview]:
    """What there is in data files, with their runs called `name` and the labels below `label`.

    Those without a run are left out. Raises DataError when one is missing, damaged, of another
    program or newer, or when there are some and none has a run.
    """
    found = [_preview(path, name=name, label=label) for path in paths]
    result = [each for each in found if each.runs]
    if found and not result:
        raise DataError(
            f"{paths[0]} has no run in it{', nor have the others' if paths[1:] else ''}; record "
            "into it with `whotests run --data FILE -- pytest`"
        )
    return result


def _preview(path: Path, *, name: str | None, label: str) -> Preview:
    with Source.open(path) as source:
        rows = source.dictionaries("SELECT * FROM run ORDER BY id")
        files = source.rows(FILES)
        stamp = source.stamp
    if name is not None:
        rows = [{**row, "name": name} for row in rows]
    return Preview(
        path=path,
        runs=tuple(below(label, row) if label else row for row in rows),
        files=tuple((name, digest) for name, digest, _ in files),
        telling=frozenset(row[1] for row in files if row[2] >= _LINES_OF_A_TELLING_FILE),
        stamp=stamp,
    )


def paths_here(
    known: Iterable[File], inputs: Sequence[Preview], *, root: str, paths: Paths = ()
) -> Sequence[Mapping[str, str]]:
    """For each input the path here of each path there.

    `known` are the files that are here already, whose paths stay; `root` is the project's folder,
    with '/'. By `paths` first, then by what has the same source.
    """

    @cache
    def on_disk(path: str) -> bool:
        return os.path.isfile(os.path.join(root, path))

    files = set(known)
    everywhere = {path for path, _ in files}
    everywhere.update(path for each in inputs for path, _ in each.files)
    aliases = Aliases(paths, root=root)
    result = [
        _by_rule(each, aliases, lambda found: found in everywhere or on_disk(found))
        for each in inputs
    ]
    telling = frozenset().union(*(each.telling for each in inputs))
    # Paths that are on this disk are the ones to keep.
    order = sorted(range(len(inputs)), key=lambda at: -sum(map(on_disk, result[at].values())))
    for at in order:
        theirs = [(result[at][path], digest) for path, digest in inputs[at].files]
        again = renamed(theirs, files, telling=telling) if files else {}
        if again:
            result[at] = {path: again.get(here, here) for path, here in result[at].items()}
        files.update((again.get(path, path), digest) for path, digest in theirs)
    return result


def _by_rule(each: Preview, aliases: Aliases, exists: Callable[[str], bool]) -> dict[str, str]:
    root = str(each.runs[-1]["root"]).replace("\\", "/")
    return {path: aliases.here(path, root=root, exists=exists) for path, _ in each.files}
