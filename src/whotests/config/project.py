"""The project that a folder lies in: its root, and what it says of its settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from whotests.errors import UsageError

__all__ = [
    "Project",
    "find_project",
    "mentions_coverage",
    "read_toml",
    "read_toml_text",
    "shown_file",
    "speaks_of_coverage",
]

_MARKERS = (
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    ".git",
    ".coveragerc",
    ".coveragerc.toml",
    "tox.ini",
)


class Project(NamedTuple):
    """A folder, and what its pyproject.toml holds."""

    root: Path
    tool: Mapping[str, object]
    """`[tool]` of its pyproject.toml; empty when it has none."""

    @property
    def pyproject(self) -> Path:
        """That file, whether or not it is there."""
        return self.root / "pyproject.toml"


def find_project(cwd: Path) -> Project:
    """The nearest folder from `cwd` up that has `[tool.whotests]`, else the nearest project.

    Raises `UsageError` for a pyproject.toml that cannot be read.
    """
    nearest: Project | None = None
    for folder in (cwd, *cwd.parents):
        file = folder / "pyproject.toml"
        tool: Mapping[str, object] = {}
        if file.is_file():
            # One above the nearest project is none of this project's business, unless it
            # speaks of whotests.
            tool = _tool_of(file, must_parse=nearest is None)
            if "whotests" in tool:
                return Project(folder, tool)
        if nearest is None and any((folder / marker).exists() for marker in _MARKERS):
            nearest = Project(folder, tool)
    return nearest or Project(cwd, {})


def _tool_of(file: Path, *, must_parse: bool) -> Mapping[str, object]:
    try:
        document = read_toml(file)
    except UsageError:
        if must_parse or _speaks_of_whotests(file):
            raise
        return {}
    tool = document.get("tool")
    return tool if isinstance(tool, dict) else {}


def _speaks_of_whotests(file: Path) -> bool:
    try:
        return b"tool.whotests" in file.read_bytes()
    except OSError:
        return False


def speaks_of_coverage(project: Project, environ: Mapping[str, str]) -> bool:
    """Whether there may be settings of coverage.py's: if not, nothing that reads them is loaded."""
    root = str(project.root)
    return (
        "coverage" in project.tool
        or "COVERAGE_RCFILE" in environ
        or os.path.isfile(os.path.join(root, ".coveragerc"))
        or os.path.isfile(os.path.join(root, ".coveragerc.toml"))
        or mentions_coverage(os.path.join(root, "setup.cfg"))
        or mentions_coverage(os.path.join(root, "tox.ini"))
    )


def mentions_coverage(file: str) -> bool:
    """Whether a file that many projects have speaks of coverage.py: to parse it takes longer."""
    try:
        with open(file, "rb") as content:
            return b"coverage:" in content.read()
    except OSError:
        return False


def shown_file(file: Path) -> str:
    """The file's path for a message: from the working directory on, when it is below that."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def read_toml(file: Path) -> Mapping[str, object]:
    """What the file holds; raises `UsageError` when it cannot be read or is no TOML."""
    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}; make it readable") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not valid TOML: {error}; correct it") from error
    return read_toml_text(text, file=file)


def read_toml_text(text: str, *, file: Path) -> Mapping[str, object]:
    """What the text of a file says; raises `UsageError` when it is no TOML."""
    import tomllib  # not at the top: most of its cost is paid only where there is a file

    try:
        document: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not valid TOML: {error}; correct it") from error
    return document
