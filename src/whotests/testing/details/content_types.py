"""What kind of bytes a detail has."""

import re

from whotests.stream.attachment import MediaType

__all__ = ["JSON", "UTF8_TEXT", "ContentType"]


class ContentType:
    """A type as of RFC 2045: what HTTP and mail call a content type or MIME type."""

    def __init__(
        self, primary_type: str, sub_type: str, parameters: dict[str, str] | None = None
    ) -> None:
        if primary_type is None or sub_type is None:
            raise ValueError(f"None not permitted in {primary_type!r}, {sub_type!r}")
        self.type = primary_type
        self.subtype = sub_type
        self.parameters = parameters or {}

    @classmethod
    def parse(cls, text: str | None) -> "ContentType":
        """The type that a text such as 'text/plain; charset="utf8"' names.

        What cannot be read as one is what nothing is known of: application/octet-stream.
        """
        return cls(*MediaType.parse(text))

    def __eq__(self, other: object) -> bool:
        """Whether another one, of whatever class, names the same."""
        try:
            theirs = (other.type, other.subtype, other.parameters)  # type: ignore[attr-defined]
        except AttributeError:
            return NotImplemented
        return (self.type, self.subtype, self.parameters) == theirs

    def __hash__(self) -> int:
        return hash((self.type, self.subtype))

    def __repr__(self) -> str:
        """The type as it is written: what `parse` takes."""
        quoted = (
            '; {}="{}"'.format(name, re.sub(r'(["\\])', r"\\\1", value))
            for name, value in sorted(self.parameters.items())
        )
        return f"{self.type}/{self.subtype}{''.join(quoted)}"


JSON = ContentType("application", "json")
UTF8_TEXT = ContentType("text", "plain", {"charset": "utf8"})
