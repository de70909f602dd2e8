"""Paths without symbolic links, of many files in few folders."""

from os.path import islink, join, realpath, split  # as they are now: programs replace those there

__all__ = ["RealPaths"]

_NO_NAMES = frozenset({"", ".", ".."})


class RealPaths:
    """What `os.path.realpath` gives, but each folder is looked at once."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The path of a file without symbolic links in it."""
        folder, name = split(path)
        if name in _NO_NAMES:
            return realpath(path)
        return _followed(join(self._folder(folder), name))

    def _folder(self, folder: str) -> str:
        within: list[tuple[str, str]] = []
        while (real := self._folders.get(folder)) is None:
            parent, name = split(folder)
            if not parent or parent == folder or name in _NO_NAMES:
                real = self._folders[folder] = realpath(folder)
                break
            within.append((folder, name))
            folder = parent
        while within:
            folder, name = within.pop()
            real = self._folders[folder] = _followed(join(real, name))
        return real


def _followed(path: str) -> str:
    """The path of which all but the last part is real."""
    return realpath(path) if islink(path) else path
