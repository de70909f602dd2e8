"""Pytest's loop over its tests, as the runner orders them."""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from whotests.hosts.limit import Limit
from whotests.hosts.orders import RUN, Orders
from whotests.hosts.output import ProcessOutput, process_output
from whotests.hosts.pytest_groups import groups_of
from whotests.hosts.pytest_verdicts import PytestVerdicts, text_of
from whotests.hosts.reporter import Reporter
from whotests.hosts.stacks import tell_stacks
from whotests.hosts.task import Task
from whotests.testing.supervision.timeouts import Expired

__all__ = ["PytestLoop"]

_UNKNOWN = "pytest has not found this test"


class PytestLoop:
    """A plugin of one pytest session: tells which tests there are, runs what is ordered.

    The last test of an order is held back until the next one comes, because which fixtures
    pytest lets go of after a test depends on the test that follows.
    """

    def __init__(self, task: Task, reporter: Reporter, orders: Orders) -> None:
        self._task = task
        self._reporter = reporter
        self._orders = orders
        self.verdicts = PytestVerdicts(reporter)
        self.session: pytest.Session | None = None
        """The session, once it has begun."""
        self.collected = False
        """Whether it was told which tests there are."""
        self.stopped = ""
        """Why pytest wants no more tests to be run, or ''."""
        self._output: ProcessOutput | None = None
        """Where tests write, if pytest was told not to capture that."""
        self._limit = Limit(task.timeout)
        self._within = frozenset[Any]()

    # -- collection ----------------------------------------------------------------------------

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.session = session
        tell_stacks(self._task.stacks)  # pytest has pointed them elsewhere
        self._tell_output(session.config)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.verdicts.tell_failure(report.nodeid or ".", text_of(report))
        elif report.skipped:
            self.verdicts.tell_skip(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.config.option.collectonly:
            raise pytest.UsageError("--collect-only runs no test; to see which there are: --list")
        items: dict[str, pytest.Item] = {}
        groups = groups_of(session.items)
        found: list[tuple[str, str]] = []
        for item, group in zip(session.items, groups, strict=True):
            name, number = item.nodeid, 1
            while name in items:
                number += 1
                name = f"{item.nodeid} #{number}"
            items[name] = item
            found.append((name, group))
        self._begin_watching(session.config)
        # pytest-django sorts: what empties the database comes last.
        sorted_by_django = "django.test" in sys.modules and session.config.pluginmanager.hasplugin(
            "django"
        )
        self._reporter.found(found, ordered=sorted_by_django)
        self.collected = True
        self._run_ordered(items)
        return True

    def _begin_watching(self, config: pytest.Config) -> None:
        if self._task.timeout:
            runner: Any = config.pluginmanager.get_plugin("runner")
            self._within = frozenset(
                function.__code__
                for function in (
                    runner.pytest_runtest_setup,
                    runner.pytest_runtest_call,
                    runner.pytest_runtest_teardown,
                )
            )
            config.pluginmanager.register(_TimeLimit(self._limit), "whotests-host-limit")

    def _tell_output(self, config: pytest.Config) -> None:
        """Tell where pytest keeps what is written, should the process die; where it lets that
        through, what a test writes is looked for in the process's own output."""
        capture: Any = config.pluginmanager.get_plugin("capturemanager")
        if capture is not None and capture.is_globally_capturing():
            capture.resume_global_capture()
            kept = [os.dup(1), os.dup(2)]
            capture.suspend_global_capture()
            if not _is(kept[0], self._task.output):
                self._reporter.output(kept)
                return
            for descriptor in kept:
                os.close(descriptor)
        if self._task.capture and not self._task.debug:
            self._output = process_output(self._task.output)

    # -- running -------------------------------------------------------------------------------

    def _run_ordered(self, items: dict[str, pytest.Item]) -> None:
        held: list[str] = []
        while True:
            order = self._orders.wait_next()
            more = order[0] == RUN
            waiting = [*held, *(order[1] if more else ())]
            held = self._run(waiting, items, keep=int(more))
            if not more:
                return
            self._reporter.idle(held)

    def _run(self, names: Sequence[str], items: dict[str, pytest.Item], *, keep: int) -> list[str]:
        """Run all but the last so many; the names of those that were not run."""
        known = []
        for name in names:
            if name in items:
                known.append(name)
            else:
                self._tell_unknown(name)
        for place, name in enumerate(known):
            if place >= len(known) - keep or self._orders.stopped:
                return known[place:]
            after = items[known[place + 1]] if place + 1 < len(known) else None
            self._run_test(name, items[name], after)
        return []

    def _tell_unknown(self, name: str) -> None:
        self.verdicts.begin(name, name=name)
        self.verdicts.fail(_UNKNOWN)
        self.verdicts.end()

    def _run_test(self, name: str, item: pytest.Item, after: pytest.Item | None) -> None:
        if self._output is not None:
            self._output.begin()
        self.verdicts.begin(item.nodeid, name=name)
        protocol = item.config.hook.pytest_runtest_protocol
        if self._task.timeout:
            late = self._limit.run(
                lambda: protocol(item=item, nextitem=after), of=name, within=self._within
            )
            if late is not None:
                self.verdicts.fail("".join(traceback.format_exception_only(late)))
        else:
            protocol(item=item, nextitem=after)
        if self._output is not None:
            for chunk in self._output.chunks():
                self._reporter.attached(name, chunk)
        self.verdicts.end()
        session = item.session
        if session.shouldfail or session.shouldstop:
            self.stop(str(session.shouldfail or session.shouldstop))

    def stop(self, reason: str) -> None:
        """No test of the run is begun any more, for this reason."""
        self.stopped = reason
        self._orders.stop()

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.verdicts.take(report)

    def pytest_warning_recorded(
        self, warning_message: Any, when: str, nodeid: str, location: Any
    ) -> None:
        if self.verdicts.nodeid and nodeid == self.verdicts.nodeid:
            self.verdicts.warn(warning_message)


class _TimeLimit:
    """Makes pytest report a test that takes too long as such."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._told = ""
        """The test of which that was reported last."""

    def pytest_runtest_logstart(self) -> None:
        self._told = ""

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Iterator[None]:
        outcome: Any = yield
        error = call.excinfo.value if call.excinfo else None
        late = self._limit.expired(error)
        if late is None or (self._told == item.nodeid and not isinstance(error, Expired)):
            return
        self._told = item.nodeid
        report = outcome.get_result()
        report.outcome = "failed"
        report.longrepr = "".join(traceback.format_exception_only(late))


def _is(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False
