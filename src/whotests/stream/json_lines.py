"""Events as lines of JSON, and back."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TextIO, TypeVar

from whotests.errors import DataError
from whotests.stream.event import FINAL, Chunk, Event, Status

__all__ = ["JsonLines", "read_json_lines"]

FORMAT = "whotests-events"
VERSION = 1

_Value = TypeVar("_Value")

_encode = json.JSONEncoder(separators=(",", ":")).encode


class JsonLines:
    """Writes one line of JSON per event, in ASCII. Nothing of an event is lost.

    A run begins with a line `{"format": "whotests-events", "version": 1}`. An event is an
    object with a key for each field that says something: `test_id`, `status`, `tags` (sorted),
    `runnable` (only false), `attachment`, `route_code`, `timestamp` (ISO 8601). An attachment
    has its `name`, `text`, or `base64` where the bytes are not UTF-8, `mime_type` and `eof`
    (only true). What belongs to a test is on its way when the test ends: the stream is flushed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start_run(self) -> None:
        self._stream.write(_encode({"format": FORMAT, "version": VERSION}) + "\n")

    def handle(self, event: Event, /) -> None:
        self._stream.write(_encode(as_object(event)) + "\n")
        if event.status in FINAL:
            self._stream.flush()

    def stop_run(self) -> None:
        self._stream.flush()


def as_object(event: Event) -> dict[str, Any]:
    """What is written of an event."""
    test_id, status, tags, runnable, chunk, route_code, timestamp = event
    written: dict[str, Any] = {}
    if test_id is not None:
        written["test_id"] = test_id
    if status is not None:
        written["status"] = status
    if tags is not None:
        written["tags"] = sorted(tags)
    if not runnable:
        written["runnable"] = False
    if chunk is not None:
        written["attachment"] = chunk_as_object(chunk)
    if route_code is not None:
        written["route_code"] = route_code
    if timestamp is not None:
        written["timestamp"] = timestamp.isoformat()
    return written


def chunk_as_object(chunk: Chunk) -> dict[str, Any]:
    name, content, mime_type, eof = chunk
    written: dict[str, Any] = {"name": name}
    try:
        written["text"] = content.decode("utf-8")
    except UnicodeDecodeError:
        written["base64"] = b64encode(content).decode("ascii")
    if mime_type is not None:
        written["mime_type"] = mime_type
    if eof:
        written["eof"] = True
    return written


def read_json_lines(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a file that `JsonLines` wrote, in order; of several runs, one after another.

    Keys that are unknown are left out: newer writers may have more. DataError, with the number
    of the line, where one is no event (as the last one of a file that was cut short), or is of
    a version that is not known.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            written = json.loads(line)
            if not isinstance(written, dict):
                raise TypeError("it is no object")
            if "format" in written:
                check_header(written)
                continue
            yield as_event(written)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise DataError(
                f"line {number} is no event: {error}; it is cut short, or was not written by "
                "JsonLines. The events before it are good"
            ) from error


def check_header(written: dict[str, Any]) -> None:
    if (written["format"], written.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"its format is {written!r}, not {FORMAT} {VERSION}")


def as_event(written: dict[str, Any]) -> Event:
    """The event of which this was written."""
    status, chunk = written.get("status"), written.get("attachment")
    tags = value_of(written, "tags", list)
    timestamp = written.get("timestamp")
    return Event(
        test_id=value_of(written, "test_id", str),
        status=None if status is None else Status(status),
        tags=None if tags is None else frozenset(tags),
        runnable=value_of(written, "runnable", bool) is not False,
        attachment=None if chunk is None else as_chunk(chunk),
        route_code=value_of(written, "route_code", str),
        timestamp=None if timestamp is None else datetime.fromisoformat(timestamp),
    )


def value_of(written: dict[str, Any], key: str, kind: type[_Value]) -> _Value | None:
    """The value, if there is one; TypeError where it is of another kind."""
    value = written.get(key)
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{key!r} is {value!r}")
    return value


def as_chunk(written: dict[str, Any]) -> Chunk:
    name, coded = value_of(written, "name", str), written.get("base64")
    if name is None:
        raise TypeError("an attachment has no name")
    content = written["text"].encode() if coded is None else b64decode(coded, validate=True)
    return Chunk(name, content, written.get("mime_type"), written.get("eof", False))
