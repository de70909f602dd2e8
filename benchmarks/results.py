"""One suite measured in every variant: the interleaved rounds, and what they come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.facts import Facts, read_facts
from benchmarks.suites import Suite
from benchmarks.timing import Cost, RunError, measure
from benchmarks.variants import COLD, CONTEXTS, COVERAGE, PLAIN, WARM, Variant
from benchmarks.workplaces import Workplace

__all__ = ["Result", "measure_suite"]

WHO_RUNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one suite: the least of its runs, per variant."""

    suite: Suite
    outcomes: str
    rounds: int
    cpu: dict[str, float]
    """Seconds by variant's name."""
    memory: dict[str, int]
    """Bytes by variant's name."""
    data: dict[str, int]
    """Bytes by variant's name, for those that write data."""
    facts: Facts | None
    """None when the variant with contexts was left out."""
    who: float | None = field(default=None)
    """Seconds of one `whotests who FILE:LINE`, the whole process; None without whotests."""

    def ratio(self, variant: Variant) -> float | None:
        """Its processor time over that of the plain suite."""
        return self._over_plain(self.cpu, variant)

    def memory_ratio(self, variant: Variant) -> float | None:
        """Its peak memory over that of the plain suite."""
        return self._over_plain(self.memory, variant)

    @property
    def data_share(self) -> float | None:
        """The size of whotests' new data file over that of coverage.py's with contexts."""
        if COLD.name not in self.data or CONTEXTS.name not in self.data:
            return None
        return self.data[COLD.name] / self.data[CONTEXTS.name]

    @property
    def cold_cost(self) -> float | None:
        """Seconds that an empty cache costs per 1,000 source lines."""
        if self.facts is None or COLD.name not in self.cpu or WARM.name not in self.cpu:
            return None
        return (self.cpu[COLD.name] - self.cpu[WARM.name]) / self.facts.source_lines * 1000

    @property
    def beats_coverage(self) -> bool | None:
        """Warm, with contexts, is no slower than coverage.py without."""
        if WARM.name not in self.cpu or COVERAGE.name not in self.cpu:
            return None
        return self.cpu[WARM.name] <= self.cpu[COVERAGE.name]

    def _over_plain(
        self, figures: dict[str, float] | dict[str, int], variant: Variant
    ) -> float | None:
        if variant.name not in figures:
            return None
        return figures[variant.name] / figures[PLAIN.name]


def measure_suite(
    place: Workplace[Suite],
    *,
    variants: Sequence[Variant],
    rounds: int,
    say: Callable[[str], None],
) -> Result:
    """Run every variant once per round, the variants in turn, and keep the least figures.

    An uncounted plain run comes first: it writes the byte code and sets the outcomes that every
    other run must have. Raises RunError when a run fails or its tests end differently.
    """
    folder, environment = place.folder, place.environment()
    expected = measure(PLAIN.command(place), folder=folder, environment=environment).outcomes
    if not expected:
        raise RunError(f"{place.suite.name}: no test ran")
    say(f"{place.suite.name}: {expected}")
    costs: dict[str, list[Cost]] = {variant.name: [] for variant in variants}
    data: dict[str, int] = {}
    for number in range(rounds):
        # Each round starts one variant later, so that a drift of the machine hits all alike.
        turn = number % len(variants)
        for variant in (*variants[turn:], *variants[:turn]):
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
            costs[variant.name].append(cost)
            if variant.data_file is not None:
                data[variant.name] = size_of(variant.data_file(place))
            say(f"  round {number + 1}: {variant.name:31} {cost.cpu:7.2f} s")
    names = {variant.name for variant in variants}
    facts = read_facts(data_file(CONTEXTS, place)) if CONTEXTS.name in names else None
    return Result(
        suite=place.suite,
        outcomes=expected,
        rounds=rounds,
        cpu={name: min(cost.cpu for cost in runs) for name, runs in costs.items()},
        memory={name: min(cost.memory for cost in runs) for name, runs in costs.items()},
        data=data,
        facts=facts,
        who=time_of_who(place, facts) if facts is not None and WARM.name in names else None,
    )


def time_of_who(place: Workplace[Suite], facts: Facts) -> float:
    """Wall seconds of one `who` about the busiest line, start of the process included."""
    command = [
        str(place.venv / "bin" / "whotests"),
        "who",
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
