"""The ways in which a suite is run: plain, under whotests, under coverage.py."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suites import Suite
from benchmarks.workplaces import Workplace

__all__ = [
    "BRANCHES",
    "COLD",
    "CONTEXTS",
    "CONTEXTS_BRANCHES",
    "COVERAGE",
    "COVERAGE_BRANCHES",
    "LINES",
    "PLAIN",
    "RUN",
    "SLIPCOVER",
    "SYSMON",
    "VARIANTS",
    "Variant",
    "possible",
]

SAME_FOR_ALL = ("-q", "-p", "no:cacheprovider", "-c", "pyproject.toml")
"""pytest options of every variant: -c keeps each project's own settings."""

NOT_OURS = ("-p", "no:whotests")
CTRACE = (("COVERAGE_CORE", "ctrace"),)


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
    warmed: bool = False
    """An uncounted run comes first: it fills the cache and makes the data file."""
    once: bool = False
    """Run in the first round only: slow, and wanted for its data."""
    least_python: tuple[int, int] = (3, 11)


def plain_command(place: Workplace[Suite]) -> list[str]:
    return pytest_command(place, "-p", "no:cov", *NOT_OURS)


def whotests_command(place: Workplace[Suite], data: Path, *options: str) -> list[str]:
    source = f"--whotests={place.suite.package}"
    where = f"--whotests-data={data}"
    return pytest_command(place, "-p", "no:cov", source, where, *options)


def branches_command(place: Workplace[Suite]) -> list[str]:
    return whotests_command(place, branches_data(place), "--whotests-branch")


def lines_command(place: Workplace[Suite]) -> list[str]:
    return whotests_command(place, lines_data(place))


def cold_command(place: Workplace[Suite]) -> list[str]:
    return whotests_command(place, cold_data(place), "--whotests-branch")


def run_command(place: Workplace[Suite]) -> list[str]:
    whotests = str(place.venv / "bin" / "whotests")
    options = ("--source", place.suite.package, "--branch", "--data", str(run_data(place)))
    # `python` is the one that runs whotests, as `run` promises.
    command = ("python", *pytest_command(place, "-p", "no:cov")[1:])
    return [whotests, "run", *options, "--", *command]


def coverage_command(place: Workplace[Suite], *options: str) -> list[str]:
    return pytest_command(
        place,
        *NOT_OURS,
        f"--cov={place.suite.package}",
        "--cov-report=",  # the time to write a report is not the time to measure
        f"--cov-config={place.folder.parent / 'coveragerc'}",
        *options,
    )


def coverage_branches_command(place: Workplace[Suite]) -> list[str]:
    return coverage_command(place, "--cov-branch")


def contexts_command(place: Workplace[Suite]) -> list[str]:
    return coverage_command(place, "--cov-context=test")


def contexts_branches_command(place: Workplace[Suite]) -> list[str]:
    return coverage_command(place, "--cov-branch", "--cov-context=test")


def slipcover_command(place: Workplace[Suite]) -> list[str]:
    python, _, _, *rest = pytest_command(place, "-p", "no:cov", *NOT_OURS)
    (package,) = (place.venv / "lib").glob(f"python3.*/site-packages/{place.suite.package}")
    out = str(place.folder.parent / "slipcover.json")
    options = ("--branch", "--source", str(package), "--json", "--out", out)
    # Its pytest plugin is imported before pytest, which warns of that: to jinja2 an error.
    quiet = ("-W", "ignore:Module already imported so cannot be rewritten")
    return [python, "-m", "slipcover", *options, "-m", "pytest", *quiet, *rest]


def pytest_command(place: Workplace[Suite], *options: str) -> list[str]:
    python = str(place.python)
    return [python, "-m", "pytest", *SAME_FOR_ALL, *options, *place.suite.arguments]


def leave_files(place: Workplace[Suite]) -> None:
    """The steady state of whotests: a filled cache, and the last run's data to replace."""
    kept = kept_folder(place)
    if kept.exists():
        shutil.rmtree(place.data_folder, ignore_errors=True)
        kept.rename(place.data_folder)


def set_whotests_data_aside(place: Workplace[Suite]) -> None:
    """No cache and no data, until `leave_files` brings them back."""
    kept = kept_folder(place)
    if place.data_folder.exists() and not kept.exists():
        place.data_folder.rename(kept)
    shutil.rmtree(place.data_folder, ignore_errors=True)


def remove_coverage_data(place: Workplace[Suite]) -> None:
    # An empty settings file, lest the project's own settings (branches, sources) be measured.
    (place.folder.parent / "coveragerc").write_text("[run]\n", encoding="utf-8")
    coverage_data(place).unlink(missing_ok=True)


def kept_folder(place: Workplace[Suite]) -> Path:
    return place.folder / ".whotests-kept"


def branches_data(place: Workplace[Suite]) -> Path:
    return place.data_folder / "branches.db"


def lines_data(place: Workplace[Suite]) -> Path:
    return place.data_folder / "lines.db"


def run_data(place: Workplace[Suite]) -> Path:
    return place.data_folder / "run.db"


def cold_data(place: Workplace[Suite]) -> Path:
    return place.data_folder / "cold.db"


def coverage_data(place: Workplace[Suite]) -> Path:
    return place.folder / ".coverage"


PLAIN = Variant(name="plain", command=plain_command, before=leave_files)

BRANCHES = Variant(
    name="whotests, branches",
    command=branches_command,
    before=leave_files,
    data_file=branches_data,
    warmed=True,
)

LINES = Variant(
    name="whotests, lines",
    command=lines_command,
    before=leave_files,
    data_file=lines_data,
    warmed=True,
)

RUN = Variant(
    name="whotests run, branches",
    command=run_command,
    before=leave_files,
    warmed=True,
)

COLD = Variant(
    name="whotests, branches, cold",
    command=cold_command,
    before=set_whotests_data_aside,
    data_file=cold_data,
)

COVERAGE = Variant(
    name="coverage.py, lines",
    command=coverage_command,
    before=remove_coverage_data,
    variables=CTRACE,
)

COVERAGE_BRANCHES = Variant(
    name="coverage.py, branches",
    command=coverage_branches_command,
    before=remove_coverage_data,
    variables=CTRACE,
)

SYSMON = Variant(
    name="coverage.py, lines, sysmon",
    command=coverage_command,
    before=remove_coverage_data,
    variables=(("COVERAGE_CORE", "sysmon"),),
    least_python=(3, 12),
)

SLIPCOVER = Variant(
    name="SlipCover, branches",
    command=slipcover_command,
    before=leave_files,
    least_python=(3, 12),
)

CONTEXTS_BRANCHES = Variant(
    name="coverage.py, contexts, branches",
    command=contexts_branches_command,
    before=remove_coverage_data,
    data_file=coverage_data,
    variables=CTRACE,
    once=True,
)

CONTEXTS = Variant(
    name="coverage.py, contexts, lines",
    command=contexts_command,
    before=remove_coverage_data,
    data_file=coverage_data,
    variables=CTRACE,
    once=True,
)

VARIANTS = (
    PLAIN,
    BRANCHES,
    LINES,
    RUN,
    COVERAGE,
    COVERAGE_BRANCHES,
    SYSMON,
    SLIPCOVER,
    COLD,
    CONTEXTS_BRANCHES,
    CONTEXTS,
)
"""In the order of the first round. The last one leaves its data for the facts."""


def possible(python: str) -> tuple[Variant, ...]:
    """Those that a version of Python ('3.11.7') can run."""
    major, minor, *_ = map(int, python.split("."))
    return tuple(variant for variant in VARIANTS if variant.least_python <= (major, minor))
