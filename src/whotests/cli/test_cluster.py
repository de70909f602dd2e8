"""`whotests test --cluster`: a run whose workers are on a Dask cluster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from whotests.cli.test_recording import Recording
from whotests.runner.agents.interruption import Interruption
from whotests.runner.agents.slots import Slot
from whotests.runner.assignment import Brief
from whotests.runner.cluster.connection import Connection
from whotests.runner.cluster.terms import SourceMode
from whotests.runner.cluster.workers import ClusterWorkers
from whotests.runner.running.run import Run, Select
from whotests.stream.control import Control
from whotests.stream.sink import Sink

__all__ = ["OnCluster"]


class OnCluster:
    """The cluster that one command runs on, for all of its rounds."""

    def __init__(
        self,
        address: str,
        *,
        source: SourceMode,
        patience: float,
        interruption: Interruption,
        control: Control,
        tell: Callable[[str], None],
    ) -> None:
        self._address = address
        self._source = source
        self._patience = patience
        self._interruption = interruption
        self._control = control
        self._tell = tell
        self._connection: Connection | None = None

    @contextmanager
    def connected(self, folder: Path) -> Iterator[None]:
        """It is there meanwhile; what Dask says is in a log in the run's folder."""
        log = folder / "cluster.log"
        connection = Connection.open(self._address, log=log, patience=self._patience)
        with connection as self._connection:
            yield

    def run(
        self,
        brief: Brief,
        *,
        select: Select,
        sink: Sink,
        recording: Recording | None,
        keep_order: bool = False,
    ) -> None:
        """One round. Raises what a run does, and MachineError when no worker can be had. What
        cannot be added to the data file is a problem of the recording."""
        assert self._connection is not None, "connected first"
        hosted = None if recording is None else recording.hosted
        with ClusterWorkers(
            self._connection,
            brief._replace(handover=""),
            plan=None if recording is None or hosted is None else recording.plan,
            source=self._source,
            tell=self._tell,
            patience=self._patience,
        ) as workers:
            slots = workers.wait_slots()
            self._interruption.reaches(slots)
            facts = workers.facts

            def without_facts() -> frozenset[str]:
                if hosted is None or facts is None:
                    return frozenset()
                return hosted.without_facts() - facts.tests()

            run = Run(
                brief._replace(workers=len(slots)),
                slots,
                sink=sink,
                select=select,
                control=self._control,
                patience=workers.patience,
                keep_order=keep_order,
                without_facts=without_facts,
            )

            def join(slot: Slot) -> None:
                self._interruption.reaches([slot])
                run.join(slot)

            workers.follow(join)
            try:
                run.run()
            finally:
                self._interruption.forget()
                if recording is not None and facts is not None:
                    recording.add(facts)
