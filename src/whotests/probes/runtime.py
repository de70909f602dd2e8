"""What instrumented code touches while it runs: blocks, and the log of those that were hit.

The code of a probe is

    if B.s5:                      # armed?
        B.s5 = False              # disarm: it was reached
        B.log += [B]              # B has something to collect

with the block `B` itself in the code's constants. There is no call in it, so it cannot fail
at the recursion limit. Each step is one store or one list's growth, which no other thread can
undo, with the interpreter lock or without it: a slot is written by probes to disarm it, and by
collecting to arm it again if it was seen disarmed.
"""

import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar, Protocol

__all__ = [
    "BLOCK_SIZE",
    "LOG",
    "SLOTS",
    "Block",
    "Key",
    "ModuleMark",
    "block",
    "block_of",
    "collect",
    "forget",
    "keys_of",
    "peek",
]

BLOCK_SIZE = 32
"""Probes in a block, at most: each is looked at when the block is collected."""

SLOTS = tuple(f"s{number}" for number in range(BLOCK_SIZE))

Key = tuple[bool, ...] | int
"""What was hit in one block: which slots are still armed, or the place at which an exception was
raised; or minus the line at which a frame was found waiting."""


class _Look(Protocol):
    """Tells which slots of a block are armed."""

    def __call__(self, block: "Block", /) -> tuple[bool, ...]: ...


LOG: list["Block | Key"] = []
"""Blocks that were hit since the last `collect`, with repetitions. Behind one may stand a key: the
place of an exception, say, or what a collecting that was interrupted had in its hands. They are no
tuples: of those the garbage collector would have to look at one for each exception."""

_seen: dict[int, object] = {}
"""Number -> the block of that pattern."""
_ROOMS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, BLOCK_SIZE)
"""Slots that blocks have: what is not needed is looked at in vain."""
_collecting = False
_unclaimed: list[int] = []
"""Pattern numbers that were collected for nobody, because that was interrupted."""
_no_numbers: dict[Key, int] = {}
"""What a block has that was never hit. Stays empty."""
_one_at_a_time: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether no other thread runs between two steps without a call. Else each block has a table of
its own from the start: of two that threads make at once, one would be lost with its numbers."""


class Block:
    """Up to `BLOCK_SIZE` probes of one unit. Hashes by identity; pickles to something inert.

    Made by `block`, of a class with as many slots as are needed.
    """

    __slots__ = ("file", "index", "log", "numbers")

    raised = BaseException
    """What a region's handler takes; measured code may have another `BaseException`."""
    iter = iter
    """The built-in; measured code may have another one."""
    slots: ClassVar[tuple[str, ...]] = ()
    take: ClassVar[_Look]
    """The slots as they are; those that are disarmed are armed again."""

    log: list["Block | Key"]
    numbers: dict[Key, int]
    file: object
    """The file that it belongs to."""
    index: int
    """The block's index in its file's layout."""

    def __init__(self, file: object, index: int) -> None:
        """One of that file, with all its probes armed. Each class has its own."""

    def read(self) -> tuple[bool, ...]:
        """The slots as they are."""
        return tuple([getattr(self, name) for name in self.slots])

    def hit(self, slot: int) -> None:
        """What a probe does, for places where only an expression can stand."""
        setattr(self, SLOTS[slot], False)
        self.log += [self]

    def __reduce__(self) -> tuple[type[Exception], tuple[()], dict[str, object]]:
        """Code that is shipped by value (cloudpickle) records nothing where it arrives, and
        needs no whotests there: all it gets is a plain object that hashes by identity, with
        probes that are disarmed and handlers that take no exception."""
        return Exception, (), {"raised": (), "iter": iter, **dict.fromkeys(self.slots, False)}


def _block_class(size: int) -> type[Block]:
    """A class of blocks with `size` slots."""
    slots = SLOTS[:size]
    # The slots are read before any is written: what is hit in between stays disarmed.
    reads = "; ".join(f"{name} = block.{name}" for name in slots)
    arms = "".join(f"    if not {name}: block.{name} = True\n" for name in slots)
    armed = "".join(f"block.{name} = " for name in slots)
    numbers = "none" if _one_at_a_time else "{}"
    functions: dict[str, Any] = {"log": LOG, "none": _no_numbers}
    # A program has many blocks: nothing is looked up or looped over for each.
    text = (
        f"def take(block):\n    {reads}\n{arms}    return ({', '.join(slots)},)\n"
        f"def number(block):\n    {reads}\n{arms}    return block.numbers[{', '.join(slots)},]\n"
        "def begin(block, file, index):\n"
        "    block.log = log\n    block.file = file\n    block.index = index\n"
        f"    block.numbers = {numbers}\n    {armed}True\n"
    )
    exec(compile(text, __file__, "exec"), functions)
    body = {
        "__slots__": slots,
        "slots": slots,
        "take": staticmethod(functions["take"]),
        "__init__": functions["begin"],
    }
    kind = type(Block.__name__, (Block,), body)
    _numbering[kind] = functions["number"]
    return kind


