"""A run as a stream of events: one frozen event type, and small sinks that take it.

May import the leaves and the standard library only: it lives where tests run. Refuses to know
how tests are found or run, and to need all tests up front.
"""

from typing import TYPE_CHECKING

from whotests.stream.attachment import Attachment, MediaType
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.control import Control, FileControl, RunControl
from whotests.stream.event import FAILED, FINAL, Chunk, Event, Status
from whotests.stream.event_log import EventLog
from whotests.stream.fail_fast import FailFast
from whotests.stream.fan_out import FanOut
from whotests.stream.router import ByRoute, ByTest, Router
from whotests.stream.sink import Sink
from whotests.stream.summary import Summary
from whotests.stream.tagger import Tagger
from whotests.stream.timestamps import Timestamper
from whotests.stream.to_queue import QueueItem, RunStarted, RunStopped, ToQueue, route_under

if TYPE_CHECKING:
    from whotests.stream.from_result import ResultToStream
    from whotests.stream.json_lines import JsonLines, read_json_lines
    from whotests.stream.junit import JUnitXml
    from whotests.stream.subunit import SubunitReader, SubunitWriter, read_subunit
    from whotests.stream.text import TextSink
    from whotests.stream.to_result import StreamToResult

__all__ = [
    "FAILED",
    "FINAL",
    "Attachment",
    "ByRoute",
    "ByTest",
    "Chunk",
    "Collector",
    "Control",
    "Event",
    "EventLog",
    "FailFast",
    "FanOut",
    "FileControl",
    "JUnitXml",
    "JsonLines",
    "MediaType",
    "QueueItem",
    "ResultToStream",
    "Router",
    "RunControl",
    "RunStarted",
    "RunStopped",
    "Sink",
    "Status",
    "StreamToResult",
    "SubunitReader",
    "SubunitWriter",
    "Summary",
    "Tagger",
    "TestRecord",
    "TextSink",
    "Timestamper",
    "ToQueue",
    "read_json_lines",
    "read_subunit",
    "route_under",
]

_IMPORTED_WHEN_USED = {
    "JUnitXml": "junit",
    "JsonLines": "json_lines",
    "ResultToStream": "from_result",
    "StreamToResult": "to_result",
    "SubunitReader": "subunit",
    "SubunitWriter": "subunit",
    "TextSink": "text",
    "read_json_lines": "json_lines",
    "read_subunit": "subunit",
}
"""They bring unittest, json and more with them, which who only passes events on does not need."""

if not TYPE_CHECKING:  # it would let a type checker take any name

    def __getattr__(name: str) -> object:
        if name not in _IMPORTED_WHEN_USED:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(f"{__name__}.{_IMPORTED_WHEN_USED[name]}")
        value = getattr(module, name)
        globals()[name] = value
        return value
