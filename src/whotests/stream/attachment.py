"""What a test attached, whole."""

import codecs
from collections.abc import Callable, Container
from typing import NamedTuple

__all__ = ["Attachment", "MediaType", "unused_name"]


class MediaType(NamedTuple):
    """A media type with its parameters, as of RFC 2045."""

    type: str
    subtype: str
    parameters: dict[str, str]

    @classmethod
    def parse(cls, mime_type: str | None) -> "MediaType":
        """What a text says; 'application/octet-stream' if there is none or it makes no sense.

        A parameter ends at a comma, too: old writers joined several by commas.
        """
        essence, _, rest = (mime_type or "").partition(";")
        kind, slash, subtype = (part.strip().lower() for part in essence.partition("/"))
        if not (kind and slash and subtype) or "/" in subtype:
            return cls("application", "octet-stream", {})
        parameters = {}
        for piece in rest.split(";"):
            name, equals, value = piece.partition("=")
            if equals and name.strip():
                parameters[name.strip().lower()] = value.split(",")[0].strip().strip('"')
        return cls(kind, subtype, parameters)

    def decoder(self) -> Callable[[bytes, bool], str]:
        """Turns chunks into text: UTF-8 unless it says so; what cannot be read is replaced.

        To be called with each chunk and whether it is the last one.
        """
        charset = self.parameters.get("charset", "utf-8")
        try:
            "".encode(charset)  # raises for codecs that do not give text
            return codecs.getincrementaldecoder(charset)("replace").decode
        except (LookupError, ValueError):
            return codecs.getincrementaldecoder("utf-8")("replace").decode

    def __str__(self) -> str:
        parameters = "".join(
            f'; {name}="{self.parameters[name]}"' for name in sorted(self.parameters)
        )
        return f"{self.type}/{self.subtype}{parameters}"

    def __repr__(self) -> str:
        return str(self)


class Attachment(NamedTuple):
    """Named bytes of a test, as the chunks in which they came.

    It can be given as a detail to results of the extended protocol.
    """

    mime_type: str | None
    chunks: tuple[bytes, ...] = ()
    complete: bool = True
    """False where the end was not seen."""

    @property
    def content(self) -> bytes:
        """All bytes."""
        return b"".join(self.chunks)

    @property
    def content_type(self) -> MediaType:
        """The mime type, parsed."""
        return MediaType.parse(self.mime_type)

    @property
    def is_text(self) -> bool:
        """Whether it says to be text."""
        return self.content_type.type == "text"

    def iter_bytes(self) -> tuple[bytes, ...]:
        """The chunks."""
        return self.chunks

    def as_text(self) -> str:
        """The content as text, UTF-8 unless it says so; what cannot be read is replaced."""
        return self.content_type.decoder()(self.content, True)


def unused_name(name: str, taken: Container[str]) -> str:
    """The name for another attachment, with a number behind it if it is taken."""
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found
