"""What instrumented code touches while it runs: blocks, and the log of those that were hit.

Blocks are in C (`_blocks.c`) where that was compiled, and in Python everywhere else: the same
attributes, the same meaning, other code of a probe. In Python it is

    if B.s5 is not None:          # armed?
        B.s5 = None               # disarm: it was reached
        B.log += [B]              # B has something to collect

with the block `B` itself in the code's constants. There is no call in it, so it cannot fail
at the recursion limit. Each step is one store or one list's growth, which no other thread can
undo, with the interpreter lock or without it: a slot is written by probes to disarm it, and by
collecting to arm it again if it was seen disarmed. In C it is shorter:

    if B.s5 is not None:
        B.h5                      # does the same in one step, and is no call, either

An armed slot is True and a disarmed one None: that is one instruction where truth is two (3.13).
"""

import os
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any, ClassVar, Literal, TypeGuard

__all__ = [
    "BLOCK_SIZE",
    "LOG",
    "NO_NUMBERS",
    "NUMBERING",
    "SLOTS",
    "Block",
    "Key",
    "ModuleMark",
    "Slot",
    "block",
    "block_class",
    "in_c",
    "is_block",
]

BLOCK_SIZE = 32
"""Probes in a block, at most: each is looked at when the block is collected."""

SLOTS = tuple(f"s{number}" for number in range(BLOCK_SIZE))

Slot = Literal[True] | None
"""Armed, or not."""

Key = tuple[Slot, ...] | int
"""What was hit in one block: which slots are still armed, or where an exception was raised
(`probes.raises.key_of`); or minus the line at which a frame was found waiting."""


LOG: list["Block | int"] = []
"""Blocks that were hit since the last `gather`, and where exceptions were raised
(`probes.raises`), with repetitions. No tuples: of those the garbage collector would have to look
at one for each exception."""

_ROOMS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, BLOCK_SIZE)
"""Slots that blocks have: what is not needed is looked at in vain."""
NO_NUMBERS: dict[Key, int] = {}
"""What a block has that was never hit. Stays empty."""
_one_at_a_time: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether no other thread runs between two steps without a call. Else each block has a table of
its own from the start: of two that threads make at once, one would be lost with its numbers."""


class Block:
    """Up to `BLOCK_SIZE` probes of one unit. Hashes by identity; pickles to something inert.

    Made by `block`, of a class with as many slots as are needed.
    """

    __slots__ = ("family", "file", "first_line", "index", "lines", "log", "numbers")

    raised = BaseException
    """What a region's handler takes; measured code may have another `BaseException`."""
    iter = iter
    """The built-in; measured code may have another one."""
    slots: ClassVar[tuple[str, ...]] = ()

    log: list["Block | int"]
    family: int
    """Tells the blocks of its file from all others (`probes.raises`)."""
    lines: bytes
    """The table of lines of the code that has handlers with this block; b'' if none has."""
    first_line: int
    """The first line of that code."""
    numbers: dict[Key, int]
    file: object
    """The file that it belongs to."""
    index: int
    """The block's index in its file's layout."""

    def __init__(self, file: object, index: int, family: int) -> None:
        """One of that file, with all its probes armed. Each class has its own."""

    def read(self) -> tuple[Slot, ...]:
        """The slots as they are."""
        return tuple([getattr(self, name) for name in self.slots])

    def arm(self, seen: tuple[Slot, ...]) -> None:
        """Arms those slots again that `read` has seen disarmed: what is hit in between stays."""
        for name, armed in zip(self.slots, seen, strict=True):
            if armed is None:
                setattr(self, name, True)

    def hit(self, slot: int) -> bool:
        """What a probe does, for places where only an expression can stand. False."""
        setattr(self, SLOTS[slot], None)
        self.log += [self]
        return False

    def __reduce__(self) -> tuple[type[Exception], tuple[()], dict[str, object]]:
        """Code that is shipped by value (cloudpickle) records nothing where it arrives, and
        needs no whotests there: all it gets is a plain object that hashes by identity, with
        probes that are disarmed and handlers that take no exception."""
        return Exception, (), {"raised": (), "iter": iter, **dict.fromkeys(self.slots)}


_INTERFACE = 1
"""Of the module in C, as it is wanted here."""
_SHARED = ("raised", "iter", "read", "arm", "hit", "__reduce__")
"""What blocks in C have of those in Python."""


