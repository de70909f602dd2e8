"""The figures as Markdown: a table of ratios, a table of sizes, and the bars with met or missed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.results import Result
from benchmarks.variants import COLD, CONTEXTS, COVERAGE, PLAIN, WARM, Variant

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
    return "\n\n".join((about, ratios_table(results), sizes_table(results), bars_table(results)))


def ratios_table(results: Sequence[Result]) -> str:
    """Processor time of each variant over the plain suite's."""
    compared = (WARM, COLD, COVERAGE, CONTEXTS)
    rows = [
        [
            result.suite.name,
            result.outcomes,
            f"{result.cpu[PLAIN.name]:.2f} s",
            *(times(result.ratio(variant)) for variant in compared),
        ]
        for result in results
    ]
    rows.append(
        [
            "**geometric mean**",
            "",
            "",
            *(f"**{times(mean_ratio(results, variant))}**" for variant in compared),
        ]
    )
    return table(["suite", "tests", PLAIN.name, *(variant.name for variant in compared)], rows)


def sizes_table(results: Sequence[Result]) -> str:
    """What was recorded, what it takes on disk and in memory, and how fast it is asked."""
    headers = [
        "suite",
        "source lines",
        "facts (test and phase, line)",
        "whotests, new file",
        "whotests, after more runs",
        "coverage.py with contexts",
        "share",
        "memory",
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
                size(result.data.get(COLD.name)),
                size(result.data.get(WARM.name)),
                size(result.data.get(CONTEXTS.name)),
                NONE if result.data_share is None else f"1/{1 / result.data_share:.1f}",
                times(result.memory_ratio(WARM)),
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
    mean = mean_ratio(results, WARM)
    slower = [result.suite.name for result in results if result.beats_coverage is False]
    compared = any(result.beats_coverage is not None for result in results)
    largest = max(results, key=lambda result: result.facts.facts if result.facts else 0)
    return (
        Bar(
            promise="per-test contexts, warm: at most 1.25 times the plain suite (geometric mean)",
            measured=times(mean),
            met=None if mean is None else mean <= 1.25,
        ),
        Bar(
            promise="on no suite slower than coverage.py without contexts",
            measured=f"slower on {', '.join(slower)}"
            if slower
            else "on none"
            if compared
            else NONE,
            met=not slower if compared else None,
        ),
        worst(
            "cold instrumenting: at most 0.15 s per 1,000 source lines",
            ((result.suite.name, result.cold_cost) for result in results),
            limit=0.15,
            show=seconds,
        ),
        worst(
            "data: at most a fifth of coverage.py's with contexts",
            ((result.suite.name, result.data_share) for result in results),
            limit=0.2,
            show=lambda share: NONE if share is None else f"1/{1 / share:.1f}",
        ),
        worst(
            "`who FILE:LINE` on the largest of them: under 0.3 s",
            ((result.suite.name, result.who) for result in (largest,)),
            limit=0.3,
            show=seconds,
        ),
        worst(
            "peak memory: at most 1.3 times the plain suite",
            ((result.suite.name, result.memory_ratio(WARM)) for result in results),
            limit=1.3,
            show=times,
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
    if len(ratios) < len(results):
        return None
    return math.exp(math.fsum(math.log(ratio) for ratio in ratios) / len(ratios))


def times(ratio: float | None) -> str:
    return NONE if ratio is None else f"{ratio:.2f}x"


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
