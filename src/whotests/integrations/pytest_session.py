"""A session that `pytest --whotests` begins and ends itself. (PYTEST_DONT_REWRITE)"""

import atexit
import copy
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluggy import HookimplMarker

from whotests.config.settings import Settings, load_settings
from whotests.errors import UsageError, WhotestsError
from whotests.integrations.install import install
from whotests.integrations.pytest_recorder import PytestRecorder, register
from whotests.recording.plan import Plan
from whotests.recording.planning import plan_of
from whotests.recording.session import Session, current, measure_afresh

if TYPE_CHECKING:
    from whotests.integrations.pytest_reports import Reports

__all__ = ["begin", "detach_value"]

_INCOMPLETE_STATUS = 3
_FAILED_STATUS = 1
_ENDED = (0, 1, 5)
"""Exit statuses of runs that came to their end: tests passed, some failed, there were none."""

_hookimpl = HookimplMarker("pytest")


def detach_value(config: Any, parser: Any, args: list[str]) -> None:
    """Let `--whotests tests` mean the option and a folder of tests: its value needs a '='."""
    if "--whotests" in args:
        args[:] = ["--whotests=" if word == "--whotests" else word for word in args]
        config.known_args_namespace = parser.parse_known_args(
            args, namespace=copy.copy(config.option)
        )


def begin(config: Any) -> None:
    """Begin a session for this pytest run, unless one is running: its own, or that of a test
    of pytest-xdist's around it, whose workers begin theirs before pytest comes.

    What is wrong with the plan is pytest's usage error.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    measure_afresh()
    options = config.known_args_namespace
    if current() is not None:
        asked = [
            name
            for name, value in (
                ("--whotests-report", any(options.whotests_report or ())),
                ("--whotests-fail-under", options.whotests_fail_under is not None),
            )
            if value
        ]
        if asked:
            config.pluginmanager.register(_NoReports(asked), "whotests-no-reports")
        return
    try:
        settings = _settings_of(config)
        reports = _reports_of(config, settings)
        session = Session.start(_plan_of(config, settings))
        install(session, session.plan)
    except WhotestsError as error:
        import pytest

        raise pytest.UsageError(f"whotests: {error}") from error
    atexit.register(session.finish)
    recorder = register(config.pluginmanager, session)
    ending = _Ending(
        session,
        recorder,
        reports,
        settings=settings,
        report_on_fail=not options.whotests_no_report_on_fail,
    )
    config.pluginmanager.register(ending, "whotests-ending")


def _settings_of(config: Any) -> Settings:
    options = config.known_args_namespace
    return load_settings(
        Path(config.invocation_params.dir),
        source=tuple(filter(None, options.whotests)),
        include=tuple(options.whotests_include or ()),
        omit=tuple(options.whotests_omit or ()),
        context=options.whotests_context,
        run_name=options.whotests_run_name,
        keep_runs=_kept(options.whotests_keep_runs),
        branch=True if options.whotests_branch else None,
        data=Path(options.whotests_data) if options.whotests_data else None,
        config=Path(options.whotests_config) if options.whotests_config else None,
    )


def _reports_of(config: Any, settings: Settings) -> "Reports | None":
    """The reports that are asked for; None: there is nothing to report, and nothing to check."""
    options = config.known_args_namespace
    fail_under = _percentage(options.whotests_fail_under)
    precision = _digits(options.whotests_precision)
    check = settings.fail_under is not None or fail_under is not None
    words = tuple(filter(None, options.whotests_report or ()))
    if not words and not check:
        return None
    from whotests.integrations.pytest_reports import Reports, read_reports  # not part of each start

    return Reports(
        read_reports(words),
        check=check,
        fail_under=fail_under,
        precision=precision,
        data=settings.data,
        run_name=settings.run_name,
        config=options.whotests_config,
        folder=Path(config.invocation_params.dir),
    )


def _plan_of(config: Any, settings: Settings) -> Plan:
    return plan_of(
        settings,
        cwd=Path(config.invocation_params.dir),
        command=("pytest", *map(str, config.invocation_params.args)),
        append=bool(config.known_args_namespace.whotests_append),
    )


def _kept(runs: int | None) -> int | None:
    if runs is not None and runs < 1:
        raise UsageError(f"--whotests-keep-runs={runs} would keep no run; give 1 or more")
    return runs


def _digits(number: int | None) -> int | None:
    if number is not None:
        from whotests.config.file_settings import MOST_DIGITS  # not part of each start

        if not 0 <= number <= MOST_DIGITS:
            raise UsageError(f"--whotests-precision={number} must be from 0 to {MOST_DIGITS}")
    return number


def _percentage(number: float | None) -> float | None:
    if number is not None and not 0 <= number <= 100:
        raise UsageError(f"--whotests-fail-under={number:g} must be from 0 to 100")
    return number


class _NoReports:
    """Says that the run that measures this one goes on, so that nothing can be reported yet."""

    def __init__(self, asked: list[str]) -> None:
        self._asked = asked

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for option in self._asked:
            terminalreporter.write_line(
                f"whotests: {option} does nothing within `whotests run`; "
                "call `whotests report` when it is over"
            )


class _Ending:
    """Ends the session with the pytest run, makes its reports, and says in its summary what
    there is now."""

    def __init__(
        self,
        session: Session,
        recorder: PytestRecorder,
        reports: "Reports | None",
        *,
        settings: Settings,
        report_on_fail: bool,
    ) -> None:
        self._session = session
        self._recorder = recorder
        self._reports = reports
        self._settings = settings
        self._report_on_fail = report_on_fail
        self._report = ""
        self._problems: tuple[str, ...] = ()

    @_hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: Any, exitstatus: Any) -> None:
        self._session.finish(exit_status=int(exitstatus))
        collected_only = session.config.option.collectonly
        stopped = int(exitstatus) not in _ENDED or (
            session.testsfailed and not self._report_on_fail
        )
        if self._reports is not None and not stopped and not collected_only:
            self._report, self._problems = self._reports.make()
        if self._problems and int(session.exitstatus) == 0:
            session.exitstatus = _FAILED_STATUS
        if self._session.problem and int(session.exitstatus) == 0:
            session.exitstatus = _INCOMPLETE_STATUS

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self._report.splitlines():
            terminalreporter.write_line(line)
        for line in self._problems:
            terminalreporter.write_line(line, red=True)
        if self._settings.unused:
            from whotests.config.unused import unused_sentences  # not part of each start

            for sentence in unused_sentences(self._settings, of_reports=False):
                terminalreporter.write_line(f"whotests: {sentence}")
        data = self._session.plan.data
        shown = os.path.relpath(data) if str(data).startswith(os.getcwd() + os.sep) else data
        tests = self._recorder.test_count
        workers = self._recorder.workers
        files = workers.file_count
        terminalreporter.write_line(
            f"whotests: {tests} test{'s' * (tests != 1)} and {files} file{'s' * (files != 1)} "
            f"recorded in {shown}"
        )
        if workers.tests_elsewhere:
            terminalreporter.write_line(
                f"whotests: {workers.tests_elsewhere} tests ran on other machines or in another "
                "Python without whotests and are not measured; install it there, or run without -n"
            )
        if self._session.problem:
            terminalreporter.write_line(
                f"whotests: the data is incomplete: {self._session.problem}"
            )
        elif self._session.surprise:
            terminalreporter.write_line(f"whotests: {self._session.surprise}")
