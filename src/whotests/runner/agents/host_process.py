"""A host's process: started, told, read, ended. What any of that means is the agent's."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from whotests.errors import MachineError
from whotests.hosts.frames import Frame, FrameReader, ReadFrames, framed
from whotests.hosts.task import Task
from whotests.recording.handover import VARIABLE
from whotests.runner.agents.left_running import MARK, LeftRunning, end_left_running
from whotests.runner.agents.warden import Warden
from whotests.runner.assignment import Brief

__all__ = ["HostFiles", "HostProcess"]

_LIBRARY: Final = str(Path(__file__).resolve().parents[3])

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

_PIECE: Final = 1 << 20
"""Octets of the journal that are read at once."""

_DYING: Final = 0.005
"""Seconds between looks at a process that was killed."""


class HostFiles(NamedTuple):
    """The files of one host's process, in the folder of the run."""

    base: Path
    """Without a suffix: 'w0-1' is the first host of the worker w0."""

    @property
    def work(self) -> Path:
        """The folder in which trial's tests run: what one that was killed leaves half-done there
        is not what tests of the next one find."""
        return self.base

    @property
    def task(self) -> Path:
        """What it is told when it begins: a suite may have more targets than a command line."""
        return self.base.with_suffix(".task")

    @property
    def journal(self) -> Path:
        """What it says, as frames."""
        return self.base.with_suffix(".journal")

    @property
    def found(self) -> Path:
        """Which tests there are, as frames."""
        return self.base.with_suffix(".found")

    @property
    def output(self) -> Path:
        """What its process writes."""
        return self.base.with_suffix(".out")

    @property
    def stacks(self) -> Path:
        """Where its threads were when a signal ended it."""
        return self.base.with_suffix(".stacks")


