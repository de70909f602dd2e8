"""Tells the session which pytest test runs, in which phase, and how it ended.

Imported once pytest has been imported, and only in a measured run. (PYTEST_DONT_REWRITE)
"""

import functools
from collections.abc import Generator
from types import ModuleType
from typing import Any

from pluggy import HookimplMarker

from whotests.integrations.outcomes import worse
from whotests.integrations.pytest_workers import PytestWorkers
from whotests.recording.session import Session
from whotests.types import Outcome, Phase, Runner

__all__ = ["NAME", "PytestRecorder", "record_every_config", "register"]

NAME = "whotests-recorder"
"""The plugin's name in pytest."""

# A wrapper of the old kind: the pluggy of pytest 7 may have no other.
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
        pluginmanager.register(recorder.workers, f"{NAME}-workers")
    return recorder  # type: ignore[no-any-return]


class PytestRecorder:
    """One for each pytest configuration. A run inside a test of another one records nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open = ""
        """The node id of the test that this recorder opened, or ''."""
        self._phase = Phase.SETUP
        self._outcomes: dict[str, tuple[Outcome, float]] = {}
        self._mine: set[str] = set()
        self.workers = PytestWorkers(session)

    @property
    def test_count(self) -> int:
        """Tests that ran in this process or in one that this one has measured."""
        return len(self._mine) + self.workers.test_count

    # A call begins where pytest makes the report of the setup, and a test ends with that of its
    # teardown. Wrappers around the phases' own hooks would add frames to the tracebacks of all
    # that is raised in there.

    @_outermost
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, None, None]:
        self._start(item.nodeid)
        yield
        # After a teardown there is nothing left open; this is for an interrupted test.
        self._stop(item.nodeid)

    @_first
    def pytest_runtest_setup(self, item: Any) -> None:
        # Plugins that run a test again do so within one protocol.
        self._start(item.nodeid)

    @_first
    def pytest_runtest_teardown(self, item: Any) -> None:
        # The report of a call does not end its phase: each of its subtests has one too.
        self._enter(Phase.TEARDOWN, item.nodeid)

    @_outermost
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, None, None]:
        yield
        if call.when == "setup":
            self._enter(Phase.CALL if call.excinfo is None else Phase.TEARDOWN, item.nodeid)
        elif call.when == "teardown":
            self._stop(item.nodeid)

    def _start(self, name: str) -> None:
        if self._open == name or not self._session.start_test(name, runner=Runner.PYTEST):
            return
        self._open = name
        self._phase = Phase.SETUP
        self._mine.add(name)
        # A test that is run again starts afresh: its last run counts.
        self._outcomes.pop(name, None)

    def _enter(self, phase: Phase, name: str) -> None:
        if self._open == name and self._phase is not phase:
            self._phase = phase
            self._session.enter_phase(phase)

    def _stop(self, name: str) -> None:
        if self._open and self._open == name:
            self._open = ""
            self._session.stop_test()

    @_first
    def pytest_runtest_logreport(self, report: Any) -> None:
        name = report.nodeid
        if name not in self._mine:
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
