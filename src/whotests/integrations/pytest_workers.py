"""Measures the worker processes of pytest-xdist, as parts of the run.

Imported once pytest has been imported, and only in a measured run. (PYTEST_DONT_REWRITE)
"""

from pathlib import Path
from typing import Any

from pluggy import HookimplMarker

from whotests.errors import DataError
from whotests.recording.session import Session

__all__ = ["PytestWorkers"]

_LIBRARY = str(Path(__file__).resolve().parents[2])
_PATIENCE = 60.0
"""Seconds that a worker may take to begin."""

# What a worker does before it knows of pytest, and so before it imports what is measured.
_BOOT = """\
import sys
library, told = channel.receive()
sys.path.append(library)
import whotests
sys.path.pop()
from whotests.integrations.pytest_worker import begin
channel.send(begin(told))
"""

_OUTPUT = "whotests"
"""What a worker tells at its end is in its output under this name."""

_optional = HookimplMarker("pytest")(optionalhook=True)
_last = HookimplMarker("pytest")(trylast=True)


class PytestWorkers:
    """On the side of the tests' controller and on that of a worker: one for each configuration."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._measured: set[str] = set()
        """The workers that have begun, as xdist calls them: 'gw0'."""
        self._tests: set[str] = set()
        self._tests_elsewhere: set[str] = set()
        self._files = 0

    @property
    def test_count(self) -> int:
        """Tests that measured workers ran."""
        return len(self._tests)

    @property
    def tests_elsewhere(self) -> int:
        """Tests that other processes ran, which are not measured."""
        return len(self._tests_elsewhere)

    @property
    def file_count(self) -> int:
        """Files that came instrumented, in the process that had the most of them."""
        return max(self._files, self._session.measured_files)

    def measures(self, node: Any) -> bool:
        """Whether what this worker of xdist's runs is recorded."""
        return node.gateway.id in self._measured

    # -- in the controller ------------------------------------------------------------------

    @_optional
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        spec = gateway.spec
        if not spec.popen or spec.via or self._session.in_test:
            return  # on another machine, or in a run within a test
        try:
            # Most began as every process does that a measured one starts: with their interpreter.
            channel = gateway.remote_exec(_BOOT)
            channel.send((_LIBRARY, self._session.handover()))
            problem = channel.receive(_PATIENCE)
            channel.waitclose(_PATIENCE)
        except (channel.RemoteError, channel.TimeoutError, EOFError, OSError):
            return  # an interpreter without whotests, say: its tests count as not measured
        if problem:
            self._session.fail(DataError(f"worker {gateway.id}: {problem}"))
        else:
            self._measured.add(gateway.id)

    def note(self, report: Any) -> None:
        """A worker reports of a test."""
        measured = self.measures(report.node)
        (self._tests if measured else self._tests_elsewhere).add(report.nodeid)

    @_optional
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        # A worker that crashed has none; what it wrote until then stays.
        told = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if told:
            self._files = max(self._files, told["files"])
            # One worker may well have had no test that imports anything.
            self._session.surprise = "" if self._files else told["surprise"]
            if told["problem"]:
                self._session.fail(DataError(f"worker {node.gateway.id}: {told['problem']}"))

    # -- in a worker ------------------------------------------------------------------------

    @_last
    def pytest_sessionfinish(self, session: Any, exitstatus: Any) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            files = self._session.measured_files
            surprise = self._session.surprise_here()
            self._session.finish(exit_status=int(exitstatus))
            output[_OUTPUT] = {
                "files": files,
                "problem": self._session.problem,
                "surprise": surprise,
            }
