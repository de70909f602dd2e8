"""One call of `whotests test`, put together: suites, workers, what is recorded and shown.

Everything that decides is elsewhere; this knows in which order things begin and end, and what
the whole comes to.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whotests.cli.exit_statuses import ExitStatus
from whotests.cli.test_isolation import isolate
from whotests.cli.test_recording import Recording
from whotests.cli.test_shown import Shown, TestShown
from whotests.config.settings import Settings
from whotests.errors import WhotestsError
from whotests.garbage import seldom_collected
from whotests.hosts.task import Suite
from whotests.reports.run_reports import RunReports
from whotests.runner.agents.interruption import Interruption
from whotests.runner.agents.slots import Slot, local_slots
from whotests.runner.assignment import Brief
from whotests.runner.choosing.choice import Choosing
from whotests.runner.choosing.kept_splits import KeptSplits
from whotests.runner.choosing.load_list import read_load_list
from whotests.runner.choosing.rounds import rounds_of
from whotests.runner.cluster.terms import SourceMode
from whotests.runner.detection.detecting import detected_suites
from whotests.runner.items import Item
from whotests.runner.run_folder import RunFolder
from whotests.runner.running.run import Found, Run
from whotests.runner.wanted import Wanted
from whotests.store.past_tests import last_outcomes, past_durations
from whotests.stream.control import RunControl
from whotests.stream.fail_fast import FailFast
from whotests.stream.sink import Sink
from whotests.types import Outcome

if TYPE_CHECKING:
    from whotests.cli.test_cluster import OnCluster

__all__ = ["TestRun", "WhatToMeasure", "Where"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Who runs the tests, and how."""

    workers: int
    timeout: float = 0.0
    """Seconds that a test may take; 0: any time."""
    debug: bool = False
    cluster: str = ""
    """'local:N' or the address of a Dask scheduler; '': workers are processes of this machine."""
    cluster_source: SourceMode = "auto"
    cluster_patience: float = 0.0
    """Seconds to wait for a machine while there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatToMeasure:
    """What the data file gets of the run."""

    facts: bool
    append: bool


class TestRun:
    """One call of the command. `run` once."""

    __test__ = False

    def __init__(
        self,
        settings: Settings,
        wanted: Wanted,
        *,
        cwd: Path,
        where: Where,
        measured: WhatToMeasure,
        shown: Shown,
    ) -> None:
        """Raises UsageError for what does not fit together."""
        self._settings = settings
        self._wanted = wanted
        self._cwd = cwd
        self._where = where
        self._measured = measured
        self._verbose = shown.verbose
        self._quiet = shown.quiet
        self._shown = TestShown(
            shown,
            cwd=cwd,
            workers=where.workers,
            debug=where.debug,
            only_list=wanted.only_list,
        )
        self._control = RunControl()
        self._interruption = Interruption(self._control, tell=self._shown.announce)
        self._cluster = self._on_cluster(where)
        self._failures = 0

    def _on_cluster(self, where: Where) -> "OnCluster | None":
        if not where.cluster:
            return None
        # Most runs are on no cluster, and need not wait for this.
        from whotests.cli.test_cluster import OnCluster

        return OnCluster(
            where.cluster,
            source=where.cluster_source,
            patience=where.cluster_patience,
            interruption=self._interruption,
            control=self._control,
            tell=self._shown.note,
        )

    def run(self) -> int:
        """The exit status. Raises UsageError, DataError or MachineError where nothing was run."""
        suites = self._suites()
        choosing = self._choosing(suites)
        folder = RunFolder.make(self._settings.data.parent / "runs", keep=self._settings.keep_logs)
        try:
            with seldom_collected():
                if self._wanted.isolate:
                    return self._isolate(self._brief(suites, folder), choosing)
                return self._run_recorded(suites, choosing, folder)
        finally:
            folder.close()
            self._shown.let_go()

    # -- what is run ---------------------------------------------------------------------------

    def _suites(self) -> tuple[Suite, ...]:
        detected = detected_suites(self._wanted, settings=self._settings, cwd=self._cwd)
        for reason in detected.reasons if self._verbose else ():
            self._shown.note(reason)
        return detected.suites

    def _choosing(self, suites: Sequence[Suite]) -> Choosing:
        wanted, data = self._wanted, self._settings.data
        return Choosing(
            wanted,
            suites=suites,
            listed=() if wanted.load_list is None else read_load_list(wanted.load_list),
            durations=past_durations(data),
            outcomes=self._outcomes() if wanted.failed else {},
            tell=self._shown.note,
            splits=KeptSplits(data.parent / "shards"),
        )

    def _outcomes(self) -> Mapping[str, Outcome]:
        """How tests ended last: of a run with a label, where that label was."""
        settings = self._settings
        return last_outcomes(settings.data, label=settings.context or None)

    def _brief(
        self,
        suites: tuple[Suite, ...],
        folder: RunFolder,
        recording: Recording | None = None,
    ) -> Brief:
        return Brief(
            run=f"{folder.path.name}-{os.getpid()}",
            root=self._settings.root,
            cwd=self._cwd,
            folder=folder.path,
            suites=suites,
            workers=self._where.workers,
            handover=recording.run.handover() if recording and recording.run else "",
            # Those of this process: `python -W error -m whotests test` runs tests so.
            python=tuple(subprocess._args_from_interpreter_flags()),  # type: ignore[attr-defined]
            timeout=self._where.timeout,
            debug=self._where.debug,
            max_failures=self._wanted.max_failures,
        )

    def _isolate(self, brief: Brief, choosing: Choosing) -> int:
        reports = self._shown.reports({}, on_gone=self._control.stop)
        reports.start_run()
        try:
            with self._interruption:
                return isolate(
                    self._wanted,
                    brief,
                    choosing=choosing,
                    sink=reports,
                    control=self._control,
                    reaches=self._interruption.reaches,
                    quiet=self._quiet,
                )
        finally:
            reports.stop_run()

    # -- one run, and what it comes to ---------------------------------------------------------

    def _run_recorded(
        self, suites: tuple[Suite, ...], choosing: Choosing, folder: RunFolder
    ) -> int:
        shown = self._shown
        recording = None if self._wanted.only_list else self._recording()
        reports = self._reports(recording)
        failure: WhotestsError | None = None
        problems: list[str] = []
        went_through = False
        try:
            reports.start_run()
            try:
                connected = self._cluster.connected(folder.path) if self._cluster else nullcontext()
                with self._interruption, connected:
                    self._run_rounds(suites, choosing, folder, reports, recording)
                went_through = True
                shown.exit_status = self._status(choosing, reports)
            except WhotestsError as error:
                failure = error
                shown.exit_status = error.exit_status
            except KeyboardInterrupt:
                shown.exit_status = ExitStatus.INTERRUPTED
            finally:
                reports.stop_run()
            problems += reports.problems
        finally:
            if recording is not None:
                # Whatever else came in between has cut it short, too.
                interrupted = bool(not went_through or reports.gone or self._interruption.times)
                try:
                    self._finish(recording, interrupted=interrupted, status=int(shown.exit_status))
                except WhotestsError as error:  # no reason to hide how the tests ended
                    problems.append(f"the data is incomplete: {error}")
                problems += recording.problems
        for problem in problems:
            click.echo(f"whotests: {problem}", err=True)
        if problems and shown.exit_status == ExitStatus.PASSED:
            shown.exit_status = ExitStatus.NOT_WHOLE
        if failure is None or shown.progress.done:
            shown.summarize(why_none=choosing.why_none, folder=folder.path)
        if failure is not None:
            raise failure
        return shown.exit_status

    def _run_rounds(
        self,
        suites: tuple[Suite, ...],
        choosing: Choosing,
        folder: RunFolder,
        sink: Sink,
        recording: Recording | None,
    ) -> None:
        for each in rounds_of(self._wanted):
            if recording is not None and recording.run is None:
                recording.begin()
            brief = self._brief(suites, folder, recording)
            if not each.alone:
                self._shown.note(str(each))
                brief = brief.of_part(f"round-{each.number}")
                brief.folder.mkdir()
            choosing.order = each.order
            before = self._shown.progress.failed
            self._run_once(brief, choosing, sink, recording)
            failed = self._shown.progress.failed > before
            if self._control.should_stop or (self._wanted.until_failure and failed):
                return
            if recording is not None and each.number != each.of:
                status = ExitStatus.FAILED if failed else ExitStatus.PASSED
                self._finish(recording, interrupted=False, status=status)

    def _run_once(
        self, brief: Brief, choosing: Choosing, sink: Sink, recording: Recording | None
    ) -> None:
        hosted = None if recording is None else recording.hosted

        def select(found: Sequence[Found]) -> Sequence[Item]:
            items = choosing(found)
            self._shown.choose(items)
            if self._wanted.only_list:
                self._shown.list_tests(choosing.chosen, sink)
            return items

        if self._cluster is not None:
            self._cluster.run(
                brief,
                select=select,
                sink=sink,
                recording=recording,
                keep_order=bool(choosing.order.by),
            )
            return
        slots = self._slots(brief)
        self._interruption.reaches(slots)
        try:
            Run(
                brief,
                slots,
                sink=sink,
                select=select,
                control=self._control,
                keep_order=bool(choosing.order.by),
                without_facts=None if hosted is None else hosted.without_facts,
            ).run()
        finally:
            self._interruption.forget()

    def _slots(self, brief: Brief) -> Sequence[Slot]:
        return local_slots(brief, brief.workers)

    def _reports(self, recording: Recording | None) -> RunReports:
        others: dict[str, Sink] = {}
        if recording is not None:
            others["the data file"] = recording
        if self._wanted.max_failures:
            others["the count of failures"] = FailFast(self._count_failure)
        return self._shown.reports(others, on_gone=self._control.stop)

    def _count_failure(self) -> None:
        # A run counts its own; several rounds, and what is no test, count together here.
        self._failures += 1
        if self._failures >= self._wanted.max_failures:
            self._control.stop()

    def _status(self, choosing: Choosing, reports: RunReports) -> ExitStatus:
        progress = self._shown.progress
        if reports.gone or self._interruption.times:
            return ExitStatus.INTERRUPTED
        # Tests without a verdict in a run that nobody has stopped: a host has let go of them.
        if progress.failed or (progress.not_run and not self._wanted.only_list):
            return ExitStatus.FAILED
        if not (choosing.chosen if self._wanted.only_list else progress.done):
            return ExitStatus.NO_TEST
        return ExitStatus.PASSED

    # -- what is recorded ----------------------------------------------------------------------

    def _recording(self) -> Recording:
        """The first run has begun: where it cannot, nothing is run."""
        recording = Recording(
            self._settings,
            cwd=self._cwd,
            facts=self._measured.facts,
            append=self._measured.append,
        )
        recording.begin()
        return recording

    def _finish(self, recording: Recording, *, interrupted: bool, status: int) -> None:
        recording.finish(
            interrupted=interrupted,
            exit_status=status,
            partial=self._is_partial(),
            died=self._cluster is not None,
        )

    def _is_partial(self) -> bool:
        """Whether there are, or may be, tests of the project that the run did not come to."""
        wanted = self._wanted
        return bool(
            wanted.targets
            or wanted.words
            or wanted.keyword
            or wanted.failed
            or wanted.load_list
            or wanted.shard
            or self._shown.progress.not_run
        )
