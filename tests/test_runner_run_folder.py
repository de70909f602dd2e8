"""The folder of a run: numbered, locked, kept for the last few."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from whotests.errors import MachineError
from whotests.runner.run_folder import RunFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")


def names(runs: Path) -> list[str]:
    return sorted((each.name for each in runs.iterdir()), key=lambda name: (len(name), name))


def test_numbers_go_on_and_the_last_few_are_kept(tmp_path: Path) -> None:
    """Each run has the number after the highest; what is older than the last five goes."""
    for _ in range(12):
        folder = RunFolder.make(tmp_path / "runs")
        (folder.path / "w0").mkdir()
        (folder.path / "w0" / "file").write_text("kept")
        folder.close()
    assert names(tmp_path / "runs") == ["8", "9", "10", "11", "12"]


def test_a_live_run_is_never_removed(tmp_path: Path) -> None:
    """The folder of a run that goes on stays, however many runs come and go beside it."""
    live = RunFolder.make(tmp_path)
    for _ in range(8):
        RunFolder.make(tmp_path, keep=2).close()
    assert names(tmp_path) == ["1", "8", "9"]
    live.close()
    RunFolder.make(tmp_path, keep=2).close()
    assert names(tmp_path) == ["9", "10"]


def test_a_killed_run_is_over(tmp_path: Path) -> None:
    """The lock goes with the process: what a killed run left is removed like any other."""
    program = (
        "import os, sys, pathlib\n"
        "from whotests.runner.run_folder import RunFolder\n"
        "RunFolder.make(pathlib.Path(sys.argv[1]))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert ended.returncode == -9
    RunFolder.make(tmp_path, keep=1).close()
    assert names(tmp_path) == ["2"]


def test_runs_that_begin_at_once_have_a_folder_each(tmp_path: Path) -> None:
    """Many processes that begin at the same moment get different numbers, none fails."""
    program = (
        "import sys, pathlib\n"
        "from whotests.runner.run_folder import RunFolder\n"
        "sys.stdin.read()\n"
        "for _ in range(20):\n"
        "    folder = RunFolder.make(pathlib.Path(sys.argv[1]), keep=3)\n"
        "    print(folder.path.name)\n"
        "    assert (folder.path / 'lock').exists()\n"
        "    folder.close()\n"
    )
    read, write = os.pipe()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=read,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    os.close(read)
    os.close(write)
    numbers = [line for each in processes for line in each.communicate()[0].split()]
    assert [each.returncode for each in processes] == [0] * 4
    assert sorted(map(int, numbers)) == list(range(1, 81))
    # A run that went on when the last one began is put away by the next one.
    RunFolder.make(tmp_path, keep=3).close()
    assert names(tmp_path) == ["79", "80", "81"]


def test_an_old_folder_that_cannot_be_removed_stays(tmp_path: Path) -> None:
    """It may be another user's: that is no reason to run nothing, nor to keep all others."""
    (tmp_path / "1" / "lock").mkdir(parents=True)
    for _ in range(3):
        RunFolder.make(tmp_path, keep=2).close()
    assert names(tmp_path) == ["1", "3", "4"]


def test_a_folder_that_cannot_be_made_is_an_error_of_the_machine(tmp_path: Path) -> None:
    """Where the system refuses, the message names the place, the reason and what to do."""
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(MachineError, match=r"runs: File exists; let it be .* with --data FILE"):
        RunFolder.make(tmp_path / "runs")
