"""The files of a project that its tests need, wherever they are run."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from whotests.errors import MachineError

__all__ = ["files_of", "names_imported"]

_NEVER = frozenset(
    {
        ".git",
        ".hg",
        ".hypothesis",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".whotests",
        "__pycache__",
        "_trial_temp",
        "node_modules",
    }
)

_MADE = (".py", ".pyi", ".so", ".pyd")
"""Files that git ignores are sent along beside Python files that it knows, if they end so: a
version that a build wrote, an extension that was built in place."""


def files_of(root: Path) -> list[str]:
    """Paths below `root`, with '/', sorted: what git knows or would take, and what a build left
    beside it; without git every file but those of tools and environments.

    Raises MachineError when the folder cannot be read.
    """
    known = _known_to_git(root)
    try:
        return sorted(_all(root) if known is None else {*known, *_made(root, known)})
    except OSError as failure:
        raise MachineError(f"the project's files cannot be listed: {failure}") from failure


def _known_to_git(root: Path) -> list[str] | None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=True)
        inner = subprocess.run(
            ["git", "ls-files", "-z", "--recurse-submodules"],
            cwd=root,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    names = {os.fsdecode(name) for name in (done.stdout + inner.stdout).split(b"\0") if name}
    found = [
        name
        for name in names
        if _NEVER.isdisjoint(name.split("/")) and os.path.isfile(os.path.join(root, name))
    ]
    return found or None


def _made(root: Path, known: Iterable[str]) -> Iterator[str]:
    folders = {name.rpartition("/")[0] for name in known if name.endswith(".py")}
    for folder in folders:
        with os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                if entry.name.endswith(_MADE) and entry.is_file():
                    yield f"{folder}/{entry.name}" if folder else entry.name


def _all(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in _NEVER
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
            and not os.path.islink(os.path.join(folder, name))
        ]
        inner = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in names:
            if os.path.isfile(os.path.join(folder, name)):
                yield name if inner == "." else f"{inner}/{name}"


def names_imported(root: Path, files: Iterable[str]) -> frozenset[str]:
    """The first words of what Python files import anywhere; names within strings may be among
    them, as those of other languages' imports in documentation are."""
    found: set[str] = set()
    for name in files:
        if not name.endswith((".py", ".pyi")):
            continue
        try:
            text = (root / name).read_bytes()
        except OSError:
            continue  # it went meanwhile
        for line in text.splitlines():
            words = line.split(None, 2)
            if len(words) < 2:
                continue
            if words[0] == b"from":
                found.add(_first(words[1]))
            elif words[0] == b"import":
                found.update(_first(word) for word in b" ".join(words[1:]).split(b","))
    return frozenset(found - {""})


def _first(word: bytes) -> str:
    name = word.strip().split(b" ", 1)[0].split(b".", 1)[0]
    text = name.decode("utf-8", "replace")
    return text if text.isidentifier() else ""
