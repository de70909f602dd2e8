"""One call of `whotests test`, put together: suites, workers, what is recorded and shown.

Everything that decides is elsewhere; this knows in which order things begin and end, and what
the whole comes to.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from whotests.cli.test_isolation import isolate
from whotests.config.settings import Settings
from whotests.errors import UsageError, WhotestsError
from whotests.recording.hosted_run import HostedRun
from whotests.recording.planning import plan_of
from whotests.reports.run_display import RunDisplay
from whotests.reports.run_json import RunJson
from whotests.reports.run_progress import Expected
from whotests.reports.run_reports import RunReports
from whotests.reports.run_summary import Ending
from whotests.runner.assignment import Brief
from whotests.runner.choosing import Choosing
from whotests.runner.detection import detected_suites
from whotests.runner.interruption import Interruption
from whotests.runner.load_list import read_load_list
from whotests.runner.rounds import rounds_of
from whotests.runner.run import Found, Run
from whotests.runner.run_folder import RunFolder
from whotests.runner.scheduler import Item
from whotests.runner.slots import local_slots
from whotests.runner.unmeasured_run import UnmeasuredRun
from whotests.runner.wanted import Wanted
from whotests.store.past_tests import last_outcomes, past_durations
from whotests.stream.control import RunControl
from whotests.stream.event import Event, Status
from whotests.stream.fail_fast import FailFast
from whotests.stream.junit import JUnitXml
from whotests.stream.sink import Sink
from whotests.stream.subunit import SubunitWriter
from whotests.types import RunStatus

__all__ = ["Shown", "TestRun", "WhatToMeasure", "Where"]

PASSED, FAILED, NOT_WHOLE, NO_TEST, INTERRUPTED = 0, 1, 3, 5, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Who runs the tests, and how."""

    workers: int
    timeout: float
    """Seconds that a test may take; 0: any time."""
    debug: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatToMeasure:
    """What the data file gets of the run."""

    facts: bool
    append: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Who is told of the run, and how much."""

    verbose: bool
    quiet: bool
    slowest: int
    junit: Path | None
    subunit: bool
    as_json: bool


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
        if shown.subunit and shown.as_json:
            raise UsageError(
                "--subunit and --json both write to standard output; ask for one of them (whotests "
                "can write a JUnit file besides: --junit FILE)"
            )
        self._settings = settings
        self._wanted = wanted
        self._cwd = cwd
        self._where = where
        self._measured = measured
        self._shown = shown
        self._control = RunControl()
        self._interruption = Interruption(self._control)
        self._failures = 0
        self._machine_readable = shown.subunit or shown.as_json
        # What programs read has standard output for itself.
        self._display = RunDisplay(
            sys.stderr if self._machine_readable or wanted.only_list else sys.stdout,
            workers=where.workers,
            verbose=shown.verbose,
            quiet=shown.quiet or wanted.only_list,
            slowest=shown.slowest,
            live=False if where.debug else None,
        )
        self._exit_status = PASSED

    def run(self) -> int:
        """The exit status. Raises UsageError, DataError or MachineError where nothing was run."""
        settings, wanted = self._settings, self._wanted
        detected = detected_suites(wanted, settings=settings, cwd=self._cwd)
        suites = detected.suites
        for reason in detected.reasons if self._shown.verbose else ():
            self._display.note(reason)
        choosing = Choosing(
            wanted,
            suites=suites,
            listed=() if wanted.load_list is None else read_load_list(wanted.load_list),
            durations=past_durations(settings.data),
            outcomes=last_outcomes(settings.data) if wanted.failed else {},
            tell=self._display.note,
        )
        folder = RunFolder.make(settings.data.parent / "runs")
        nothing_new = wanted.only_list or bool(wanted.isolate)
        hosted = None if nothing_new else self._begin_to_record()
        brief = Brief(
            run=f"{folder.path.name}-{os.getpid()}",
            root=settings.root,
            cwd=self._cwd,
            folder=folder.path,
            suites=suites,
            workers=self._where.workers,
            handover=hosted.handover() if hosted else "",
            python=tuple(subprocess._args_from_interpreter_flags()),  # type: ignore[attr-defined]
            timeout=self._where.timeout,
            debug=self._where.debug,
        )
        reports = self._reports(hosted)
        reports.start_run()
        failure: WhotestsError | None = None
        try:
            with self._interruption:
                if wanted.isolate:
                    return self._isolate(brief, choosing, reports)
                self._run_rounds(brief, choosing, reports)
            self._exit_status = self._status(choosing, reports)
        except WhotestsError as error:
            failure = error
            self._exit_status = error.exit_status
        finally:
            reports.stop_run()
        problems = reports.problems
        if hosted:
            recorded = hosted.finish(
                status=RunStatus.INTERRUPTED
                if reports.gone or failure or self._interruption.times
                else RunStatus.FINISHED,
                exit_status=self._exit_status,
                partial=self._is_partial(),
            )
            if recorded.problem:
                problems.append(f"the data is incomplete: {recorded.problem}")
            elif recorded.surprise:
                click.echo(f"whotests: {recorded.surprise}", err=True)
        folder.close()
        for problem in problems:
            click.echo(f"whotests: {problem}", err=True)
        if problems and self._exit_status == PASSED:
            self._exit_status = NOT_WHOLE
        if failure is None or self._display.progress.done:
            self._summarize(choosing, folder)
        if failure is not None:
            raise failure
        return self._exit_status

    def _isolate(self, brief: Brief, choosing: Choosing, sink: Sink) -> int:
        return isolate(
            self._wanted,
            brief,
            choosing=choosing,
            sink=sink,
            control=self._control,
            quiet=self._shown.quiet,
        )

    def _run_rounds(self, brief: Brief, choosing: Choosing, sink: Sink) -> None:
        for each in rounds_of(self._wanted):
            own = brief
            if not each.alone:
                self._display.note(str(each))
                own = brief.of_part(f"round-{each.number}")
                own.folder.mkdir()
            choosing.order = each.order
            self._run_once(own, choosing, sink)
            failed = self._display.progress.failed
            if self._control.should_stop or (self._wanted.until_failure and failed):
                return

    def _summarize(self, choosing: Choosing, folder: RunFolder) -> None:
        status = self._exit_status
        if self._wanted.only_list and status == PASSED:
            return
        self._display.summarize(
            Ending(
                exit_status=status,
                why=choosing.why_none if status == NO_TEST else "",
                again="whotests test --failed" if status == FAILED else "",
                logs=os.path.relpath(folder.path, self._cwd) if status else "",
            )
        )

    def _run_once(self, brief: Brief, choosing: Choosing, sink: Sink) -> None:
        def select(found: Sequence[Found]) -> Sequence[Item]:
            items = choosing(found)
            self._display.choose(Expected(item.key.test_id, item.seconds) for item in items)
            if self._wanted.only_list:
                for test_id in choosing.chosen:
                    sink.handle(Event(test_id, Status.EXISTS))
                if not self._machine_readable:
                    click.echo("".join(f"{test_id}\n" for test_id in choosing.chosen), nl=False)
            return items

        slots = local_slots(brief, brief.workers)
        self._interruption.reaches(slots)
        try:
            Run(brief, slots, sink=sink, select=select, control=self._control).run()
        except BaseException:
            for slot in slots:
                slot.kill()
                slot.close()
            raise
        finally:
            self._interruption.forget()

    def _begin_to_record(self) -> HostedRun | UnmeasuredRun:
        plan = plan_of(
            self._settings,
            cwd=self._cwd,
            command=("whotests", *sys.argv[1:]),
            append=self._measured.append,
        )
        return HostedRun.begin(plan) if self._measured.facts else UnmeasuredRun.begin(plan)

    def _is_partial(self) -> bool:
        wanted = self._wanted
        return bool(
            wanted.targets
            or wanted.words
            or wanted.keyword
            or wanted.failed
            or wanted.load_list
            or wanted.shard
            or self._display.progress.not_run
        )

    def _reports(self, hosted: HostedRun | UnmeasuredRun | None) -> RunReports:
        shown, wanted = self._shown, self._wanted
        sinks: dict[str, Sink] = {}
        if hosted is not None:
            sinks["the data file"] = hosted
        sinks["what is shown"] = self._display
        if wanted.max_failures:
            sinks["the count of failures"] = FailFast(self._count_failure)
        if shown.junit is not None:
            sinks[f"{shown.junit}"] = JUnitXml(self._cwd / shown.junit)
        if shown.subunit:
            sinks["the subunit stream"] = SubunitWriter(sys.stdout.buffer)
        if shown.as_json:
            sinks["the JSON stream"] = RunJson(sys.stdout, summary=self._summary)
        return RunReports(sinks, on_gone=self._control.stop)

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= self._wanted.max_failures:
            self._control.stop()

    def _status(self, choosing: Choosing, reports: RunReports) -> int:
        progress = self._display.progress
        if reports.gone or self._interruption.times:
            return INTERRUPTED
        if progress.failed:
            return FAILED
        if not (choosing.chosen if self._wanted.only_list else progress.done):
            return NO_TEST
        return PASSED

    def _summary(self) -> Mapping[str, object]:
        progress = self._display.progress
        return {
            "exit_status": self._exit_status,
            "tests": progress.chosen or 0,
            "counts": {str(status): number for status, number in progress.counts.items()},
            "outside": {str(status): number for status, number in progress.outside.items()},
            "not_run": progress.not_run,
        }
