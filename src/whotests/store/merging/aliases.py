"""Folders that are the same one on different machines: `[paths]`.

May import the standard library, config and errors. Refuses to look at a disk: it asks what is
there.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from posixpath import normpath
from typing import Final

from whotests.config.globs import translated
from whotests.errors import UsageError

__all__ = ["Aliases", "absolute", "relative"]

_ABSOLUTE: Final = re.compile(r"(?:[A-Za-z]:)?/")


class Aliases:
    """Groups of folders, of which the first one is the one here."""

    def __init__(self, groups: Sequence[tuple[str, Sequence[str]]], *, root: str) -> None:
        """`groups` as `Settings.paths` has them: relative ones are below `root`, with '/'.

        Raises UsageError for a pattern that would match a whole tree.
        """
        self._root = root
        self._rules = [
            (re.compile(_expression(pattern, name, root), re.IGNORECASE), absolute(places[0], root))
            for name, places in groups
            for pattern in places
        ]

    def here(self, path: str, *, root: str, exists: Callable[[str], bool]) -> str:
        """The path here of a file that is at `path` there, in a project at `root`.

        The first rule counts that leads to what `exists`; where none does, the path stays as it
        is.
        """
        if not self._rules:
            return path
        for place in dict.fromkeys((absolute(path, self._root), absolute(path, root))):
            for found in self._candidates(place):
                if exists(found):
                    return found
        return path

    def _candidates(self, path: str) -> Iterator[str]:
        for rule, folder in self._rules:
            match = rule.match(path)
            if match is not None:
                yield relative(f"{folder}/{path[match.end() :]}", self._root)


def absolute(path: str, root: str) -> str:
    """The path with '/', below `root` unless it is absolute."""
    path = path.replace("\\", "/")
    if not _ABSOLUTE.match(path):
        path = f"{root.rstrip('/')}/{path}"
    return normpath(path)


def relative(path: str, root: str) -> str:
    """As data files have it: relative when it is below `root`."""
    return path.removeprefix(f"{root.rstrip('/')}/")


def _expression(pattern: str, name: str, root: str) -> str:
    plain = pattern.replace("\\", "/").rstrip("/")
    if not plain or plain.endswith("*"):
        raise UsageError(
            f"[paths] {name}: {pattern!r} would stand for whole trees; name a folder, for instance "
            "'*/src'"
        )
    if plain.startswith("*"):
        return translated(plain) + "/"
    place, folder = absolute(plain, root), root.rstrip("/")
    if not place.startswith(f"{folder}/"):
        return translated(place) + "/"
    # The folder's own name may hold what stands for something in a glob.
    return re.escape(folder) + translated(place.removeprefix(folder)) + "/"
