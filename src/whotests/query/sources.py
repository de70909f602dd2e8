"""The source files as they are now, and whether the data still speaks of them.

May import types, errors, source and store.values. Refuses to touch a disk: the caller
hands in something that reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from whotests.source.logical_lines import continuations
from whotests.source.text import decode, digest_of
from whotests.store.values import FileVersion, Unit

__all__ = ["SourceText", "SourceTree", "Staleness", "text_of"]


class SourceTree(Protocol):
    """Where source files are read from."""

    def read(self, path: str) -> bytes | None:
        """The bytes of the file that the data calls `path`, or None when it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """A file is not what it was when it was recorded; the answer speaks of the recorded one."""

    path: str
    gone: bool
    """It is not there at all any more."""
    recorded: float
    """When the newest run that saw the recorded version began, seconds since the epoch, UTC."""
    digest: bytes
    """Of the recorded version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """The text of exactly the recorded version of a file."""

    text: str
    """With line feeds as the only line ends."""
    lines: tuple[str, ...]
    """Line N is at N - 1, without line ends."""

    def line(self, number: int) -> str:
        """One line's text, '' past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def first_lines(self) -> dict[int, int]:
        """A line inside a statement that spans several -> that statement's first line.

        It takes a scan of the whole text.
        """
        return continuations(self.text)

    def units(self, file: FileVersion) -> Sequence[Unit]:
        """The units of this text, that of `file`, of which nothing ran; none if it cannot be
        parsed. They have no fingerprints and negative ids."""
        from whotests.source.statements import parse_quietly  # much to import, seldom needed
        from whotests.source.units import units_of

        try:
            tree = parse_quietly(self.text, file.path)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()
        return [
            Unit(
                id=-1 - place,
                file_id=file.id,
                qualname=unit.qualname,
                kind=unit.kind,
                first_line=unit.first_line,
                last_line=unit.last_line,
                body_line=unit.body_line,
                fingerprint=b"",
            )
            for place, unit in enumerate(units_of(tree, file.line_count, fingerprints=False))
        ]


def text_of(version: FileVersion, tree: SourceTree) -> SourceText | None:
    """The text that `version` was made of, or None when the disk has another one."""
    content = tree.read(version.path)
    if content is None or digest_of(content) != version.digest:
        return None
    try:
        text = decode(content)
    except (SyntaxError, UnicodeDecodeError):
        # Recorded as not measured: there is nothing to show of it.
        return None
    return SourceText(text=text, lines=tuple(text.split("\n")))
