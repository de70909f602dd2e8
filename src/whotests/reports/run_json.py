"""A run of tests as lines of JSON, the last of which says what came of it.

May import the stream. Refuses to write more than docs/json.md describes.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final, TextIO

from whotests.stream.event import Chunk, Event
from whotests.stream.json_lines import JsonLines

__all__ = ["RunJson"]

SUMMARY: Final = "summary"
"""The name of the attachment in the last event."""


class RunJson(JsonLines):
    """`JsonLines`, and at the end an event of no test with the summary attached, as JSON."""

    def __init__(self, stream: TextIO, *, summary: Callable[[], Mapping[str, object]]) -> None:
        super().__init__(stream)
        self._summary = summary

    def stop_run(self) -> None:
        text = json.dumps(self._summary(), ensure_ascii=True).encode()
        self.handle(Event(attachment=Chunk(SUMMARY, text, "application/json", eof=True)))
        super().stop_run()
