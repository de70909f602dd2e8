"""A version of a measured file in this process, and the ways in which its code is wanted."""

import marshal
import types
from _weakref import ReferenceType
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from whotests.probes.layout import Layout, Packed
from whotests.probes.runtime import Block
from whotests.records import FileContent, UnitSpan

if TYPE_CHECKING:
    import ast

__all__ = ["Entry", "LoadedFile", "Rewrite", "Variant", "layout_of"]

Rewrite = Callable[["ast.Module", bytes], None]
"""Changes an instrumented tree further, in place; gets the source too."""


class Variant(NamedTuple):
    """How code is wanted of a measured file."""

    rewrite: Rewrite | None = None
    key: str = ""
    """Names what `rewrite` does: the same key, the same change."""
    filename: str = ""
    """What the code calls the file; '' for its path."""
    flags: int = 0
    """Of `from __future__` imports that it has not itself."""
    module: str | None = None
    """Of which module what the compiler warns of is, if not that of the file's name."""
    compiled: bool = False
    """The program compiles it by itself: then it is warned each time."""

    @property
    def name(self) -> str:
        """A name for the way, among all ways of one file."""
        return self.key + (f"\0{self.filename}\0{self.flags}" if self.compiled else "")


class Entry(NamedTuple):
    """What the cache keeps of a variant of a file's code."""

    code: types.CodeType
    """With placeholders for the blocks."""
    layout: Packed
    content: tuple[Any, ...]
    """The fields of `FileContent`."""
    units: bytes
    """The `UnitSpan` of each unit, as `marshal` writes them: they are wanted once."""
    warned: tuple[tuple[str, str, int], ...]
    """What the compiler warned of: category, text, line."""
    reason: str
    """Which part of the file is not measured, and why, or ''."""


class LoadedFile:
    """A version of a file that was asked for while measuring."""

    __slots__ = (
        "blocks",
        "codes",
        "content",
        "digest",
        "layouts",
        "packed_units",
        "path",
        "reason",
        "warned",
    )

    def __init__(self, path: str, digest: bytes, *, reason: str = "") -> None:
        """One that could not be instrumented for the `reason`, until `take` says more."""
        self.path = path
        self.digest = digest
        self.content: tuple[Any, ...] = FileContent()
        """As in `Entry`."""
        self.packed_units = b""
        """The same, once it was instrumented."""
        self.layouts: dict[int, Packed] = {}
        """By the family of the blocks: what they stand for, in each way in which it runs."""
        self.reason = reason
        """Why it could not, or which part of it."""
        self.warned: tuple[tuple[str, str, int], ...] = ()
        """What the compiler warned of: category, text, line."""
        self.blocks: dict[str, Sequence[Block]] = {}
        """The blocks of the code that runs, by the variant's name: code that is made again has
        the same ones, so that it is equal."""
        self.codes: dict[str, ReferenceType[types.CodeType]] = {}
        """That code, as long as something else keeps it: a module has no use of its own body
        once that has run."""

    def take(self, entry: Entry) -> None:
        """Makes it one that was instrumented."""
        self.content = entry.content
        self.packed_units = entry.units
        self.reason = entry.reason
        self.warned = entry.warned

    @property
    def instrumented(self) -> bool:
        """Whether it was; else it runs as it is."""
        return bool(self.packed_units)

    @property
    def units(self) -> tuple[UnitSpan, ...]:
        """Its units; none of one that could not be instrumented."""
        return marshal.loads(self.packed_units) if self.packed_units else ()


def layout_of(block: Block) -> Layout:
    """What a block's probes stand for, and those of the other blocks of its family."""
    assert isinstance(block.file, LoadedFile)
    return _layout_of(block.file, block.family)


@lru_cache(maxsize=16)
def _layout_of(file: LoadedFile, family: int) -> Layout:
    return Layout(file.layouts[family])
