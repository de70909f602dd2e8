"""pytest-xdist: its workers are measured as one process is."""

import textwrap
from pathlib import Path

import pytest

from measured_commands import Ended, recorded_lines, recorded_outcomes, run_measured, run_plain
from measured_commands import write_files as write
from whotests.store.reader import Reader
from whotests.types import Outcome, Runner, RunStatus

pytest.importorskip("xdist", reason="pytest-xdist is not installed")

SOURCE = """\
def double(number):
    return number * 2


def sign(number):
    if number < 0:
        return -1
    return 1
"""

TESTS = """\
import pytest
from product import double, sign


@pytest.fixture
def four():
    return double(2)


@pytest.mark.parametrize("number", range(-3, 3))
def test_sign(number):
    assert sign(number) == (-1 if number < 0 else 1)


def test_four(four):
    assert four == 4


def test_wrong():
    assert sign(1) == 2
"""

CRASHING = """\
import os
import time
from product import double, sign


def test_before():
    assert double(1) == 2


def test_crash():
    time.sleep(1.2)
    os._exit(7)


def test_after():
    assert sign(1) == 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with one module, imported by a conftest, and a file of tests."""
    write(
        tmp_path,
        {
            "product/__init__.py": SOURCE,
            "conftest.py": "import product\n",
            "pyproject.toml": "[project]\nname = 'product'\n",
            "test_product.py": TESTS,
        },
    )
    return tmp_path


def pytest_in(folder: Path, *words: str) -> Ended:
    return run_plain(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist", *words, cwd=folder
    )


def facts_of(folder: Path) -> dict[str, set[int]]:
    """What ran in each context that ran something."""
    return {name: lines for name, lines in recorded_lines(folder, PATH).items() if lines}


PATH = "product/__init__.py"


@pytest.mark.parametrize("way", ["--whotests", "whotests run"])
def test_workers_record_the_facts_of_a_serial_run(project: Path, way: str) -> None:
    """With `-n 2`, facts and outcomes are those of one process, by either way of measuring."""
    assert pytest_in(project, "--whotests").status == 1
    facts, outcomes = facts_of(project), recorded_outcomes(project)
    if way == "--whotests":
        done = pytest_in(project, "--whotests", "-n", "2")
        assert "whotests: 8 tests and 1 file recorded in" in done.out, done.out
    else:
        words = ("python", "-m", "pytest", "-q", "-p", "xdist", "-n", "2")
        done = run_measured(*words, cwd=project)
    assert done.status == 1, done.out + done.err
    assert facts["test_product.py::test_four|setup"] == {2}
    assert facts["import"] == {1, 5}
    assert facts_of(project) == facts
    assert recorded_outcomes(project) == outcomes


def test_workers_take_the_place_of_the_run_before(project: Path) -> None:
    """What the workers recorded is one run with the controller's, and older ones are removed."""
    for _ in range(2):
        pytest_in(project, "--whotests", "-n", "2")
        with Reader.open(project / ".whotests" / "data.db") as reader:
            assert [run.command[-1] for run in reader.runs] == ["2"]
            assert {run.status for run in reader.runs} == {RunStatus.FINISHED}
            assert len(reader.tests) == 8
            assert {test.runner for test in reader.tests} == {Runner.PYTEST}
    pytest_in(project, "--whotests")
    with Reader.open(project / ".whotests" / "data.db") as reader:
        assert len(reader.runs) == 1


def test_with_append_workers_replace_their_tests_only(project: Path) -> None:
    """With `--whotests-append`, tests that no worker ran stay in the data."""
    pytest_in(project, "--whotests")
    pytest_in(project, "--whotests", "--whotests-append", "-n", "2", "-k", "four")
    with Reader.open(project / ".whotests" / "data.db") as reader:
        assert len(reader.tests) == 8
        (four,) = (test for test in reader.tests if test.name.endswith("test_four"))
        assert [run.command[-1] for run in reader.runs if run.id == four.run_id] != ["--whotests"]


def test_what_a_crashed_worker_wrote_is_kept(project: Path) -> None:
    """A worker dies in a test: the facts before are kept, and its replacement is measured."""
    write(project, {"test_product.py": textwrap.dedent(CRASHING)})
    done = pytest_in(project, "--whotests", "-n", "1")
    assert "crashed" in done.out
    outcomes = recorded_outcomes(project)
    assert outcomes["test_product.py::test_before"] == Outcome.PASSED.value
    assert outcomes["test_product.py::test_after"] == Outcome.PASSED.value
    facts = facts_of(project)
    assert facts["test_product.py::test_before|call"] == {2}
    assert facts["test_product.py::test_after|call"] == {6, 8}


def test_a_worker_that_cannot_keep_its_data_is_told_of(project: Path) -> None:
    """A data file that went away under the workers makes the run incomplete, with a reason."""
    removing = """\
        import pathlib

        def test_remove():
            for path in pathlib.Path(".whotests").glob("data.db*"):
                path.unlink()
            pathlib.Path(".whotests/data.db").write_text("something else, and long enough" * 40)
    """
    write(project, {"test_product.py": removing})
    done = pytest_in(project, "--whotests", "-n", "1")
    assert "whotests: the data is incomplete: worker gw0: " in done.out
    assert done.status == 3


def test_without_the_option_workers_are_not_measured(project: Path) -> None:
    """Plain `pytest -n 2` with whotests installed leaves nothing behind."""
    done = pytest_in(project, "-n", "2")
    assert done.status == 1
    assert not (project / ".whotests").exists()


def test_workers_that_measure_nothing_are_told(tmp_path: Path) -> None:
    """When no worker imported anything of the source, the end of the run says so."""
    write(tmp_path, {"shop/__init__.py": "", "test_it.py": "def test_it(): pass\n"})
    words = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1")
    ended = run_measured(*words, cwd=tmp_path)
    assert "shop/__init__.py was not imported, so nothing was measured" in ended.err
