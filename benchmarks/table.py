"""The figures as Markdown: a table of ratios, a table of sizes, and the bars with met or missed."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.results import Result
from benchmarks.variants import (
    BRANCHES,
    CONTEXTS,
    CONTEXTS_BRANCHES,
    COVERAGE,
    COVERAGE_BRANCHES,
    LINES,
    PLAIN,
    SLIPCOVER,
    SYSMON,
    VARIANTS,
    Variant,
)

__all__ = ["Bar", "bars", "render"]

KIB = 1024
MIB = 1024 * KIB
NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One promise, what was measured, and whether it holds."""

    promise: str
    measured: str
    met: bool | None
    """None when there is nothing to tell it by."""


def render(results: Sequence[Result], *, about: str) -> str:
    """The whole passage for the page; `about` says when and on what it was measured."""
    tables = (ratios_table(results), memory_table(results), sizes_table(results))
    return "\n\n".join((about, *tables, bars_table(results)))


def ratios_table(results: Sequence[Result]) -> str:
    """Processor time of each variant over the plain suite's: the least runs of both, and in
    brackets the median of what the two runs of each round come to."""
    compared = [variant for variant in VARIANTS[1:] if variant.name in results[0].cpu]
    rows = [
        [
            result.suite.name,
            result.outcomes,
            f"{result.cpu[PLAIN.name]:.2f} s",
            *(both(result.ratio(variant), result.paired[variant.name]) for variant in compared),
        ]
        for result in results
    ]
    means = (
        f"**{both(mean_ratio(results, variant), mean_of_medians(results, variant))}**"
        for variant in compared
    )
    rows.append(["**geometric mean**", "", "", *means])
    return table(["suite", "tests", PLAIN.name, *(variant.name for variant in compared)], rows)


def memory_table(results: Sequence[Result]) -> str:
    """Peak memory of each variant over the plain suite's, and shares of coverage.py's cost."""
    compared = [
        variant
        for variant in (BRANCHES, LINES, COVERAGE, COVERAGE_BRANCHES, SYSMON, SLIPCOVER)
        if variant.name in results[0].memory
    ]
    rows = [
        [
            result.suite.name,
            NONE if result.overhead_share is None else f"{result.overhead_share:.2f}",
            f"{result.memory[PLAIN.name] / MIB:.0f} MiB",
            *(times(result.memory_ratio(variant)) for variant in compared),
        ]
        for result in results
    ]
    headers = ["suite", "overhead over coverage.py's", "memory, plain"]
    return table([*headers, *(variant.name for variant in compared)], rows)


def sizes_table(results: Sequence[Result]) -> str:
    """What was recorded, what it takes on disk and in memory, and how fast it is asked."""
    headers = [
        "suite",
        "source lines",
        "facts (test and phase, line)",
        "branches, new file",
        "after more runs",
        "coverage.py, contexts and branches",
        "share",
        "lines, new file",
        "coverage.py, contexts",
        "share",
        "cold, per 1,000 lines",
        "`who`",
    ]
    rows = []
    for result in results:
        facts = result.facts
        rows.append(
            [
                result.suite.name,
                f"{facts.source_lines:,}" if facts else NONE,
                f"{facts.facts:,}" if facts else NONE,
                size(result.new_data.get(BRANCHES.name)),
                size(result.data.get(BRANCHES.name)),
                size(result.new_data.get(CONTEXTS_BRANCHES.name)),
                share(result.share_with_branches),
                size(result.new_data.get(LINES.name)),
                size(result.new_data.get(CONTEXTS.name)),
                share(result.share_of_lines),
                seconds(result.cold_cost),
                seconds(result.who),
            ]
        )
    return table(headers, rows)


def bars_table(results: Sequence[Result]) -> str:
    """The promises, one a row."""
    words = {True: "met", False: "**missed**", None: "not measured"}
    rows = [[bar.promise, bar.measured, words[bar.met]] for bar in bars(results)]
    return table(["bar", "measured", ""], rows)


def bars(results: Sequence[Result]) -> tuple[Bar, ...]:
    """Whether what the project promises about cost and size holds for these figures."""
    mean = mean_ratio(results, BRANCHES)
    largest = max(results, key=lambda result: result.facts.facts if result.facts else 0)
    return (
        Bar(
            promise="contexts and branches, warm: at most 1.15 times plain (geometric mean)",
            measured=times(mean),
            met=None if mean is None else mean <= 1.15,
        ),
        worst(
            "the same: at most 1.35 times plain on each suite",
            ((result.suite.name, result.ratio(BRANCHES)) for result in results),
            limit=1.35,
            show=times,
        ),
        worst(
            "it adds at most a third of what coverage.py's C tracer adds without contexts",
            ((result.suite.name, result.overhead_share) for result in results),
            limit=1 / 3,
            show=lambda part: NONE if part is None else f"{part:.2f}",
        ),
        worst(
            "data with branches: at most 1/50 of coverage.py's with contexts and branches",
            ((result.suite.name, result.share_with_branches) for result in results),
            limit=1 / 50,
            show=share,
        ),
        worst(
            "data of lines: at most 1/5 of coverage.py's with contexts",
            ((result.suite.name, result.share_of_lines) for result in results),
            limit=1 / 5,
            show=share,
        ),
        worst(
            "peak memory with branches: at most 1.3 times plain",
            ((result.suite.name, result.memory_ratio(BRANCHES)) for result in results),
            limit=1.3,
            show=times,
        ),
        worst(
            "cold instrumenting with branches: at most 0.15 s per 1,000 source lines",
            ((result.suite.name, result.cold_cost) for result in results),
            limit=0.15,
            show=seconds,
        ),
        worst(
            "`who FILE:LINE` on the largest of them: under 0.3 s",
            ((result.suite.name, result.who) for result in (largest,)),
            limit=0.3,
            show=seconds,
        ),
    )


class Show(Protocol):
    """Writes a figure, or a dash for none."""

    def __call__(self, figure: float | None, /) -> str: ...


def worst(
    promise: str,
    figures: Iterable[tuple[str, float | None]],
    *,
    limit: float,
    show: Show,
) -> Bar:
    """The bar that holds when every suite's figure stays within the limit."""
    known = [(figure, name) for name, figure in figures if figure is not None]
    if not known:
        return Bar(promise=promise, measured=NONE, met=None)
    figure, name = max(known)
    return Bar(promise=promise, measured=f"{show(figure)} ({name})", met=figure <= limit)


def mean_ratio(results: Sequence[Result], variant: Variant) -> float | None:
    """The geometric mean of a variant's ratios, or None when a suite lacks it."""
    ratios = [ratio for result in results if (ratio := result.ratio(variant)) is not None]
    return None if len(ratios) < len(results) else statistics.geometric_mean(ratios)


def mean_of_medians(results: Sequence[Result], variant: Variant) -> float:
    """The same of the medians over the rounds."""
    return statistics.geometric_mean([result.paired[variant.name] for result in results])


def both(least: float | None, median: float) -> str:
    return f"{times(least)} ({median:.2f})"


def times(ratio: float | None) -> str:
    return NONE if ratio is None else f"{ratio:.2f}x"


def share(part: float | None) -> str:
    """A share of something larger: '1/12.3'."""
    return NONE if not part else f"1/{1 / part:.1f}"


def seconds(duration: float | None) -> str:
    return NONE if duration is None else f"{duration:.3f} s"


def size(count: int | None) -> str:
    if count is None:
        return NONE
    return f"{count / MIB:.1f} MiB" if count >= MIB else f"{count / KIB:.0f} KiB"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
