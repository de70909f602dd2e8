"""One suite measured in every variant: the interleaved rounds, and what they come to."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.facts import Facts, read_facts
from benchmarks.suites import Suite
from benchmarks.timing import Cost, RunError, measure
from benchmarks.variants import (
    BRANCHES,
    COLD,
    CONTEXTS,
    CONTEXTS_BRANCHES,
    COVERAGE,
    COVERAGE_BRANCHES,
    LINES,
    PLAIN,
    Variant,
)
from benchmarks.workplaces import Workplace

__all__ = ["Result", "measure_suite"]

WHO_RUNS = 5


LEAST_SECONDS = 14
"""What the plain runs of a suite take together, at least, unless that takes too many rounds."""
MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one suite: the least of its runs, per variant."""

    suite: Suite
    outcomes: str
    rounds: int
    cpu: dict[str, float]
    """Seconds by variant's name."""
    paired: dict[str, float]
    """By variant's name: the median, over the rounds, of its processor time over that of the plain
    run of the same round. What slows the machine for a while slows both."""
    memory: dict[str, int]
    """Bytes by variant's name."""
    new_data: dict[str, int]
    """Bytes by variant's name, for those that write data: after its first run."""
    data: dict[str, int]
    """The same after its last run."""
    facts: Facts | None
    """None when the variant with contexts was left out."""
    who: float | None = None
    """Seconds of one `whotests who FILE:LINE`, the whole process; None without whotests."""

    def ratio(self, variant: Variant) -> float | None:
        """Its processor time over that of the plain suite."""
        return over(self.cpu.get(variant.name), self.cpu[PLAIN.name])

    def memory_ratio(self, variant: Variant) -> float | None:
        """Its peak memory over that of the plain suite."""
        return over(self.memory.get(variant.name), self.memory[PLAIN.name])

    def data_share(self, ours: Variant, theirs: Variant) -> float | None:
        """The size of our new data file over that of coverage.py's."""
        return over(self.new_data.get(ours.name), self.new_data.get(theirs.name))

    @property
    def share_with_branches(self) -> float | None:
        """Of coverage.py's file with contexts and branches."""
        return self.data_share(BRANCHES, CONTEXTS_BRANCHES)

    @property
    def share_of_lines(self) -> float | None:
        """Of coverage.py's file with contexts, lines only."""
        return self.data_share(LINES, CONTEXTS)

    @property
    def cold_cost(self) -> float | None:
        """Seconds that an empty cache costs per 1,000 source lines, with branches."""
        if self.facts is None or COLD.name not in self.cpu or BRANCHES.name not in self.cpu:
            return None
        return (self.cpu[COLD.name] - self.cpu[BRANCHES.name]) / self.facts.source_lines * 1000

    @property
    def overhead_share(self) -> float | None:
        """What contexts and branches of ours add to the plain suite, over what coverage.py
        without contexts adds: lines or branches, whichever is less."""
        theirs = [
            self.cpu[variant.name]
            for variant in (COVERAGE, COVERAGE_BRANCHES)
            if variant.name in self.cpu
        ]
        if BRANCHES.name not in self.cpu or not theirs:
            return None
        plain = self.cpu[PLAIN.name]
        return over(self.cpu[BRANCHES.name] - plain, min(theirs) - plain)


def over(figure: float | None, base: float | None) -> float | None:
    """One over the other, where both were measured."""
    return figure / base if figure is not None and base else None


def measure_suite(
    place: Workplace[Suite],
    *,
    variants: Sequence[Variant],
    rounds: int,
    say: Callable[[str], None],
) -> Result:
    """Run every variant once per round, the variants in turn, and keep the least figures. A short
    suite gets more rounds than the given ones, if these are several: what disturbs it may last as
    long as it does.

    Uncounted runs come first: a plain one, which writes the byte code and sets the outcomes that
    every other run must have, and one of each variant that is to be warm. Raises RunError when a
    run fails or its tests end differently.
    """
    folder, environment = place.folder, place.environment()
    expected = measure(PLAIN.command(place), folder=folder, environment=environment).outcomes
    if not expected:
        raise RunError(f"{place.suite.name}: no test ran")
    say(f"{place.suite.name}: {expected}")
    costs: dict[str, list[Cost]] = {variant.name: [] for variant in variants}
    data: dict[str, int] = {}
    new_data: dict[str, int] = {}
    facts: Facts | None = None

    def run(variant: Variant) -> Cost:
        variant.before(place)
        cost = measure(
            variant.command(place),
            folder=folder,
            environment=environment | dict(variant.variables),
        )
        if cost.outcomes != expected:
            raise RunError(
                f"{place.suite.name} under {variant.name}: "
                f"{cost.outcomes or 'no tests'}, not {expected}"
            )
        if variant.data_file is not None:
            data[variant.name] = size_of(variant.data_file(place))
            new_data.setdefault(variant.name, data[variant.name])
        return cost

    forget_data(place)
    for variant in variants:
        if variant.warmed:
            run(variant)
    if rounds > 1:
        wanted = math.ceil(LEAST_SECONDS / run(PLAIN).cpu)
        rounds = max(rounds, min(wanted, MOST_ROUNDS))
    for number in range(rounds):
        # Each round starts one variant later, so that a drift of the machine hits all alike.
        steady = [variant for variant in variants if not variant.once]
        turn = number % len(steady)
        once = [variant for variant in variants if variant.once and not number]
        for variant in (*steady[turn:], *steady[:turn], *once):
            cost = run(variant)
            costs[variant.name].append(cost)
            say(f"  round {number + 1}: {variant.name:31} {cost.cpu:7.2f} s")
            if variant is CONTEXTS:  # the next run of coverage.py replaces the file
                facts = read_facts(data_file(CONTEXTS, place))
    return Result(
        suite=place.suite,
        outcomes=expected,
        rounds=rounds,
        cpu={name: min(cost.cpu for cost in runs) for name, runs in costs.items()},
        paired={name: median_ratio(runs, costs[PLAIN.name]) for name, runs in costs.items()},
        memory={name: min(cost.memory for cost in runs) for name, runs in costs.items()},
        new_data=new_data,
        data=data,
        facts=facts,
        who=time_of_who(place, facts) if facts is not None and BRANCHES.name in data else None,
    )


def median_ratio(runs: Sequence[Cost], plain: Sequence[Cost]) -> float:
    """Of runs and plain runs of the same rounds; a variant may have run in the first ones only."""
    return statistics.median(one.cpu / other.cpu for one, other in zip(runs, plain, strict=False))


def forget_data(place: Workplace[Suite]) -> None:
    """Remove what earlier calls measured; caches stay."""
    PLAIN.before(place)  # brings back what an interrupted call has set aside
    for path in place.data_folder.glob("*.db*"):
        path.unlink()


def time_of_who(place: Workplace[Suite], facts: Facts) -> float:
    """Wall seconds of one `who` about the busiest line, start of the process included."""
    PLAIN.before(place)
    command = [
        str(place.venv / "bin" / "whotests"),
        "who",
        "--data",
        str(data_file(BRANCHES, place)),
        f"{facts.busiest_file}:{facts.busiest_line}",
    ]
    return min(
        measure(command, folder=place.folder, environment=place.environment()).wall
        for _ in range(WHO_RUNS)
    )


def data_file(variant: Variant, place: Workplace[Suite]) -> Path:
    assert variant.data_file is not None
    return variant.data_file(place)


def size_of(path: Path) -> int:
    """Bytes of a data file with the journal that SQLite may have left beside it."""
    beside = [path, path.with_name(path.name + "-wal")]
    return sum(part.stat().st_size for part in beside if part.exists())
