"""The names that python-subunit's protocol tests import from `subunit`, thin over ours.

What differs in form only is put into their form here: the words of a reason, and that what is no
packet comes octet by octet. Imported where those tests run, nowhere else.
"""

import re
from datetime import datetime
from typing import Any, BinaryIO
from zlib import crc32

from whotests.stream.event import Chunk, Event, Status
from whotests.stream.subunit import SubunitReader, SubunitWriter
from whotests.stream.subunit.format import encode_number

__all__ = ["ByteStreamToStreamResult", "StreamResultToBytes"]

REASON = "a packet of subunit is damaged: "


class StreamResultToBytes:
    """Our writer, by their name and calls."""

    def __init__(self, output_stream: BinaryIO) -> None:
        self._writer = SubunitWriter(output_stream)

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        test_tags: set[str] | None = None,
        runnable: bool = True,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        eof: bool = False,
        mime_type: str | None = None,
        route_code: str | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        attachment = None
        if file_name is not None or eof or mime_type is not None:
            attachment = Chunk(file_name or "", file_bytes or b"", mime_type, eof)
        self._writer.handle(
            Event(
                test_id,
                None if test_status is None else Status(test_status),
                None if test_tags is None else frozenset(test_tags),
                runnable,
                attachment,
                route_code,
                timestamp,
            )
        )

    def _write_number(self, value: int, packet: list[bytes]) -> None:
        octets = encode_number(value)
        packet.extend((octets[:2], octets[2:]) if len(octets) == 3 else (octets,))


class ByteStreamToStreamResult:
    """Our reader, by their name and calls."""

    def __init__(self, source: BinaryIO, non_subunit_name: str | None = None) -> None:
        self._source = source
        self._name = non_subunit_name

    def run(self, result: Any) -> None:
        reader = SubunitReader(_StatusCalls(result, self._name), other_bytes=self._name or "")
        # What is no packet, and has no name, raises: what is behind must be left unread.
        while octets := self._source.read(1 if self._name is None else -1):
            reader.feed(octets)
        reader.close()


class _StatusCalls:
    """A sink that calls `status` of another one."""

    def __init__(self, result: Any, other_bytes: str | None) -> None:
        self._status = result.status
        self._other_bytes = other_bytes
        self._damaged = b""

    def start_run(self) -> None:
        pass

    def stop_run(self) -> None:
        pass

    def handle(self, event: Event) -> None:
        test_id, status, tags, runnable, chunk, route_code, timestamp = event
        if chunk is None:
            chunk = Chunk("")
        names_file = bool(chunk.name or chunk.content)
        given = {
            "test_id": test_id,
            "test_status": status,
            "test_tags": tags,
            "runnable": runnable,
            "file_name": chunk.name if names_file else None,
            "file_bytes": chunk.content if names_file else None,
            "mime_type": chunk.mime_type,
            "eof": chunk.eof,
            "route_code": route_code,
            "timestamp": timestamp,
        }
        if test_id is None and chunk.content and chunk.name == (self._other_bytes or ""):
            self._other(chunk.content)
        elif test_id == "subunit.parser" and chunk.name == "Packet data":
            self._damaged = chunk.content
            self._status(**given)
        elif test_id == "subunit.parser":
            reason = chunk.content.decode().removeprefix(REASON)
            self._status(**{**given, "file_bytes": _their_words(reason, self._damaged).encode()})
        else:
            self._status(**given)

    def _other(self, octets: bytes) -> None:
        if self._other_bytes is None:
            raise ValueError("no packet", octets[:1])
        for octet in octets:
            self._status(file_name=self._other_bytes, file_bytes=octet.to_bytes(1))


def _their_words(reason: str, packet: bytes) -> str:
    """The reason as their tests expect it, offsets counted from behind the length included."""
    if "written" in reason:
        stored = int.from_bytes(packet[-4:])
        return f"Bad checksum - calculated ({crc32(packet[:-4]):#x}), stored ({stored:#x})"
    if "four octets" in reason:
        return "3 byte maximum given but 4 byte value found."
    for pattern, words in (
        (
            r"the content of the file claims (\d+) bytes, (\d+) are left",
            "File content extends past end of packet: claimed {} bytes, {} available",
        ),
        (
            r"the string at offset (\d+) claims (\d+) bytes, (\d+) are left",
            "UTF8 string at offset {} extends past end of packet: claimed {} bytes, {} available",
        ),
        (r"the string at offset (\d+) is not UTF-8", "UTF8 string at offset {} is not UTF8"),
        (
            r"the string at offset (\d+) has a NUL byte",
            "UTF8 string at offset {} contains NUL byte",
        ),
    ):
        if found := re.fullmatch(pattern, reason):
            numbers = [int(number) for number in found.groups()]
            if "offset" in words:
                numbers[0] -= 2
            return words.format(*numbers)
    return reason
