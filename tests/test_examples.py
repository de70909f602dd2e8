"""The examples: their tests pass in each runner, and their commands do what their page says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
TESTS = 24
"""How many the poetry example has: a runner that finds fewer has lost some."""

INSTALLS_ASYNCIO = """
import asyncio
from twisted.internet import asyncioreactor
asyncioreactor.install(asyncio.new_event_loop())
import unittest
unittest.main(None, argv=["python -m unittest"])
"""


@pytest.fixture
def poetry(tmp_path: Path) -> Path:
    """A copy of the poetry example, so that nothing is written into the original."""
    copy = tmp_path / "poetry"
    shutil.copytree(
        EXAMPLES / "poetry", copy, ignore=shutil.ignore_patterns("__pycache__", ".whotests*")
    )
    return copy


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """The command, run there by this Python, with both of its outputs in `stdout`."""
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", *command],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "unittest"),
        ("-m", "whotests", "run", "--", sys.executable, "-m", "unittest"),
        ("-c", INSTALLS_ASYNCIO),
    ],
    ids=["unittest", "whotests", "asyncio's reactor"],
)
def test_the_poetry_example_passes(poetry: Path, command: tuple[str, ...]) -> None:
    """All tests of the example are found and pass: plain, measured, and on asyncio's reactor."""
    done = run(poetry, *command)
    assert f"Ran {TESTS} tests" in done.stdout
    assert re.search(r"^OK$", done.stdout, re.MULTILINE), done.stdout
    assert done.returncode == 0


def test_the_poetry_example_passes_under_pytest(poetry: Path) -> None:
    """pytest runs the same tests."""
    done = run(poetry, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.")
    assert f"{TESTS} passed" in done.stdout, done.stdout


def test_the_poetry_example_is_measured(poetry: Path) -> None:
    """whotests tells which test of the example ran a line of it."""
    command = ("-m", "whotests", "run", "--", sys.executable, "-m", "unittest")
    assert run(poetry, *command).returncode == 0
    source = (poetry / "slowpoetry" / "verses.py").read_text().splitlines()
    line = 1 + source.index("    return poem.lower()")
    done = run(poetry, "-m", "whotests", "who", f"slowpoetry/verses.py:{line}")
    assert "test_transforms" in done.stdout
    assert "test_a_poem_is_transformed" in done.stdout


@pytest.mark.parametrize("server", [(), ("--twisted",)], ids=["asyncio", "twisted"])
def test_the_poetry_commands_work(poetry: Path, server: tuple[str, ...]) -> None:
    """`serve`, `transforms` and `fetch` do what the README shows, in processes of their own."""
    poem = (poetry / "hope.txt").read_text()
    commands = [("serve", "hope.txt", "--pause", "0", "--size", "100"), ("transforms",)]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "slowpoetry", *server, *command],
            cwd=poetry,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=dict(os.environ, PYTHONUNBUFFERED="1"),
        )
        for command in commands
    ]
    try:
        ports = [each.stdout.readline().split()[-1] for each in started if each.stdout]
        fetch = ("-m", "slowpoetry", "fetch", ports[0], ports[0])
        assert run(poetry, *fetch).stdout == (poem + "\n") * 2
        lower = run(poetry, *fetch, "--service", ports[1], "--transform", "lowercase")
        assert lower.stdout == (poem.lower() + "\n") * 2
    finally:
        for each in started:
            each.terminate()
            each.communicate(timeout=30)
