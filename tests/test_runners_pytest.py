"""Plugins of pytest that change how tests run: facts and outcomes are those of a serial run."""

import sys
from pathlib import Path

import pytest

from branch_facts import BranchFacts
from facts import Facts, coverage_facts, of_tests
from runner_plugins import PLUGINS, install
from runner_project import explained, facts_of_tests
from runner_pytest import XDIST, Serial, assert_crashes_are_told, kept_folder
from whotests.types import bits_of

pytest.importorskip("xdist", reason="pytest-xdist is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests that fork")


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Serial:
    """The project after a serial run."""
    path = str(install(kept_folder(tmp_path_factory), PLUGINS))
    plugins = ("anyio", "asyncio", "hypothesispytest")
    folder = tmp_path_factory.mktemp("project")
    return Serial(folder, path, files=("shop", "tests"), plugins=plugins)


@pytest.fixture(scope="module")
def small(serial: Serial, tmp_path_factory: pytest.TempPathFactory) -> Serial:
    """The project after a serial run of those of its tests that start quickly."""
    files = ("shop", "tests/test_plain.py", "tests/test_parts.py", "tests/test_children.py")
    return Serial(tmp_path_factory.mktemp("small"), serial.environment["PYTHONPATH"], files=files)


def test_a_serial_run_is_as_without_measuring(serial: Serial) -> None:
    """With asyncio, anyio, hypothesis, subtests and doctests: same reports, same exit status."""
    assert serial.done.status == 1, explained(serial.done)
    assert serial.measured_done.status == 1
    assert serial.measured_reports == serial.reports
    outcomes = serial.recorded.outcomes
    assert set(outcomes) == {str(report[0]) for report in serial.reports}
    told = {name.removeprefix("tests/"): outcome for name, outcome in outcomes.items()}
    assert told["test_waiting.py::test_fails"] == "failed"
    assert told["test_anyio.py::test_group[trio]"] == "passed"
    assert told["test_anyio.py::test_thread[asyncio]"] == "failed"
    assert told["test_parts.py::test_one_fails"] == "failed"
    assert told["test_plain.py::test_untidy"] == "error"
    assert told["test_plain.py::test_strict"] == "failed"
    assert told["test_plain.py::test_unexpected"] == "unexpected success"
    assert told["shop/basket.py::shop.basket.sign"] == "passed"
    assert told["guide.rst::guide.rst"] == "passed"


def test_a_serial_run_has_the_facts_of_coverage(serial: Serial, tmp_path: Path) -> None:
    """Of each test and phase, both have the same lines and branches; of children only we have."""
    tracing = ("-p", "pytest_cov", "--cov=shop", "--cov=tests", "--cov-context=test")
    for name, more in (("lines", ()), ("branches", ("--cov-branch",))):
        serial.environment["COVERAGE_FILE"] = str(tmp_path / name)
        serial.environment["COVERAGE_CORE"] = "ctrace"
        done, _ = serial.plain(*tracing, "--cov-report=", *more)
        assert done.status == 1, explained(done)
    ours = serial.recorded
    theirs = dict(coverage_facts(tmp_path / "lines", serial.folder))
    decorators = _decorators(serial.folder / "tests" / "test_properties.py")
    for (context, path), bits in theirs.items():
        if path == "tests/test_properties.py" and context.endswith("|run"):
            # hypothesis gives its wrapper of a test the test's file and first line.
            theirs[context, path] = bits & ~decorators
    assert _without_children(ours.lines) == _without_children(theirs)
    branches = BranchFacts(serial.folder).of_coverage(tmp_path / "branches")
    assert _without_children(ours.branches) == _without_children(branches)
    for name in ("child", "fork", "pool"):
        assert ours.lines[f"tests/test_children.py::test_{name}|run", "shop/basket.py"]


def _decorators(file: Path) -> int:
    lines = enumerate(file.read_text().splitlines(), 1)
    return bits_of(number for number, line in lines if line.startswith("@"))


def _without_children(facts: Facts) -> dict[tuple[str, str], int]:
    return {
        key: bits
        for key, bits in of_tests(facts_of_tests(facts)).items()
        if "test_children" not in key[0]
    }


@pytest.mark.parametrize(
    "mode",
    [
        (*XDIST, "-n2", "--dist=load"),
        ("-p", "randomly", "--randomly-seed=1"),
        ("-p", "subtests"),
    ],
    ids=" ".join,
)
def test_a_mode_has_the_facts_of_a_serial_run(serial: Serial, mode: tuple[str, ...]) -> None:
    """Reports, exit status, recorded outcomes, lines and branches of each test are the same."""
    done, told, found = serial.measured(*mode)
    assert done.status == 1, explained(done)
    assert told == serial.reports
    assert found == serial.recorded


@pytest.mark.parametrize(
    "mode",
    [
        ("-n2", "--dist=loadscope"),
        ("-n2", "--dist=loadfile"),
        ("-n2", "--dist=loadgroup"),
        ("-n3", "--maxprocesses=2", "--dist=worksteal"),
        ("-n2", "--dist=no"),
        ("-n2", "-p", "randomly", "--randomly-seed=2"),
    ],
    ids=" ".join,
)
def test_tests_may_be_handed_out_in_any_way(small: Serial, mode: tuple[str, ...]) -> None:
    """pytest-xdist's ways: reports, exit status and what is recorded are those of a serial run."""
    done, told, found = small.measured(*XDIST, *mode)
    assert done.status == 1, explained(done)
    assert told == small.reports
    assert found == small.recorded


def test_each_worker_may_run_all_tests(small: Serial) -> None:
    """With `--dist=each` every test is reported twice and has the facts of one run."""
    done, told, found = small.measured(*XDIST, "-n2", "--dist=each")
    assert done.status == 1, explained(done)
    assert told == small.reports + small.reports
    assert found == small.recorded


@pytest.mark.parametrize("workers", [(), (*XDIST, "-n1")], ids=["alone", "xdist"])
def test_the_last_run_of_a_test_counts(small: Serial, workers: tuple[str, ...]) -> None:
    """With pytest-rerunfailures, outcomes are those of last runs, and facts those of all."""
    words = (*workers, "-p", "pytest_rerunfailures", "--reruns=2", "more/test_flaky.py")
    plain, plainly_told = small.plain(*words)
    done, told, found = small.measured(*words)
    assert done.status == plain.status == 1, explained(done)
    assert told == plainly_told
    names = {name.rpartition("_")[2]: outcome for name, outcome in found.outcomes.items()}
    assert names == {"late": "passed", "time": "passed", "parts": "passed", "never": "failed"}
    lines = found.lines["more/test_flaky.py::test_second_time|run", "shop/basket.py"]
    assert lines.bit_count() == 2
    lines = found.lines["more/test_flaky.py::test_late|setup", "shop/basket.py"]
    assert lines.bit_count() == 2
    taken = found.branches["more/test_flaky.py::test_late|setup", "more/test_flaky.py"]
    assert taken.bit_count() == 2


def test_workers_that_die_leave_what_they_ran(small: Serial) -> None:
    """A crashed worker's test has failed, with its lines; other tests are as without the crash."""
    assert_crashes_are_told(small, *XDIST, "-n1")
