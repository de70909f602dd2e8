"""pytest-forked, which runs each test in a child of its own."""

import os
import sys

import pytest

from runner_plugins import FOR_FORKS, PLUGINS, install
from runner_project import explained
from runner_pytest import XDIST, Serial, assert_crashes_are_told, kept_folder

pytest.importorskip("xdist", reason="pytest-xdist is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests that fork")

FORKED = ("-p", "pytest_forked", "--forked")


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Serial:
    """The project after a serial run, with a pytest that pytest-forked works with."""
    folder = kept_folder(tmp_path_factory)
    path = os.pathsep.join((str(install(folder, FOR_FORKS)), str(install(folder, PLUGINS))))
    files = ("shop", "tests/test_plain.py", "tests/test_waiting.py", "tests/test_children.py")
    return Serial(tmp_path_factory.mktemp("forked"), path, files=files, plugins=("asyncio",))


@pytest.mark.parametrize("workers", [(), (*XDIST, "-n2")], ids=["alone", "xdist"])
def test_children_run_the_tests(serial: Serial, workers: tuple[str, ...]) -> None:
    """Facts belong to the test that the child ran, and its outcome is what the child told."""
    done, told, found = serial.measured(*FORKED, *workers)
    assert done.status == 1, explained(done)
    assert told == serial.reports
    assert found == serial.recorded


def test_children_that_die_have_failed(serial: Serial) -> None:
    """Their tests have the lines that they ran; the next test runs in the next child."""
    assert_crashes_are_told(serial, *FORKED)


def test_the_summary_counts_the_tests_of_children(serial: Serial) -> None:
    """`pytest --whotests --forked` says how many tests it recorded."""
    words = ("-p", "whotests.integrations.pytest_plugin", "--whotests", "tests/test_waiting.py")
    done, _ = serial.plain(*FORKED, *words)
    assert "whotests: 5 tests and 2 files recorded in" in done.out, explained(done)
