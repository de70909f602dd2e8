"""Tells the session which pytest test runs, in which phase, and how it ended.

Imported once pytest has been imported, and only in a measured run. (PYTEST_DONT_REWRITE)
"""

import functools
from collections.abc import Generator
from types import ModuleType
from typing import Any

from pluggy import HookimplMarker

from whotests.integrations.outcomes import worse
from whotests.recording.session import Session
from whotests.types import Outcome, Phase, Runner

__all__ = ["NAME", "PytestRecorder", "record_every_config", "register"]

NAME = "whotests-recorder"
"""The plugin's name in pytest."""

# Wrappers of the old kind: pytest 7's pluggy has no other, and they add no frame to tracebacks.
_outermost = HookimplMarker("pytest")(hookwrapper=True, tryfirst=True)
_first = HookimplMarker("pytest")(tryfirst=True)


def record_every_config(module: ModuleType, session: Session) -> None:
    """Register a recorder in each configuration that `_pytest.config` makes from now on.

    So it is there without a plugin's being named or loaded, and no argument or variable of
    the environment tells of it.
    """
    make = module.get_config

    @functools.wraps(make)
    def get_config(*args: Any, **kwargs: Any) -> Any:
        config = make(*args, **kwargs)
        try:
            register(config.pluginmanager, session)
        except Exception as error:
            session.fail(error)
        return config

    module.get_config = get_config  # type: ignore[attr-defined]


def register(pluginmanager: Any, session: Session) -> "PytestRecorder":
    """The recorder of this plugin manager; it is registered when it was not."""
    recorder = pluginmanager.get_plugin(NAME)
    if recorder is None:
        recorder = PytestRecorder(session)
        pluginmanager.register(recorder, NAME)
    return recorder  # type: ignore[no-any-return]


class PytestRecorder:
    """One for each pytest configuration. A run inside a test of another one records nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open = ""
        """The node id of the test that this recorder opened, or ''."""
        self._outcomes: dict[str, tuple[Outcome, float]] = {}
        self._mine: set[str] = set()
        self.tests_elsewhere = 0
        """Tests that another process ran, such as one of pytest-xdist's."""

    @property
    def test_count(self) -> int:
        """Tests that ran in this process."""
        return len(self._mine)

    @_outermost
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, None, None]:
        yield
        # After a teardown there is nothing left open; this is for an interrupted test.
        self._stop(item.nodeid)

    @_outermost
    def pytest_runtest_setup(self, item: Any) -> Generator[None, None, None]:
        name = item.nodeid
        if self._session.start_test(name, runner=Runner.PYTEST):
            self._open = name
            self._mine.add(name)
            # A test that is run again starts afresh: its last run counts.
            self._outcomes.pop(name, None)
        yield

    @_outermost
    def pytest_runtest_call(self, item: Any) -> Generator[None, None, None]:
        if self._open == item.nodeid:
            self._session.enter_phase(Phase.CALL)
        yield

    @_outermost
    def pytest_runtest_teardown(self, item: Any) -> Generator[None, None, None]:
        if self._open == item.nodeid:
            self._session.enter_phase(Phase.TEARDOWN)
        yield
        self._stop(item.nodeid)

    def _stop(self, name: str) -> None:
        if self._open and self._open == name:
            self._open = ""
            self._session.stop_test()

    @_first
    def pytest_runtest_logreport(self, report: Any) -> None:
        name = report.nodeid
        if name not in self._mine:
            if report.when == "call" and hasattr(report, "node"):
                self.tests_elsewhere += 1  # pytest-xdist puts the worker's node there
            return
        try:
            before, seconds = self._outcomes.get(name, (Outcome.UNKNOWN, 0.0))
            outcome = worse(before, _outcome_of(report))
            if not _is_subtest(report):
                seconds += report.duration
            self._outcomes[name] = outcome, seconds
            if report.when == "teardown":
                self._session.note_outcome(
                    name, runner=Runner.PYTEST, outcome=outcome, duration=seconds
                )
        except Exception as error:
            self._session.fail(error)

    @_first
    def pytest_keyboard_interrupt(self) -> None:
        if not self._open or self._open in self._mine:
            self._session.interrupted()


def _is_subtest(report: Any) -> bool:
    """pytest's own reports of subtests and those of pytest-subtests carry their context."""
    return type(report).__name__ in ("SubtestReport", "SubTestReport")


def _outcome_of(report: Any) -> Outcome:
    if hasattr(report, "wasxfail"):
        if report.skipped:
            return Outcome.EXPECTED_FAILURE
        # A strict one is reported as failed, without this mark.
        return Outcome.UNEXPECTED_SUCCESS if report.passed else Outcome.FAILED
    if report.failed:
        return Outcome.FAILED if report.when == "call" else Outcome.ERROR
    if report.skipped:
        return Outcome.UNKNOWN if _is_subtest(report) else Outcome.SKIPPED
    # A setup or teardown that went well says nothing yet about the test.
    return Outcome.PASSED if report.when == "call" else Outcome.UNKNOWN
