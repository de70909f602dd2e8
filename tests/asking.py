"""Projects with data, and the commands that ask of them, as processes."""

import os
import subprocess
import sys
from pathlib import Path

from data_files import DataFile, record_forks, record_shop


def make_shop(folder: Path) -> DataFile:
    """A project with the data of one run."""
    data = DataFile(folder)
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    record_shop(data)
    return data


def make_forks(folder: Path) -> DataFile:
    """A project with the data of one run with branches."""
    data = DataFile(folder)
    (folder / "pyproject.toml").write_text('[project]\nname = "forks"\n')
    record_forks(data)
    return data


def whotests(
    data: DataFile, *arguments: str, status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command in the project's folder, its output a pipe."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key not in {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONIOENCODING"}
    }
    done = subprocess.run(
        [sys.executable, "-c", "from whotests.cli import main; main()", *arguments],
        cwd=data.root,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    return done


def answer(data: DataFile, *arguments: str) -> str:
    """What the command prints."""
    done = whotests(data, *arguments)
    assert done.stderr == ""
    return done.stdout
