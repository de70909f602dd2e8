"""The branches of one line that was asked for, and what took them.

May import types, packing and the store. Refuses to find out who ran anything: it is told.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from whotests.packing.branches import Branch
from whotests.query.targets import Target
from whotests.store.reader import Reader
from whotests.store.values import FileVersion
from whotests.types import lines_in

__all__ = ["Fork", "Way", "branches_by_path", "fork_of", "places_in", "ways_of"]

Fork = Mapping[int, Branch]
"""Branches of one line, by their places in the file's list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A branch of the line that was asked for."""

    end: int
    """Where it leads: a line, or (negative) out of a unit."""
    tests: int
    """How many tests took it, other than by importing the file."""
    taken: bool
    """Whether anything did."""
    excluded: bool
    """A rule excludes one of its ends, so it does not count."""


def fork_of(target: Target, lines: int, reader: Reader) -> Fork:
    """The branches of the one line that the target is, or the branch that it is; else none.

    `lines` are its statements.
    """
    if not target.by_lines or lines.bit_count() != 1 or target.first_line != target.last_line:
        return {}
    (line,) = lines_in(lines)
    return {
        place: branch
        for place, branch in enumerate(reader.branches(target.file.id).all)
        if branch[0] == line and target.branch in (None, branch[1])
    }


def places_in(fork: Fork) -> int:
    """The places as a bitmap."""
    return sum([1 << place for place in fork])


def branches_by_path(
    taken: Mapping[str, int], forks: Mapping[str, Fork]
) -> Mapping[str, tuple[Branch, ...]]:
    """Those branches of the files' forks that are in the bitmaps."""
    found = {
        path: tuple(branch for place, branch in forks[path].items() if bits >> place & 1)
        for path, bits in sorted(taken.items())
    }
    return {path: branches for path, branches in found.items() if branches}


def ways_of(
    fork: Fork, file: FileVersion, *, taken: int, by_tests: Collection[int]
) -> tuple[Way, ...]:
    """The branches, those out of a unit last. `taken` is a bitmap of what anything took,
    `by_tests` one for each test."""
    return tuple(
        Way(
            end=end,
            tests=sum([bits >> place & 1 for bits in by_tests]),
            taken=bool(taken >> place & 1),
            excluded=bool((file.excluded >> line | (file.excluded >> end if end > 0 else 0)) & 1),
        )
        for place, (line, end) in sorted(
            fork.items(), key=lambda item: (item[1][1] < 0, item[1][1])
        )
    )
