"""One measured run in this process: puts loader, contexts and flusher together.

Its methods are called from within tests and runners, and never raise into them: what goes
wrong in here is kept in `problem`, for the end.
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from whotests.config.scope import Scope
from whotests.errors import WhotestsError
from whotests.garbage import uncollected
from whotests.probes.cache import Cache
from whotests.probes.load import Loading
from whotests.probes.runtime import LOG
from whotests.recording.beginning import hide_cache, run_record
from whotests.recording.context import Context
from whotests.recording.contexts import Contexts
from whotests.recording.dormant import give_up, wake_up
from whotests.recording.flusher import Flusher
from whotests.recording.handover import Handover
from whotests.recording.interruptions import is_the_programs
from whotests.recording.ledger import Ledger
from whotests.recording.multiprocess import watch_multiprocessing
from whotests.recording.plan import Plan
from whotests.recording.plan_file import PlanFile
from whotests.recording.starting import begin_handing_over, starts_program, stop_handing_over
from whotests.recording.stored_paths import StoredPaths
from whotests.recording.unloaded import (
    not_imported,
    surprise_of,
    unloaded_files,
    unloaded_paths,
)
from whotests.records import FileRecord, TestRecord
from whotests.store.writer import Writer
from whotests.system import System
from whotests.types import Phase, Runner, RunStatus, TestName

__all__ = ["Session", "current", "measure_afresh"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_SHARE_OF_TELLING = 0.05
_WARNS_AFTER_FORKS = sys.version_info[:2] == (3, 13)
"""This Python looks only afterwards whether the process that has forked has threads, and warns of
it: the flusher's has to wait for the next test, and what there is is written before."""

_SECONDS_BETWEEN_FORKS = 0.5
_NO_TOKEN: object = None
_current: list["Session"] = []


def current() -> "Session | None":
    """The run that measures this process, if one does."""
    wake_up()
    return _current[-1] if _current else None


def measure_afresh() -> None:
    """Ends the part that this process records for another one's run: it gets a run of its own."""
    give_up()
    for session in list(_current):
        begun_here = session._tested if session.started_as_part else session.in_test
        if session.part_of and not begun_here:
            session.finish()


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
                if not self._keeps(error):
                    raise
                return otherwise

        return cast(Callable[Concatenate["Session", _P], _R], guarded)

    return decorate


