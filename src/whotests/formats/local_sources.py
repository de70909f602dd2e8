"""Where the files that another tool speaks of lie here: in the project's folder, or nowhere.

May import errors and what is below. Refuses to open anything outside of the project.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from whotests.source.archives import archived

__all__ = ["LocalSources", "Located"]

_LONGEST: Final = 4096
"""Characters of a path: no system takes longer ones."""

_LARGEST: Final = 100_000_000
"""Bytes of a source file."""

_DRIVE: Final = re.compile(r"[A-Za-z]:/")
"""What an absolute path of Windows begins with."""


class Located(NamedTuple):
    """What is known of a path."""

    path: str
    """Relative to the project's folder, with '/'; '' when it is not in there."""
    source: bytes | None
    """The file's content, None when there is no such file."""
    problem: str
    """Why one of the others is not there, a clause, or ''."""


class LocalSources:
    """Finds and reads the source files of one project."""

    def __init__(self, root: Path, *, cwd: Path, here: Callable[[str], str] = str) -> None:
        """`here` gives the path on this machine for one of another machine. Relative paths are
        taken from `cwd` where there is such a file, else from `root`."""
        self._root = os.path.abspath(root)
        self._real_root = os.path.realpath(root)
        self._cwd = os.path.abspath(cwd)
        self._here = here

    def locate(self, path: str) -> Located:
        """The file that another tool calls `path`."""
        if len(path) > _LONGEST or not path or not path.isprintable():
            return Located("", None, "no file can be called so")
        local = self._here(_with_slashes(path))
        candidates = [os.path.join(folder, local) for folder in (self._cwd, self._root)]
        if os.sep == "/" and _DRIVE.match(local):
            candidates = []
        inside = [stored for each in candidates if (stored := self._stored(each))]
        if not inside:
            return Located(
                "",
                None,
                f"it is not below {self._root}; if that is another machine's place of the project, "
                "say so in [paths] of the settings",
            )
        problem = "it is not there"
        for stored in inside:
            content, problem = self._read(stored)
            if content is not None:
                return Located(stored, content, "")
        return Located(inside[-1], None, problem)

    def _stored(self, path: str) -> str:
        """The path as the data has it, or '' when it is outside of the project."""
        normal = os.path.normpath(path)
        if _is_below(normal, self._root):
            return os.path.relpath(normal, self._root).replace(os.sep, "/")
        real = os.path.realpath(normal)  # it may come by a link
        if _is_below(real, self._real_root):
            return os.path.relpath(real, self._real_root).replace(os.sep, "/")
        return ""

    def _read(self, stored: str) -> tuple[bytes | None, str]:
        """The content of a file of the project, or why it is not to be had."""
        path = os.path.join(self._root, stored)
        try:
            # Links may lead out of the project.
            if not _is_below(os.path.realpath(path), self._real_root):
                return None, "a link leads out of the project"
            if not os.path.isfile(path):
                return archived(path), "it is not there"
            with open(path, "rb") as file:
                content = file.read(_LARGEST + 1)
        except (OSError, ValueError) as error:
            return None, f"it cannot be read ({getattr(error, 'strerror', None) or error})"
        if len(content) > _LARGEST:
            return None, f"it has more than {_LARGEST:,} bytes"
        return content, ""


def _is_below(path: str, root: str) -> bool:
    path, root = os.path.normcase(path), os.path.normcase(root)
    return path.startswith(os.path.join(root, ""))


def _with_slashes(path: str) -> str:
    """A path of Windows with '/', on other systems as well."""
    if os.sep == "\\":
        return path.replace("\\", "/")
    foreign = "\\" in path and "/" not in path
    return path.replace("\\", "/") if foreign or path[1:3] == ":\\" else path
