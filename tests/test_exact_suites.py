"""Facts of real suites, under `whotests run` and under coverage.py with a context per test."""

import os
from pathlib import Path

import pytest

from both_measured import borrowed_lines
from branch_facts import BranchFacts
from exact_suites import SUITES, Suite, fetch
from facts import Facts, agreement, count, coverage_facts, differences, of_tests, whotests_facts
from measured_commands import run_measured, run_plain

pytestmark = pytest.mark.suites
ENVIRONMENTS = Path(__file__).parent.parent / ".venv"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the archives are kept: beside the environments, if there are any."""
    if not ENVIRONMENTS.is_dir():
        return tmp_path_factory.mktemp("suites")
    folder = ENVIRONMENTS / "suites"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_real_suite(suite: Suite, folder: Path, tmp_path: Path) -> None:
    """Of each test and phase, both have the same lines and branches, in the tests' files too."""
    root = fetch(suite, folder)
    path = os.pathsep.join((str(root / suite.path), str(folder / "needs")))
    environment = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "COVERAGE_CORE": "ctrace"}
    settings = ("-p", "no:cacheprovider", "-c", "pyproject.toml")
    command = ("python", "-m", "pytest", "-q", *settings, *suite.tests)
    configuration = tmp_path / "no_settings"
    configuration.write_text("")
    sources = [f"--cov={name}" for name in suite.source]
    options = [*sources, f"--cov-config={configuration}", "--cov-context=test", "--cov-report="]
    for name, more in (("lines", ()), ("branches", ("--cov-branch",))):
        variables = {**environment, "COVERAGE_FILE": str(tmp_path / name)}
        plain = run_plain(*command, *options, *more, cwd=root, env=variables)
        assert plain.status == 0, plain.out[-3000:] + plain.err
    chosen = [word for name in suite.source for word in ("--source", name)]
    data = tmp_path / "data.db"
    measured = run_measured(
        *command, cwd=root, env=environment, options=(*chosen, "--branch", "--data", str(data))
    )
    assert measured.status == 0, measured.out[-3000:] + measured.err

    theirs = of_tests(coverage_facts(tmp_path / "lines", root))
    ours = of_tests(whotests_facts(data, root))
    assert count(theirs) >= suite.least
    assert _different(theirs, ours, suite, root) == []
    assert _different(ours, theirs, suite, root) == []

    branches = BranchFacts(root)
    theirs = _of_python(of_tests(branches.of_coverage(tmp_path / "branches")))
    ours = of_tests(branches.of_whotests(data))
    assert agreement(theirs, ours) >= suite.least_branches
    lent = {path: _lent(root / path) for path in {path for _, path in theirs}}
    found = branches.unexplained(theirs, ours, lent)
    assert [shown for shown in found if not _by_chance(shown, suite)] == []


def _of_python(facts: Facts) -> Facts:
    """Without templates, of which coverage.py takes the lines for Python's."""
    return {key: bits for key, bits in facts.items() if key[1].endswith(".py")}


def _lent(file: Path) -> set[int]:
    return borrowed_lines(file.read_text(encoding="utf-8"))


def _by_chance(shown: str, suite: Suite) -> bool:
    return any(path in shown and repr(text) in shown for path, text in suite.branches_by_chance)


def _different(facts: Facts, others: Facts, suite: Suite, root: Path) -> list[str]:
    """The lines in which they differ, but for those of which chance decides."""
    texts: dict[str, list[str]] = {}
    found = []
    for difference in differences(facts, others):
        path = difference.path
        if not path.endswith(".py"):  # a template: coverage.py takes its lines for Python's
            continue
        if path not in texts:
            texts[path] = (root / path).read_text(encoding="utf-8").split("\n")
        text = texts[path][difference.line - 1].strip()
        if (path, text) not in suite.chance:
            found.append(f"{path}:{difference.line} {text} {difference.contexts[:2]}")
    return found
