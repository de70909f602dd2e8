"""What pytest writes of its tests in a worker, where nobody watches it."""

from typing import Any

import pytest

__all__ = ["keep_failures_only"]

_NAME = "terminalreporter"


def keep_failures_only(config: pytest.Config) -> None:
    """Let pytest's own reporter, if it is there, write of tests at the end only, and of those
    that did not pass.

    A word or a dot for each test would take a good part of the time that pytest needs for one,
    and stand between what tests write.
    """
    plugins = config.pluginmanager
    reporter: Any = plugins.get_plugin(_NAME)
    if type(reporter).__module__ != "_pytest.terminal":
        return  # a plugin has put its own in its place

    def pytest_runtest_logreport(report: Any) -> None:
        if report.outcome != "passed":
            category, *_ = config.hook.pytest_report_teststatus(report=report, config=config)
            reporter.stats.setdefault(category, []).append(report)

    plugins.unregister(reporter)
    reporter.pytest_runtest_logstart = None
    reporter.pytest_runtest_logfinish = None
    reporter.pytest_runtest_logreport = pytest_runtest_logreport
    plugins.register(reporter, _NAME)
