"""The suites whose verdicts are compared, and how the host's own runner and ours run each."""

import runpy
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.workplaces import Workplace
from compat.suites import SUITES, Suite

__all__ = ["CASES", "TOOLS", "Case", "named_cases"]

TOOLS = ("pytest==9.2.0", "distributed==2026.8.0")
"""Installed beside every suite."""

TESTS = Path(__file__).resolve().parent.parent / "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One suite of tests, with one host."""

    name: str
    suite: Suite
    """What is installed, and where its tests are."""
    plain: tuple[str, ...]
    """What follows the interpreter's name to run it by the host's own runner, one by one."""
    ours: tuple[str, ...]
    """Words for `whotests test`."""
    variables: dict[str, str] = field(default_factory=dict)
    kills_per_run: int = 10
    """How many hosts are killed at random in the time that a run takes, about: a suite whose hosts
    take long to begin, and whose tests do not, would else find none of them."""

    def lay_out(self, place: Workplace[Suite]) -> None:
        """Put into the workplace what the archive does not have."""
        if self.name == "mixed":
            project = runpy.run_path(str(TESTS / "mixed_project.py"))["MIXED"]
            write_files = runpy.run_path(str(TESTS / "measured_commands.py"))["write_files"]
            write_files(place.folder, project)


def suite(name: str) -> Suite:
    """The suite of that name among those that are compared with and without measuring."""
    return next(each for each in SUITES if each.name == name)


FILTERS = Suite(
    name="django-filter",
    kind="a reusable application of Django's",
    project="django-filter",
    version="25.1",
    package="django_filters",
    runner="django",
    arguments=("tests",),
    shadows=("django_filters",),
    extras=("django==5.2.19", "djangorestframework==3.18.3", "django-crispy-forms==2.7"),
)

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.settings"}

RECORDED = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "compat_pytest")

NETWORKX = tuple(f"networkx.{part}" for part in ("classes", "generators", "readwrite", "utils"))

CASES = (
    Case(
        name="testtools",
        suite=suite("testtools"),
        plain=("{recorders}/compat_unittest.py", "tests.test_suite"),
        ours=("unittest:tests.test_suite",),
    ),
    Case(
        name="twisted.trial.test",
        suite=suite("twisted"),
        plain=("-m", "twisted.trial", "--reporter=compat", "twisted.trial.test"),
        ours=("trial:twisted.trial.test",),
    ),
    Case(
        name="mixed",
        suite=suite("testtools"),
        plain=("-m", "twisted.trial", "--reporter=compat", "grid.test"),
        ours=("trial:grid.test",),
        kills_per_run=3,
    ),
    Case(
        name="networkx",
        suite=suite("networkx"),
        plain=(*RECORDED, "-c", "pyproject.toml", "--pyargs", *NETWORKX),
        ours=(
            *(f"pytest:{package}" for package in NETWORKX),
            *("--", "-c", "pyproject.toml", "-p", "no:cacheprovider", "--pyargs"),
        ),
    ),
    Case(
        name="django-filter by Django",
        suite=FILTERS,
        plain=("-m", "django", "test", "--testrunner", "compat_django.Runner", "tests"),
        ours=("django:tests",),
        variables=SETTINGS,
        kills_per_run=3,
    ),
)


def named_cases(names: tuple[str, ...]) -> tuple[Case, ...]:
    """Those of these names, or all. Raises ValueError for a name that there is not."""
    known = {case.name for case in CASES}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no suite {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return tuple(case for case in CASES if not names or case.name in names)
