"""Watches over the processes of one worker's hosts: starts, orders, times, buries them."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from whotests.hosts.frames import (
    COLLECTED,
    ENDED,
    EVENT,
    IDLE,
    Frame,
    FrameReader,
    framed,
)
from whotests.hosts.orders import END, RUN
from whotests.hosts.task import Task
from whotests.recording.handover import VARIABLE
from whotests.runner.assignment import Assignment, Brief, Done
from whotests.stream.event import FINAL

__all__ = ["Agent", "Say"]

Say = Callable[[bytes], object]
"""Takes whole frames as they come from the host, in order."""

_LIBRARY: Final = str(Path(__file__).resolve().parents[2])

_BOOT: Final = f"""\
import sys
sys.flags.safe_path or sys.path.pop(0)
sys.path.append({_LIBRARY!r})
import whotests
sys.path.pop()
from whotests.integrations.child_process import begin
begin()
from whotests.hosts.main import main
main()
"""

_LOOK = 0.05
"""Seconds between looks into the journal while no bell rings."""

_FINAL = frozenset(status.value for status in FINAL)


class Agent:
    """One worker: at most one host's process at a time, replaced when it dies."""

    def __init__(self, brief: Brief, name: str) -> None:
        self.brief = brief
        self.name = name
        self._host: _HostProcess | None = None
        self._started = 0

    def work(self, assignment: Assignment, say: Say) -> Done:
        """Do the assignment; comes back when it is done or the host has died."""
        if self._host is not None and self._host.suite != assignment.suite:
            raise AssertionError("a host is ended before another suite's begins")
        if self._host is None:
            if assignment.end and not assignment.tests:
                return Done(0)
            self._started += 1
            self._host = _HostProcess(self.brief, self.name, assignment.suite, self._started)
        done = self._host.do(assignment, say)
        if assignment.end or done.died or done.ended:
            self._host.bury()
            self._host = None
        return done

    def interrupt(self) -> None:
        """Let the host end as by Ctrl-C; any thread may."""
        if (host := self._host) is not None:
            host.interrupt()

    def kill(self) -> None:
        """End the host's process at once; any thread may."""
        if (host := self._host) is not None:
            host.kill()


class _HostProcess:
    """A host's process, and what is known of what it does."""

    def __init__(self, brief: Brief, name: str, suite: int, number: int) -> None:
        self.suite = suite
        files = brief.folder / f"{name}-{number}"
        work = brief.folder / name
        work.mkdir(exist_ok=True)
        orders, self._orders = os.pipe()
        self._bell, bell = os.pipe()
        os.set_blocking(self._bell, False)
        journal = files.with_suffix(".journal")
        journal.touch()
        self._journal = os.open(journal, os.O_RDONLY)
        self._found = files.with_suffix(".found")
        self._collect = False
        self._collected = False
        task = Task(
            suite=brief.suites[suite],
            root=str(brief.root),
            cwd=str(brief.cwd),
            work=str(work),
            worker=name,
            workers=brief.workers,
            orders=orders,
            bell=bell,
            journal=str(journal),
            stacks=str(files.with_suffix(".stacks")),
            timeout=brief.timeout,
            capture=brief.capture,
            debug=brief.debug,
            found=str(self._found),
            stop=str(brief.folder / "stop"),
            max_failures=brief.max_failures,
        )
        environment = dict(os.environ)
        if brief.handover:
            environment[VARIABLE] = brief.handover
        with open(files.with_suffix(".out"), "ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *brief.python, "-c", _BOOT, task.to_json()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(orders, bell),
                cwd=brief.cwd,
                env=environment,
                start_new_session=True,
            )
        os.close(orders)
        os.close(bell)
        self._reader = FrameReader()
        self._cut = b""
        """The first octets of a frame that is not there yet."""
        self._running = ""
        self._said = 0

    def do(self, assignment: Assignment, say: Say) -> Done:
        self._said = 0
        self._collect = assignment.collect
        if assignment.collect and self._collected:
            self._say(self._found.read_bytes(), say)
            if not assignment.tests and not assignment.end:
                return Done(self._said)
        wanted = COLLECTED
        if assignment.tests:
            self._order((RUN, list(assignment.tests)))
            wanted = IDLE
        if assignment.end:
            self._order((END,))
            wanted = ENDED
        while True:
            select.select([self._bell], [], [], _LOOK)
            gone = self._process.poll() is not None
            last: Frame = ()
            for frame in self._read(say):
                last = frame
                if frame[0] == wanted:
                    held = tuple(frame[1]) if wanted == IDLE else ()
                    return Done(self._said, held)
                if frame[0] == ENDED:
                    return Done(self._said, ended=str(frame[1]) or "it ended by itself")
            if gone and not last:
                return Done(self._said, died=f"exit status {self._process.returncode}")

    def _order(self, frame: Frame) -> None:
        os.write(self._orders, framed(frame))

    def _read(self, say: Say) -> list[Frame]:
        with suppress(BlockingIOError):
            os.read(self._bell, 1 << 12)
        octets = os.read(self._journal, 1 << 20)
        frames = list(self._reader.feed(octets))
        octets = self._cut + octets
        whole = len(octets) - self._reader.rest
        octets, self._cut = octets[:whole], octets[whole:]
        if any(frame[0] == COLLECTED for frame in frames):
            self._collected = True
            if self._collect:
                self._say(self._found.read_bytes(), say)
        if octets:
            self._say(octets, say)
        for frame in frames:
            if frame[0] == EVENT and frame[1] is not None:
                self._running = "" if frame[2] in _FINAL else frame[1]
        return frames

    def _say(self, octets: bytes, say: Say) -> None:
        self._said += len(octets)
        say(octets)

    def interrupt(self) -> None:
        os.kill(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)

    def bury(self) -> None:
        os.close(self._orders)
        self._process.wait()
        os.close(self._bell)
        os.close(self._journal)
