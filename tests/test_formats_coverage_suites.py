"""Real suites, out to coverage.py's data file and in from it, with equal figures."""

import json
import os
from pathlib import Path
from typing import Any

import coverage
import pytest

from branch_facts import BranchFacts
from exact_suites import SUITES, Suite, fetch
from facts import Facts, whotests_facts
from measured_commands import Ended, run_measured, run_plain
from report_figures import differences

pytestmark = pytest.mark.suites
ENVIRONMENTS = Path(__file__).parent.parent / ".venv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the archives are kept: beside the environments, if there are any."""
    if not ENVIRONMENTS.is_dir():
        return tmp_path_factory.mktemp("suites")
    folder = ENVIRONMENTS / "suites"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_out_and_back(suite: Suite, folder: Path, tmp_path: Path) -> None:
    """coverage.py's reports on our export give our figures, and the facts come back."""
    root, environment, command = prepared(suite, folder)
    chosen = [word for name in suite.source for word in ("--source", name)]
    data, exported, back = (tmp_path / name for name in ("data.db", "exported", "back.db"))
    measured = run_measured(
        *command, cwd=root, env=environment, options=(*chosen, "--branch", "--data", str(data))
    )
    assert measured.status == 0, measured.out[-3000:] + measured.err
    ended = whotests(root, "export", "coverage", "-o", str(exported), "--data", str(data))
    assert list(differences(figures(root, data), their_figures(root, exported))) == []
    before = without_nothing(whotests_facts(data, root))
    there = contexts_of(exported, root)
    empty = {key: there.pop(key) for key in there.keys() - before.keys()}
    assert there == before
    # Of a text without code, coverage.py sees the first line run, and counts nothing.
    assert {(context, bits) for (context, _), bits in empty.items()} <= {("import", 1 << 1)}

    whotests(root, "import", str(exported), "--data", str(back))
    assert without_nothing(whotests_facts(back, root)) == before
    branches = BranchFacts(root)
    ours = without_nothing(branches.of_whotests(data))
    again = without_nothing(branches.of_whotests(back))
    lost = {key: bits & ~again.get(key, 0) for key, bits in ours.items()}
    assert {key: bits & ~ours.get(key, 0) for key, bits in again.items() if bits & ~ours[key]} == {}
    # A few were taken by who did not come to their line, which is said.
    assert sum(bits.bit_count() for bits in lost.values()) < 100
    assert any(lost.values()) == ("a branch that was taken without" in ended.err)
    assert list(differences(figures(root, back), their_figures(root, exported))) == []


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_in(suite: Suite, folder: Path, tmp_path: Path) -> None:
    """Of what pytest-cov recorded, we report what coverage.py reports."""
    root, environment, command = prepared(suite, folder)
    data, theirs = tmp_path / "data.db", tmp_path / "theirs"
    configuration = tmp_path / "no_settings"
    configuration.write_text("")
    sources = [f"--cov={name}" for name in suite.source]
    options = [*sources, f"--cov-config={configuration}", "--cov-context=test", "--cov-report="]
    plain = run_plain(
        *(*command, *options, "--cov-branch"),
        cwd=root,
        env={**environment, "COVERAGE_FILE": str(theirs)},
    )
    assert plain.status == 0, plain.out[-3000:] + plain.err
    whotests(root, "import", str(theirs), "--data", str(data))
    # coverage.py takes the lines of templates for Python's.
    found = differences(figures(root, data), their_figures(root, theirs), all_files=False)
    assert list(found) == []


def prepared(suite: Suite, folder: Path) -> tuple[Path, dict[str, str], tuple[str, ...]]:
    """The suite's folder, the environment and the command that runs it."""
    root = fetch(suite, folder)
    path = os.pathsep.join((str(root / suite.path), str(folder / "needs")))
    environment = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "COVERAGE_CORE": "ctrace"}
    settings = ("-p", "no:cacheprovider", "-c", "pyproject.toml")
    return root, environment, ("python", "-m", "pytest", "-q", *settings, *suite.tests)


def whotests(root: Path, *words: str) -> Ended:
    """The command, which has to end well."""
    ended = run_plain("python", "-m", "whotests", *words, cwd=root)
    assert ended.status == 0, ended.out[-3000:] + ended.err[-3000:]
    return ended


def figures(root: Path, data: Path) -> dict[str, Any]:
    """What `whotests report --json` says, under the project's settings."""
    found: dict[str, Any] = json.loads(whotests(root, "report", "--json", "--data", str(data)).out)
    return found


def their_figures(root: Path, data: Path) -> dict[str, Any]:
    """What `coverage json` says, under the same settings."""
    out = data.with_name(f"{data.name}.json")
    words = ("json", "-q", "--ignore-errors", f"--data-file={data}", "-o", str(out))
    ended = run_plain("python", "-m", "coverage", *words, cwd=root)
    assert ended.status == 0, ended.out + ended.err
    document: dict[str, Any] = json.loads(out.read_text())
    return document


def contexts_of(data: Path, root: Path) -> dict[tuple[str, str], int]:
    """What each context ran of each file, of a data file of coverage.py."""
    read = coverage.CoverageData(str(data), read_only=True)
    read.read()
    found: dict[tuple[str, str], int] = {}
    for path in read.measured_files():
        name = Path(path).relative_to(root).as_posix()
        for line, contexts in read.contexts_by_lineno(path).items():
            for context in contexts:
                found[context, name] = found.get((context, name), 0) | 1 << line
    read.close()
    return found


def without_nothing(facts: Facts) -> dict[tuple[str, str], int]:
    """Those contexts and files where something ran."""
    return {key: bits for key, bits in facts.items() if bits}
