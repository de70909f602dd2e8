"""Text as the content of an attachment."""

from typing import Final

__all__ = ["TEXT", "TRACEBACK", "encoded"]

TEXT: Final = 'text/plain; charset="utf8"'
TRACEBACK: Final = 'text/x-traceback; charset="utf8"; language="python"'
"""MIME types, as testtools writes them."""


def encoded(text: str) -> bytes:
    """UTF-8, whatever a message holds."""
    return text.encode("utf-8", "backslashreplace")
