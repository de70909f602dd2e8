"""What came of a run of tests, in a few lines.

May import the stream. Refuses to find anything out.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from whotests.reports.palette import Palette
from whotests.reports.run_progress import Progress
from whotests.reports.run_words import STYLES, WORDS, ended_so
from whotests.reports.words import count, duration
from whotests.stream.event import FAILED, Status
from whotests.stream.readable import one_line

__all__ = ["Ending", "Slowest", "summary_text"]

_TAGS: Final = {
    "xpassed": "of them though a failure was expected",
    "rerun": "of them run again",
}
"""Tags that say more of how a test ended."""

_MOST_NAMES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, besides what came of its tests."""

    verdict: str
    """What the counts begin with: 'passed', 'FAILED'..."""
    good: bool
    why: str = ""
    """Why no test was run, or ''."""
    again: str = ""
    """The command that runs again what failed, or ''."""
    logs: str = ""
    """The folder with the logs, or ''."""


class Slowest:
    """Remembers the few tests that took longest."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._tests: list[tuple[float, str]] = []

    def add(self, seconds: float, test_id: str) -> None:
        """A test that ended."""
        if len(self._tests) < self._number:
            heapq.heappush(self._tests, (seconds, test_id))
        elif self._tests and seconds > self._tests[0][0]:
            heapq.heapreplace(self._tests, (seconds, test_id))

    def most(self) -> list[tuple[float, str]]:
        """Seconds and ids, the slowest first."""
        return sorted(self._tests, key=lambda test: (-test[0], test[1]))


def summary_text(
    progress: Progress,
    ending: Ending,
    *,
    failed: Sequence[tuple[Status, str]],
    slowest: Sequence[tuple[float, str]],
    seconds: float,
    palette: Palette,
    quiet: bool,
) -> str:
    """Whole lines: what failed, by name; what took longest; the counts; what to do next."""
    paint = palette.paint
    lines: list[str] = []
    if failed and not quiet:
        lines += ["", paint(count(len(failed), "failure"), "bold")]
        for status, test_id in failed[:_MOST_NAMES]:
            lines.append(f"  {paint(WORDS[status], STYLES[status])} {one_line(test_id)}")
        if len(failed) > _MOST_NAMES:
            lines.append(f"  and {len(failed) - _MOST_NAMES:,} more")
    if slowest:
        width = max(len(duration(took)) for took, _ in slowest)
        lines += ["", paint("slowest", "bold")]
        lines += [f"  {duration(took):>{width}}  {one_line(name)}" for took, name in slowest]
    if lines:
        lines.append("")
    style = "bold green" if ending.good else "bold red"
    took = f"in {duration(seconds)}"
    if progress.workers > 1:
        took += f" by {count(progress.workers, 'worker')}"
    lines.append(f"{paint(ending.verdict, style)}: {_counts(progress, palette)} {took}")
    if ending.why:
        lines.append(ending.why)
    if ending.again and not quiet:
        lines.append(f"again: {ending.again}")
    if ending.logs and not quiet:
        lines.append(f"logs: {ending.logs}")
    return "\n".join(lines) + "\n"


def _counts(progress: Progress, palette: Palette) -> str:
    said = [
        palette.paint(ended_so(progress.counts[status], status), STYLES[status])
        for status in Status
        if progress.counts[status]
    ]
    outside = sum(progress.outside[status] for status in FAILED)
    if outside:
        said.append(palette.paint(f"{count(outside, 'failure')} outside of tests", "bold red"))
    if skips := progress.outside[Status.SKIP]:
        said.append(palette.paint(f"{count(skips, 'skip')} outside of tests", STYLES[Status.SKIP]))
    for tag, words in _TAGS.items():
        if progress.tags[tag]:
            said.append(palette.paint(f"{progress.tags[tag]:,} {words}", "yellow"))
    if progress.not_run:
        said.append(palette.paint(f"{progress.not_run:,} not run", "yellow"))
    return ", ".join(said) or "no test"
