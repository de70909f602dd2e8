"""Suites of real projects have the same outcomes with our case in place of unittest's."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from peer_sources import fetch_source

pytestmark = pytest.mark.suites

CHILD = Path(__file__).parent / "adopted_child.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project whose source archive has a suite for unittest."""

    version: str
    tests: str
    """The folder of the suite's modules."""
    files: str = "test*.py"
    """Those that take seconds and not minutes."""
    least: int
    """How many tests and parts of tests it has at the least."""


PROJECTS = {
    "mock": Project(version="5.2.0", tests="mock/tests", files="test[!t]*.py", least=540),
    "more-itertools": Project(version="11.2.1", tests="tests", files="test_more.py", least=2500),
    "pyflakes": Project(version="4.1.0", tests="pyflakes/test", least=750),
    "simplejson": Project(version="4.3.0", tests="simplejson/tests", least=270),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_same_outcomes(name: str) -> None:
    """Each test and each part of one comes to the same, coroutines and patches included."""
    project = PROJECTS[name]
    source = fetch_source(name, project.version)
    package = project.tests.replace("/", ".")
    files = sorted((source / project.tests).glob(project.files))
    modules = tuple(f"{package}.{file.stem}" for file in files)
    theirs, ours = (outcomes(source, whose, modules) for whose in ("unittest", "whotests.testing"))
    assert len(theirs) >= project.least
    assert {test: found for test, found in ours.items() if theirs.get(test) != found} == {}
    assert set(theirs) == set(ours)


def outcomes(source: Path, whose: str, modules: tuple[str, ...]) -> dict[str, list[str]]:
    """What came of each test."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(CHILD), whose, *modules],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found: dict[str, list[str]] = json.loads(ran.stdout.splitlines()[-1])
    return found
