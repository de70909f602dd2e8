"""Branches that a format counts and does not name: which they are, as far as the source tells.

May import formats.foreign and what is below. Refuses to guess: what may be two things is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from whotests.formats.foreign import EVERYTHING, ForeignFile, ForeignFork, ForeignRan
from whotests.store.branches import Branch
from whotests.types import NO_LINES

__all__ = ["MODULE_EXIT", "closed", "is_open"]

MODULE_EXIT = -1
"""Where a way out leads if nothing is known of the source: out of the one unit that there is."""


def is_open(file: ForeignFile) -> bool:
    """Whether it has branches that it does not name."""
    return bool(file.forks) or any(
        not end for _, end in (file.branches or frozenset()).union(*_taken(file))
    )


def closed(
    file: ForeignFile, *, ways: Mapping[int, Iterable[int]] | None
) -> tuple[ForeignFile, int]:
    """The same with all branches named, and of how many lines nobody can tell them.

    `ways` are the ends that count of each line that branches, by the source; None: there is no
    source, and a way out is taken for one out of the module.
    """
    exits: dict[int, int | None] = {}

    def named(branch: Branch) -> Branch | None:
        line, end = branch
        if end:
            return branch
        if line not in exits:
            exits[line] = _exit(None if ways is None else ways.get(line, ()))
        found = exits[line]
        return None if found is None else (line, found)

    branches = {branch for each in file.branches or () if (branch := named(each))}
    ran = {
        key: ForeignRan(
            context.lines,
            frozenset(branch for each in context.branches if (branch := named(each))),
        )
        for key, context in file.ran.items()
    }
    lost = {line for line, found in exits.items() if found is None}
    taken: set[Branch] = set()
    for line, fork in file.forks.items():
        ends = _ends(fork, None if ways is None else frozenset(ways.get(line, ())))
        if ends is None:
            lost.add(line)
            continue
        branches |= {(line, end) for end in ends}
        taken |= {(line, end) for end, was_taken in ends.items() if was_taken}
    if taken:
        lines, others = ran.get(EVERYTHING, ForeignRan(NO_LINES))
        ran[EVERYTHING] = ForeignRan(lines, others | taken)
    said = file.branches is not None or bool(file.forks)
    return replace(file, branches=frozenset(branches) if said else None, ran=ran, forks={}), len(
        lost
    )


def _ends(fork: ForeignFork, ways: frozenset[int] | None) -> dict[int, bool] | None:
    """Each end of the fork, and whether it was taken; None when that cannot be told."""
    exit_ = _exit(ways)
    told: dict[int, bool] = {}
    for ends, was_taken in ((fork.taken_ends, True), (fork.missed_ends, False)):
        for end in ends:
            which = end or exit_
            if which is None or told.setdefault(which, was_taken) != was_taken:
                return None
    if ways is None:
        return told if _fits(told, fork) else None
    if not told.keys() <= ways or len(ways) != fork.total:
        return None
    rest = ways - told.keys()
    missed = fork.total - fork.taken - sum(1 for was_taken in told.values() if not was_taken)
    if missed not in (0, len(rest)):
        return None  # some of the rest were taken, and nobody knows which
    told |= dict.fromkeys(rest, not missed)
    return told if _fits(told, fork) else None


def _fits(ends: Mapping[int, bool], fork: ForeignFork) -> bool:
    return len(ends) == fork.total and sum(ends.values()) == fork.taken


def _exit(ways: Iterable[int] | None) -> int | None:
    if ways is None:
        return MODULE_EXIT
    exits = [end for end in ways if end < 0]
    return exits[0] if len(exits) == 1 else None


def _taken(file: ForeignFile) -> Iterable[frozenset[Branch]]:
    return (ran.branches for ran in file.ran.values())
