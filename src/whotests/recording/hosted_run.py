"""A run that is measured in other processes only: those that a runner starts."""

import re
from typing import Final, NamedTuple

from whotests.config.scope import Scope
from whotests.probes.cache import Cache
from whotests.recording.beginning import hide_cache, run_record
from whotests.recording.handover import Handover
from whotests.recording.plan import Plan
from whotests.recording.plan_file import PlanFile
from whotests.recording.stored_paths import StoredPaths
from whotests.recording.unloaded import not_imported, surprise_of, unloaded_files
from whotests.recording.verdicts import Verdicts
from whotests.records import Batch, FileRecord
from whotests.store.writer import Writer
from whotests.stream.event import Event
from whotests.system import System
from whotests.types import Outcome, RunStatus

__all__ = ["HostedRun", "Recorded"]

_SECONDS_BETWEEN_BEATS = 600.0
"""A run that did not write for a day counts as killed."""

_NAMED = 3

_NUMBER: Final = re.compile(r" #\d+\Z")

_BAD = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.UNKNOWN})
_FINE = frozenset({Outcome.PASSED, Outcome.SKIPPED, Outcome.EXPECTED_FAILURE})
"""What a process says of a test that its host has not let pass: one that was never awaited, say."""

_RAN = frozenset(Outcome) - {Outcome.ERROR, Outcome.SKIPPED, Outcome.UNKNOWN}
"""How tests ended that surely ran something."""


class Recorded(NamedTuple):
    """What there is to say of the data when a run is over."""

    problem: str = ""
    """Why what was recorded is incomplete, or ''."""
    surprise: str = ""
    """What the user may not expect of what was recorded, or ''."""


class HostedRun:
    """Begins a run in the data file, hands it over, and takes in what its processes recorded.

    It is a sink, too: it has to hear the verdict of each test. What a process could not tell of
    its test, because it died, is in the data as the runner saw it. All methods raise DataError or
    MachineError as the writer does.
    """

    def __init__(self, plan: Plan, writer: Writer, *, beat: float) -> None:
        self._plan = plan
        self._writer = writer
        self._verdicts = Verdicts()
        self._beat = beat
        self._beaten = System.monotonic()
        self._died = False
        """A host did."""

    @classmethod
    def begin(cls, plan: Plan, *, beat: float = _SECONDS_BETWEEN_BEATS) -> "HostedRun":
        """The run begins now, in this process, which runs none of its tests. The data file learns
        every `beat` seconds that it goes on, when events come."""
        writer = Writer.open(plan.data)
        writer.begin_run(run_record(plan))
        hide_cache(plan)
        return cls(plan, writer, beat=beat)

    def handover(self) -> str:
        """The variable's value for a process that is to record for this run."""
        return Handover(
            plan=PlanFile(self._plan).tell(), run=self._writer.run_id, source=self._plan.source
        ).to_text()

    @property
    def run_id(self) -> int:
        """The run's id in the data file."""
        return self._writer.run_id

    def outcomes(self) -> dict[str, Outcome]:
        """How each test ended, by its id."""
        return {test_id: verdict.outcome for test_id, verdict in self._verdicts.of.items()}

    def leave(self) -> None:
        """Let go of the data file; the run stays one that goes on."""
        self._writer.close()

    def start_run(self) -> None:
        """Nothing: it has begun."""

    def handle(self, event: Event, /) -> None:
        """Take one event; now and then the data file learns that the run goes on."""
        self._verdicts.handle(event)
        if (now := System.monotonic()) - self._beaten > self._beat:
            self._beaten = now
            self._writer.write(Batch())

    def stop_run(self) -> None:
        """Nothing: `finish` says more."""

    def without_facts(self) -> frozenset[str]:
        """The ids of tests that began and ended, but of which what they ran is not in the data, or
        not yet: hosts write about once a second, and what one had not written dies with it.

        Not among them is a test that the runner gave its verdict because its process died. To be
        asked when all hosts have ended, and one of them died: `finish` then looks again.
        """
        self._died = True
        written = self._writer.tests_of_parts()
        return frozenset(
            test_id
            for test_id, verdict in self._verdicts.of.items()
            if verdict.duration is not None
            and verdict.outcome in _RAN
            and test_id not in written
            and _written_as(test_id) not in written
        )

    def finish(
        self,
        *,
        status: RunStatus,
        exit_status: int,
        partial: bool = False,
        died: bool = False,
    ) -> Recorded:
        """The run is over; says why the data is incomplete, or surprising.

        `partial`: not all tests were to be run, or not all of them came to run, so that the others
        stay as older runs have them; so they do where the status is INTERRUPTED. `died`: a host's
        process did, so that something may be lost; where one has left word in the data that it
        began and none that it ended, that is known without.
        """
        plan, writer = self._plan, self._writer
        died = died or self._died or writer.has_killed_parts()
        lost = self.without_facts() if died else frozenset()
        written = writer.tests_of_parts()
        by_others = writer.files_of_parts() or frozenset()
        unloaded = self._unloaded()
        nothing = bool(self._verdicts.of) and not by_others
        surprises = writer.notes_of_parts() or (
            surprise_of(not_imported(unloaded), nothing_loaded=nothing, modules={}),
        )
        surprise = "; ".join(filter(None, surprises))
        stored = StoredPaths(plan.root)
        files = [file._replace(path=stored(file.path)) for file in unloaded]
        files = [file for file in files if file.path not in by_others]
        writer.write(
            Batch(
                files=tuple(file._replace(key=key) for key, file in enumerate(files)),
                tests=self._verdicts.records(but=written.keys()),
            )
        )
        problem = _lost(lost)
        incomplete = writer.finish_run(
            ended=System.since_the_epoch(),
            status=RunStatus.INCOMPLETE if problem else status,
            exit_status=exit_status,
            note=problem or surprise,
            append=plan.append or partial,
            keep_runs=plan.keep_runs,
            keep_history=plan.keep_history,
            corrected={
                test_id: Outcome.ERROR
                for test_id, verdict in self._verdicts.of.items()
                if verdict.outcome in _BAD and written.get(test_id) in _FINE
            },
        )
        writer.close()
        return Recorded(problem or incomplete, surprise)

    def _unloaded(self) -> list[FileRecord]:
        plan = self._plan
        scope = Scope(
            plan.source,
            root=plan.root,
            include=plan.include,
            omit=plan.omit,
            namespace_packages=plan.namespace_packages,
        )
        return unloaded_files(scope, [], Cache(plan.cache), plan.rules, modules={})


def _written_as(test_id: str) -> str:
    """What a process that records calls a test: its own id, without the number that tells it from
    others of that id, and what is no text in UTF-8 as the store writes it."""
    return _NUMBER.sub("", test_id).encode("utf-8", "backslashreplace").decode("utf-8")


def _lost(tests: frozenset[str]) -> str:
    if not tests:
        return ""
    named = ", ".join(sorted(tests)[:_NAMED])
    more = f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else ""
    return (
        "a process died before it had written what these tests ran: "
        f"{named}{more}; run them again, or all of them"
    )
