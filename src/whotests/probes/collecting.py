"""Collecting what was hit, as numbers of patterns.

A pattern is what was hit in one block between two collects. Each has a number in this process,
found in the block's own table; what it means in lines and branches is worked out when it is
written (`probes.layout`).
"""

from typing import Any

from whotests.probes.raises import block_that_noted, key_of
from whotests.probes.runtime import LOG, NO_NUMBERS, NUMBERING, Block, Key

__all__ = ["block_of", "collect", "forget", "give_back", "keys_of", "note_waiting", "peek"]

_seen: dict[int, object] = {}
"""Number -> the block of that pattern."""
_collecting = False
_unnumbered: list[tuple[Block, Key]] = []
"""What is to be collected besides the log: frames that were found waiting, and what a collecting
that was interrupted had in its hands."""
_unclaimed: list[int] = []
"""Pattern numbers that were collected for nobody, because that was interrupted."""


def note_waiting(block: Block, line: int) -> None:
    """A frame with that block was found waiting at a line, which the next `collect` tells."""
    _unnumbered.append((block, -line))
    block.log += [block]  # who looks whether there is anything looks there


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
                    add(_number(block_that_noted(hit), key))
                elif False in key:  # else it was collected before
                    in_hand = hit, key
                    add(_number(hit, key))
        pairs = _unnumbered[:]
        for in_hand in pairs:
            _add_number(*in_hand, found)
        # Not before: those that were taken have nothing to tell any more. The log goes last, since
        # it tells whether there is anything; and no call stands between the two.
        hits, others = len(entries), len(pairs)
        del _unnumbered[:others], LOG[:hits]
    except BaseException:
        if in_hand is not None:  # it may have no number yet
            _unnumbered.append(in_hand)
        _unclaimed.extend(found)
        raise
    finally:
        _collecting = False
    if _unclaimed:
        found += _unclaimed
        del _unclaimed[:]  # no call stands between the two
    return found


def give_back(found: list[int]) -> None:
    """What `collect` found is found again the next time."""
    if found:
        _unclaimed.extend(found)
        LOG.append(block_of(found[0]))  # who looks whether there is anything looks there


def _number_where_raised(raised: int) -> int:
    return block_that_noted(raised).numbers[key_of(raised)]


NUMBERING[int] = _number_where_raised


def _collect_within() -> list[int]:
    """As `collect`, in the middle of it.

    What waits keeps its length: as many will be removed as were counted. Each gives way to
    something that has nothing to tell.
    """
    found: list[int] = []
    in_hand: tuple[Block, Key] | None = None
    try:
        entries: list[Any] = LOG.copy()
        for place, entry in enumerate(entries):
            if type(entry) is int:
                in_hand = block_that_noted(entry), key_of(entry)
            else:
                in_hand = entry, entry.read()
                entry.arm(in_hand[1])
            _add_number(*in_hand, found)
            LOG[place] = in_hand[0]
        for place, in_hand in enumerate(_unnumbered.copy()):
            _add_number(*in_hand, found)
            _unnumbered[place] = in_hand[0], ()
    except BaseException:
        if in_hand is not None:
            _unnumbered.append(in_hand)
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
    for hit in set(LOG.copy()):
        if isinstance(hit, Block):
            _add_number(hit, hit.read(), found)
        else:
            _add_number(block_that_noted(hit), key_of(hit), found)
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
