"""A session that `pytest --whotests` begins and ends itself. (PYTEST_DONT_REWRITE)"""

import atexit
import copy
import os
import sys
from pathlib import Path
from typing import Any

from pluggy import HookimplMarker

from whotests.config.discover import find_source
from whotests.config.entry_points import context_providers
from whotests.config.settings import load_settings
from whotests.errors import UsageError, WhotestsError
from whotests.integrations.install import install
from whotests.integrations.pytest_recorder import PytestRecorder, register
from whotests.recording.plan import Plan
from whotests.recording.session import Session, current, measure_afresh
from whotests.source.rules import in_force

__all__ = ["begin", "detach_value"]

_INCOMPLETE_STATUS = 3

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
    if current() is not None:
        return
    try:
        session = Session.start(_plan_of(config))
        install(session, session.plan)
    except WhotestsError as error:
        import pytest

        raise pytest.UsageError(f"whotests: {error}") from error
    atexit.register(session.finish)
    recorder = register(config.pluginmanager, session)
    config.pluginmanager.register(_Ending(session, recorder), "whotests-ending")


def _plan_of(config: Any) -> Plan:
    options = config.known_args_namespace
    cwd = Path(config.invocation_params.dir)
    settings = load_settings(
        cwd,
        source=(options.whotests,) if options.whotests else (),
        omit=tuple(options.whotests_omit or ()),
        context=options.whotests_context,
        run_name=options.whotests_run_name,
        keep_runs=_kept(options.whotests_keep_runs),
        branch=True if options.whotests_branch else None,
        data=Path(options.whotests_data) if options.whotests_data else None,
    )
    exclude, partial = in_force(
        exclude_lines=settings.exclude_lines,
        exclude_also=settings.exclude_also,
        partial_branches=settings.partial_branches,
        partial_also=settings.partial_also,
    )
    path = [*sys.path, str(cwd), str(settings.root), str(settings.root / "src")]
    return Plan(
        root=settings.root,
        data=settings.data,
        cache=settings.cache,
        source=find_source(settings.source, root=settings.root, cwd=cwd, path=path),
        omit=settings.omit,
        context=settings.context,
        run_name=settings.run_name,
        keep_runs=settings.keep_runs,
        branch=settings.branch,
        exclude=exclude,
        partial=partial,
        append=bool(options.whotests_append),
        command=("pytest", *map(str, config.invocation_params.args)),
        providers=context_providers(sys.path),
    )


def _kept(runs: int | None) -> int | None:
    if runs is not None and runs < 1:
        raise UsageError(f"--whotests-keep-runs={runs} would keep no run; give 1 or more")
    return runs


class _Ending:
    """Ends the session with the pytest run, and says in its summary what there is now."""

    def __init__(self, session: Session, recorder: PytestRecorder) -> None:
        self._session = session
        self._recorder = recorder

    @_hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: Any, exitstatus: Any) -> None:
        self._session.finish(exit_status=int(exitstatus))
        if self._session.problem and int(session.exitstatus) == 0:
            session.exitstatus = _INCOMPLETE_STATUS

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
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
