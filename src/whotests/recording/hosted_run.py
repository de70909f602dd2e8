"""A run that is measured in other processes only: those that a runner starts."""

from whotests.recording.handover import Handover
from whotests.recording.originals import Clock
from whotests.recording.plan import Plan
from whotests.recording.plan_file import PlanFile
from whotests.recording.session import run_record
from whotests.store.writer import Writer
from whotests.types import RunStatus

__all__ = ["HostedRun"]


class HostedRun:
    """Begins a run in the data file, hands it over, and takes in what its processes recorded.

    All methods raise DataError or MachineError as the writer does.
    """

    def __init__(self, plan: Plan, writer: Writer) -> None:
        self._plan = plan
        self._writer = writer

    @classmethod
    def begin(cls, plan: Plan) -> "HostedRun":
        """The run begins now, in this process, which runs none of its tests."""
        writer = Writer.open(plan.data)
        writer.begin_run(run_record(plan))
        return cls(plan, writer)

    def handover(self) -> str:
        """The variable's value for a process that is to record for this run."""
        return Handover(
            plan=PlanFile(self._plan).tell(), run=self._writer.run_id, source=self._plan.source
        ).to_text()

    def finish(self, *, status: RunStatus, exit_status: int) -> str:
        """The run is over: why what was recorded is incomplete, or ''."""
        self._writer.finish_run(
            ended=Clock.since_the_epoch(),
            status=status,
            exit_status=exit_status,
            note="",
            append=self._plan.append,
            keep_runs=self._plan.keep_runs,
        )
        self._writer.close()
        return ""
