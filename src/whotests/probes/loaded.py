"""A version of a measured file in this process, and the ways in which its code is wanted."""

import types
from _weakref import ReferenceType
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from whotests.probes.layout import Layout, Packed
from whotests.probes.runtime import Block
from whotests.records import UnitRecord

if TYPE_CHECKING:
    import ast

__all__ = ["Entry", "LoadedFile", "Rewrite", "Variant", "layout_of"]

Rewrite = Callable[["ast.Module", bytes], None]
"""Changes an instrumented tree further, in place; gets the source too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
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
    analysis: tuple[Any, ...]
    """As `source.plain` has it."""
    warned: tuple[tuple[str, str, int], ...]
    """What the compiler warned of: category, text, line."""
    reason: str
    """Which part of the file is not measured, and why, or ''."""


@dataclass(slots=True, eq=False)
class LoadedFile:
    """A version of a file that was asked for while measuring."""

    path: str
    digest: bytes
    line_count: int = 0
    statements: int = 0
    excluded: int = 0
    """Line bitmaps, as in `records.FileRecord`."""
    branches: tuple[tuple[int, int], ...] = ()
    partial: int = 0
    """As in `records.FileRecord`."""
    units: tuple[UnitRecord, ...] = ()
    packed_layout: Packed = ()
    """Empty when it could not be instrumented, and runs as it is."""
    reason: str = ""
    """Why it could not, or which part of it."""
    blocks: dict[str, tuple[Block, ...]] = field(default_factory=dict)
    """The blocks of the code that runs, by the variant's name: code that is made again has the
    same ones, so that it is equal."""
    codes: dict[str, ReferenceType[types.CodeType]] = field(default_factory=dict)
    """That code, as long as something else keeps it: a module has no use of its own body once
    that has run."""
    warned: tuple[tuple[str, str, int], ...] = ()
    """What the compiler warned of: category, text, line."""


@lru_cache(maxsize=16)
def layout_of(file: LoadedFile) -> Layout:
    """What a file's probes stand for."""
    return Layout(file.packed_layout)
