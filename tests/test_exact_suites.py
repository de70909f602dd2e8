"""Facts of real suites, under `whotests run` and under coverage.py with a context per test."""

import os
from pathlib import Path

import pytest

from exact_suites import SUITES, Suite, fetch
from facts import Facts, count, coverage_facts, differences, of_tests, whotests_facts
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
    """Of each test and phase, both have the same lines, in the tests' files too."""
    root = fetch(suite, folder)
    path = os.pathsep.join((str(root / suite.path), str(folder / "needs")))
    environment = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "COVERAGE_CORE": "ctrace"}
    settings = ("-p", "no:cacheprovider", "-c", "pyproject.toml")
    command = ("python", "-m", "pytest", "-q", *settings, *suite.tests)
    theirs_file, ours_file = tmp_path / ".coverage", tmp_path / "data.db"

    sources = [f"--cov={name}" for name in suite.source]
    configuration = tmp_path / "no_settings"
    configuration.write_text("")
    options = [*sources, f"--cov-config={configuration}", "--cov-context=test", "--cov-report="]
    plain = run_plain(
        *command, *options, cwd=root, env={**environment, "COVERAGE_FILE": str(theirs_file)}
    )
    assert plain.status == 0, plain.out[-3000:] + plain.err
    chosen = [word for name in suite.source for word in ("--source", name)]
    measured = run_measured(
        *command, cwd=root, env=environment, options=(*chosen, "--data", str(ours_file))
    )
    assert measured.status == 0, measured.out[-3000:] + measured.err

    theirs = of_tests(coverage_facts(theirs_file, root))
    ours = of_tests(whotests_facts(ours_file, root))
    assert count(theirs) >= suite.least
    assert _different(theirs, ours, suite, root) == []
    assert _different(ours, theirs, suite, root) == []


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
