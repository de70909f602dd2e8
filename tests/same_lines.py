"""Runs a program under coverage.py and under whotests, and compares the lines of each file."""

from pathlib import Path

from covered_programs import run_covered
from facts import coverage_facts, whotests_facts
from measured_commands import Ended, run_measured, write_files

__all__ = ["assert_same_lines"]


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
    data, output = run_covered(
        "prog.py",
        cwd=folder,
        apart=apart,
        options={"source": ["."]},
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    write_files(folder, files)  # the program may have changed some
    measured = run_measured("python", "prog.py", cwd=folder, options=("--source", "."))
    assert (measured.status, measured.out) == (0, output), measured.err
    theirs: dict[str, int] = {}
    for (_, path), lines in coverage_facts(data, folder).items():
        theirs[path] = theirs.get(path, 0) | lines
    ours: dict[str, int] = {}
    for (_, path), lines in whotests_facts(folder / ".whotests" / "data.db", folder).items():
        ours[path] = ours.get(path, 0) | lines
    assert {path: bin(lines) for path, lines in ours.items() if path not in but} == {
        path: bin(lines) for path, lines in theirs.items() if lines
    }
    return ours, measured
