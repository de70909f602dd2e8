"""A host's process and all that is known of what it does: from its start to its burial."""

import time
from collections.abc import Callable, Collection
from signal import SIGABRT, SIGINT
from typing import Final, NamedTuple

from whotests.hosts.frames import COLLECTED, ENDED, EVENT, FOUND, IDLE, FrameReader, framed
from whotests.hosts.orders import END, RUN
from whotests.runner.agents.host_process import HostProcess
from whotests.runner.agents.post_mortem import (
    OutputTail,
    PostMortem,
    how_it_ended,
    last_stacks,
    times_out_of_memory,
)
from whotests.runner.agents.watch import DUMPING, Step, Watch
from whotests.runner.assignment import Assignment, Brief, Done
from whotests.stream.control import FileControl
from whotests.stream.event import Status

__all__ = ["INTERRUPTED", "AttendedHost", "Death", "Say"]

Say = Callable[[bytes], object]
"""Takes whole frames as they come from the host, in order."""

INTERRUPTED: Final = "interrupted"

LOOK: Final = 0.05
"""Seconds between looks into the journal while no bell rings."""

LISTENING: Final = 10.0
"""Seconds that an interrupted host has to let go of its fixtures."""

ENDING: Final = 10.0
"""Seconds that a host's process has to end after its last word while it does nothing."""

ENDING_AT_MOST: Final = 120.0
"""The same while it works, as when it writes what was recorded."""

AT_WORK: Final = 0.05
"""The part of a processor that a process uses that works, on a machine with much else to do."""


class Death(NamedTuple):
    """A host's process ended before its assignment did."""

    why: PostMortem
    running: str = ""
    """The test that was in progress, or ''."""
    left: Collection[str] = ()
    """Tests that it had to run and that had no verdict."""
    fruitful: bool = False
    """Whether any test had one since the assignment began."""
    groups: dict[str, str] = {}  # noqa: RUF012 - never written to
    """Which tests share fixtures, with whom."""
    collected: bool = False
    """Whether it had found its tests."""
    in_vain: bool = False
    """Whether another one would come to the same end."""


class Burial(NamedTuple):
    """What came of a host's end."""

    notes: tuple[str, ...] = ()
    crash: PostMortem | None = None
    """Its last word was said, and then it did not end as a process should."""


