"""What a branch does, in the words that coverage.py has for it, and which branch such words mean.

May import the store's values, packing and types. Refuses to know what ran.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from whotests.packing.branches import Branch
from whotests.store.values import Unit
from whotests.types import UnitKind

__all__ = ["branch_in_words", "end_meant"]

_JUMP: Final = re.compile(r"jump to line (\d{1,9})")
_LEAVING: Final = re.compile(r"(?:return|except) from |exit |jump to the function exit")


def branch_in_words(branch: Branch, units: Sequence[Unit]) -> str:
    """What is done where the branch is taken: 'jump to line 12', "return from function 'f'"."""
    line, end = branch
    if end > 0:
        return f"jump to line {end}"
    left = None
    for unit in units:
        # Units stand in source order: the last one is the innermost.
        if unit.first_line == -end and unit.first_line <= line <= unit.last_line:
            left = unit
    if left is None:
        return "jump to the function exit"
    if left.kind is UnitKind.MODULE:
        return "exit the module"
    name = left.name.rpartition(".")[2]
    return (
        f"exit class {name!r}" if left.kind is UnitKind.CLASS else f"return from function {name!r}"
    )


def end_meant(words: str, *, line: int, exits: Iterable[int]) -> int | None:
    """The end of the branch that begins on `line` and does this.

    None where that is not clear: `exits` are the negative ends that branches of this line have,
    and of two of them the words do not tell which one is meant.
    """
    if jump := _JUMP.fullmatch(words):
        return int(jump[1]) or None
    known = set(exits)
    if _LEAVING.match(words) and len(known) == 1:
        return known.pop()
    return None
