"""A place to run one suite in: a virtual environment and a folder with the suite's tests.

Made once under .bench/ and kept; remade when what the suite pins has changed.
"""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

__all__ = ["Installed", "Workplace", "install_wheel", "prepare"]

DROPPED_PREFIXES = ("COV", "PYTEST", "PYTHON", "WHOTESTS", "VIRTUAL_ENV")
"""Variables of the caller that would change what a child measures or imports."""


class Installed(Protocol):
    """What of a suite decides what its workplace holds."""

    @property
    def name(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def requirement(self) -> str: ...
    @property
    def extras(self) -> tuple[str, ...]: ...
    @property
    def tests_in_sdist(self) -> bool: ...
    @property
    def shadows(self) -> tuple[str, ...]: ...


SuiteT = TypeVar("SuiteT", bound=Installed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace(Generic[SuiteT]):
    """Where a suite runs."""

    suite: SuiteT
    venv: Path
    folder: Path
    """The working directory of every run; also the root of the measured project."""

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.venv / "bin" / "python"

    @property
    def data_folder(self) -> Path:
        """Where whotests keeps its data and its cache."""
        return self.folder / ".whotests"

    def environment(self) -> dict[str, str]:
        """The variables of every run: the caller's, less those that would interfere."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(DROPPED_PREFIXES)
        }
        return kept | {
            "PATH": f"{self.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONHASHSEED": "0",
            # What the project has for coverage.py is not what is compared.
            "WHOTESTS_CONFIG": os.devnull,
        }


def prepare(suite: SuiteT, *, python: str, under: Path, tools: Sequence[str]) -> Workplace[SuiteT]:
    """The suite's workplace with those tools beside it, made now unless it stands already.

    Raises subprocess.CalledProcessError when something cannot be installed; what was half made
    is made anew by the next call.
    """
    place = Workplace(
        suite=suite,
        venv=under / suite.name / "venv",
        folder=under / suite.name / "work",
    )
    pins = (suite.requirement, *suite.extras, *tools)
    recipe = "\n".join((python, *pins, *suite.shadows))
    stamp = under / suite.name / "made-from.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == recipe:
        return place
    shutil.rmtree(under / suite.name, ignore_errors=True)
    place.folder.mkdir(parents=True)
    run([python, "-m", "venv", str(place.venv)])
    pip(place, "install", "--upgrade", "pip>=25.1")
    pip(place, "install", *pins)
    if suite.tests_in_sdist:
        unpack_tests(place, downloads=under / suite.name / "download")
    settings = place.folder / "pyproject.toml"
    if not settings.exists():
        # Without a settings file here pytest would take that of a folder above.
        settings.write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    stamp.write_text(recipe, encoding="utf-8")
    return place


def install_wheel(place: Workplace[SuiteT], wheel: Path) -> None:
    """Put whotests from that wheel into the environment, whatever version was there."""
    pip(place, "install", str(wheel))
    pip(place, "install", "--no-deps", "--force-reinstall", str(wheel))


def unpack_tests(place: Workplace[SuiteT], *, downloads: Path) -> None:
    """The project's source archive in the working folder, without the package's own source."""
    suite = place.suite
    pip(
        place,
        "download",
        "--no-deps",
        "--no-binary",
        suite.project,
        "--dest",
        str(downloads),
        suite.requirement,
    )
    (archive,) = downloads.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(downloads, filter="data")
    (unpacked,) = (path for path in downloads.iterdir() if path.is_dir())
    for shadow in suite.shadows:
        shutil.rmtree(unpacked / shadow)
    shutil.copytree(unpacked, place.folder, dirs_exist_ok=True)


def pip(place: Workplace[SuiteT], command: str, *arguments: str) -> None:
    run([str(place.python), "-m", "pip", command, "--quiet", *arguments])


def run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout)
        done.check_returncode()
