"""What instrumented code touches while it runs: blocks, and the log of those that were hit.

The code of a probe is

    if B.s5:                      # armed?
        B.s5 = False              # disarm
        B.hits |= 32              # note it
        B.log += (B,)             # B has something to collect

with the block `B` itself in the code's constants. There is no call in it, so it cannot fail
at the recursion limit, and under the interpreter lock nothing comes in between its steps:
the evaluation loop looks for signals and other threads at calls and backward jumps only.
"""

from collections.abc import Callable
from itertools import count

__all__ = ["BLOCK_SIZE", "LOG", "SLOTS", "Block", "Key", "ModuleMark", "collect", "peek", "seen"]

BLOCK_SIZE = 30
"""Probes in a block: as many as an integer has bits before CPython needs a second digit."""

SLOTS = tuple(f"s{number}" for number in range(BLOCK_SIZE))

Key = int | tuple[int, int]
"""What one context hit in one block: a bit for each probe, and a bit for each line at which an
exception was raised, if any was."""

LOG: list["Block"] = []
"""Blocks that were hit since the last `collect`, with repetitions."""

_count = count()
_seen: dict[int, tuple["Block", Key]] = {}


class Block:
    """Up to `BLOCK_SIZE` probes of one unit. Hashes by identity; pickles to something inert."""

    __slots__ = ("arm", "file", "hits", "index", "log", "numbers", "traps", *SLOTS)

    raised = BaseException
    """What a region's handler takes; measured code may have another `BaseException`."""
    iter = iter
    """The built-in; measured code may have another one."""

    hits: int
    traps: int
    """A number and no set: comparing, as sets do, fails at the recursion limit."""
    log: list["Block"]
    numbers: dict[Key, int]
    arm: Callable[["Block"], None]
    file: object
    """The file that it belongs to."""
    index: int
    """The block's index in its file's layout."""

    def __init__(self, file: object, index: int, *, size: int) -> None:
        self.hits = 0
        self.traps = 0
        self.log = LOG
        self.numbers = {}
        self.file = file
        self.index = index
        self.arm = _ARMS.get(size) or _armer(size)
        self.arm(self)

    def hit(self, slot: int) -> None:
        """What a probe does, for places where only an expression can stand."""
        setattr(self, SLOTS[slot], False)
        self.hits |= 1 << slot
        self.log += (self,)

    def __reduce__(self) -> tuple[type[Exception], tuple[()], dict[str, object]]:
        """Code that is shipped by value (cloudpickle) records nothing where it arrives, and
        needs no whotests there: all it gets is a plain object that hashes by identity, with
        probes that are disarmed and handlers that take no exception."""
        return Exception, (), {"raised": (), "iter": iter, **dict.fromkeys(SLOTS, False)}


_ARMS: dict[int, Callable[[Block], None]] = {}


def _armer(size: int) -> Callable[[Block], None]:
    """A function that arms the first `size` probes of a block by plain slot stores."""
    body = "; ".join(f"block.{name} = True" for name in SLOTS[:size])
    namespace: dict[str, Callable[[Block], None]] = {}
    exec(f"def arm(block): {body or 'pass'}", namespace)
    return _ARMS.setdefault(size, namespace["arm"])


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
    """The pattern numbers hit since the last call; every probe is armed again.

    A number may stand twice when other threads hit probes meanwhile.
    """
    found: list[int] = []
    add = found.append
    log = LOG
    take = log.pop
    # Not `while log`: a measured trace or profile function may hit probes for each turn of this.
    for _ in range(len(log)):
        try:
            block = take()
        except IndexError:  # another thread collects too
            break
        key: Key = block.hits
        traps = block.traps
        block.hits = 0
        block.traps = 0
        if traps:
            key = (key, traps)  # type: ignore[assignment]
        elif not key:
            continue
        try:
            add(block.numbers[key])
        except KeyError:
            add(_number(block, key))
        block.arm(block)
    return found


def peek() -> list[int]:
    """The pattern numbers hit so far, leaving everything as it is."""
    found = []
    for block in dict.fromkeys(LOG.copy()):
        key: Key = block.hits
        if block.traps:
            key = (block.hits, block.traps)
        elif not key:
            continue
        number = block.numbers.get(key)
        found.append(_number(block, key) if number is None else number)
    return found


def _number(block: Block, key: Key) -> int:
    """A number for a pattern that is new in this process.

    When two threads number the same pattern at once, one number wins and the other stays unused.
    """
    number = next(_count)
    _seen[number] = (block, key)
    return block.numbers.setdefault(key, number)


def seen(number: int) -> tuple[Block, Key]:
    """The block and the key of a pattern number."""
    return _seen[number]
