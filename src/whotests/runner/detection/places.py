"""Where what is named on a command line lies: where it was typed, or in the project's folder."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from whotests.runner.detection.module_text import find_module
from whotests.runner.detection.targets import Target

__all__ = ["Places"]

_OF_PROJECTS: Final = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", ".git")


class Places:
    """Paths and dotted names, as seen from one folder."""

    def __init__(self, *, cwd: Path, root: Path, path: Sequence[str]) -> None:
        """`root` is the project's folder; `path` is where modules are looked for behind both, as
        in `sys.path`."""
        self.cwd = cwd
        self.root = root
        own = (str(cwd), str(root), str(root / "src"))
        self.path = tuple(dict.fromkeys((*own, *(entry for entry in path if entry))))

    @property
    def in_project(self) -> bool:
        """Whether the root is more than any folder, of which much may lie below."""
        return any((self.root / name).exists() for name in _OF_PROJECTS)

    def up_to_the_root(self) -> list[Path]:
        """The folder, and those above it in the project."""
        folders = [self.cwd]
        while folders[-1] != self.root and self.root in folders[-1].parents:
            folders.append(folders[-1].parent)
        return folders

    def existing(self, text: str) -> Path | None:
        """The file or folder that is called so; None: there is none."""
        for folder in (self.cwd, self.root):
            place = folder / text
            if os.path.exists(place):  # `Path.exists` raises where a name is too long
                return Path(os.path.normpath(place))
        return None

    def module(self, name: str) -> tuple[Path | None, list[str]]:
        """As `find_module`."""
        return find_module(name, self.path)

    def shown(self, place: Path) -> str:
        """The path as it is typed there."""
        try:
            return os.path.relpath(place, self.cwd)
        except ValueError:  # another drive
            return str(place)

    def from_the_root(self, target: Target) -> Target:
        """A target of the project's settings, as it is typed there."""
        file, colons, rest = target.text.partition("::")
        if not file or not os.path.exists(self.root / file):
            return target
        return Target(target.host, self.shown(self.root / file) + colons + rest)

    def not_found(self, target: Target) -> str:
        """That there is no such target, with all that was looked for and what is near to it."""
        from difflib import get_close_matches

        file = target.text.partition("::")[0]
        there = _names((self.cwd / file).parent)
        near = get_close_matches(Path(file).name, there, n=3, cutoff=0.6)
        hint = f"; near to it: {', '.join(near)}" if near else ""
        places = str(self.cwd) if self.root == self.cwd else f"{self.cwd} or {self.root}"
        looked = f"there is no file or folder '{file}' in {places}"
        if "::" not in target.text and "/" not in file:
            looked += f", and no module '{file.partition('.')[0]}' there, in 'src' or installed"
        return f"no test is called '{target}': {looked}{hint}"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
