"""Events by way of python-subunit's library."""

import io
from datetime import datetime

import subunit  # type: ignore[import-untyped]

from whotests.stream.event import Chunk, Event, Status

__all__ = ["read_by_theirs", "written_by_theirs"]


class StatusLog:
    """Keeps the calls of `status` that python-subunit's reader makes, as events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        test_tags: set[str] | None = None,
        runnable: bool = True,
        file_name: str | None = None,
        file_bytes: bytes | memoryview | None = None,
        eof: bool = False,
        mime_type: str | None = None,
        route_code: str | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        chunk = None
        if file_name is not None or eof or mime_type is not None:
            chunk = Chunk(file_name or "", bytes(file_bytes or b""), mime_type, eof)
        self.events.append(
            Event(
                test_id,
                None if test_status is None else Status(test_status),
                None if test_tags is None else frozenset(test_tags),
                runnable,
                chunk,
                route_code,
                timestamp,
            )
        )


def read_by_theirs(data: bytes) -> list[Event]:
    """The events that python-subunit finds."""
    log = StatusLog()
    subunit.ByteStreamToStreamResult(io.BytesIO(data), non_subunit_name="stdout").run(log)
    return log.events


def written_by_theirs(events: list[Event]) -> bytes:
    """What python-subunit writes of them."""
    stream = io.BytesIO()
    writer = subunit.StreamResultToBytes(stream)
    for event in events:
        chunk = event.attachment or Chunk("")
        writer.status(
            test_id=event.test_id,
            test_status=event.status,
            test_tags=event.tags,
            runnable=event.runnable,
            file_name=chunk.name if event.attachment else None,
            file_bytes=chunk.content if event.attachment else None,
            mime_type=chunk.mime_type,
            eof=chunk.eof,
            route_code=event.route_code,
            timestamp=event.timestamp,
        )
    return stream.getvalue()
