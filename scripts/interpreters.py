"""The CPythons that the suite runs on, as lines like `3.11 /path/to/python`.

`python3 scripts/interpreters.py` prints the oldest and the newest of the supported versions that
this machine has, oldest first (one line when there is only one). With a version as argument
(`3.12`) it prints the path of that one alone. It looks in pyenv's versions folder, on PATH, and at
the interpreter that runs this script. It takes one only when it starts, is CPython, and can make a
virtual environment. It ends with status 1 and a reason when there is none.

It runs before anything is installed, so it keeps to the standard library and to Python 3.8.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13")

PROBE = (
    "import ensurepip, platform, sys, venv; "
    "print(platform.python_implementation(), '%d.%d' % sys.version_info[:2], sys.executable)"
)


def main() -> int:
    wanted = tuple(sys.argv[1:]) or SUPPORTED
    found = [(version, path) for version in wanted for path in [interpreter(version)] if path]
    if not found:
        print(
            f"no CPython of {', '.join(wanted)} with venv and pip was found on PATH or in pyenv; "
            "install one of them (Debian: python3-venv too)",
            file=sys.stderr,
        )
        return 1
    if sys.argv[1:]:
        print(found[0][1])
        return 0
    for version, path in found if len(found) == 1 else (found[0], found[-1]):
        print(version, path)
    return 0


def interpreter(version: str) -> str | None:
    """The path of a working CPython of that version, or None."""
    for candidate in candidates(version):
        answer = ask(candidate)
        if answer is not None and answer[0] == version:
            return answer[1]
    return None


def candidates(version: str) -> Iterator[str]:
    """Where such an interpreter may be, the likeliest first."""
    # pyenv's own folder comes before PATH: its shims on PATH start only the selected version.
    roots = [os.environ.get("PYENV_ROOT"), str(Path.home() / ".pyenv")]
    for root in dict.fromkeys(root for root in roots if root):
        folders = sorted(Path(root, "versions").glob(version + ".*"), key=patch_level, reverse=True)
        for folder in folders:
            yield str(folder / "bin" / "python")
    for name in ("python" + version, "python3", "python"):
        on_path = shutil.which(name)
        if on_path:
            yield on_path
    yield sys.executable


def patch_level(folder: Path) -> int:
    """The last number of a folder's name like '3.12.4'; -1 for a pre-release or another build."""
    last = folder.name.rpartition(".")[2]
    return int(last) if last.isdigit() else -1


def ask(candidate: str) -> tuple[str, str] | None:
    """(version, absolute path) of a CPython that can make virtual environments, else None."""
    try:
        done = subprocess.run(
            [candidate, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors="replace").strip().split(" ", 2)
    if done.returncode != 0 or len(words) != 3 or words[0] != "CPython":
        return None
    return words[1], words[2]


if __name__ == "__main__":
    sys.exit(main())
