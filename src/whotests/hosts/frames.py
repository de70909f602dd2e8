"""What a host and the runner tell each other, as octets.

A frame is a tuple of plain values whose first one is its kind. It is written in one piece, with
its length before it, so whatever ends the writer leaves whole frames and at most one cut one.
"""

import marshal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NoReturn

from whotests.system import System

__all__ = [
    "COLLECTED",
    "ENDED",
    "EVENT",
    "FOUND",
    "IDLE",
    "OUTPUT",
    "Frame",
    "FrameReader",
    "FrameWriter",
    "ReadFrames",
    "framed",
]

Frame = tuple[Any, ...]

FOUND: Final = "found"
"""(FOUND, [(test id, group), ...]): tests in the order in which the host would run them. In a
file of their own: of most hosts nobody wants to read them."""
COLLECTED: Final = "collected"
"""(COLLECTED, count, digest, ordered): so many tests were found, and what could not be loaded has
had its events. Hosts with equal digests found the same tests, in the same order. `ordered`: some
of them fail where they are run in another one, so it is kept unless somebody asks for his own."""
EVENT: Final = "event"
"""(EVENT, *the fields of an event), its time in seconds since the epoch."""
IDLE: Final = "idle"
"""(IDLE, [ids]): the assignment is done but for these, which wait for what comes next."""
ENDED: Final = "ended"
"""(ENDED, reason): the host has let go of all fixtures and runs nothing any more. The reason is
'' when it was told to, else why it stopped by itself."""
OUTPUT: Final = "output"
"""(OUTPUT, [file descriptors]): the files behind these descriptors of the host's process hold what
the test in progress has written, and are empty, or begin anew, with each test. For a host that
puts files of its own in the place of its standard output: they are read when it has died."""

_VERSION = 2
"""Of marshal: the newest one that writes the same for equal values, and that any Python reads."""

_LENGTH = 4

_dumps = marshal.dumps


def framed(frame: Frame) -> bytes:
    """One frame as octets. Raises ValueError for what is no plain value."""
    content = _dumps(frame, _VERSION)
    return len(content).to_bytes(_LENGTH, "little") + content


class ReadFrames(bytes):
    """Whole frames as octets, by somebody who has read them: who has no use for the octets need
    not read them again."""

    frames: Sequence[Frame]

    @classmethod
    def of(cls, octets: bytes, frames: Sequence[Frame]) -> "ReadFrames":
        """These octets, which are those frames."""
        read = cls(octets)
        read.frames = frames
        return read


class FrameWriter:
    """Writes frames to a file descriptor, each at once and in one piece.

    `hold` keeps a frame back to go out together with the next one that is `put`: for what is
    followed by another one at once.
    """

    def __init__(
        self, descriptor: int, *, refused: Callable[[OSError], NoReturn] | None = None
    ) -> None:
        """`refused` is called where the system writes no more; without it OSError is raised."""
        self._descriptor = descriptor
        self._refused = refused
        self._held = b""

    def hold(self, frame: Frame) -> None:
        """Let the frame go out with the next one."""
        self._held += framed(frame)

    def put(self, frame: Frame) -> None:
        """Write what is held, and the frame."""
        octets = framed(frame)
        if self._held:
            octets, self._held = self._held + octets, b""
        try:
            written = System.write(self._descriptor, octets)
            while written < len(octets):
                written += System.write(self._descriptor, memoryview(octets)[written:])
        except OSError as error:
            if self._refused is None:
                raise
            self._refused(error)


class FrameReader:
    """Takes octets as they come and gives whole frames."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._wanted = _LENGTH

    @property
    def rest(self) -> int:
        """How many octets of a frame that is not complete there are."""
        return len(self._rest)

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """The frames that are complete with these octets."""
        whole: bytes | memoryview = octets
        if self._rest:
            self._rest += octets
            if len(self._rest) < self._wanted:
                return  # a long frame is put together once, when it is whole
            # It may be all tests that there are: no copies of that. And what is looked into cannot
            # grow, should somebody who is interrupted here come back.
            whole, self._rest = memoryview(self._rest), bytearray()
        loads = marshal.loads
        place, size = 0, len(whole)
        while (begin := place + _LENGTH) <= size:
            end = begin + int.from_bytes(whole[place:begin], "little")
            if end > size:
                self._wanted = end - place
                break
            frame: Frame = loads(whole[begin:end])
            place = end
            yield frame
        else:
            self._wanted = _LENGTH
        self._rest = bytearray(whole[place:])
