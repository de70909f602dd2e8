"""The page for those who switch has every command, option and key of coverage.py and pytest-cov."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, NamedTuple

import click
import coverage.cmdline
import pytest

from whotests.config.coverage_file import KINDS
from whotests.config.coverage_settings import WITHOUT_MEANING
from whotests.config.own_table import KEYS
from whotests.config.pytest_cov import COUNTERPARTS
from whotests.integrations import pytest_plugin

PAGE = Path(__file__).parent.parent / "docs" / "switching.md"

EVERY_COMMAND = {option.get_opt_string() for option in coverage.cmdline.GLOBAL_ARGS}
COMMANDS = sorted(coverage.cmdline.COMMANDS)


class Row(NamedTuple):
    """A row of one of the page's tables."""

    section: str
    theirs: list[str]
    """What stands in code in the first cell."""
    ours: list[str]
    reason: str


@cache
def rows() -> tuple[Row, ...]:
    """All rows of the page, in order."""

    def found() -> Iterator[Row]:
        section = ""
        for line in PAGE.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                section = line.lstrip("# ")
            elif line.startswith("|") and not line.startswith(
                ("|---", "| coverage.py", "| pytest", "| trial |", "| stestr |", "| unittest, ")
            ):
                cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                theirs, ours, reason = cells
                code = r"`([^`]+)`"
                yield Row(section, re.findall(code, theirs), re.findall(code, ours), reason)

    return tuple(found())


def in_section(section: str) -> set[str]:
    return {word for row in rows() if row.section == section for word in row.theirs}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_coverage_command(command: str) -> None:
    """coverage.py's own parser of each command has no option that the page lacks."""
    parser: Any = coverage.cmdline.COMMANDS[command]
    options = {
        word
        for option in parser.option_list
        if option.get_opt_string() not in EVERY_COMMAND
        for word in (*option._short_opts, *option._long_opts)
    }
    told = in_section(f"coverage {command}")
    assert any(word.startswith(f"coverage {command}") for word in told)
    assert options - told == set()
    assert {word for word in told if word.startswith("-")} - options == set()


def test_options_of_every_coverage_command() -> None:
    """So it is with the options that all of them have."""
    parser: Any = coverage.cmdline.GlobalOptionParser()
    options = {
        word
        for option in (*coverage.cmdline.GLOBAL_ARGS, *parser.option_list)
        for word in (*option._short_opts, *option._long_opts)
    }
    assert in_section("Every command") == options


class Options:
    """Notes the options that a pytest plugin adds."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def getgroup(self, *args: Any) -> "Options":
        return self

    def addoption(self, name: str, **kwargs: Any) -> None:
        self.names.add(name)


def options_of(plugin: Any) -> set[str]:
    noted = Options()
    plugin.pytest_addoption(noted)
    return noted.names


def test_every_option_of_pytest_cov() -> None:
    """pytest-cov adds no option that the page lacks, and the page is what `migrate` goes by."""
    of_page = {
        row.theirs[0]: row.ours[0] if row.ours else ""
        for row in rows()
        if row.section == "All options of pytest-cov"
    }
    assert of_page.keys() >= options_of(import_module("pytest_cov.plugin"))
    assert of_page == COUNTERPARTS
    assert {ours for ours in of_page.values() if ours} <= options_of(pytest_plugin)


def test_every_setting() -> None:
    """Each key of coverage.py has its row, with our key or with the reason that a run tells."""
    expected = {(section, key) for section, keys in KINDS.items() for key in keys}
    told = {}
    for row in rows():
        if row.section == "All settings" and row.theirs != ["[paths]"]:
            section, key = row.theirs[0].removeprefix("[").split("] ")
            told[section, key] = row
    assert told.keys() == expected
    for place, row in told.items():
        if place in WITHOUT_MEANING:
            assert row.ours == []
            assert row.reason in (WITHOUT_MEANING[place], "the same")
        else:
            assert set(row.ours) <= set(KEYS)
            assert row.ours


def options_in_help(*command: str) -> set[str]:
    """The options that a command of this Python's environment tells of."""
    said = subprocess.run(
        [sys.executable, "-m", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    lines = re.findall(r"^ {1,6}(-.*?)(?:  |$)", said, re.MULTILINE)
    return {word for line in lines for word in re.findall(r"(?<![\w-])--?[\w-]+", line)}


@pytest.mark.parametrize(
    ("section", "commands"),
    [
        ("trial", ["twisted.trial"]),
        ("stestr", ["stestr run"]),
        ("python -m unittest", ["unittest", "unittest discover", "testtools.run discover"]),
    ],
)
def test_every_option_of_a_runner(section: str, commands: list[str]) -> None:
    """What the runner's own help lists has its row."""
    options: set[str] = set()
    for command in commands:
        pytest.importorskip(command.split()[0].partition(".")[0])
        options |= options_in_help(*command.split())
    assert len(options) > 5
    assert options - in_section(section) == set()


def test_every_option_of_pytest_xdist() -> None:
    """Each option that the plugin adds has its row."""
    noted = ShortOptions()
    import_module("xdist.plugin").pytest_addoption(noted)
    import_module("xdist.looponfail").pytest_addoption(noted)
    assert noted.names - in_section("pytest-xdist") == set()


class ShortOptions:
    """Notes all names of the options that a pytest plugin adds, those of its settings left out."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def getgroup(self, *args: Any) -> "ShortOptions":
        return self

    def addoption(self, *names: str, **kwargs: Any) -> None:
        self.names.update(names)

    _addoption = addoption

    def addini(self, *args: Any, **kwargs: Any) -> None:
        """A setting."""


@cache
def our_command(name: str) -> click.Command:
    name = f"{name}_" if iskeyword(name) else name
    command = getattr(import_module(f"whotests.cli.{name}"), name)
    assert isinstance(command, click.Command)
    return command


def test_what_it_names_of_ours_is_there() -> None:
    """Every command and option of whotests that the page names exists."""
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"whotests ([a-z]+)((?: -[-a-z]+)*)", text))
    assert len(named) > 20
    for command, words in named:
        if command in ("reads", "has", "keeps", "measures"):
            continue
        options = {word for param in our_command(command).params for word in param.opts}
        options |= {word for param in our_command(command).params for word in param.secondary_opts}
        for word in words.split():
            assert word in options or word in ("--", "-m", "--help"), f"whotests {command} {word}"


def test_a_row_says_something() -> None:
    """Where there is nothing of ours, there is a reason; '-q' and the like need none."""
    silent = {"--quiet", "--skip-empty", "-q"}
    empty = [row for row in rows() if not row.ours and not row.reason]
    assert all(set(row.theirs) <= silent for row in empty)
