"""The text of a source file as the compiler sees it. (PYTEST_DONT_REWRITE)"""

import re

from whotests.source.digests import blake2b

__all__ = ["decode", "digest_of"]

_BOM = b"\xef\xbb\xbf"
_COOKIE_LINES = re.compile(rb"[^\r\n]*(?:\r\n?|\n)?[^\r\n]*")


def digest_of(source: bytes) -> bytes:
    """BLAKE2b-128 of the file's bytes: 16 bytes that name this version of it."""
    return blake2b(source, digest_size=16).digest()


def decode(source: bytes) -> str:
    r"""The characters of a source file, with `\n` as the only line end, ending with one.

    The encoding is UTF-8 or what a byte order mark or a coding cookie says (PEP 263). Form feeds
    stay: they are white space, and never end a line. An empty file is ''.

    Raises SyntaxError for an encoding that is unknown or not for text and a cookie that
    contradicts the byte order mark, and UnicodeDecodeError for bytes that the encoding does not
    have: the compiler refuses all of them.
    """
    head = _COOKIE_LINES.match(source)
    assert head is not None  # every part of the pattern may be empty
    if b"\r" in source:
        source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"coding" in head.group() or source.startswith(_BOM):
        # Imported here because few files have a cookie, and few processes have it loaded.
        from tokenize import detect_encoding

        try:
            encoding, _ = detect_encoding(iter(source.splitlines(keepends=True)).__next__)
            text = source.decode(encoding)
        except LookupError as error:  # a codec that is not for text: `rot13`
            raise SyntaxError(str(error)) from error
    else:
        text = source.decode("utf-8")
    return text if not text or text.endswith("\n") else text + "\n"
