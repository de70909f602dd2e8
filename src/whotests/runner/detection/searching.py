"""Where files of tests lie, and of which kinds they are."""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Final

from whotests.runner.detection.kinds import Kind, Kinds

__all__ = ["SuiteFiles", "start_folders"]

_PATTERNS: Final = ("test*.py", "*_test.py")
"""Names of files that one of the hosts would look into."""

_LEFT_OUT: Final = frozenset(
    ("node_modules", "__pycache__", "build", "dist", "venv", "site-packages", "htmlcov")
)


class SuiteFiles:
    """The files of tests below one folder or of one file, by kind."""

    def __init__(self, place: Path, kinds: Kinds) -> None:
        self.place = place
        self._kinds = kinds
        self._others: list[Path] = []
        self.files: list[Path] = []
        for file in [place] if place.is_file() else sorted(_python_files(place)):
            named = any(fnmatch(file.name, pattern) for pattern in _PATTERNS)
            (self.files if named or file == place else self._others).append(file)

    @property
    def has_conftest(self) -> bool:
        """Whether pytest finds something of its own there."""
        return any(file.name == "conftest.py" for file in self._others)

    @cached_property
    def by_kind(self) -> dict[Kind, list[Path]]:
        """Files of each kind; those in which no test was seen are in none.

        Only what the words in a file leave open is parsed, since a large suite takes long. What
        trial runs and only its base classes say so, is told as far as one file.
        """
        found: dict[Kind, list[Path]] = {}
        kinds = self._kinds
        for file in self.files:
            if kinds.may_be_pytest(file):
                kind = kinds.of(file)
            elif kinds.speaks_of_trial(file):
                kind = "trial"
            else:
                kind = "unittest" if kinds.speaks_of_cases(file) else ""
            if kind:
                found.setdefault(kind, []).append(file)
        if "trial" not in found and any(map(kinds.speaks_of_trial, self._others)):
            cases = found.get("unittest", [])
            first = next((file for file in cases if kinds.of(file) == "trial"), None)
            if first is not None:
                cases.remove(first)
                found["trial"] = [first]
        return {kind: files for kind, files in found.items() if files}

    def together(self, files: Sequence[Path], *, packages: bool, whole: bool = True) -> list[Path]:
        """The fewest folders and files that hold these and no other file of tests; with
        `packages`, of folders only those that are packages; `whole`: they may be this one."""
        wanted = set(files)
        mixed = {folder for file in self.files if file not in wanted for folder in file.parents}
        found: dict[Path, None] = {}
        for file in files:
            best = file
            for folder in file.parents:
                inside = self.place in folder.parents or (whole and folder == self.place)
                package = not packages or (folder / "__init__.py").is_file()
                if not inside or folder in mixed or not package:
                    break
                best = folder
            found[best] = None
        return list(found)


def start_folders(files: Sequence[Path], *, within: Path) -> list[Path]:
    """Where unittest's discovery has to begin so that it comes to all of these: folders from
    which they can be imported, or packages in `within`, none of them twice."""
    starts: dict[Path, None] = {}
    for file in files:
        folder = file.parent
        while folder != within and (folder / "__init__.py").is_file() and within in folder.parents:
            folder = folder.parent
        starts[folder] = None
    # Discovery goes down into packages only: a folder below another one is not found from there.
    return list(starts)


def _python_files(place: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(place):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _LEFT_OUT
            and not name.endswith((".egg-info", ".egg"))
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        for name in files:
            if name.endswith(".py"):
                yield Path(folder, name)
