"""Which runs does the data hold?

May import types, errors and the store. Refuses to read a disk or to print.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from whotests.store.generations import chosen, generations
from whotests.store.reader import Reader
from whotests.store.values import Run
from whotests.types import Outcome

__all__ = ["KeptRun", "Runs", "runs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """One run that is kept."""

    run: Run
    generation: int
    """How many generations before the current one of its name and label it is; 0: it is current."""
    asked: bool
    """Queries speak of it when they are given no `--run`."""
    outcomes: Mapping[Outcome, int]
    """How its tests ended; only outcomes that occur."""

    @property
    def tests(self) -> int:
        """How many tests it has."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The answer."""

    paths: tuple[Path, ...]
    """The data files."""
    kept: tuple[KeptRun, ...]
    """The newest first."""
    past: int
    """Of how many other runs it is known how their tests ended: `query.history`."""


def runs(reader: Reader, *, everything: bool = True) -> Runs:
    """The runs that the data holds; or those that the reader speaks of."""
    ages = generations(reader.all_runs)
    default = {run.id for run in chosen(reader.all_runs)}
    some = reader.all_runs if everything else reader.runs
    return Runs(
        paths=reader.paths,
        past=reader.past_runs,
        kept=tuple(
            KeptRun(
                run=run,
                generation=ages[run.id],
                asked=run.id in default,
                outcomes=reader.outcomes[run.id],
            )
            for run in reversed(some)
        ),
    )
