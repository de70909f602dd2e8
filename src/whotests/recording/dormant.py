"""A part of a run that has not begun, because nothing of its process is measured so far.

Most processes that tests start run nothing that is measured, and all of them wait for their
start. So this imports nothing, hands on what it was handed, and wakes up when the first file of
the source is about to be run, or a runner that may begin tests.
"""

from __future__ import annotations

import os
import sys
from os.path import (  # as they are now: programs replace the ones in `os.path`
    abspath,
    islink,
    realpath,
)

from whotests.recording.after_import import when_imported
from whotests.recording.main_script import run_if_measured
from whotests.recording.multiprocess import watch_multiprocessing
from whotests.recording.originals import RLock
from whotests.recording.starting import begin_handing_over, stop_handing_over

TYPE_CHECKING = False  # what typing calls so: every process that is started imports this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from whotests.recording.handover import Handover

__all__ = ["Dormant", "give_up", "wake_up"]

_RUNNERS = ("_pytest.config", "unittest.case")
_dormant: list[Dormant] = []


def wake_up() -> None:
    """Begins the part that this process was handed, if it has not begun."""
    for dormant in list(_dormant):
        dormant.wake()


def give_up() -> None:
    """Forgets what this process was handed."""
    for dormant in list(_dormant):
        dormant.end()


class Dormant:
    """A part that `begin` begins. One for each process, at its very start."""

    def __init__(self, handover: Handover, begin: Callable[[Handover], None]) -> None:
        self._handover = handover
        self._begin = begin
        self._lock = RLock()
        self._loader: Any = None
        self._ordinary: Any = None
        self._folders: dict[str, bool] = {}
        forms = {os.path.normcase(form) for path in handover.source for form in _forms(path)}
        self._source = tuple(forms)
        folders = (sys.prefix, os.path.dirname(os.__file__))
        walls = (os.path.normcase(os.path.join(folder, "")) for folder in folders)
        self._walls = tuple(
            wall for wall in walls if not any(form.startswith(wall) for form in forms)
        )

    def install(self) -> None:
        """From now on it watches what this process imports, and hands on to those it starts."""
        _dormant.append(self)
        begin_handing_over(self)
        watch_multiprocessing(self)
        loader = self._loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
        ordinary = self._ordinary = loader.get_code
        concerns = self._concerns
        wake = self.wake

        def get_code(self: Any, fullname: str) -> Any:
            if concerns(self.path):
                wake()
                return self.get_code(fullname)
            return ordinary(self, fullname)

        # Python leaves the import system's own frames out of tracebacks by their file's name.
        get_code.__code__ = get_code.__code__.replace(
            co_filename="<frozen importlib._bootstrap_external>"
        )
        loader.get_code = get_code
        if not self._handover.tests:  # else what an inner runner does is theirs
            for name in _RUNNERS:
                when_imported(name, lambda _: self.wake())
        run_if_measured(concerns, wake)

    def wake(self) -> None:
        """Begins the part; the second call, and one that comes meanwhile, wait for the first."""
        with self._lock:
            if self in _dormant:
                self.end()
                self._begin(self._handover)

    def end(self) -> None:
        """Stops watching and handing on."""
        if self in _dormant:
            _dormant.remove(self)
            stop_handing_over(self)
            del self._loader.get_code

    def _concerns(self, path: str) -> bool:
        """Whether the file may be one of the source; the session knows exactly."""
        try:
            absolute = os.path.normcase(abspath(path))
            if absolute.startswith(self._walls):
                return False
            if absolute.startswith(self._source) or islink(absolute):
                return True
            folder = os.path.dirname(absolute)
            known = self._folders.get(folder)
            if known is None:
                real = os.path.join(os.path.normcase(realpath(folder)), "")
                known = self._folders[folder] = real.startswith(self._source)
            return known
        except (TypeError, ValueError, OSError):
            return False

    # -- what a session does, too -----------------------------------------------------------

    def handover(self) -> str:
        """What this process was handed."""
        return self._handover.to_text()

    def go_on_for(self, handover: Handover) -> None:
        """What runs from now on counts for what was open there."""
        self._handover = handover

    def before_main(self, path: str) -> None:
        """A file is going to be run that is another process's `__main__`."""
        if self._concerns(path):
            self.wake()

    def before_telling(self) -> None:
        """There is nothing to write."""

    def before_exec(self) -> None:
        """There is nothing to write."""

    def after_exec(self) -> None:
        """Nothing has changed."""

    def leave(self) -> None:
        """There is nothing to end."""


def _forms(path: str) -> tuple[str, str]:
    return os.path.normpath(path), realpath(path)
