"""What a file is called in the data."""

import os
from os.path import abspath  # as it is now: programs replace the one in `os.path`
from pathlib import Path

__all__ = ["StoredPaths"]


class StoredPaths:
    """Gives paths as the data has them: below the root relative to it with '/', else absolute."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.normcase(os.path.join(root, ""))

    def __call__(self, path: str) -> str:
        absolute = abspath(path)
        if not os.path.normcase(absolute).startswith(self._root):
            return absolute
        return absolute[len(self._root) :].replace(os.sep, "/")
