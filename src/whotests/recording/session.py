"""One measured run in this process: puts loader, contexts and flusher together.

Its methods are called from within tests and runners, and never raise into them: what goes
wrong in here is kept in `problem`, for the end.
"""

import functools
import os
import sys
import time
from _socket import gethostname  # `socket` itself takes longer to import than all of ours
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from whotests.config.scope import Scope
from whotests.errors import WhotestsError
from whotests.probes.cache import Cache
from whotests.probes.load import Loading
from whotests.recording.contexts import Context, Contexts, TestNote
from whotests.recording.flusher import Flusher, Ledger
from whotests.recording.plan import Plan
from whotests.recording.unloaded import surprise_of, unloaded_files
from whotests.records import RunRecord
from whotests.store.writer import Writer
from whotests.types import Outcome, Phase, Runner, RunStatus, TestName

__all__ = ["Session", "current"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}
_NO_TOKEN: object = None
_current: list["Session"] = []


def current() -> "Session | None":
    """The run that measures this process, if one does."""
    return _current[-1] if _current else None


def _guarded(
    otherwise: _R,
) -> Callable[[Callable[Concatenate["Session", _P], _R]], Callable[Concatenate["Session", _P], _R]]:
    """Makes a method that gives `otherwise` where it would raise, or has no run to serve."""

    def decorate(
        method: Callable[Concatenate["Session", _P], _R],
    ) -> Callable[Concatenate["Session", _P], _R]:
        @functools.wraps(method)
        def guarded(self: "Session", *args: _P.args, **kwargs: _P.kwargs) -> _R:
            if self.ended:
                return otherwise
            try:
                return method(self, *args, **kwargs)
            except Exception as error:
                self.fail(error)
                return otherwise

        return cast(Callable[Concatenate["Session", _P], _R], guarded)

    return decorate


