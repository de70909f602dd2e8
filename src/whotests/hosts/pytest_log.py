"""What pytest writes of its tests in a worker, where nobody watches it."""

from contextlib import nullcontext
from typing import Any

import pytest

__all__ = ["keep_failures_only"]

_NAME = "terminalreporter"


def keep_failures_only(config: pytest.Config) -> None:
    """Let pytest's own reporter, if it is there, write of tests only where they did not pass.

    A word or a dot for each test would take a good part of the time that pytest needs for one.
    """
    plugins = config.pluginmanager
    reporter: Any = plugins.get_plugin(_NAME)
    if type(reporter).__module__ != "_pytest.terminal":
        return  # a plugin has put its own in its place
    capture: Any = plugins.get_plugin("capturemanager")
    write = reporter.pytest_runtest_logreport

    def pytest_runtest_logreport(report: Any) -> None:
        if report.outcome == "passed":
            return
        # Subtests are reported while the output of their test is captured.
        with nullcontext() if capture is None else capture.global_and_fixture_disabled():
            write(report)

    plugins.unregister(reporter)
    reporter.pytest_runtest_logstart = None
    reporter.pytest_runtest_logfinish = None
    reporter.pytest_runtest_logreport = pytest_runtest_logreport
    plugins.register(reporter, _NAME)
