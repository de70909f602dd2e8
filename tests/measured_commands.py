"""Runs commands plainly and under measurement, in processes of their own, and reads the data."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from whotests.store.reader import Reader
from whotests.types import lines_in

SCRIPTS = os.path.dirname(sys.executable)

_RUN = """\
import sys
from whotests.cli.run import run
from whotests.errors import WhotestsError
try:
    run()
except WhotestsError as error:
    print(f"whotests: {error}", file=sys.stderr)
    sys.exit(error.exit_status)
"""


PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}
"""Variables for tests of pytest with its plugins."""

_OPTIONS_OF_PLUGINS = ("--whotests", "--cov", "--dist", "-n", "-p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files of source, dedented, with the folders that they need."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def run_plain(*words: str, cwd: Path, env: dict[str, str] | None = None) -> Ended:
    """The command, run without whotests; 'python' is the interpreter of these tests."""
    first = sys.executable if words[0] == "python" else words[0]
    return _ended([first, *words[1:]], cwd, env)


def run_measured(
    *words: str, cwd: Path, options: tuple[str, ...] = (), env: dict[str, str] | None = None
) -> Ended:
    """The command, run by `whotests run`."""
    return _ended([sys.executable, "-P", "-c", _RUN, *options, "--", *words], cwd, env)


def _ended(words: list[str], cwd: Path, env: dict[str, str] | None) -> Ended:
    """pytest loads plugins only where an option of one is given: with all that these tests need,
    each process would take twice the time. `PLUGINS` has them."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "COV_", "PYTHON")) and name != "VIRTUAL_ENV"
    }
    usual = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": SCRIPTS + os.pathsep + os.environ.get("PATH", ""),
    }
    if not any(word.startswith(_OPTIONS_OF_PLUGINS) for word in words):
        usual["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**inherited, **usual, **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )
    return Ended(status=done.returncode, out=done.stdout, err=done.stderr)


def recorded_outcomes(folder: Path) -> dict[str, str]:
    """The outcome of each recorded test, by its name."""
    with Reader.open(folder / ".whotests" / "data.db") as reader:
        return {test.name: test.outcome.value for test in reader.tests}


def recorded_lines(folder: Path, path: str) -> dict[str, set[int]]:
    """The recorded lines of a file by context: 'test|phase', or a label."""
    facts: dict[str, set[int]] = {}
    with Reader.open(folder / ".whotests" / "data.db") as reader:
        files = [file for file in reader.files if file.path == path]
        footprints = {number: set(patterns) for number, patterns in reader.footprints()}
        patterns = {p.id: p for file in files for p in reader.patterns(file.id)}
        for context in reader.contexts():
            name = f"{context.test.name}|{context.phase}" if context.test else context.label
            held = footprints.get(context.footprint_id, set())
            lines = {
                int(line)
                for number in held
                if number in patterns
                for line in lines_in(patterns[number].lines)
            }
            facts.setdefault(name, set()).update(lines)
    return facts
