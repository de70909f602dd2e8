"""What one call of `whotests test` shows people, and writes for programs."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click

from whotests.cli.exit_statuses import ExitStatus
from whotests.errors import UsageError
from whotests.reports.run_display import RunDisplay
from whotests.reports.run_json import RunJson
from whotests.reports.run_progress import Expected, Progress
from whotests.reports.run_reports import RunReports
from whotests.reports.run_summary import Ending
from whotests.runner.items import Item
from whotests.stream.event import FAILED, Event, Status
from whotests.stream.junit import JUnitXml
from whotests.stream.sink import Sink
from whotests.stream.subunit import SubunitWriter

__all__ = ["Shown", "TestShown"]

_VERDICTS: Final[dict[int, str]] = {
    ExitStatus.PASSED: "passed",
    ExitStatus.NOT_WHOLE: "passed, but not all is recorded or written",
    ExitStatus.INTERRUPTED: "INTERRUPTED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Who is told of a run, and how much."""

    verbose: bool = False
    quiet: bool = False
    slowest: int = 0
    """How many of the slowest tests are listed."""
    junit: Path | None = None
    """Relative to the folder of the call."""
    subunit: bool = False
    as_json: bool = False
    again: str = ""
    """The command that runs again what failed."""


class TestShown:
    """The sinks of a run, and what they have to know beside its events."""

    __test__ = False

    def __init__(
        self, shown: Shown, *, cwd: Path, workers: int, debug: bool, only_list: bool
    ) -> None:
        """Raises UsageError for what does not fit together."""
        if shown.subunit and shown.as_json:
            raise UsageError(
                "--subunit and --json both write to standard output; ask for one of them (whotests "
                "can write a JUnit file besides: --junit FILE)"
            )
        self._shown = shown
        self._cwd = cwd
        self._only_list = only_list
        self._for_programs = shown.subunit or shown.as_json
        self._workers = workers
        # What programs read has standard output for itself, and so has a list.
        self._display = RunDisplay(
            sys.stderr if self._for_programs or only_list else sys.stdout,
            workers=workers,
            verbose=shown.verbose,
            quiet=shown.quiet or only_list,
            slowest=shown.slowest,
            live=False if debug else None,
        )
        self._unshown: Exception | None = None
        """Why nothing could be shown before there were reports to say so."""
        self._display.on_lost = self._note_unshown
        self.exit_status: int = ExitStatus.PASSED
        """What the run comes to, as far as is known."""

    @property
    def progress(self) -> Progress:
        """The tests and their verdicts, in counts."""
        return self._display.progress

    def note(self, sentence: str) -> None:
        """Tell people something about the run."""
        self._display.note(sentence)

    def announce(self, sentence: str) -> None:
        """Tell people at once, from within the handler of a signal."""
        self._display.announce(sentence)

    def reports(self, others: dict[str, Sink], *, on_gone: Callable[[], object]) -> RunReports:
        """All that is told of the run: the other sinks, by name, first."""
        sinks = {**others, "what is shown": self._display}
        shown = self._shown
        if shown.junit is not None:
            sinks[str(shown.junit)] = JUnitXml(self._cwd / shown.junit)
        if shown.subunit:
            sinks["the subunit stream"] = SubunitWriter(sys.stdout.buffer)
        if shown.as_json:
            sinks["the JSON stream"] = RunJson(sys.stdout, summary=self._summary)
        reports = RunReports(sinks, on_gone=on_gone)
        # It counts as well, and has to go on with that where nothing can be shown.
        self._display.on_lost = partial(reports.lost, "what is shown")
        if self._unshown is not None:
            reports.lost("what is shown", self._unshown)
        return reports

    def _note_unshown(self, error: Exception) -> None:
        self._unshown = error

    def choose(self, items: Sequence[Item]) -> None:
        """These tests are going to be run."""
        self._display.choose(Expected(item.key.test_id, item.seconds) for item in items)

    def list_tests(self, ids: Sequence[str], sink: Sink) -> None:
        """These tests would be run."""
        for test_id in ids:
            sink.handle(Event(test_id, Status.EXISTS))
        if not self._for_programs:
            click.echo("".join(f"{test_id}\n" for test_id in ids), nl=False)

    def summarize(self, *, why_none: str, folder: Path) -> None:
        """Show what the run came to, after it has stopped."""
        status = self.exit_status
        if self._only_list and status == ExitStatus.PASSED:
            return
        failed = any(self.progress.counts[each] for each in FAILED)
        ending = Ending(
            verdict=_VERDICTS.get(status, "FAILED"),
            good=status == ExitStatus.PASSED,
            why=why_none if status == ExitStatus.NO_TEST else "",
            again=self._shown.again if failed else "",
            logs=os.path.relpath(folder, self._cwd) if status else "",
        )
        with suppress(OSError):  # where that goes, nobody reads it
            self._display.summarize(ending)

    def let_go(self) -> None:
        """Nothing is written any more. A stream that takes nothing leads nowhere from now on:
        Python would try once more when it ends, and end with a status of its own."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)

    def _summary(self) -> dict[str, object]:
        progress = self.progress
        return {
            "exit_status": int(self.exit_status),
            "tests": progress.chosen or 0,
            "counts": {str(status): number for status, number in progress.counts.items()},
            "outside": {str(status): number for status, number in progress.outside.items()},
            "not_run": progress.not_run,
            "workers": self._workers,
            "seconds": round(self._display.seconds, 3),
        }
