"""The examples of a page of documentation, run as a reader would.

- ```` ```python ```` whose first line is `# name.py` is a file of that name in the reader's
  folder, and so is ```` ```toml ```` with `# name.toml`; any other code goes on from the page's
  earlier blocks.
- ```` ```pycon ```` is a session that goes on from them, too: a doctest.
- ```` ```console ```` has commands after `$ `, each with its output; they run in that folder.

`…` in an output stands for anything, within a line or, alone on a line, for any lines.
"""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Block", "Reader", "blocks_of"]

FENCE = re.compile(r"^```(\w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FILE = re.compile(r"# ([\w/]+\.(?:py|toml|ini|cfg|json))\n")

RUNNABLE = ("python", "pycon", "console", "toml")


class Block(NamedTuple):
    """One fenced block of a page."""

    kind: str
    text: str
    line: int
    """Of its first line in the page."""


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of a page that run, in order."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        if found[1] in RUNNABLE:
            yield Block(found[1], found[2], text.count("\n", 0, found.start()) + 2)


class Reader:
    """Does what a page says, in a folder of its own."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        (folder / "pyproject.toml").touch()  # so that the folder is a project's, wherever it is

    def follow(self, block: Block) -> None:
        """Run a block; AssertionError shows where a page and the world differ."""
        if block.kind == "console":
            self._run_commands(block)
        elif block.kind == "pycon":
            self._run_session(block)
        elif found := FILE.match(block.text):
            (self.folder / found[1]).write_text(block.text, encoding="utf-8")
        elif block.kind == "python":
            place = "\n" * (block.line - 1)  # tracebacks name the page's lines
            exec(compile(place + block.text, str(self.page), "exec"), self.names)

    def _run_session(self, block: Block) -> None:
        text = block.text.replace("…", "...")
        session = doctest.DocTestParser().get_doctest(
            text, self.names, self.page.name, str(self.page), block.line - 1
        )
        assert session.examples, f"{self.page.name}:{block.line} has no example"
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
        said: list[str] = []
        runner.run(session, out=said.append, clear_globs=False)
        self.names.update(session.globs)
        assert not runner.failures, "".join(said)

    def _run_commands(self, block: Block) -> None:
        number = block.line
        for part in re.split(r"^(?=\$ )", block.text, flags=re.MULTILINE):
            if not part:
                continue
            assert part.startswith("$ "), f"{self.page.name}:{number}: output before a command"
            command, _, expected = part.removeprefix("$ ").partition("\n")
            got = self._output(command)
            assert matches(expected, got), (
                f"{self.page.name}:{number}: $ {command}\n--- the page\n{expected}--- got\n{got}"
            )
            number += part.count("\n")

    def _output(self, command: str) -> str:
        """What a command writes, both streams in one."""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "COLUMNS": "100",
                "NO_COLOR": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTEST_ADDOPTS": "",
                "PYTHONWARNINGS": "",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return done.stdout


def matches(expected: str, got: str) -> bool:
    """Whether an output is as the page has it, but for what `…` stands for."""
    pattern = ""
    for line in expected.strip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.split("…"))) + "\n"
    return re.fullmatch(pattern, got.strip("\n") + "\n") is not None
