"""A run that records how its tests ended, and nothing of what they ran."""

from whotests.recording.beginning import run_record
from whotests.recording.hosted_run import Recorded
from whotests.recording.plan import Plan
from whotests.recording.verdicts import Verdicts
from whotests.store.unmeasured import keep_outcomes
from whotests.stream.event import Event
from whotests.types import RunStatus

__all__ = ["UnmeasuredRun"]


class UnmeasuredRun:
    """To be used like a `HostedRun`: outcomes and durations go to the history of the data file,
    of which all else stays what it is.
    """

    def __init__(self, plan: Plan) -> None:
        self._keep = plan.keep_history
        self._data = plan.data
        self._record = run_record(plan)
        self._verdicts = Verdicts()

    @classmethod
    def begin(cls, plan: Plan) -> "UnmeasuredRun":
        """The run begins now; the data file is not touched before it ends."""
        return cls(plan)

    def handover(self) -> str:
        """Nothing: its processes record nothing."""
        return ""

    def start_run(self) -> None:
        """Nothing: it has begun."""

    def handle(self, event: Event, /) -> None:
        """Take one event."""
        self._verdicts.handle(event)

    def stop_run(self) -> None:
        """Nothing: `finish` says more."""

    def finish(
        self,
        *,
        status: RunStatus,
        exit_status: int,
        partial: bool = False,
        died: bool = False,
    ) -> Recorded:
        """The run is over. Raises DataError or MachineError as a writer does."""
        records = self._verdicts.records()
        keep_outcomes(self._data, self._record, records, keep=self._keep)
        return Recorded()
