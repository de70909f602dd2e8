"""How a host's process died, as it is told for the test that it ran."""

import os
import signal
import time
from pathlib import Path
from typing import Final, NamedTuple

from whotests.hosts.frames import EVENT, framed
from whotests.stream.attached_text import TEXT, encoded
from whotests.stream.event import Chunk, Status

__all__ = ["OutputTail", "PostMortem", "how_it_ended", "last_stacks", "times_out_of_memory"]

_TAIL: Final = 1 << 15
"""Octets of the last output that are told."""

_STACKS: Final = 1 << 16

_OURS: Final = os.fsencode(Path(__file__).parents[2]) + os.fsencode(os.sep)

_HOSTS: Final = _OURS + b"hosts" + os.fsencode(os.sep)

_CRASH: Final = b"Fatal Python error"
"""What faulthandler begins with."""


class PostMortem(NamedTuple):
    """Why a test, or what stands for one, has failed from outside."""

    reason: str
    """In sentences."""
    stacks: bytes = b""
    """Of all threads, as faulthandler wrote them."""
    output: bytes = b""
    """The end of what was written."""

    def frames(self, test_id: str, *, runnable: bool = True, verdict: bool = True) -> bytes:
        """The events that give the test its verdict, as octets of frames; without the verdict,
        those that only tell more of it."""
        now = time.time()
        attachments = (
            ("reason", encoded(self.reason)),
            ("output", self.output),
            ("stacks", self.stacks),
        )
        events: list[tuple[str | None, Chunk | None]] = [
            (None, Chunk(name, content, TEXT, eof=True)) for name, content in attachments if content
        ]
        if verdict:
            events.append((Status.FAIL.value, None))
        return b"".join(
            framed(
                (
                    EVENT,
                    test_id,
                    status,
                    None,
                    runnable,
                    None if chunk is None else tuple(chunk),
                    None,
                    now,
                )
            )
            for status, chunk in events
        )


def how_it_ended(status: int, *, memory_short: bool = False) -> str:
    """'was killed by SIGSEGV (Segmentation fault)' or 'exited with status 3': what follows on the
    process's name. `status` is negative for a signal."""
    if status >= 0:
        return f"exited with status {status}"
    number = -status
    try:
        text = f"was killed by {signal.Signals(number).name} ({signal.strsignal(number)})"
    except ValueError:
        text = f"was killed by signal {number}"
    if number == signal.SIGKILL and memory_short:
        text += "; the system was out of memory and killed processes meanwhile"
    return text


def last_stacks(path: Path) -> bytes:
    """The last stacks that were written into the file, without what is ours in them, or nothing."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _STACKS))
            text = file.read(_STACKS)
    except OSError:
        return b""
    place = text.rfind(_CRASH)
    return _of_the_tests(text[place:] if place >= 0 else text)


def _of_the_tests(text: bytes) -> bytes:
    """Stacks without threads of ours, and without the frames that called the tests' framework."""
    kept = []
    for paragraph in text.split(b"\n\n"):
        title, *frames = paragraph.split(b"\n")
        if not title.lstrip().startswith((b"Thread", b"Current thread")):
            kept.append(paragraph)
            continue
        ends = [number for number, frame in enumerate(frames) if _HOSTS in frame]
        theirs = frames[: ends[0]] if ends else frames
        if any(_OURS not in frame for frame in theirs if frame.strip()):
            kept.append(b"\n".join([title, *theirs]))
    return b"\n\n".join(kept)


def times_out_of_memory() -> int:
    """How often the system has killed a process for want of memory; 0 where it does not tell."""
    try:
        with open("/proc/vmstat", "rb") as file:
            for line in file:
                if line.startswith(b"oom_kill "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        return 0
    return 0


class OutputTail:
    """The end of what a host's process has written for the test that it runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = 0
        self._files: dict[int, int] = {}

    def mark(self) -> None:
        """What came until now belongs to earlier tests."""
        try:
            self._before = os.stat(self._path).st_size
        except OSError:
            self._before = 0

    def follow(self, pid: int, descriptors: tuple[int, ...]) -> None:
        """Read what is behind these descriptors of the process, too, if the system shows it."""
        for descriptor in set(descriptors) - set(self._files):
            try:
                path = f"/proc/{pid}/fd/{descriptor}"
                self._files[descriptor] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue

    def read(self) -> bytes:
        """The last of it, from where a line begins."""
        kept = b"".join(_tail(file, 0) for _, file in sorted(self._files.items()))
        try:
            with open(self._path, "rb") as file:
                return kept + _tail(file.fileno(), self._before)
        except OSError as error:
            return kept + f"[{self._path} cannot be read: {error}]\n".encode()

    def close(self) -> None:
        """Read nothing any more."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()


def _tail(file: int, begin: int) -> bytes:
    end = os.fstat(file).st_size
    start = max(begin, end - _TAIL)
    octets = os.pread(file, end - start, start) if end > start else b""
    if start > begin:
        cut = octets.find(b"\n") + 1
        octets = f"[{start + cut - begin} octets before]\n".encode() + octets[cut:]
    return octets
