"""The ways in which a suite is run: plain, under whotests, under coverage.py."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suites import Suite
from benchmarks.workplaces import Workplace

__all__ = ["COLD", "CONTEXTS", "COVERAGE", "PLAIN", "VARIANTS", "WARM", "Variant"]

SAME_FOR_ALL = ("-q", "-p", "no:cacheprovider", "-c", "pyproject.toml")
"""pytest options of every variant: -c keeps each project's own settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run a suite."""

    name: str
    command: Callable[[Workplace[Suite]], list[str]]
    before: Callable[[Workplace[Suite]], None]
    """Brings the files of earlier runs into the state that the variant starts from."""
    data_file: Callable[[Workplace[Suite]], Path] | None = None
    """Where its data is afterwards."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables of its own."""


def plain_command(place: Workplace[Suite]) -> list[str]:
    return pytest_command(place, "-p", "no:cov", "-p", "no:whotests")


def whotests_command(place: Workplace[Suite]) -> list[str]:
    return [
        str(place.venv / "bin" / "whotests"),
        "run",
        "--source",
        place.suite.package,
        "--",
        "python",  # the one that runs whotests, as `run` promises
        *pytest_command(place, "-p", "no:cov")[1:],
    ]


def coverage_command(place: Workplace[Suite]) -> list[str]:
    return pytest_command(
        place,
        "-p",
        "no:whotests",
        f"--cov={place.suite.package}",
        "--cov-report=",  # the time to write a report is not the time to measure
        f"--cov-config={place.folder.parent / 'coveragerc'}",
    )


def contexts_command(place: Workplace[Suite]) -> list[str]:
    return [*coverage_command(place), "--cov-context=test"]


def pytest_command(place: Workplace[Suite], *options: str) -> list[str]:
    python = str(place.python)
    return [python, "-m", "pytest", *SAME_FOR_ALL, *options, *place.suite.arguments]


def leave_files(place: Workplace[Suite]) -> None:
    pass


def remove_whotests_data(place: Workplace[Suite]) -> None:
    shutil.rmtree(place.data_folder, ignore_errors=True)


def remove_coverage_data(place: Workplace[Suite]) -> None:
    # An empty settings file, lest the project's own settings (branches, sources) be measured.
    (place.folder.parent / "coveragerc").write_text("[run]\n", encoding="utf-8")
    coverage_data(place).unlink(missing_ok=True)


def whotests_data(place: Workplace[Suite]) -> Path:
    return place.data_folder / "data.db"


def coverage_data(place: Workplace[Suite]) -> Path:
    return place.folder / ".coverage"


PLAIN = Variant(name="plain", command=plain_command, before=leave_files)

COLD = Variant(
    name="whotests, cold",
    command=whotests_command,
    before=remove_whotests_data,
    data_file=whotests_data,
)

WARM = Variant(
    name="whotests, warm",
    command=whotests_command,
    before=leave_files,  # the steady state: a filled cache, and the last run's data to replace
    data_file=whotests_data,
)

COVERAGE = Variant(
    name="coverage.py, no contexts",
    command=coverage_command,
    before=remove_coverage_data,
    data_file=coverage_data,
    variables=(("COVERAGE_CORE", "ctrace"),),
)

CONTEXTS = Variant(
    name="coverage.py, per-test contexts",
    command=contexts_command,
    before=remove_coverage_data,
    data_file=coverage_data,
    variables=(("COVERAGE_CORE", "ctrace"),),
)

VARIANTS = (PLAIN, COLD, WARM, COVERAGE, CONTEXTS)
"""In the order of a round: the cold run fills the cache for the warm one, the coverage run with
contexts leaves its data for the facts."""