class Session:
    """One run. `start` it, tell it of tests and labels, `finish` it."""

    def __init__(self, plan: Plan, *, scope: Scope, writer: Writer) -> None:
        self.plan = plan
        self.pid = os.getpid()
        self.ended = False
        self.elsewhere = ""
        """What to say when no test runs in this process, because others run them."""
        self.surprise = ""
        """What the user may not expect of a run that recorded all there was; known at the end."""
        self._scope = scope
        self._failure = ""
        self._tested = False
        self._status = RunStatus.FINISHED
        self._writer = writer
        self._cache = Cache(plan.cache)
        self.contexts = Contexts()
        self._loading = Loading(
            measures=scope.measures,
            rules=plan.rules,
            cache=self._cache,
            began=self._module_began,
            ended=self._module_ended,
        )
        self._ledger = Ledger(self.contexts, lambda: self._loading.files, self._stored_path)
        self._flusher = Flusher(self._ledger, writer)
        self._root = os.path.normcase(os.path.join(plan.root, ""))

    @classmethod
    def start(cls, plan: Plan) -> "Session":
        """Begins a run: from now on measured files come instrumented.

        Raises DataError or MachineError when the data file cannot take the run.
        """
        scope = Scope(plan.source, root=plan.root, omit=plan.omit)
        writer = Writer.open(plan.data)
        name = sys.implementation.name
        writer.begin_run(
            RunRecord(
                started=time.time(),
                command=plan.command,
                root=str(plan.root),
                label=plan.context,
                python=f"{_IMPLEMENTATIONS.get(name, name)} {sys.version.split()[0]}",
                platform=sys.platform,
                host=gethostname(),
                pid=os.getpid(),
                branch=plan.branch,
                exclude=plan.exclude,
                partial=plan.partial,
            )
        )
        session = cls(plan, scope=scope, writer=writer)
        session._loading.install()
        session.contexts.watch()
        session._flusher.resume()
        _current.append(session)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=session._before_fork, after_in_child=session._after_fork_in_child
            )
        return session

    @property
    def problem(self) -> str:
        """Why the data is incomplete, or ''."""
        return self._failure or self._flusher.problem

    def fail(self, error: Exception) -> None:
        """Keeps the first failure of ours; the run goes on."""
        known = isinstance(error, WhotestsError)
        self._failure = self._failure or (
            str(error) if known else f"a bug in whotests, please report it: {error!r}"
        )

    @property
    def measured_files(self) -> int:
        """How many files came instrumented so far."""
        return len({file.path for file in self._loading.files if file.packed_layout})

    @property
    def in_test(self) -> bool:
        """Whether this thread runs a test."""
        return self.contexts.in_test()

    # -- what runners tell ------------------------------------------------------------------

    @_guarded(False)
    def start_test(self, name: str, *, runner: Runner) -> bool:
        """A test begins with its setup. False when the thread is in a test already: what an
        inner runner does belongs to the outer one's test, and only that one ends it."""
        self._flusher.resume()
        self.elsewhere = ""
        self._tested = True
        return self.contexts.start_test(TestName(name), runner)

    @_guarded(None)
    def enter_phase(self, phase: Phase) -> None:
        """The test of this thread goes on to a phase."""
        self.contexts.enter_phase(phase)

    @_guarded(None)
    def stop_test(self) -> None:
        """The test of this thread is over."""
        self.contexts.stop_test()
        self._flusher.between_tests()

    @_guarded(None)
    def note_outcome(
        self, name: str, *, runner: Runner, outcome: Outcome, duration: float | None
    ) -> None:
        """How a test ended; what is told last counts. `duration` in seconds."""
        self.contexts.notes.append(TestNote(TestName(name), runner, outcome, duration))

    @_guarded(_NO_TOKEN)
    def open_label(self, label: str) -> object:
        """A user's context begins; give what this returns to `close_label`."""
        return self.contexts.open_label(label)

    @_guarded(None)
    def close_label(self, token: object) -> None:
        """A user's context is over."""
        if isinstance(token, Context):
            self.contexts.close_label(token)

    def interrupted(self) -> None:
        """The run was stopped by the user."""
        self._status = RunStatus.INTERRUPTED

    # -- the end ----------------------------------------------------------------------------

    def finish(self, *, exit_status: int | None = None) -> None:
        """Writes all that is left and ends the run; the second call, and one in a forked
        child, do nothing."""
        if self.ended or self.pid != os.getpid():
            return
        try:
            self._loading.remove()
            self._flusher.pause()
            unfinished = self.contexts.finish()
            self.ended = True
            self._flusher.write(self._ledger.batch(unfinished))
            unloaded = unloaded_files(
                self._scope, self._loading.files, self._cache, self.plan.rules
            )
            self._flusher.write(self._ledger.add_files(unloaded))
            nothing = self._tested and not self.measured_files
            # Else what workers told.
            surprise = surprise_of(unloaded, nothing_loaded=nothing) or self.surprise
            self.surprise = "; ".join(filter(None, (surprise, self.contexts.confusion)))
            self._writer.finish_run(
                ended=time.time(),
                status=RunStatus.INCOMPLETE if self.problem else self._status,
                exit_status=exit_status,
                note=self.problem or self.surprise,
                append=self.plan.append,
            )
            self._writer.close()
        except Exception as error:
            self.fail(error)
        finally:
            self.ended = True
            if self in _current:
                _current.remove(self)

    # -- within -----------------------------------------------------------------------------

    def _before_fork(self) -> None:
        if not self.ended:
            self._flusher.pause()

    def _after_fork_in_child(self) -> None:
        """The child runs on unrecorded: the run is its parent's."""
        self.ended = True

    def _module_began(self) -> None:
        if sys._getframe(2).f_globals.get("__name__") != "__main__":
            self._import_began()

    def _module_ended(self) -> None:
        if sys._getframe(2).f_globals.get("__name__") != "__main__":
            self._import_ended()

    @_guarded(None)
    def _import_began(self) -> None:
        self.contexts.import_began()

    @_guarded(None)
    def _import_ended(self) -> None:
        self.contexts.import_ended()

    def _stored_path(self, path: str) -> str:
        absolute = os.path.abspath(path)
        if not os.path.normcase(absolute).startswith(self._root):
            return absolute
        return absolute[len(self._root) :].replace(os.sep, "/")
