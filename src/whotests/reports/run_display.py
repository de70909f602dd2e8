"""What a run of tests shows while it goes on: failures as they come, what runs now.

May import rich and the stream. Refuses to decide what the run comes to.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final, TextIO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from whotests.reports.palette import Palette
from whotests.reports.run_failure import failure_text
from whotests.reports.run_progress import Expected, Progress, Running
from whotests.reports.run_screen import LiveScreen, PlainScreen, Screen
from whotests.reports.run_summary import Ending, Slowest, summary_text
from whotests.reports.run_words import STYLES, WORDS, clock_time, rough_time
from whotests.reports.words import count
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.event import FAILED, Event, Status
from whotests.stream.readable import one_line, reason_of
from whotests.stream.run_output import RunOutput

__all__ = ["RunDisplay"]

_WIDTH: Final = max(len(WORDS[status]) for status in (Status.SUCCESS, Status.FAIL, Status.SKIP))

_INPROGRESS: Final = Status.INPROGRESS  # CPython 3.11 looks members of enumerations up slowly
_EXISTS: Final = Status.EXISTS

_MOST_RUNNING: Final = 8
"""So many workers have a line; of more, the tests that take longest."""

_MARGIN: Final = 3
"""Columns that stay free, for the '^C' that a terminal writes where it is: it must not begin a
line of its own, which nobody would take away."""

_NOTE: Final = "note"
"""The attachment of no test in which a worker or the runner says something, whole."""

_LONG: Final = 60.0
"""Seconds after which a test is named in a stream of lines."""


class RunDisplay:
    """A sink that shows a run to people, on a terminal or in a stream of lines.

    A test that failed is shown at once with all that it attached, so that a run that is killed
    has shown it; with `verbose` every test has a line. `quiet` leaves failures and the counts.
    Raises OSError as the stream does.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        workers: int,
        verbose: bool = False,
        quiet: bool = False,
        slowest: int = 0,
        live: bool | None = None,
        pulse: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`live` None: where the stream is a terminal that can. `pulse`: seconds between lines
        that say how far it is, where it is none."""
        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        if live is None:
            live = stream.isatty() and console.is_interactive  # FORCE_COLOR makes no terminal
        self.progress = Progress()
        self._workers = workers
        self._verbose = verbose
        self._quiet = quiet
        self._clock = clock
        self._palette = Palette(console)
        self._console = console
        self._screen: Screen = (
            LiveScreen(console, self._region)
            if live
            else PlainScreen(stream, pulse=self._pulse_line, seconds=pulse)
        )
        self._slowest = Slowest(slowest)
        self._failed: list[tuple[Status, str]] = []
        self._output = RunOutput(self._show_output)
        self._collector = Collector(self._ended, on_other=self._take_other)
        self._begun = 0.0
        self._stopping = False
        self._lost = False
        self.on_lost: Callable[[Exception], object] | None = None
        """What hears, once, that nothing can be shown any more; nobody: then it is raised."""

    # -- what the run tells --------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self._clock() - self._begun

    def start_run(self) -> None:
        self._begun = self._clock()
        self._output.start()
        self._collector.start_run()
        self._screen.start()

    def choose(self, tests: Iterable[Expected], *, workers: int | None = None) -> None:
        """These tests are going to be run."""
        self.progress.choose(tests, workers=workers or self._workers)

    def note(self, sentence: str) -> None:
        """Say something about the run, whatever is left out otherwise."""
        self._write(self._palette.paint(one_line(sentence), "bold") + "\n")

    def _write(self, text: str) -> None:
        if self._lost:
            return
        try:
            self._screen.write(text)
        except Exception as error:
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        """Nothing can be shown any more; what is counted has to be right all the same."""
        self._lost = True
        if self.on_lost is None:
            raise error
        self.on_lost(error)

    def announce(self, sentence: str) -> None:
        """Say something at once. The handler of a signal may call it."""
        self._screen.announce(f"{sentence}\n")

    def handle(self, event: Event, /) -> None:
        if event.status is _INPROGRESS and event.test_id is not None:
            worker = _worker_of(event.route_code)
            self.progress.began(event.test_id, worker=worker, now=self._clock())
        self._collector.handle(event)

    def stop_run(self) -> None:
        """Tests of which no end was seen have no verdict: they are shown, and were not run."""
        self._stopping = True
        self._output.stop()
        self._collector.stop_run()
        try:
            self._screen.stop()
        except Exception as error:
            if not self._lost:
                self._lose(error)

    def summarize(self, ending: Ending) -> None:
        """Show what came of the run, after it has stopped."""
        text = summary_text(
            self.progress,
            ending,
            failed=self._failed,
            slowest=self._slowest.most(),
            seconds=self.seconds,
            palette=self._palette,
            quiet=self._quiet,
        )
        self._console.file.write(text)
        self._console.file.flush()

    # -- lines ---------------------------------------------------------------------------------

    def _ended(self, record: TestRecord) -> None:
        worker = _worker_of(record.route_code)
        if self._stopping:
            return self._show_cut_off(record)
        seconds = self.progress.ended(record, worker=worker)
        status = record.status
        if status is _EXISTS:
            return None
        if seconds is not None:
            self._slowest.add(seconds, record.test_id)
        failed = status in FAILED
        if failed:
            self._failed.append((status, record.test_id))
        elif self._quiet or not self._verbose:
            return None
        paint = self._palette.paint
        line = f"{paint(f'{WORDS[status]:{_WIDTH}}', STYLES[status])} {one_line(record.test_id)}"
        if status is Status.SKIP and (reason := reason_of(record)):
            line += f": {one_line(reason)}"
        about = [f"{seconds:.3f} s"] if seconds is not None and record.begun else []
        if self.progress.workers > 1 and worker:
            about.append(worker)
        if about:
            line += "  " + paint(", ".join(about), "dim")
        text = line + "\n"
        if failed:
            text += failure_text(record, self._palette)
        return self._write(text)

    def _show_cut_off(self, record: TestRecord) -> None:
        if record.begun:
            line = f"{self._palette.paint('cut off', 'bold yellow')} {one_line(record.test_id)}\n"
            self._write(line + failure_text(record, self._palette))

    def _take_other(self, event: Event) -> None:
        chunk = event.attachment
        if chunk is None or chunk.name != _NOTE:
            return self._output.handle(event)
        text = self._palette.foreign(chunk.content.decode("utf-8", "replace").rstrip())
        first, *rest = text.split("\n")
        if worker := _worker_of(event.route_code):
            first = f"{worker}: {first}"
        lines = "\n".join([first, *(f"  {line}" for line in rest)])
        return self._write(self._palette.paint(lines, "yellow") + "\n")

    def _show_output(self, line: str) -> None:
        if not self._quiet:
            self._write(self._palette.paint(self._palette.foreign(line), "dim") + "\n")

    # -- how far it is -------------------------------------------------------------------------

    def _counts(self) -> str:
        """'12 of 40 tests, 1 failed, about 2 min left'."""
        progress = self.progress
        if progress.chosen is None:
            return "collecting tests"
        said = [f"{progress.done:,} of {count(progress.chosen, 'test')}"]
        if progress.failed:
            said.append(f"{progress.failed:,} failed")
        left = progress.seconds_left(now=self._clock())
        if left is not None:
            said.append(f"about {rough_time(left)} left")
        return ", ".join(said)

    def _pulse_line(self) -> str | None:
        if self._quiet:
            return None
        now = self._clock()
        said = f"{clock_time(now - self._begun)}  {self._counts()}"
        long = [test for test in self.progress.running() if now - test.since >= _LONG]
        if long:
            named = [f"{test.test_id} ({rough_time(now - test.since)})" for test in long[:3]]
            more = f" and {len(long) - 3} more" if len(long) > 3 else ""
            said += f"; running: {', '.join(map(one_line, named))}{more}"
        return said

    def _region(self) -> RenderableType:
        progress, now = self.progress, self._clock()
        width = max(1, self._console.width - _MARGIN)
        running = progress.running()
        room = max(1, min(_MOST_RUNNING, self._console.height // 3))
        rows: list[RenderableType] = [
            self._running_line(test, now=now, width=width) for test in running[:room]
        ]
        if len(running) > room:
            rows.append(Text(f"   and {len(running) - room} more", style="dim"))
        line = Table.grid(padding=(0, 1))
        line.add_column(no_wrap=True)
        if progress.chosen is not None:
            line.add_column(no_wrap=True)
        line.add_column(no_wrap=True, overflow="ellipsis")
        words = Text(self._counts())
        if progress.failed:
            words.highlight_regex(r"[\d,]+ failed", "bold red")
        passed_time = Text(f" {clock_time(now - self._begun)}", style="cyan")
        if progress.chosen is None:
            line.add_row(passed_time, words)
        else:
            bar = ProgressBar(
                total=max(1, progress.chosen),
                completed=progress.done,
                width=max(8, min(40, width - words.cell_len - passed_time.cell_len - 3)),
                complete_style="red" if progress.failed else "green",
                finished_style="red" if progress.failed else "green",
            )
            line.add_row(passed_time, bar, words)
        return Constrain(Group(*rows, line), width)

    def _running_line(self, test: Running, *, now: float, width: int) -> Text:
        line = Text(no_wrap=True, overflow="crop")
        line.append(f" {test.worker or 'w0':<3} ", style="cyan")
        line.append(f"{now - test.since:6.1f} s  ", style="dim")
        line.append(_shortened(one_line(test.test_id), width - line.cell_len))
        return line


def _shortened(test_id: str, width: int) -> str:
    """The end of an id that is too long: what tells it from others."""
    if cell_len(test_id) <= width:
        return test_id
    while test_id and cell_len(test_id) >= width:
        test_id = test_id[1:]
    return f"…{test_id}"


def _worker_of(route_code: str | None) -> str:
    if route_code is None:
        return ""
    return route_code.partition("/")[0] if "/" in route_code else route_code