class AttendedHost:
    """One host; `do` its assignments, then `end` it."""

    def __init__(self, brief: Brief, *, worker: str, suite: int, number: int) -> None:
        """Starts its process. Raises MachineError when the system refuses."""
        self._limit = brief.timeout
        self._worker = worker
        self._memory = times_out_of_memory()
        self._process = HostProcess.start(brief, worker=worker, suite=suite, number=number)
        self._watch = Watch(brief.timeout, now=time.monotonic())
        self._tail = OutputTail(self._process.files.output)
        self._said_last = False
        self._stop = FileControl(brief.folder / "stop")

    @property
    def suite(self) -> int:
        """Whose tests it runs."""
        return self._process.suite

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def collected(self) -> bool:
        """Whether it has found its tests."""
        return self._watch.collected

    # -- assignments ---------------------------------------------------------------------------

    def do(
        self,
        assignment: Assignment,
        say: Say,
        stops: Callable[[], int],
        *,
        held: Collection[str] = (),
    ) -> Done | Death:
        """Do the assignment; `held` is what it holds back. `stops` tells how much it is to stop
        meanwhile: 0 not at all, 1 as by Ctrl-C, 2 at once. `said` of what is done is left to the
        caller, who has heard it."""
        if self._watch.collected:
            if assignment.collect:
                say(self._process.files.found.read_bytes())
            if not assignment.tests and not assignment.end:
                return Done(0)
        wanted = COLLECTED
        todo = (*held, *assignment.tests)
        self._watch.begin(todo, end=assignment.end, now=time.monotonic())
        if assignment.tests:
            self._process.order((RUN, list(assignment.tests)))
            wanted = IDLE
        if assignment.end:
            self._process.order((END,))
            wanted = ENDED
        interrupted: float | None = None
        while True:
            self._process.wait_news(LOOK)
            gone = self._process.gone
            done = self._listen(wanted, assignment.collect, say, gone=gone)
            if (done is not None or gone) and stops():
                self._leave_open(say)
                return Done(0, ended=INTERRUPTED)
            if done is not None or gone:
                return done or self._death()
            now = time.monotonic()
            if stop := stops():
                if interrupted is None:
                    interrupted = now
                    # So a host tells Ctrl-C from what a test raises by itself.
                    self._stop.stop()
                    self._process.signal(SIGINT)
                if stop > 1 or now - interrupted > LISTENING:
                    self._process.kill()
            elif (step := self._watch.step(now)) is Step.ABORT:
                self._process.signal(SIGABRT)
            elif step is Step.KILL:
                self._process.kill()

    def _listen(self, wanted: str, collect: bool, say: Say, *, gone: bool) -> Done | None:
        """Pass on what it has said since; how the assignment ended, if it has."""
        done: Done | None = None
        for octets, frames in self._process.said():
            self._watch.note(frames, now=time.monotonic())
            self._tail.follow(self._process.pid, self._watch.output)
            if collect and any(frame[0] == COLLECTED for frame in frames):
                say(self._process.files.found.read_bytes())
            say(octets)
            for frame in frames:
                if frame[0] == ENDED:
                    self._said_last = True
                    by_itself = "" if wanted == ENDED else "it ended by itself"
                    done = Done(0, ended=str(frame[1]) or by_itself)
                elif frame[0] == wanted:
                    done = Done(0, tuple(frame[1]) if wanted == IDLE else ())
            if not self._watch.running and not gone:
                self._tail.mark()
        return done

    def _leave_open(self, say: Say) -> None:
        """Of the test in progress nothing more will be known."""
        if test_id := self._watch.running:
            unknown = Status.UNKNOWN.value
            say(framed((EVENT, test_id, unknown, None, True, None, None, time.time())))

    # -- its death -----------------------------------------------------------------------------

    def _death(self) -> Death:
        watch = self._watch
        return Death(
            PostMortem(self._reason(), self._stacks(), self._tail.read()),
            running=watch.running,
            left=watch.left,
            fruitful=watch.fruitful,
            groups=self._groups(),
            collected=watch.collected,
            in_vain=bool(self._process.trouble),
        )

    def _reason(self) -> str:
        watch, process = self._watch, self._process
        if process.trouble:
            return f"the process of worker {self._worker} gave up: {process.trouble}"
        how = how_it_ended(process.status, memory_short=times_out_of_memory() > self._memory)
        if watch.late and watch.running:
            return (
                f"the test took longer than {self._limit:g} s and did not stop when it was "
                f"interrupted; the process of worker {self._worker} {how} for that"
            )
        if watch.late:
            return (
                f"for {self._limit:g} s and more no test began or ended; the process of worker "
                f"{self._worker} {how} for that"
            )
        if watch.running:
            seconds = watch.since(time.monotonic())
            how += f" while it ran this test, {seconds:.1f} s after that began"
        return f"the process of worker {self._worker} {how}"

    def _stacks(self) -> bytes:
        return last_stacks(self._process.files.stacks)

    def _groups(self) -> dict[str, str]:
        try:
            octets = self._process.files.found.read_bytes()
        except OSError:
            return {}
        frames = (frame for frame in FrameReader().feed(octets) if frame[0] == FOUND)
        return {test_id: group for frame in frames for test_id, group in frame[1] if group}

    # -- its burial ----------------------------------------------------------------------------

    def end(self, say: Say, killed: Callable[[], bool]) -> Burial:
        """Let the process end if it lives, and end all that it has left running. Comes back soon:
        a host that does not end by itself is killed. `killed`: whether it is to be at once. What
        it says meanwhile, as of fixtures, where it was not waited for, is passed on."""
        process = self._process
        process.let_go()
        notes = []
        crash = None
        alive = not process.gone
        if not self._ends(killed):
            process.signal(SIGABRT)
            self._wait_gone(DUMPING, killed)
            notes.append(
                "its process did not end after its last test and was killed; "
                f"where it was is in {process.files.stacks}"
            )
        if not self._said_last:
            self._listen(ENDED, False, say, gone=True)
        if self._said_last and process.status and not killed() and not notes:
            how = how_it_ended(process.status)
            reason = f"the process of worker {self._worker} {how} after its last test"
            crash = PostMortem(reason, self._stacks(), self._tail.read())
        elif alive and not self._said_last and not killed() and not notes:
            notes.append(f"its process {how_it_ended(process.status)} before its last word")
        if left := process.bury():
            names = ", ".join(f"{each.command!r} (process {each.pid})" for each in left)
            notes.append(f"tests left processes running, which were ended: {names}")
        self._tail.close()
        return Burial(tuple(notes), crash)

    def _ends(self, killed: Callable[[], bool]) -> bool:
        """Whether the process is gone soon, by itself."""
        begun = time.monotonic()
        while time.monotonic() - begun < ENDING_AT_MOST:
            worked = self._process.worked
            if self._wait_gone(ENDING, killed):
                return True
            if killed() or self._process.worked - worked < AT_WORK * ENDING:
                return False
        return False

    def _wait_gone(self, seconds: float, killed: Callable[[], bool]) -> bool:
        until = time.monotonic() + seconds
        pause = 0.001
        while not self._process.gone:
            if killed() or time.monotonic() > until:
                return False
            time.sleep(pause)
            pause = min(2 * pause, LOOK)
        return True
