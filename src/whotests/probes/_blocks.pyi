"""Blocks in C; not there where it was not compiled, and without the interpreter lock."""

from types import CodeType
from typing import Any

def use(
    interface: int, log: list[Any], no_numbers: dict[Any, int], code: type[CodeType], /
) -> type[Any]:
    """Blocks that are made from now on go to this log, and have these numbers at first; code is of
    that type. Gives the base of all their classes, which has no methods yet.

    ImportError where that was told before (by another interpreter of the process), and where the
    module was compiled of other sources, with functions that mean something else.
    """

def kind(slots: int, /) -> type[Any]:
    """A class of blocks with so many slots, 1 to 32."""

def take(entries: list[Any], found: list[int], /) -> None:
    """Adds the numbers of known patterns to those found, takes their blocks out of the log's
    entries and arms them again. What was not learnt stays, and whatever is no such block."""

def learn(block: object, key: object, number: int, /) -> None:
    """`take` knows that pattern of the block from now on, if both are what they should be."""

def swap(code: CodeType, constants: dict[str, object], /) -> CodeType:
    """As `load.swapped`, but in place as far as nothing else has the constants: for code that just
    came from the cache. All placeholders begin with a null character."""
