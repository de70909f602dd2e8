"""Tells the session which pytest test runs, in which phase, and how it ended.

Imported once pytest has been imported, and only in a measured run. (PYTEST_DONT_REWRITE)
"""

import functools
from types import ModuleType
from typing import Any

from pluggy import HookimplMarker

from whotests.integrations.outcomes import worse
from whotests.integrations.pytest_workers import PytestWorkers
from whotests.recording.session import Session
from whotests.records import TestRecord
from whotests.types import Outcome, Phase, Runner

__all__ = ["NAME", "PytestRecorder", "record_every_config", "register"]

NAME = "whotests-recorder"
"""The plugin's name in pytest."""

_first = HookimplMarker("pytest")(tryfirst=True)

# A member of an enum that is fetched from its class costs as much as a call.
_SETUP, _CALL, _TEARDOWN = Phase.SETUP, Phase.CALL, Phase.TEARDOWN
_PASSED, _UNKNOWN = Outcome.PASSED, Outcome.UNKNOWN
_PYTEST = Runner.PYTEST
_NOTHING_YET = (_UNKNOWN, 0.0)


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
        self._item: Any = None
        """The item of that test, or None. Node ids are made of their parts each time."""
        self._outcomes: dict[str, tuple[Outcome, float]] = {}
        self._mine: set[str] = set()
        self._forked: set[str] = set()
        """Tests that ran in a child of this process that ends with them."""
        self.workers = PytestWorkers(session)

    @property
    def test_count(self) -> int:
        """Tests that ran in this process or in one that this one has measured."""
        return len(self._mine | self._forked) + self.workers.test_count

    @_first
    def pytest_collection_finish(self) -> None:
        # All that was imported: the thread would write it during the first test.
        self._session.between_tests()

    # A phase begins with its hook, as for pytest-cov's contexts. These are no wrappers: each of
    # those would cost several times as much, and add frames to the tracebacks of what is
    # raised in there.

    @_first
    def pytest_runtest_setup(self, item: Any) -> None:
        name = item.nodeid
        # A test that is run again starts afresh: its last run counts.
        self._outcomes.pop(name, None)
        if self._open == name:
            # Plugins that run a test again do so without ending it.
            self._item = item
            self._session.enter_phase(_SETUP)
            return
        self._stop()
        if self._session.start_test(name, runner=_PYTEST):
            self._open = name
            self._item = item
            self._mine.add(name)

    @_first
    def pytest_runtest_call(self, item: Any) -> None:
        if self._item is item:
            self._session.enter_phase(_CALL)

    @_first
    def pytest_runtest_teardown(self, item: Any) -> None:
        if self._item is item:
            self._session.enter_phase(_TEARDOWN)

    def _stop(self) -> None:
        if self._open:
            self._open = ""
            self._item = None
            self._session.stop_test()

    @_first
    def pytest_runtest_logreport(self, report: Any) -> None:
        name = report.nodeid
        try:
            if name not in self._mine:
                if not self._ran_in_child(report):
                    return
                if report.when == "setup":
                    self._outcomes.pop(name, None)
            when = report.when
            outcome, seconds = self._outcomes.get(name, _NOTHING_YET)
            subtest = type(report).__name__ in _SUBTEST_REPORTS
            # A setup or teardown that went well says nothing yet about the test.
            if when == "call" or report.outcome != "passed":
                outcome = worse(outcome, _outcome_of(report, subtest=subtest))
            if not subtest:
                seconds += report.duration
            if when == "setup" or when == "call":
                self._outcomes[name] = outcome, seconds
                return
            # Its end, or its process died.
            self._outcomes.pop(name, None)
            self._session.note_test(TestRecord(name, _PYTEST, outcome, seconds))
        except Exception as error:  # a report of a plugin's may have anything in it
            self._session.fail(error)
            if getattr(report, "when", "") in ("setup", "call"):
                return
        if self._open == name:
            self._stop()

    def _ran_in_child(self, report: Any) -> bool:
        """Whether a measured process that cannot tell it itself ran the test: the child that
        pytest-forked makes for each, or a worker of pytest-xdist that died."""
        if hasattr(report, "node"):  # xdist puts the worker there
            self.workers.note(report)
            return report.when == "???" and self.workers.measures(report.node)
        if self._session.in_test:
            return False  # it is of a run within a test
        self._forked.add(report.nodeid)
        return True

    @_first
    def pytest_keyboard_interrupt(self) -> None:
        if not self._open or self._open in self._mine:
            self._session.interrupted()


_SUBTEST_REPORTS = ("SubtestReport", "SubTestReport")
"""Types of pytest's own reports of subtests, and of those of pytest-subtests."""


def _outcome_of(report: Any, *, subtest: bool) -> Outcome:
    told = report.outcome
    if hasattr(report, "wasxfail"):
        if told == "skipped":
            return Outcome.EXPECTED_FAILURE
        # A strict one is reported as failed, without this mark.
        return Outcome.UNEXPECTED_SUCCESS if told == "passed" else Outcome.FAILED
    if told == "passed":
        return _PASSED
    if told == "failed":
        return Outcome.ERROR if report.when in ("setup", "teardown") else Outcome.FAILED
    # A run that is to be repeated says nothing yet, either.
    return Outcome.SKIPPED if told == "skipped" and not subtest else _UNKNOWN
