"""Check sums of single lines, by which a file of lines says which text it speaks of.

May import the standard library only. Refuses to protect from anybody: it tells texts apart.
"""

import base64
import hashlib

__all__ = ["line_checksum"]


def line_checksum(line: str) -> str:
    """That of a line's text, which comes without its end: base64 of the MD5, as LCOV has it."""
    digest = hashlib.md5(line.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii").rstrip("=")
