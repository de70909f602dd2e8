"""What a project's own files say of how its tests are run."""

import os
import shlex
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path
from typing import NamedTuple

from whotests.config.project import read_toml
from whotests.errors import UsageError
from whotests.runner.detection.shell_words import expanded

__all__ = ["Configured", "configured_host"]


class Configured(NamedTuple):
    """A host, because a file says so."""

    host: str
    why: str
    """The file, and what in it."""
    targets: tuple[str, ...] = ()
    """Absolute paths to begin at; none: the host knows."""
    top: Path | None = None
    """For unittest: the folder from which test modules are imported; None: where none is said."""


def configured_host(folder: Path) -> Configured | None:
    """The host that the files in that folder speak of; None: they speak of none.

    pytest's configuration counts first, since it is there to be run by pytest, then stestr's and
    testrepository's, which run unittest's, then Django's manage.py.
    Raises UsageError for a file that cannot be read.
    """
    return _of_pytest(folder) or _of_stestr(folder) or _of_testr(folder) or _of_django(folder)


def _of_pytest(folder: Path) -> Configured | None:
    for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"):
        if (folder / name).is_file():
            return Configured("pytest", name)
    if "pytest" in _tools(folder):
        return Configured("pytest", "[tool.pytest] of pyproject.toml")
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if _sections(folder / name).has_section(section):
            return Configured("pytest", f"[{section}] of {name}")
    for name in ("conftest.py", "tests/conftest.py", "test/conftest.py"):
        if (folder / name).is_file():
            return Configured("pytest", name)
    return None


def _of_stestr(folder: Path) -> Configured | None:
    """Where stestr would look, in the order in which it looks for its settings."""
    values = _sections(folder / ".stestr.conf").defaults()
    if values:
        return _discovered(
            folder, values.get("test_path", ""), values.get("top_dir"), why=".stestr.conf"
        )
    said = _tools(folder).get("stestr")
    if isinstance(said, dict):
        name = "[tool.stestr] of pyproject.toml"
        return _discovered(folder, str(said.get("test_path", "")), said.get("top_dir"), why=name)
    sections = _sections(folder / "tox.ini")
    if sections.has_section("stestr"):
        path = sections.get("stestr", "test_path", fallback="")
        top = sections.get("stestr", "top_dir", fallback=None)
        return _discovered(folder, path, top, why="[stestr] of tox.ini")
    return None


def _of_testr(folder: Path) -> Configured | None:
    """What follows 'discover' in the command of testrepository."""
    command = _sections(folder / ".testr.conf").defaults().get("test_command", "")
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if "discover" not in words:
        return None
    words = [
        word
        for word in words[words.index("discover") + 1 :]
        if word not in ("$LISTOPT", "$IDOPTION")
    ]
    top: str | None = None
    if "-t" in words[:-1]:
        place = words.index("-t")
        top = words[place + 1]
        del words[place : place + 2]
    paths = [word for word in words if not word.startswith("-")]
    return _discovered(folder, paths[0] if paths else "", top, why=".testr.conf")


def _discovered(folder: Path, path: str, top: object, *, why: str) -> Configured:
    """unittest's discovery from a path; a shell would read both, so variables are filled in."""
    path = expanded(path, os.environ)
    top = expanded(str(top or "."), os.environ)
    start = folder / (path or ".")
    if not start.is_dir():
        raise UsageError(f"{why} in {folder}: there is no folder {path}; correct its test_path")
    return Configured(
        "unittest", why, targets=(str(start.resolve()),), top=(folder / top).resolve()
    )


def _of_django(folder: Path) -> Configured | None:
    try:
        text = (folder / "manage.py").read_bytes()
    except OSError:
        return None
    return Configured("django", "manage.py") if b"django" in text else None


def _tools(folder: Path) -> dict[str, object]:
    file = folder / "pyproject.toml"
    tool = read_toml(file).get("tool") if file.is_file() else None
    return tool if isinstance(tool, dict) else {}


def _sections(file: Path) -> ConfigParser:
    sections = ConfigParser(interpolation=None, strict=False)
    if file.is_file():
        try:
            sections.read_string(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, ConfigError) as error:
            first = str(error).partition("\n")[0]
            raise UsageError(f"cannot read {file}: {first}; correct it") from error
    return sections