class HostProcess:
    """One process in a group of its own, which does not outlive this one."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        *,
        suite: int,
        files: HostFiles,
        orders: int,
        bell: int,
        journal: int,
        own_group: bool,
    ) -> None:
        """`orders`, `bell` and `journal` are our ends, from now on this object's. Made by
        `start`."""
        self.suite = suite
        self.files = files
        self._process = process
        self._orders = orders
        self._bell = bell
        self._journal = journal
        self._own_group = own_group
        self._warden = Warden(process.pid) if own_group else None
        self._unsent = b""
        self._silence = 0.0
        """Seconds to wait though its bell never rings again; 0: it may."""
        self._reader = FrameReader()
        self._cut = b""
        """The first octets of a frame that is not there yet."""
        self._ended: int | None = None
        self.trouble = ""
        """Why it could not say any more, in its own words, or ''."""

    @classmethod
    def start(cls, brief: Brief, *, worker: str, suite: int, number: int) -> "HostProcess":
        """Start one, the worker's `number`th. Raises MachineError when the system refuses."""
        files = HostFiles(brief.folder / f"{worker}-{number}")
        opened: list[int] = []
        try:
            return cls._start(brief, worker, suite, files, opened)
        except OSError as error:
            for descriptor in opened:
                with suppress(OSError):
                    os.close(descriptor)
            raise MachineError(
                f"cannot start a process for worker {worker}: {error}; fewer workers (-j) need "
                "less of what the system gives"
            ) from error

    @classmethod
    def _start(
        cls, brief: Brief, worker: str, suite: int, files: HostFiles, opened: list[int]
    ) -> "HostProcess":
        files.work.mkdir(parents=True, exist_ok=True)
        orders, our_orders = os.pipe()
        opened += orders, our_orders
        our_bell, bell = os.pipe()
        opened += our_bell, bell
        os.set_blocking(our_bell, False)
        os.set_blocking(our_orders, False)
        journal = os.open(files.journal, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        opened.append(journal)
        task = Task(
            suite=brief.suites[suite],
            root=str(brief.root),
            cwd=str(brief.cwd),
            work=str(files.work),
            worker=worker,
            workers=brief.workers,
            orders=orders,
            bell=bell,
            journal=str(files.journal),
            stacks=str(files.stacks),
            output=str(files.output),
            timeout=brief.timeout,
            capture=brief.capture,
            debug=brief.debug,
            found=str(files.found),
            stop=str(brief.folder / "stop"),
            max_failures=brief.max_failures,
            run=brief.run,
        )
        task.write(str(files.task))
        environment = os.environ | dict(brief.environment)
        environment[MARK] = str(files.base)
        if brief.handover:
            environment[VARIABLE] = brief.handover
        # A debugger needs the terminal, and with it the session that has it.
        own = not brief.debug
        with open(files.output, "ab") as output:
            process = subprocess.Popen(
                [sys.executable, *brief.python, "-c", _BOOT, str(files.task)],
                stdin=subprocess.DEVNULL if own else None,
                stdout=output if own else None,
                stderr=output if own else None,
                pass_fds=(orders, bell),
                cwd=brief.cwd,
                env=environment,
                start_new_session=own,
            )
        try:
            host = cls(
                process,
                suite=suite,
                files=files,
                orders=our_orders,
                bell=our_bell,
                journal=journal,
                own_group=own,
            )
        except OSError:
            process.kill()
            process.wait()
            raise
        os.close(orders)
        os.close(bell)
        return host

    @property
    def pid(self) -> int:
        """Its process id, which is nobody else's until it is buried."""
        return self._process.pid

    # -- what it is told -----------------------------------------------------------------------

    def order(self, frame: Frame) -> None:
        """Tell it; what it has no room for goes out when it is waited for."""
        self._unsent += framed(frame)
        self._send()

    def _send(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._orders, self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unsent = b""  # it is dead, which is seen elsewhere

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there still."""
        if self._ended is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it, and the processes in its group, at once."""
        self.signal(signal.SIGKILL)
        if self._own_group:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    # -- what it says --------------------------------------------------------------------------

    def wait_news(self, seconds: float) -> None:
        """Come back when its bell rings, and after so many seconds."""
        poll = select.poll()
        if self._silence:
            seconds = self._silence = min(2 * self._silence, seconds)
        else:
            poll.register(self._bell, select.POLLIN)
        if self._unsent:
            poll.register(self._orders, select.POLLOUT)
        poll.poll(seconds * 1000)
        self._send()
        try:
            while heard := os.read(self._bell, 1 << 12):
                if told := heard.strip(b"."):
                    self.trouble += told.decode("utf-8", "replace")
        except BlockingIOError:
            return
        # Nobody has the other end: it is about to be dead, or a test has closed it.
        self._silence = self._silence or _DYING

    def said(self) -> Iterator[tuple[ReadFrames, list[Frame]]]:
        """What has come into its journal: whole frames, as octets and as values, in pieces."""
        while octets := os.read(self._journal, _PIECE):
            frames = list(self._reader.feed(octets))
            octets = self._cut + octets if self._cut else octets
            whole = len(octets) - self._reader.rest
            octets, self._cut = octets[:whole], octets[whole:]
            if octets:
                yield ReadFrames.of(octets, frames), frames

    # -- its end -------------------------------------------------------------------------------

    @property
    def gone(self) -> bool:
        """Whether it is dead. What it said before is in the journal then."""
        if self._ended is None:
            if hasattr(os, "waitid"):
                # Not reaped yet, so that its id, and its group's, is nobody else's.
                options = os.WEXITED | os.WNOHANG | os.WNOWAIT
                ended = os.waitid(os.P_PID, self.pid, options)
                if ended is not None:
                    killed = ended.si_code != os.CLD_EXITED
                    self._ended = -ended.si_status if killed else ended.si_status
            else:
                self._ended = self._process.poll()
        return self._ended is not None

    @property
    def status(self) -> int:
        """What it exited with, or minus the signal that killed it; it must be gone."""
        assert self._ended is not None
        return self._ended

    @property
    def worked(self) -> float:
        """Seconds of processor time that it has used; 0 where the system does not tell."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                after = file.read().rpartition(b")")[2].split()
            return (int(after[11]) + int(after[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError):
            return 0.0

    def let_go(self) -> None:
        """No more orders will come."""
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1
            self._unsent = b""

    def bury(self) -> list[LeftRunning]:
        """End it if it is alive, and all that it has left running, and give back what it took.
        What was left running comes back."""
        self.let_go()
        if not self.gone:
            self.kill()
        while not self.gone:  # to wait for it would give its id away
            time.sleep(_DYING)
        left = end_left_running(self.pid, mark=str(self.files.base)) if self._own_group else []
        self._process.wait()
        if self._warden is not None:
            self._warden.dismiss()
        os.close(self._bell)
        os.close(self._journal)
        return left