_CLASSES: dict[int, type[Block]] = {}
_numbering: dict[type, Any] = {}
"""What gives the number of what was hit in a block of that class, and arms it again as `take`
does; KeyError of the key where it has no number. Found by one look at a dictionary: an attribute
of so many classes is found slowly, and in each of these functions all blocks are of one."""


def block(file: object, index: int, *, size: int) -> Block:
    """A new block with room for `size` probes, all of them armed."""
    kind = _CLASSES.get(size)
    if kind is None:
        room = next(room for room in _ROOMS if room >= size)
        kind = _CLASSES.get(room) or _CLASSES.setdefault(room, _block_class(room))
        _CLASSES[size] = kind
    return kind(file, index)


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


def collect() -> list[int]:
    """The pattern numbers hit since the last call, without repetitions; every probe is armed
    again. What other threads hit meanwhile is found now or the next time. One thread at a time.

    A signal's handler may raise in the middle of it: then all is found the next time. Or it may
    collect: then it finds what there was before, too.
    """
    global _collecting
    if _collecting:
        return _collect_within()
    found: list[int] = []
    add = found.append
    in_hand: tuple[Block, Key] | None = None
    try:
        _collecting = True
        # As many as there are now: a measured trace function may hit probes for each turn.
        entries: list[Any] = LOG[:]
        with_keys = False
        number_by = _numbering.get
        for hit in set(entries):
            number_of = number_by(type(hit))
            if number_of is None:
                with_keys = True
                continue
            try:
                add(number_of(hit))
            except KeyError as unknown:
                # No call before the key is in hand: a signal's handler might come with it.
                trace = unknown.__traceback__ and unknown.__traceback__.tb_next
                if not trace or trace.tb_next or trace.tb_frame.f_code is not number_of.__code__:
                    raise  # it is a handler's own
                key = unknown.args[0]
                if False in key:  # else it was collected before, or has only what stands behind it
                    in_hand = hit, key
                    add(_number(hit, key))
        if with_keys:
            for in_hand in _pairs(entries):
                _add_number(*in_hand, found)
        # Not before: those that were taken have nothing to tell any more.
        del LOG[: len(entries)]
    except BaseException:
        if in_hand is not None:  # it may have no number yet
            in_hand[0].log += [*in_hand]
        _unclaimed.extend(found)
        raise
    finally:
        _collecting = False
    while _unclaimed:
        add(_unclaimed.pop())
    return found


def _pairs(entries: list[Any]) -> set[tuple[Block, Key]]:
    """The blocks that have a key behind them, with it."""
    return {(hit, key) for hit, key in pairwise(entries) if type(key) is int or type(key) is tuple}


def _collect_within() -> list[int]:
    """As `collect`, in the middle of it.

    The log keeps its length: as many of its entries will be removed as were counted. A key gives
    way to its block, which has nothing to tell any more.
    """
    found: list[int] = []
    in_hand: tuple[Block, Key] | None = None
    try:
        entries: list[Any] = LOG.copy()
        for place, entry in enumerate(entries):
            is_key = type(entry) is int or type(entry) is tuple
            in_hand = (entries[place - 1], entry) if is_key else (entry, entry.take(entry))
            _add_number(*in_hand, found)
            LOG[place] = in_hand[0]
    except BaseException:
        if in_hand is not None:
            in_hand[0].log += [*in_hand]
        _unclaimed.extend(found)
        raise
    return found


def _add_number(hit: Block, key: Key, found: list[int]) -> None:
    """Adds the number of what was hit, if anything was."""
    if isinstance(key, int) or False in key:
        number = hit.numbers.get(key)
        found.append(_number(hit, key) if number is None else number)


def forget() -> None:
    """What was hit until now did not happen: in a forked child, where another thread may have
    been collecting that is not there any more."""
    global _collecting
    _collecting = False
    collect()


def peek() -> list[int]:
    """The pattern numbers hit so far, leaving everything as it is."""
    found: list[int] = []
    entries = LOG.copy()
    for hit in set(entries):
        if isinstance(hit, Block):
            _add_number(hit, hit.read(), found)
    for pair in _pairs(entries):
        _add_number(*pair, found)
    return found


def _number(block: Block, key: Key) -> int:
    """A number for a pattern that is new in this process.

    When two threads number the same pattern at once, one number wins and the other stays unused.
    """
    numbers: dict[Key, int] = {}
    if block.numbers is _no_numbers:
        block.numbers = numbers
    claim = object()
    number = len(_seen)
    while _seen.setdefault(number, claim) is not claim:  # another thread took it just now
        number += 1
    _seen[number] = block
    return block.numbers.setdefault(key, number)


def block_of(number: int) -> Block:
    """The block of a pattern number."""
    block = _seen[number]
    assert isinstance(block, Block)
    return block


def keys_of(block: Block) -> dict[int, Key]:
    """The key of each pattern number of a block.

    Not kept: the garbage collector would look at each pair, time and again.
    """
    numbers = block.numbers.copy()  # another thread may be adding to it
    return {number: key for key, number in numbers.items()}
