"""Large JSON documents, read piece by piece: what is not asked for is passed over.

May import the standard library and errors only. Refuses to hold the whole document, or a piece
that would take too much memory: a few bytes of brackets make a thousand objects.
"""

import json
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn, Self

from whotests.errors import DataError

__all__ = ["JsonPieces"]

_MARK: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{}]', re.DOTALL)
"""What opens and closes; a quote alone is that of a string without an end."""
_BLANK: Final = re.compile(rb"[ \t\n\r]*")
_PLAIN: Final = re.compile(rb"[^\s,:\[\]{}\"]{1,40}")
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_LARGEST_PIECE: Final = 50_000_000
"""Bytes that a piece may take as objects, as far as can be told beforehand."""
_LARGEST_KEY: Final = 1 << 20


class JsonPieces:
    """A place in a document, which goes forward.

    Where it stands before a value, exactly one of `members`, `value` and `skip` takes that; keys
    of `members` are given one at a time, and the value of each is to be taken before the next.
    All raise DataError for what is no JSON there.
    """

    def __init__(self, path: Path, text: mmap.mmap) -> None:
        self._path = path
        self._text = text
        self._place = 3 if text[:3] == b"\xef\xbb\xbf" else 0

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """The document in a file, at its beginning."""
        with path.open("rb") as file:
            try:
                text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise DataError(f"{path} is empty: it was cut short; write it again") from error
            with text:
                yield cls(path, text)

    def members(self) -> Iterator[str]:
        """The keys of the object here."""
        self._expect(b"{")
        if self._next() == b"}":
            self._place += 1
            return
        while True:
            yield self._key()
            mark = self._next()
            self._place += 1
            if mark == b"}":
                return
            if mark != b",":
                self._place -= 1
                self.fail("an object goes on without a comma")

    def value(self) -> object:
        """The value here, as Python has it."""
        start = self._place
        self.skip()
        if self._place - start > _LARGEST_PIECE:
            self.fail("a value is larger than any that coverage.py writes")
        piece = self._text[start : self._place]
        # Roughly what a list, an object, and one more entry of either take.
        size = len(piece) + 64 * piece.count(b"[") + 240 * piece.count(b"{")
        if size + 40 * piece.count(b",") > _LARGEST_PIECE:
            self.fail("a value is larger than any that coverage.py writes")
        try:
            return json.loads(str(piece, "utf-8"))
        except (ValueError, RecursionError) as error:
            self.fail(str(error) or "a value is nested too deep")

    def skip(self) -> None:
        """Passes over the value here."""
        mark = self._next()
        if mark == b'"':
            self._take(_STRING, "a string has no end")
        elif mark in (b"{", b"["):
            self._skip_nested()
        else:
            self._take(_PLAIN, "a value is missing")

    def end(self) -> None:
        """Makes sure that nothing stands behind the document."""
        if self._next():
            self.fail("something stands behind its end")

    def fail(self, problem: str) -> NoReturn:
        """Raises the DataError about this place."""
        raise DataError(
            f"{self._path} is not the JSON that coverage.py writes: at byte {self._place}, "
            f"{problem}; write it again with `coverage json`"
        )

    def _skip_nested(self) -> None:
        open_ = bytearray()
        for match in _MARK.finditer(self._text, self._place):
            mark = match[0]
            if mark in (b"{", b"["):
                open_ += b"}" if mark == b"{" else b"]"
            elif mark in (b"}", b"]"):
                if open_.pop() != mark[0]:
                    self._place = match.start()
                    self.fail("brackets do not fit each other")
                if not open_:
                    self._place = match.end()
                    return
            elif len(mark) == 1:
                self._place = match.start()
                self.fail("a string has no end: it was cut short")
        self.fail("what begins here has no end: it was cut short")

    def _key(self) -> str:
        if self._next() != b'"':
            self.fail("a key is missing")
        start = self._place
        self._take(_STRING, "a string has no end")
        if self._place - start > _LARGEST_KEY:
            self.fail("a key is longer than any name")
        try:
            key = json.loads(str(self._text[start : self._place], "utf-8"))
        except ValueError as error:
            self.fail(str(error))
        assert isinstance(key, str)
        self._expect(b":")
        return key

    def _expect(self, mark: bytes) -> None:
        if self._next() != mark:
            self.fail(f"{mark.decode()!r} is missing")
        self._place += 1

    def _next(self) -> bytes:
        """The byte after white space, which is passed over; nothing at the end."""
        blank = _BLANK.match(self._text, self._place)
        assert blank is not None
        self._place = blank.end()
        return self._text[self._place : self._place + 1]

    def _take(self, pattern: re.Pattern[bytes], problem: str) -> None:
        match = pattern.match(self._text, self._place)
        if match is None:
            self.fail(problem)
        self._place = match.end()
