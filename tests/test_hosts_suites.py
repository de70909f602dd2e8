"""Real suites of pytest and Django: verdicts are those of the host's own serial run."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from exact_suites import Suite, fetch
from measured_commands import PLUGINS, run_plain
from tested_commands import run_tests

pytestmark = pytest.mark.suites
TESTS = Path(__file__).parent
ENVIRONMENTS = TESTS.parent / ".venv"
NAMES = {"success": "passed", "fail": "failed", "skip": "skipped", "xfail": "xfailed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project, and how its own tools run its tests."""

    suite: Suite
    serial: tuple[str, ...]
    """The command that runs them, and writes how each ended."""
    ours: tuple[str, ...]
    """Words for `whotests test`."""
    least: int
    """Tests that there are at the least."""
    settings: str = ""


def suite(name: str, version: str, *, needs: tuple[str, ...] = ()) -> Suite:
    """An archive of which nothing is measured here."""
    return Suite(
        name=name,
        version=version,
        source=(),
        path=".",
        tests=(),
        needs=needs,
        least=0,
        least_branches=0,
    )


NETWORKX = suite("networkx", "3.6.1")
FILTERS = suite(
    "django-filter",
    "25.1",
    needs=("djangorestframework==3.18.3", "django-crispy-forms==2.7"),
)
PARTS = [f"networkx/{name}" for name in ("classes", "readwrite", "generators", "utils")]
# Files that cannot be collected keep pytest itself from running the others.
PYTEST = ("-m", "pytest", "-q", "-p", "plain_pytest", "--continue-on-collection-errors")
ALONE = ("-c", "pyproject.toml")  # not that of a project around it
PROJECTS = {
    "networkx": Project(
        suite=NETWORKX,
        serial=(*PYTEST, *ALONE, *PARTS),
        ours=(*(f"pytest:{part}" for part in PARTS), "--", *ALONE),
        least=2_400,
    ),
    "django-filter by Django": Project(
        suite=FILTERS,
        serial=("-m", "django", "test", "--testrunner", "plain_django.Runner", "tests"),
        ours=("django:tests",),
        least=480,
        settings="tests.settings",
    ),
    "django-filter by pytest": Project(
        suite=FILTERS,
        serial=(*PYTEST, *ALONE, "tests"),
        ours=("pytest:tests", "--", *ALONE),
        least=480,
        settings="tests.settings",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the archives are kept: beside the environments, if there are any."""
    if ENVIRONMENTS.is_dir():
        folder = ENVIRONMENTS / "hosts-suites"
        folder.mkdir(exist_ok=True)
    else:
        folder = tmp_path_factory.mktemp("suites")
    return folder


@pytest.mark.parametrize("name", PROJECTS)
def test_a_real_suite_has_the_verdicts_of_its_own_tools(
    name: str, folder: Path, tmp_path: Path
) -> None:
    """Of each test, and of what could not be collected, with one worker and with two."""
    project = PROJECTS[name]
    root = fetch(project.suite, folder)
    path = os.pathsep.join(map(str, (root, folder / "needs", TESTS)))
    variables = {"PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": project.settings}
    if not project.settings:
        del variables["DJANGO_SETTINGS_MODULE"]
    told = tmp_path / "ended"
    done = run_plain("python", *project.serial, cwd=root, env={**variables, "ENDED": str(told)})
    assert told.exists(), done.out[-2000:] + done.err[-2000:]
    serial = json.loads(told.read_text())
    assert len(serial["ended"]) >= project.least
    for jobs in ("1", "2"):
        data = tmp_path / f"{jobs}.db"
        words = ("-j", jobs, "--data", str(data), *project.ours)
        ended = run_tests(*words, cwd=root, **PLUGINS, **variables)
        assert {test: [NAMES[each] for each in all_] for test, all_ in ended.verdicts.items()} == {
            test: [status] for test, status in serial["ended"].items()
        }, ended.err[-2000:]
        assert {test: NAMES[all_[0]] for test, all_ in ended.outside.items()} == serial["outside"]
