"""What belongs to no test, as lines of text."""

from collections.abc import Callable

from whotests.stream.attachment import MediaType
from whotests.stream.event import Event
from whotests.stream.readable import one_line

__all__ = ["RunOutput"]

LONGEST_LINE = 8192
"""As many characters wait for the end of their line."""


class RunOutput:
    """Hands out the lines of attachments without a test, as they come: '[0] stdout: line'.

    Chunks of many attachments may interleave, and cut lines and characters anywhere. What says
    no type is taken for text: it is what a process printed. Of other types than text, the size
    is told at the end. A line that does not end is cut in pieces.
    """

    def __init__(self, on_line: Callable[[str], object]) -> None:
        self._on_line = on_line
        self._open: dict[tuple[str | None, str], _Text | _Size] = {}

    def start(self) -> None:
        """Forget what an earlier run left."""
        self._open = {}

    def handle(self, event: Event, /) -> None:
        """Take one event that belongs to no test."""
        chunk = event.attachment
        if chunk is None:
            return
        key = event.route_code, chunk.name
        output = self._open.get(key)
        if output is None:
            name = one_line(chunk.name)
            if event.route_code is not None:
                name = f"[{one_line(event.route_code)}] {name}"
            media_type = MediaType.parse(chunk.mime_type)
            is_text = media_type.type == "text" or chunk.mime_type is None
            output = _Text(name, media_type) if is_text else _Size(name, media_type)
            self._open[key] = output
        for line in output.take(chunk.content, chunk.eof):
            self._on_line(line)
        if chunk.eof:
            del self._open[key]

    def stop(self) -> None:
        """Hand out what has no end yet."""
        for output in self._open.values():
            for line in output.take(b"", True):
                self._on_line(line)
        self._open = {}


class _Text:
    """Text of which the last line may go on."""

    def __init__(self, name: str, media_type: MediaType) -> None:
        self._name = name
        self._decode = media_type.decoder()
        self._rest = ""

    def take(self, content: bytes, eof: bool) -> list[str]:
        lines = (self._rest + self._decode(content, eof)).split("\n")
        self._rest = lines.pop()
        if self._rest and (eof or len(self._rest) > LONGEST_LINE):
            lines.append(self._rest)
            self._rest = ""
        return [f"{self._name}: {line}".rstrip() for line in lines]


class _Size:
    """How much came of what is not text."""

    def __init__(self, name: str, media_type: MediaType) -> None:
        self._name = f"{name} ({media_type})"
        self._size = 0

    def take(self, content: bytes, eof: bool) -> list[str]:
        self._size += len(content)
        return [f"{self._name}: {self._size} bytes"] if eof else []
