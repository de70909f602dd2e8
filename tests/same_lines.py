"""Runs a program under coverage.py and under whotests, and compares the lines of each file."""

import os
import subprocess
import sys
from pathlib import Path

from facts import coverage_facts, whotests_facts
from measured_commands import Ended, run_measured, write_files

__all__ = ["assert_same_lines"]

_DRIVER = """\
import runpy, sys
from coverage import Coverage

data, *command = sys.argv[1:]
coverage = Coverage(data_file=data, config_file=False, source=["."], messages=False)
coverage.set_option("run:core", "ctrace")
coverage.set_option("run:disable_warnings", ["no-sysmon"])
coverage.start()
sys.argv = command
sys.path[0] = ""
try:
    runpy.run_path(command[0], run_name="__main__")
finally:
    coverage.stop()
    coverage.save()
"""


def assert_same_lines(
    folder: Path, files: dict[str, str], *, but: frozenset[str] = frozenset()
) -> tuple[dict[str, int], Ended]:
    """The lines of each file, as bitmaps, that `prog.py` ran under both; and how it ended.

    `but` names files of which coverage.py knows nothing. Both runs end with status 0 and the
    same output.
    """
    write_files(folder, files)
    apart = folder.parent / (folder.name + "-coverage")
    apart.mkdir()
    write_files(apart, {"driver.py": _DRIVER})
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "COV_", "PYTHON"))
    }
    covered = subprocess.run(
        [sys.executable, apart / "driver.py", apart / "data", "prog.py"],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert covered.returncode == 0, covered.stderr
    write_files(folder, files)  # the program may have changed some
    measured = run_measured("python", "prog.py", cwd=folder, options=("--source", "."))
    assert (measured.status, measured.out) == (0, covered.stdout), measured.err
    theirs: dict[str, int] = {}
    for (_, path), lines in coverage_facts(apart / "data", folder).items():
        theirs[path] = theirs.get(path, 0) | lines
    ours: dict[str, int] = {}
    for (_, path), lines in whotests_facts(folder / ".whotests" / "data.db", folder).items():
        ours[path] = ours.get(path, 0) | lines
    assert {path: bin(lines) for path, lines in ours.items() if path not in but} == {
        path: bin(lines) for path, lines in theirs.items() if lines
    }
    return ours, measured
