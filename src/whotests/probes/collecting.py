"""Collecting what was hit, as numbers of patterns.

A pattern is what was hit in one block between two collects. Each has a number in this process,
found in the block's own table; what it means in lines and branches is worked out when it is
written (`probes.layout`).
"""

from typing import Any

from whotests.probes.raises import block_that_noted, key_of
from whotests.probes.runtime import LOG, NO_NUMBERS, NUMBERING, Block, Key, in_c, is_block

__all__ = [
    "IN_HAND",
    "block_of",
    "collect",
    "forget",
    "gather",
    "keys_of",
    "note_waiting",
    "peek",
]

IN_HAND: list[int] = []
"""Pattern numbers that were gathered, until whoever has taken them over removes them. So those
that were gathered for nobody, because that was interrupted, are there the next time."""
_seen: dict[int, object] = {}
"""Number -> the block of that pattern."""
_gathering = False
_unnumbered: list[tuple[Block, Key]] = []
"""What is to be gathered besides the log: frames that were found waiting, and what was read off
blocks and has no number yet."""


def note_waiting(block: Block, line: int) -> None:
    """A frame with that block was found waiting at a line, which the next `gather` tells."""
    _unnumbered.append((block, -line))
    block.log += [block]  # who looks whether there is anything looks there


def gather() -> None:
    """Puts the pattern numbers that were hit since the last call into `IN_HAND`; every probe is
    armed again. What other threads hit meanwhile is found now or the next time. One thread at a
    time. A number may come twice.

    A signal's handler may raise in the middle of it: then all is found the next time. Or it may
    gather: then it has what there was before, too.
    """
    global _gathering
    if _gathering:
        _gather_within()
        return
    add, add_unnumbered = IN_HAND.append, _unnumbered.append
    try:
        _gathering = True
        # As many as there are now: a measured trace function may hit probes for each turn.
        entries: list[Any] = LOG[:]
        hits = len(entries)
        if in_c is not None:
            in_c.take(entries, IN_HAND)
        numbering, where_raised = NUMBERING, _number_where_raised
        for hit in set(entries):
            number_of = numbering[type(hit)]
            try:
                add(number_of(hit))
            except KeyError as unknown:
                # No call before the key is in hand: a signal's handler might come with it.
                trace = unknown.__traceback__ and unknown.__traceback__.tb_next
                if not trace or trace.tb_next or trace.tb_frame.f_code is not number_of.__code__:
                    raise  # it is a handler's own
                key = unknown.args[0]
                if number_of is where_raised:  # it stays in the log meanwhile
                    add_unnumbered((block_that_noted(hit), key))
                elif None in key:  # else it was gathered before
                    add_unnumbered((hit, key))
        pairs = _unnumbered[:]
        for pair in pairs:
            _add_number(*pair, IN_HAND)
        others = len(pairs)
        # Not before: those that were taken have nothing to tell any more. The log goes last, since
        # it tells whether there is anything; and no call stands between the two.
        del _unnumbered[:others], LOG[:hits]
    finally:
        _gathering = False


def collect() -> list[int]:
    """Gathers, and takes over what there is."""
    gather()
    found = IN_HAND[:]
    del IN_HAND[:]  # no call stands between the two
    return found


def _number_where_raised(raised: int) -> int:
    return block_that_noted(raised).numbers[key_of(raised)]


NUMBERING[int] = _number_where_raised


def _gather_within() -> None:
    """As `gather`, in the middle of it.

    What waits keeps its length: as many will be removed as were counted. Each gives way to
    something that has nothing to tell.
    """
    for place, entry in enumerate(LOG.copy()):
        if isinstance(entry, int):
            block = block_that_noted(entry)
            _unnumbered.append((block, key_of(entry)))
            LOG[place] = block
        else:
            seen = entry.read()
            _unnumbered.append((entry, seen))
            entry.arm(seen)
    for place, pair in enumerate(_unnumbered.copy()):
        _add_number(*pair, IN_HAND)
        _unnumbered[place] = pair[0], ()


def _add_number(hit: Block, key: Key, found: list[int]) -> None:
    """Adds the number of what was hit, if anything was."""
    if isinstance(key, int) or None in key:
        number = hit.numbers.get(key)
        found.append(_number(hit, key) if number is None else number)


def forget() -> None:
    """What was hit until now did not happen: in a forked child, where another thread may have
    been collecting that is not there any more."""
    global _gathering
    _gathering = False
    collect()


def peek() -> list[int]:
    """The pattern numbers hit so far, leaving everything as it is."""
    found = IN_HAND[:]
    for hit in set(LOG.copy()):
        if isinstance(hit, int):
            _add_number(block_that_noted(hit), key_of(hit), found)
        else:
            _add_number(hit, hit.read(), found)
    for pair in _unnumbered.copy():
        _add_number(*pair, found)
    return found


def _number(block: Block, key: Key) -> int:
    """A number for a pattern that is new in this process.

    When two threads number the same pattern at once, one number wins and the other stays unused.
    """
    numbers: dict[Key, int] = {}
    if block.numbers is NO_NUMBERS:
        block.numbers = numbers
    claim = object()
    number = len(_seen)
    while _seen.setdefault(number, claim) is not claim:  # another thread took it just now
        number += 1
    _seen[number] = block
    number = block.numbers.setdefault(key, number)
    if in_c is not None:
        in_c.learn(block, key, number)
    return number


def block_of(number: int) -> Block:
    """The block of a pattern number."""
    block = _seen[number]
    assert is_block(block)
    return block


def keys_of(block: Block) -> dict[int, Key]:
    """The key of each pattern number of a block.

    Not kept: the garbage collector would look at each pair, time and again.
    """
    numbers = block.numbers.copy()  # another thread may be adding to it
    return {number: key for key, number in numbers.items()}
