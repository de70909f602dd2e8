"""Where exceptions were raised in measured code, as handlers note it.

A region's handler adds one number to the log: its block's family and its own constant, and behind
that the instruction at which the exception left the frame (`tb_lasti`). The line of that is looked
up when somebody wants to know it, once for each instruction: `tb_lineno` would go through the
function's table of lines at each exception. A number is no tuple, and an exception that is raised
again and again is the same number: the garbage collector has nothing to look at, and a set of
them is small.
"""

from collections.abc import Sequence
from functools import lru_cache
from types import CodeType
from typing import Final

from whotests.probes.runtime import Block

__all__ = ["block_that_noted", "constant", "key_of", "line_of", "offset_of", "register"]

# From the lowest bit: the instruction, the region's offset, the block, its family.
_INSTRUCTION: Final = 34
"""Bits. A traceback that a program made itself may have any number of 32 bits, with a sign."""
_OFFSET: Final = 28
_BLOCK: Final = 28
_KEY: Final = _INSTRUCTION + _OFFSET
_ZERO: Final = 1 << _INSTRUCTION - 1

_families: list[Sequence[Block]] = []
"""The blocks of each file that was loaded, in each way in which it was."""


def register(blocks: Sequence[Block]) -> int:
    """Makes these blocks of one file a family: gives what each of them has as `family`."""
    start = len(_families)
    _families.append(blocks)
    # Another thread may have come between: it has only added some.
    numbers = range(start, len(_families))
    return next(number for number in numbers if _families[number] is blocks) << _BLOCK + _KEY


def constant(block: int, offset: int) -> int:
    """What a region's handler adds to the instruction and its block's family: the same in all
    processes. The offset is what the region adds to a line to make a place of it."""
    return (block << _OFFSET | offset) << _INSTRUCTION | _ZERO


def block_that_noted(raised: int) -> Block:
    """The block that a handler's number speaks of."""
    return _families[raised >> _BLOCK + _KEY][raised >> _KEY & (1 << _BLOCK) - 1]


def key_of(raised: int) -> int:
    """The rest of it: the key of that block for this instruction and region. Not negative."""
    return raised & (1 << _KEY) - 1


def offset_of(key: int) -> int:
    """What the region of a key adds to lines."""
    return key >> _INSTRUCTION


def line_of(key: int, lines: bytes, first_line: int) -> int:
    """The line of a key's instruction, in code that has these `co_linetable` and
    `co_firstlineno`; 0 if it has none."""
    instruction = (key & (1 << _INSTRUCTION) - 1) - _ZERO
    if instruction >= 0:
        for _, end, line in _code_with(lines, first_line).co_lines():
            if instruction < end:
                return line or 0
    return 0


@lru_cache(maxsize=32)
def _code_with(lines: bytes, first_line: int) -> CodeType:
    """Some code that has this table of lines."""
    return line_of.__code__.replace(co_linetable=lines, co_firstlineno=first_line)
