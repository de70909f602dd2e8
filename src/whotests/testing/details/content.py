"""Details of a test: whole attachments, in memory or read when somebody wants them."""

import codecs
import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Protocol

from whotests.testing.details.content_types import JSON, UTF8_TEXT, ContentType

__all__ = [
    "Content",
    "Detailed",
    "Details",
    "JsonValue",
    "attach_file",
    "content_from_file",
    "content_from_stream",
    "json_content",
    "text_content",
]

JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None
READ_AT_ONCE = 4096
"""Bytes."""


class Content:
    """Bytes and what kind they are of.

    `get_bytes` is called each time that somebody reads them, so they need not be in memory.
    """

    def __init__(self, content_type: ContentType, get_bytes: Callable[[], Iterable[bytes]]) -> None:
        if content_type is None or get_bytes is None:
            raise ValueError(f"None not permitted in {content_type!r}, {get_bytes!r}")
        self.content_type = content_type
        self._get_bytes = get_bytes

    def iter_bytes(self) -> Iterator[bytes]:
        """The bytes, piece by piece."""
        return iter(self._get_bytes())

    def iter_text(self) -> Iterator[str]:
        """The text, piece by piece, in the type's charset or else ISO-8859-1.

        Raises ValueError at once for what is not text.
        """
        if self.content_type.type != "text":
            raise ValueError(f"Not a text type {self.content_type!r}")
        return self._decoded()

    def _decoded(self) -> Iterator[str]:
        charset = self.content_type.parameters.get("charset", "ISO-8859-1")
        decoder = codecs.getincrementaldecoder(charset)()
        for piece in self.iter_bytes():
            yield decoder.decode(piece)
        rest = decoder.decode(b"", True)
        if rest:
            yield rest

    def as_text(self) -> str:
        """All of the text; as `iter_text`."""
        return "".join(self.iter_text())

    def __eq__(self, other: object) -> bool:
        """Whether another one, of whatever class, has the same type and bytes."""
        try:
            kind, pieces = other.content_type, other.iter_bytes()  # type: ignore[attr-defined]
        except AttributeError:
            return NotImplemented
        return bool(self.content_type == kind) and b"".join(self.iter_bytes()) == b"".join(pieces)

    __hash__ = None  # type: ignore[assignment]  # the bytes may change

    def __repr__(self) -> str:
        return f"<Content type={self.content_type!r}, value={b''.join(self.iter_bytes())!r}>"


Details = dict[str, Content]
"""What a test has attached, by name."""


class Detailed(Protocol):
    """What takes details, as a test case or a fixture does."""

    def addDetail(self, name: str, content_object: Content, /) -> None:
        """Attach it under this name."""


def text_content(text: str) -> Content:
    """A short text. Raises TypeError for what is none."""
    if not isinstance(text, str):
        raise TypeError(f"text_content must be given text, not '{type(text).__name__}'.")
    data = text.encode("utf8")
    return Content(UTF8_TEXT, lambda: [data])


def json_content(json_data: JsonValue) -> Content:
    """A value as JSON, as it is now."""
    import json

    data = json.dumps(json_data).encode("utf8")
    return Content(JSON, lambda: [data])


def content_from_file(
    path: str | os.PathLike[str],
    content_type: ContentType | None = None,
    chunk_size: int = READ_AT_ONCE,
    buffer_now: bool = False,
    seek_offset: int | None = None,
    seek_whence: int = os.SEEK_SET,
) -> Content:
    """What a file has when somebody reads the content, or now with `buffer_now`.

    It is UTF-8 text unless a type is given, and begins at `seek_offset`, which counts as
    `seek_whence` says.
    """

    def read() -> Iterator[bytes]:
        with open(path, "rb") as stream:
            yield from _pieces(stream, chunk_size, seek_offset, seek_whence)

    return _content_from(read, content_type, buffer_now)


def content_from_stream(
    stream: IO[bytes],
    content_type: ContentType | None = None,
    chunk_size: int = READ_AT_ONCE,
    buffer_now: bool = False,
    seek_offset: int | None = None,
    seek_whence: int = os.SEEK_SET,
) -> Content:
    """What an open file still has when somebody reads the content, or now with `buffer_now`.

    Nobody closes the file. The rest is as in `content_from_file`.
    """

    def read() -> Iterator[bytes]:
        return _pieces(stream, chunk_size, seek_offset, seek_whence)

    return _content_from(read, content_type, buffer_now)


def attach_file(
    detailed: Detailed,
    path: str | os.PathLike[str],
    name: str | None = None,
    content_type: ContentType | None = None,
    chunk_size: int = READ_AT_ONCE,
    buffer_now: bool = True,
) -> None:
    """Attach what a file has to a test or fixture, under the file's name unless one is given.

    Without `buffer_now` it is read when the test is reported, after its clean-ups: the file must
    be there then.
    """
    content = content_from_file(path, content_type, chunk_size, buffer_now)
    detailed.addDetail(os.path.basename(path) if name is None else name, content)


def _content_from(
    read: Callable[[], Iterable[bytes]], content_type: ContentType | None, buffer_now: bool
) -> Content:
    kind = UTF8_TEXT if content_type is None else content_type
    if not buffer_now:
        return Content(kind, read)
    pieces = list(read())
    return Content(kind, lambda: pieces)


def _pieces(
    stream: IO[bytes], size: int, seek_offset: int | None, seek_whence: int
) -> Iterator[bytes]:
    if seek_offset is not None:
        stream.seek(seek_offset, seek_whence)
    while piece := stream.read(size):
        yield piece