def _module_in_c() -> tuple[Any, tuple[type, ...]]:
    """The module, ready for use, or None; and the bases of all blocks."""
    # "t": of a Python that can do without the interpreter lock, whether it has one now or not.
    free = not _one_at_a_time or "t" in getattr(sys, "abiflags", "")
    if free or os.environ.get("WHOTESTS_BLOCKS") == "python":
        return None, (Block,)
    try:
        import whotests.probes._blocks as module

        base = module.use(_INTERFACE, LOG, NO_NUMBERS, CodeType)
    except ImportError:  # it was not compiled for this Python, or at all
        return None, (Block,)
    for name in _SHARED:
        setattr(base, name, vars(Block)[name])
    return module, (Block, base)


in_c, _bases = _module_in_c()
"""The module with blocks in C (`_blocks.pyi`), or None: they are in Python."""


def is_block(found: object) -> TypeGuard[Block]:
    """Whether it is a block, in C or in Python."""
    return isinstance(found, _bases)


def block_class(size: int, *, one_at_a_time: bool) -> type[Block]:
    """A class of blocks in Python with `size` slots, for one whose threads run one at a time or
    not."""
    slots = SLOTS[:size]
    begin = _begin(slots, one_at_a_time=one_at_a_time)
    body = {"__slots__": slots, "slots": slots, "__init__": begin}
    kind = type(Block.__name__, (Block,), body)
    NUMBERING[kind] = _number(slots, one_at_a_time=one_at_a_time)
    return kind


def _block_class_in_c(size: int) -> type[Block]:
    kind: type[Block] = in_c.kind(size)
    kind.slots = SLOTS[:size]
    NUMBERING[kind] = _number(kind.slots, one_at_a_time=True)  # of what is new to it
    return kind


def _begin(slots: tuple[str, ...], *, one_at_a_time: bool) -> Any:
    """What begins a block. A program has many: nothing is looked up or looped over for each."""
    armed = "".join(f"block.{name} = " for name in slots)
    return _compiled(
        "begin(block, file, index, family)",
        "    block.log = log\n    block.file = file\n    block.index = index\n"
        "    block.family = family\n    block.lines = b''\n    block.first_line = 0\n"
        f"    block.numbers = {'none' if one_at_a_time else '{}'}\n    {armed}True\n",
    )


def _number(slots: tuple[str, ...], *, one_at_a_time: bool) -> Any:
    """What gives the number of what was hit in a block."""
    reads = "; ".join(f"{name} = block.{name}" for name in slots)
    pattern = f"block.numbers[{', '.join(slots)},]"
    if one_at_a_time:
        # One line and no call: nothing runs between reading the slots and arming all of them.
        armed = "".join(f"block.{name} = " for name in slots)
        return _compiled("number(block)", f"    {reads}; {armed}True; return {pattern}\n")
    # What is hit in between stays disarmed.
    arms = "".join(f"    if {name} is None: block.{name} = True\n" for name in slots)
    return _compiled("number(block)", f"    {reads}\n{arms}    return {pattern}\n")


def _compiled(head: str, body: str) -> Any:
    """The function, which may use the log and the numbers of a block that was never hit."""
    functions: dict[str, Any] = {"log": LOG, "none": NO_NUMBERS}
    exec(compile(f"def {head}:\n{body}", __file__, "exec"), functions)
    return functions[head.partition("(")[0]]


_CLASSES: dict[int, type[Block]] = {}
NUMBERING: dict[type, Any] = {}
"""What gives the number of what was hit in a block of that class, and arms it again; KeyError of
the key where it has no number. Found by one look at a dictionary: an attribute of so many classes
is found slowly, and in each of these functions all blocks are of one. So for `int`, of what a
handler noted."""


def block(file: object, index: int, family: int, *, size: int) -> Block:
    """A new block with room for `size` probes, all of them armed."""
    kind = _CLASSES.get(size)
    if kind is None:
        room = next(room for room in _ROOMS if room >= size)
        kind = _CLASSES.get(room)
        if kind is None:
            if in_c is not None:
                kind = _block_class_in_c(room)
            else:
                kind = block_class(room, one_at_a_time=_one_at_a_time)
            kind = _CLASSES.setdefault(room, kind)
        _CLASSES[size] = kind
    return kind(file, index, family)


class ModuleMark:
    """Tells when a measured module's own code begins and ends; one for all modules.

    The module's frame is two above that of what is told.
    """

    __slots__ = ("began", "ended")

    began: Callable[[], None]
    ended: Callable[[], None]

    def __init__(self) -> None:
        self.began = self.ended = _nothing

    def __enter__(self) -> None:
        self.began()

    def __exit__(self, *error: object) -> None:
        self.ended()

    def __reduce__(self) -> tuple[type["ModuleMark"], tuple[()]]:
        return ModuleMark, ()


def _nothing() -> None:
    """Nobody listens."""
