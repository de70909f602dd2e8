"""Any sequence of runs leaves in a data file what the rules of generations say, and no less."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from data_files import INIT, NOON, DataFile, basket_of
from whotests.store.generations import generations
from whotests.types import RunStatus

DEAD = 2**22 + 1
"""No process has this id."""


class Step(NamedTuple):
    """A run, from its beginning to its end."""

    name: str
    label: str
    tests: frozenset[str]
    status: RunStatus
    append: bool
    keep_runs: int


STEPS = st.builds(
    Step,
    name=st.sampled_from(["", "nightly"]),
    label=st.sampled_from(["", "py"]),
    tests=st.frozensets(st.sampled_from("abc")),
    status=st.sampled_from([*RunStatus, RunStatus.FINISHED, RunStatus.FINISHED]),
    append=st.booleans(),
    keep_runs=st.integers(1, 3),
)


@dataclass
class Kept:
    """A run as the model has it."""

    number: int
    step: Step
    tests: set[str]
    superseded: int = 0
    """The number of the step that took its place; 0: none has."""

    def is_of(self, step: Step) -> bool:
        """Whether it has the name and label."""
        return (self.step.name, self.step.label) == (step.name, step.label)


class Model:
    """What the rules say, over plain lists."""

    def __init__(self) -> None:
        self.runs: list[Kept] = []

    def take(self, number: int, step: Step) -> None:
        """A run happened."""
        same = [run for run in self.runs if run.is_of(step)]
        current = [run for run in same if not run.superseded]
        self.runs.append(Kept(number, step, set(step.tests)))
        if step.status in (RunStatus.RUNNING, RunStatus.INCOMPLETE):
            return
        in_vain = not step.tests and any(run.tests for run in current)
        if step.status is RunStatus.INTERRUPTED or step.append or in_vain:
            for run in current:
                if run.tests & step.tests:
                    run.tests -= step.tests
                    if not run.tests:
                        self.runs.remove(run)
            return
        for run in current:
            run.superseded = number
        times = sorted({run.superseded for run in same}, reverse=True)[step.keep_runs - 1 :]
        self.runs = [run for run in self.runs if run not in same or run.superseded not in times]

    def generation(self, run: Kept) -> int:
        """How many generations before the current one."""
        times = {other.superseded for other in self.runs if other.is_of(run.step)} - {0}
        later = [time for time in times if time >= run.superseded]
        return len(later) if run.superseded else 0


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=8))
def test_runs_are_kept_as_the_rules_say(steps: list[Step]) -> None:
    """Which runs, which of their tests, and in which generation; and what is asked by default."""
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        data = DataFile(Path(folder))
        for number, step in enumerate(steps, start=1):
            with data.run(
                started=NOON + number * 10,
                name=step.name,
                label=step.label,
                keep_runs=step.keep_runs,
                status=step.status,
                append=step.append,
                pid=DEAD if step.status is RunStatus.RUNNING else None,
            ) as run:
                run.file(basket_of())
                for test in sorted(step.tests):
                    run.test(test, INIT)
            model.take(number, step)
            check(data, model, now=NOON + number * 10 + 5)


def check(data: DataFile, model: Model, *, now: float) -> None:
    """The file holds what the model does."""
    with data.opened(now=now) as (reader, _):
        ages = generations(reader.all_runs)
        kept = {
            round(run.started - NOON) // 10: (ages[run.id], sum(reader.outcomes[run.id].values()))
            for run in reader.all_runs
        }
        assert kept == {run.number: (model.generation(run), len(run.tests)) for run in model.runs}
        current = [run for run in model.runs if not run.superseded]
        asked = [run for run in current if run.step.name == current[-1].step.name]
        newest = {(run.step.label, test): run.number for run in asked for test in run.tests}
        numbers = {run.id: round(run.started - NOON) // 10 for run in reader.runs}
        assert set(numbers.values()) == {run.number for run in asked}
        found = {(test.label, str(test.name)): numbers[test.run_id] for test in reader.tests}
        assert found == newest
        ran = {context.test for context in reader.contexts()}
        assert ran == set(reader.tests)
