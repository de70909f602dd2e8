"""What a test writes to the process's output and into logs, cut out of the files that have it."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from whotests.stream.attached_text import TEXT, encoded
from whotests.stream.event import Chunk
from whotests.system import System

__all__ = ["KEPT", "PIECE", "GrowingFile", "ProcessOutput", "flush", "process_output"]

PIECE: Final = 1 << 16
"""Octets in one chunk."""

KEPT: Final = 1 << 19
"""Octets of the beginning, and of the end, that are attached of what is longer than both."""


class GrowingFile:
    """A file that others write to, and what came into it since it was last looked at.

    Looking costs one question for the file's size. What is read is bounded, whatever was
    written: a beginning and an end, and where the rest is.
    """

    def __init__(self, path: str) -> None:
        """Raises OSError where the file cannot be read."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._place = 0
        self.begin()

    def begin(self) -> None:
        """What comes from now on counts."""
        self._place = System.lseek(self._descriptor, 0, os.SEEK_END)

    def noticed(self) -> bool:
        """Whether anything came since then."""
        return System.lseek(self._descriptor, 0, os.SEEK_END) != self._place

    def chunks(self, name: str) -> Iterable[Chunk]:
        """What came since `begin`, or since this was asked, as an attachment; none if nothing."""
        end = System.lseek(self._descriptor, 0, os.SEEK_END)
        if end == self._place:
            return ()
        start, self._place = min(self._place, end), end
        return self._between(start, end, name)

    def _between(self, start: int, end: int, name: str) -> Iterator[Chunk]:
        if end - start <= 2 * KEPT:
            parts = [(start, end)]
        else:
            parts = [(start, start + KEPT), (end - KEPT, end)]
        for number, (first, last) in enumerate(parts):
            if number:
                left = f"\n[{end - start - 2 * KEPT} octets more are in {self.path}]\n"
                yield Chunk(name, encoded(left), TEXT)
            while first < last:
                octets = System.pread(self._descriptor, min(PIECE, last - first), first)
                if not octets:  # somebody has made it shorter meanwhile
                    break
                first += len(octets)
                yield Chunk(name, octets, TEXT)
        yield Chunk(name, b"", TEXT, eof=True)

    def close(self) -> None:
        """Look at it no more."""
        os.close(self._descriptor)


class ProcessOutput(GrowingFile):
    """The file that the descriptors 1 and 2 of this process lead to."""

    def begin(self) -> None:
        flush()
        super().begin()

    def noticed(self) -> bool:
        flush()
        return super().noticed()

    def chunks(self, name: str = "output") -> Iterable[Chunk]:
        flush()
        return super().chunks(name)


def process_output(path: str) -> ProcessOutput | None:
    """What comes through the descriptors 1 and 2, if that is the file at this path; else None.

    From now on each line that Python code prints is written at once, so that it is there when
    the process dies.
    """
    try:
        named = os.stat(path)
        if not all(os.path.samestat(named, os.fstat(number)) for number in (1, 2)):
            return None
        output = ProcessOutput(path)
    except OSError:
        return None
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return output


def flush() -> None:
    """Write what Python's own streams hold back."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or put there by a test, which may have any of its own
            continue
