"""`python -m benchmarks.codec SIDE WORK KIND EVENTS`: subunit encoded or decoded, measured.

Prints the seconds of processor time. SIDE is `ours` or `theirs`, WORK `write` or `read`. Making
the events, or the stream, is no part of it.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from time import process_time
from typing import Any

BEGIN = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)

Call = dict[str, Any]
"""What `status` is called with; everything of an event."""


def main() -> None:
    side, work, kind, count = sys.argv[1:]
    calls = [KINDS[kind](number) for number in range(int(count))]
    print(MEASURED[side, work](calls))


def small(number: int) -> Call:
    """A test begins, and the next event is its end."""
    return {
        "test_id": f"package.tests.test_module.TestThing.test_number_{number // 2}",
        "test_status": "success" if number % 2 else "inprogress",
        "test_tags": {"worker-1", "network"} if number % 2 else None,
        "route_code": "0",
        "timestamp": BEGIN + timedelta(milliseconds=number),
    }


def line(number: int) -> Call:
    """A line of a log."""
    return attached(number, 80)


def page(number: int) -> Call:
    """Some kilobytes of a log."""
    return attached(number, 8_000)


def large(number: int) -> Call:
    """As much as fits well into one packet."""
    return attached(number, 1 << 20)


def attached(number: int, size: int) -> Call:
    return {
        "test_id": f"package.tests.test_module.TestThing.test_number_{number // 20}",
        "file_name": "log",
        "file_bytes": bytes((97 + number % 26,)) * size,
        "mime_type": "text/plain; charset=utf8",
    }


def write_ours(calls: list[Call]) -> float:
    from whotests.stream.event import Event
    from whotests.stream.subunit import SubunitWriter

    events: list[Event] = [as_event(call) for call in calls]
    writer = SubunitWriter(BytesIO())
    began = process_time()
    for event in events:
        writer.handle(event)
    return process_time() - began


def write_theirs(calls: list[Call]) -> float:
    return written_by_theirs(calls, BytesIO())


def written_by_theirs(calls: list[Call], stream: BytesIO) -> float:
    import subunit  # type: ignore[import-untyped]

    writer = subunit.StreamResultToBytes(stream)
    began = process_time()
    for call in calls:
        writer.status(**call)
    return process_time() - began


def read_ours(calls: list[Call]) -> float:
    from whotests.stream.event import Event
    from whotests.stream.subunit import read_subunit

    class Last:
        """Keeps the last event, that is, all of it was there."""

        event: Event | None = None

        def start_run(self) -> None: ...

        def handle(self, event: Event, /) -> None:
            self.event = event

        def stop_run(self) -> None: ...

    stream = stream_of(calls)
    last = Last()
    began = process_time()
    read_subunit(stream, last)
    taken = process_time() - began
    assert last.event == as_event(calls[-1])
    return taken


def read_theirs(calls: list[Call]) -> float:
    import subunit

    class Last:
        """Keeps the last event. Its content comes as a view of the packet, and is taken out as
        bytes, as whoever keeps it has to."""

        given: Call

        def status(self, *, file_bytes: memoryview | None, **given: Any) -> None:
            given["file_bytes"] = None if file_bytes is None else bytes(file_bytes)
            self.given = given

    stream = stream_of(calls)
    last = Last()
    began = process_time()
    subunit.ByteStreamToStreamResult(stream).run(last)
    taken = process_time() - began
    assert {name: last.given[name] for name in calls[-1]} == calls[-1]
    return taken


def stream_of(calls: list[Call]) -> BytesIO:
    """The same bytes for both."""
    stream = BytesIO()
    written_by_theirs(calls, stream)
    stream.seek(0)
    return stream


def as_event(call: Call) -> Any:
    from whotests.stream.event import Chunk, Event, Status

    status, tags, name = (call.get(key) for key in ("test_status", "test_tags", "file_name"))
    return Event(
        call["test_id"],
        None if status is None else Status(status),
        None if tags is None else frozenset(tags),
        attachment=None if name is None else Chunk(name, call["file_bytes"], call["mime_type"]),
        route_code=call.get("route_code"),
        timestamp=call.get("timestamp"),
    )


KINDS: dict[str, Callable[[int], Call]] = {
    "small": small,
    "line": line,
    "page": page,
    "large": large,
}

MEASURED: dict[tuple[str, str], Callable[[list[Call]], float]] = {
    ("ours", "write"): write_ours,
    ("ours", "read"): read_ours,
    ("theirs", "write"): write_theirs,
    ("theirs", "read"): read_theirs,
}

if __name__ == "__main__":
    main()
