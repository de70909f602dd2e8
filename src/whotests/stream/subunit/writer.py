"""The end of the stream that writes subunit version 2."""

from io import RawIOBase, TextIOBase
from typing import Protocol

from whotests.errors import MachineError, UsageError
from whotests.stream.event import Event
from whotests.stream.subunit.encoding import packets

__all__ = ["SubunitWriter", "Writable"]


class Writable(Protocol):
    """A file, pipe or socket's file that takes bytes."""

    def write(self, data: bytes, /) -> int | None: ...

    def flush(self) -> object: ...


class SubunitWriter:
    """A sink that writes each event into a binary stream, at once and flushed.

    All that an event has can be read back, but for this: `unknown` is written as no status, since
    the format has no such word; a time before 1970 or from 2106 on is left out; a time without a
    zone is taken as local; NUL becomes U+2400 and half of a surrogate pair its escape. An
    attachment of 4 MiB or more becomes several events, the last of which has the status.

    The stream is not closed. What its `write` raises is passed on.
    """

    def __init__(self, stream: Writable) -> None:
        """UsageError for a text stream."""
        if isinstance(stream, TextIOBase):
            raise UsageError(
                f"subunit cannot be written into {stream!r}, which takes text; "
                "give its binary stream, as sys.stdout.buffer"
            )
        self._write = stream.write
        self._flush = stream.flush
        self._is_raw = isinstance(stream, RawIOBase)

    def start_run(self) -> None:
        pass

    def handle(self, event: Event, /) -> None:
        """Write it. UsageError when it cannot fit, MachineError when the stream takes nothing."""
        for packet in packets(event):
            written = self._write(packet)
            if written != len(packet):
                self._write_rest(packet, written)
        self._flush()

    def stop_run(self) -> None:
        pass

    def _write_rest(self, packet: bytes, written: int | None) -> None:
        """An unbuffered stream may take a part only; others return what they like, or nothing."""
        at = 0
        while written is not None:
            at += written
            if at >= len(packet):
                return
            written = self._write(packet[at:])
        if self._is_raw:
            raise MachineError(
                f"the stream takes no more at the moment, {len(packet) - at} bytes of a packet are "
                "left: it does not block; give one that does"
            )