class Session:
    """One run. `start` it, tell it of tests and labels, `finish` it."""

    def __init__(self, plan: Plan, *, scope: Scope, writer: Writer, part_of: int = 0) -> None:
        self.plan = plan
        self.pid = os.getpid()
        self.part_of = part_of
        """The run that this process records for, or 0 when that is its own."""
        self.started_as_part = bool(part_of)
        """And its interpreter was started for that; else it may have been forked."""
        self.ended = False
        self.elsewhere = ""
        """What to say when no test runs in this process, because others run them."""
        self.surprise = ""
        """What the user may not expect of a run that recorded all there was; known at the end."""
        self._told_at = 0
        self._forked_at = 0.0
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
        self._stored_path = StoredPaths(plan.root)
        self._ledger = Ledger(self.contexts, lambda: self._loading.files, self._stored_path)
        self._flusher = Flusher(self._ledger, writer)
        self._plan_file = PlanFile(plan)

    @classmethod
    def start(cls, plan: Plan, *, handover: Handover | None = None) -> "Session":
        """Begins a run: from now on measured files come instrumented.

        With `handover`, it is a part of the run of the process that started this one, goes on
        with the contexts that were open there, and begins in the data file when there is
        something to write. Raises DataError or MachineError when that cannot take the run.
        """
        scope = Scope(
            plan.source,
            root=plan.root,
            include=plan.include,
            omit=plan.omit,
            namespace_packages=plan.namespace_packages,
        )
        if handover is None:
            writer = Writer.open(plan.data)
            writer.begin_run(run_record(plan))
            hide_cache(plan)
            session = cls(plan, scope=scope, writer=writer)
            session._flusher.resume()
        else:
            writer = Writer.later(plan.data, run_record(plan, part_of=handover.run))
            session = cls(plan, scope=scope, writer=writer, part_of=handover.run)
            session.contexts.take_over(handover.tests, handover.labels)
        session._loading.install()
        session.contexts.watch()
        _current.append(session)
        begin_handing_over(session)
        watch_multiprocessing(session)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=session._before_fork,
                after_in_parent=session._after_fork_in_parent,
                after_in_child=session._after_fork_in_child,
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

    def _keeps(self, error: Exception) -> bool:
        """Whether the exception is one of ours, which is kept; the program's own is to go its way.
        Ask where it was caught."""
        if is_the_programs(error):
            return False
        self.fail(error)
        return True

    @property
    def measured_files(self) -> int:
        """How many files came instrumented so far."""
        return len({file.path for file in self._loading.files if file.instrumented})

    @property
    def in_test(self) -> bool:
        """Whether this thread runs a test."""
        return self.contexts.in_test()

    # -- what runners tell ------------------------------------------------------------------

    # Several times for each test: a guard around these would take as long as they do.

    def start_test(self, name: TestName, *, runner: Runner) -> bool:
        """A test begins with its setup. False when the thread is in a test already: what an
        inner runner does belongs to the outer one's test, and only that one ends it."""
        if self.ended:
            return False
        try:
            self._flusher.resume()
            self.elsewhere = ""
            self._tested = True
            return self.contexts.start_test(name, runner)
        except Exception as error:
            if not self._keeps(error):
                raise
            return False

    def enter_phase(self, phase: Phase) -> None:
        """The test of this thread goes on to a phase."""
        if not self.ended:
            try:
                self.contexts.enter_phase(phase)
            except Exception as error:
                if not self._keeps(error):
                    raise

    def stop_test(self) -> None:
        """The test of this thread is over."""
        if not self.ended:
            try:
                self.contexts.stop_test()
                self._flusher.between_tests()
            except Exception as error:
                if not self._keeps(error):
                    raise

    def note_test(self, test: TestRecord) -> None:
        """How a test ended; what is told last counts."""
        if not self.ended:
            self.contexts.tests.append(test)

    @_guarded(None)
    def between_tests(self) -> None:
        """No test waits now, as after all were found."""
        self._flusher.between_tests()

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

    # -- other processes --------------------------------------------------------------------

    @_guarded("")
    def handover(self) -> str:
        """What a process that is started now finds in its environment."""
        if self.pid != os.getpid():
            return ""
        tests, labels = self.contexts.handed_over()
        return Handover(
            plan=self._plan_file.tell(),
            run=self.part_of or self._writer.run_id,
            source=self.plan.source,
            tests=tuple(tests),
            labels=tuple(labels),
        ).to_text()

    @_guarded(None)
    def go_on_for(self, handover: Handover) -> None:
        """What runs from now on counts for what was open in another process of this run."""
        if handover.run != self.part_of or self.pid != os.getpid():
            return
        tests, labels = self.contexts.handed_over()
        if (tuple(tests), tuple(labels)) != (handover.tests, handover.labels):
            self.contexts.finish()
            ended = self.contexts.unfinished
            self.contexts.closed.extend(context for context in ended if context.patterns)
            ended.clear()
            self.contexts.watch()
            self.contexts.take_over(handover.tests, handover.labels)

    def before_main(self, path: str) -> None:
        """Its loader sees to that."""

    @_guarded(None)
    def before_telling(self) -> None:
        """Writes what is new, if this process records for another: that may end it without a
        word, when it has what it wanted. Where this would take long it is left to the flusher."""
        if self.part_of and len(LOG) != self._told_at and self.pid == os.getpid():
            self._flusher.write_soon(share=_SHARE_OF_TELLING)
            self._told_at = len(LOG)

    @_guarded(None)
    def before_exec(self) -> None:
        """Writes all that there is: this process may become another program."""
        if self.pid == os.getpid():
            self._flusher.write_and_hold()

    @_guarded(None)
    def after_exec(self) -> None:
        """It did not."""
        if self.pid == os.getpid():
            self._flusher.let_go()

    @_guarded(None)
    def leave(self) -> None:
        """This process ends at once. A run that others are parts of counts as killed."""
        if self.part_of:
            self.finish(leaving=True)
        else:
            self.before_exec()

    # -- the end ----------------------------------------------------------------------------

    def finish(self, *, exit_status: int | None = None, leaving: bool = False) -> None:
        """Writes all that is left and ends the run; the second call does nothing, nor does one
        in a process that is not measured. `leaving`: the process ends with this."""
        if self.ended or self.pid != os.getpid():
            return
        try:
            self._end(exit_status, leaving=leaving)
        except BaseException:
            # A signal's handler raised, as at Ctrl-C: what is left is written all the same.
            self._end(exit_status, leaving=leaving)
            raise
        finally:
            self.ended = True
            if self in _current:
                _current.remove(self)

    def _end(self, exit_status: int | None, *, leaving: bool) -> None:
        """May be called again where a signal's handler raised in the middle of it."""
        try:
            stop_handing_over(self)
            self._loading.remove()
            self._flusher.pause()
            self._flusher.hold()  # another thread may be at the end of a test of its own
            with uncollected():
                self._write_the_rest(exit_status)
            if not leaving:  # else closing the last way into the file would wait for the disk
                self._writer.close()
        except Exception as error:
            if not self._keeps(error):
                raise

    def _write_the_rest(self, exit_status: int | None) -> None:
        if not self._writer.has_finished:
            self.contexts.finish()
            self.ended = True
            self._ledger.end(complete=bool(self.part_of))
            self._flusher.write()
            if not self.part_of:
                self._write_unloaded_files()
        if self.part_of:
            self._finish_part()
        else:
            self._finish_run(exit_status)

    @_guarded("")
    def surprise_here(self) -> str:
        """What the user may not expect of what this process has measured so far."""
        nothing = self._tested and not self.measured_files
        return surprise_of(self._not_imported(), nothing_loaded=nothing)

    @_guarded(None)
    def tell_surprise(self) -> None:
        """What the user may not expect of this process, which runs tests for a runner, goes into
        the data with its part: the runner's own process knows nothing of its modules."""
        surprise = surprise_of(self._not_imported(), nothing_loaded=False)
        self.surprise = "; ".join(filter(None, (surprise, self.contexts.confusion)))

    def _not_imported(self) -> list[str]:
        paths = unloaded_paths(self._scope, self._loading.files)
        return [path for path, imported in paths if not imported]

    def _unloaded_files(self) -> list[FileRecord]:
        return unloaded_files(self._scope, self._loading.files, self._cache, self.plan.rules)

    def _finish_part(self) -> None:
        problem = self.problem
        self._writer.finish_part(
            ended=System.since_the_epoch(),
            status=RunStatus.INCOMPLETE if problem else self._status,
            note=problem or self.surprise,
        )

    def _write_unloaded_files(self) -> None:
        by_others = self._writer.files_of_parts()
        unloaded = self._unloaded_files()
        nothing = self._tested and not self.measured_files and not by_others
        # Of another copy that was imported here, too, where other processes measured this one.
        surprise = surprise_of(not_imported(unloaded), nothing_loaded=nothing)
        if by_others is not None:
            self.elsewhere = ""
            unloaded = [file for file in unloaded if self._stored_path(file.path) not in by_others]
        self._ledger.add_files(unloaded)
        self._flusher.write()
        surprise = surprise or self.surprise  # else what workers told
        if self.contexts.confusion not in surprise:
            surprise = "; ".join(filter(None, (surprise, self.contexts.confusion)))
        self.surprise = surprise

    def _finish_run(self, exit_status: int | None) -> None:
        incomplete = self._writer.finish_run(
            ended=System.since_the_epoch(),
            status=RunStatus.INCOMPLETE if self.problem else self._status,
            exit_status=exit_status,
            note=self.problem or self.surprise,
            append=self.plan.append,
            keep_runs=self.plan.keep_runs,
            keep_history=self.plan.keep_history,
        )
        self._failure = self._failure or incomplete

    # -- within -----------------------------------------------------------------------------

    def _before_fork(self) -> None:
        if not self.ended:
            if _WARNS_AFTER_FORKS:
                self._flusher.write_soon(share=_SHARE_OF_TELLING)
            self._flusher.pause()
            self._plan_file.tell()  # the child need not find out

    def _after_fork_in_parent(self) -> None:
        # Where fork follows fork, a thread each time would cost more than they do.
        now = System.monotonic()
        often = now - self._forked_at <= _SECONDS_BETWEEN_FORKS
        if not (self.ended or often or _WARNS_AFTER_FORKS):
            self._flusher.resume()
        self._forked_at = now

    def _after_fork_in_child(self) -> None:
        """The child goes on as a part of the run, with nothing on its hands so far."""
        if self.ended or starts_program():
            self.ended = True
            return
        try:
            self.part_of = self.part_of or self._writer.run_id
            self.pid = os.getpid()
            self._failure = self.elsewhere = self.surprise = ""
            self._status = RunStatus.FINISHED
            self._told_at = 0
            self.contexts.go_on_forked()
            self._writer = Writer.later(self.plan.data, run_record(self.plan, part_of=self.part_of))
            before = self._loading.files
            self._ledger = Ledger(
                self.contexts, lambda: self._loading.files, self._stored_path, before=before
            )
            self._flusher = Flusher(self._ledger, self._writer)
            if before:
                self._flusher.resume()
        except Exception as error:
            self.fail(error)

    def _module_began(self) -> None:
        if self.ended:
            return
        self._flusher.resume()
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
        self._flusher.between_modules()
