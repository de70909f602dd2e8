"""The host of pytest's tests: its own collection, fixtures, plugins and configuration."""

import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from whotests.hosts.orders import Orders
from whotests.hosts.pytest_log import keep_failures_only
from whotests.hosts.pytest_loop import PytestLoop
from whotests.hosts.pytest_peers import PytestPeers
from whotests.hosts.reporter import Reporter
from whotests.hosts.said import Said
from whotests.hosts.task import Task
from whotests.testing.details.frames import innermost

__all__ = ["PytestHost"]

_SESSION = "pytest session"
"""What a failure is called that is of no test and no file."""


_OK = int(pytest.ExitCode.OK)
_NO_TESTS = int(pytest.ExitCode.NO_TESTS_COLLECTED)


class PytestHost:
    """One pytest session, called as `python -m pytest` is, whose loop over its tests goes by
    orders.

    What pytest refuses to do is the reason for which the host ends, in pytest's own words. What
    makes it exit with a failure though no test failed is a failure that is not runnable. An
    error within pytest, or a plugin of it, fails the test in progress and ends the process.
    """

    def __init__(self, task: Task, reporter: Reporter, orders: Orders) -> None:
        self._task = task
        self._reporter = reporter
        self._loop = PytestLoop(task, reporter, orders)
        self._refusal = ""
        self._internal = ""
        self._interrupted = ""

    def run(self) -> None:
        words = _words(self._task)
        sys.argv[:] = ["pytest", *words]
        if not sys.flags.safe_path:
            sys.path.insert(0, self._task.cwd)
        said = Said(self._task.output)
        status = 0
        try:
            status = int(pytest.main(words, plugins=[self, self._loop, PytestPeers(self._task)]))
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(bool(error.code))
            self._refusal = self._why_no_tests(said) or _told(error)
        except KeyboardInterrupt as error:
            self._interrupted = _told(error)
        except Exception:
            self._internal = traceback.format_exc()
            sys.stderr.write(self._internal)
        verdicts = self._loop.verdicts
        if self._internal:
            if verdicts.nodeid:
                # Others may well run: in a process that is not damaged.
                verdicts.fail(self._internal)
                verdicts.end()
                raise SystemExit(status or int(pytest.ExitCode.INTERNAL_ERROR))
            if self._loop.collected:  # else it is why there are no tests
                verdicts.tell_failure(_SESSION, self._internal)
        verdicts.forget()
        if self._interrupted:
            self._reporter.ended(self._interrupted)
        elif not self._loop.collected:
            self._reporter.ended(
                self._refusal
                or self._internal
                or self._why_no_tests(said)
                or f"pytest ended with exit status {status}"
            )
        else:
            told = verdicts.failures or self._loop.stopped
            if status not in (_OK, _NO_TESTS) and not told:
                verdicts.tell_failure(
                    _SESSION,
                    f"pytest ended with exit status {status} though no test failed; "
                    f"what it wrote is in {self._task.output}",
                )
            self._reporter.ended(self._loop.stopped)

    def _why_no_tests(self, said: Said) -> str:
        """Why there was no loop over tests, or ''."""
        session = self._loop.session
        if session is None:
            return said.read()  # it has written of nothing else
        return str(session.shouldfail or session.shouldstop or "")

    # -- what pytest says of itself ------------------------------------------------------------

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_parse(self) -> Iterator[None]:
        self._note(outcome := (yield))
        del outcome

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_main(self) -> Iterator[None]:
        self._note((yield))

    def _note(self, outcome: Any) -> None:
        error = outcome.excinfo[1] if outcome.excinfo else None
        if isinstance(error, pytest.UsageError):
            text = "\n".join(f"ERROR: {each}" for each in error.args)
            self._refusal = text.replace("pytest.main()", "pytest")

    def pytest_internalerror(self, excrepr: object) -> None:
        self._internal = str(excrepr)

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        if excinfo.errisinstance(KeyboardInterrupt):
            self._interrupted = _told(excinfo.value)
            return
        self._refusal = str(excinfo.value)
        if self._loop.verdicts.nodeid:
            self._loop.verdicts.fail(f"pytest.exit: {excinfo.value}")
            self._loop.verdicts.end()
        self._loop.stop(f"pytest.exit: {excinfo.value}")

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        keep_failures_only(config)


def _told(error: BaseException) -> str:
    """What was raised, and where."""
    text = "".join(traceback.format_exception_only(error)).rstrip()
    place = innermost(traceback.extract_tb(error.__traceback__))
    return f"{text}, at {place}" if place else text


def _words(task: Task) -> list[str]:
    """Pytest's command line."""
    words = list(task.suite.options)
    if task.suite.keyword:
        words.append(f"-k={task.suite.keyword}")
    if task.debug:
        words.append("--pdb")
    if task.debug or not task.capture:
        words.append("--capture=no")
    return [*words, *task.suite.targets]
