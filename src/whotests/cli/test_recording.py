"""What the data file gets of one call of `whotests test`: a run for each of its rounds."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whotests.config.settings import Settings
from whotests.errors import WhotestsError
from whotests.recording.hosted_run import HostedRun, Recorded
from whotests.recording.plan import Plan
from whotests.recording.planning import plan_of
from whotests.runner.unmeasured_run import UnmeasuredRun
from whotests.stream.event import Event
from whotests.types import RunStatus

if TYPE_CHECKING:
    from whotests.runner.cluster.facts import Facts

__all__ = ["Recording"]


class Recording:
    """A sink that hands on to the run that goes on now.

    A round is a run of its own: a test that fails in one round and passes in the next has two
    outcomes with the same code, which is what `whotests history` calls flaky.
    """

    def __init__(self, settings: Settings, *, cwd: Path, facts: bool, append: bool) -> None:
        """Nothing is written before `begin`. `facts`: what tests run is recorded, too."""
        self._settings = settings
        self._cwd = cwd
        self._facts = facts
        self._append = append
        self._said: set[str] = set()
        self.run: HostedRun | UnmeasuredRun | None = None
        """The one that goes on, if one does."""
        self.plan: Plan | None = None
        self.problems: list[str] = []
        """Why the data is not whole, as far as runs are over."""

    @property
    def hosted(self) -> HostedRun | None:
        """The run that goes on, where facts are recorded."""
        return self.run if isinstance(self.run, HostedRun) else None

    def begin(self) -> None:
        """A run begins. Raises DataError or MachineError as the writer does."""
        self.plan = plan_of(
            self._settings,
            cwd=self._cwd,
            command=("whotests", *sys.argv[1:]),
            append=self._append,
        )
        kind = HostedRun if self._facts else UnmeasuredRun
        self.run = kind.begin(self.plan)

    def add(self, facts: "Facts") -> None:
        """Make what the machines of a cluster recorded a part of the run that goes on. What cannot
        be written is a problem, as at the end."""
        if (run := self.hosted) is None or self.plan is None:
            return
        try:
            facts.add_to(self.plan.data, run=run.run_id, outcomes=run.outcomes())
        except WhotestsError as error:
            self.problems.append(f"the data is incomplete: {error}")

    def finish(self, *, interrupted: bool, exit_status: int, partial: bool, died: bool) -> None:
        """The run is over, if one goes on. What is surprising is said once, whatever rounds there
        are. What cannot be written is a problem: the verdicts are known by then, and stay."""
        run, self.run = self.run, None
        if run is None:
            return
        try:
            said = run.finish(
                status=RunStatus.INTERRUPTED if interrupted else RunStatus.FINISHED,
                exit_status=exit_status,
                partial=partial,
                died=died,
            )
        except WhotestsError as error:
            said = Recorded(problem=str(error))
        if said.problem:
            self.problems.append(f"the data is incomplete: {said.problem}")
        elif said.surprise and said.surprise not in self._said:
            self._said.add(said.surprise)
            click.echo(f"whotests: {said.surprise}", err=True)

    def start_run(self) -> None:
        """Nothing: `begin` does more."""

    def handle(self, event: Event, /) -> None:
        """Hand one event on."""
        if self.run is not None:
            self.run.handle(event)

    def stop_run(self) -> None:
        """Nothing: `finish` does more."""
