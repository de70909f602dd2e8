"""The project of `runner_project` with pytest's plugins: runs of it, measured and not."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from measured_commands import Ended, run_measured, run_plain
from runner_project import PYTEST, Recorded, explained, make, recorded, reports

__all__ = ["XDIST", "Project", "Reports", "Serial", "assert_crashes_are_told", "kept_folder"]

ENVIRONMENTS = Path(__file__).parent.parent / ".venv"
OPTIONS = ("--branch", "--source", "shop", "--source", "tests", "--source", "more")
XDIST = ("-p", "xdist")
Reports = Counter[tuple[object, ...]]
"""As `runner_project.reports` gives them."""


def kept_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where plugins are kept: beside the environments, if there are any."""
    return ENVIRONMENTS if ENVIRONMENTS.is_dir() else tmp_path_factory.mktemp("plugins")


MORE = {
    "more/test_flaky.py": """
        import pytest
        from shop.basket import sign, size

        runs = []


        @pytest.fixture
        def late():
            runs.append("late")
            if runs.count("late") == 1:
                raise OSError(sign(-1))


        def test_late(late):
            assert size("") == "none"


        def test_second_time():
            runs.append("second")
            assert sign(runs.count("second") - 1) == 1


        def test_parts(subtests):
            runs.append("parts")
            with subtests.test():
                assert runs.count("parts") == 2


        def test_never():
            assert sign(1) == 0
    """,
    "more/test_crash.py": """
        import os
        import signal
        import time

        import pytest
        from shop.basket import sign, size


        def test_before():
            assert sign(-1) == -1


        def test_exits():
            size("")
            os._exit(7)


        def test_killed():
            size("a")
            time.sleep(1.5)
            os.kill(os.getpid(), signal.SIGKILL)


        @pytest.mark.xfail(reason="it dies")
        def test_expected():
            os._exit(3)


        def test_after():
            assert sign(1) == 1
    """,
}
"""Tests that only some runs are for."""


class Project:
    """The project in a folder, and pytest in there."""

    def __init__(
        self, folder: Path, path: str, *, files: tuple[str, ...], plugins: tuple[str, ...]
    ) -> None:
        self.folder = folder
        self.files = files
        self.plugins = ("report_writer", "no:cacheprovider", *plugins)
        # Only the plugins that a run names: some change each run that they are there for.
        self.environment = {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def command(self, *words: str) -> tuple[str, ...]:
        """pytest, with the plugins that the tests need."""
        named = [word for name in self.plugins for word in ("-p", name)]
        doctests = ("--doctest-modules", "--doctest-glob=*.rst")
        chosen = [word for word in words if word.endswith(".py")] or self.files
        options = [word for word in words if not word.endswith(".py")]
        return ("python", "-m", "pytest", "-q", *named, *doctests, *options, *chosen)

    def plain(self, *words: str) -> tuple[Ended, Reports]:
        """How it ends unmeasured, and the reports of the tests."""
        (self.folder / "reports").unlink(missing_ok=True)
        done = run_plain(*self.command(*words), cwd=self.folder, env=self.environment)
        return done, reports(self.folder)

    def measured(self, *words: str) -> tuple[Ended, Reports, Recorded]:
        """The same measured, and what is recorded."""
        (self.folder / "reports").unlink(missing_ok=True)
        shutil.rmtree(self.folder / ".whotests", ignore_errors=True)
        done = run_measured(
            *self.command(*words), cwd=self.folder, env=self.environment, options=OPTIONS
        )
        assert "whotests" not in done.err, explained(done)
        return done, reports(self.folder), recorded(self.folder)


class Serial(Project):
    """The project, and what a serial run of it says."""

    def __init__(
        self, folder: Path, path: str, *, files: tuple[str, ...], plugins: tuple[str, ...] = ()
    ) -> None:
        super().__init__(make(folder, PYTEST, MORE), path, files=files, plugins=plugins)
        self.done, self.reports = self.plain()
        self.measured_done, self.measured_reports, self.recorded = self.measured()


def assert_crashes_are_told(project: Project, *words: str) -> None:
    """Tests whose processes die have failed, with the lines that they ran; others have not."""
    done, told, found = project.measured(*words, "more/test_crash.py")
    assert done.status == 1, explained(done)
    names = ("before", "exits", "killed", "expected", "after")
    assert {name: found.outcomes[f"more/test_crash.py::test_{name}"] for name in names} == {
        "before": "passed",
        "exits": "failed",
        "killed": "failed",
        "expected": _outcome_of_expected(told),
        "after": "passed",
    }
    for name, in_size in (("exits", 3), ("killed", 4)):
        lines = found.lines[f"more/test_crash.py::test_{name}|run", "shop/basket.py"]
        assert lines.bit_count() == in_size, name


def _outcome_of_expected(told: Reports) -> str:
    """What pytest says of the test that was expected to fail and died."""
    (report,) = (
        report for report in told if "test_expected" in str(report[0]) and report[1] == "???"
    )
    return "expected failure" if report[3] else "failed"
