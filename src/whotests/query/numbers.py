"""How much of some lines ran and which of their branches were taken, as coverage.py counts it.

May import types, packing and the store's values. Refuses to find out what ran: it is told. The
rules are those of coverage.py 7.17 (`coverage.results`), so that the numbers agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from whotests.packing.branches import Branch
from whotests.types import LineBits, LineNo, lines_in

__all__ = ["Facts", "Numbers", "Part"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What is counted; they add up."""

    statements: int = 0
    """Excluded ones left out."""
    excluded: int = 0
    """Excluded lines, statements or not."""
    missing: int = 0
    """Statements that nothing ran."""
    branches: int = 0
    partial_branches: int = 0
    """Branches that nothing took, of lines that ran."""
    missing_branches: int = 0
    """Branches that nothing took."""

    @property
    def percent(self) -> float:
        """How much of statements and branches ran, 0.0 to 100.0, not rounded; of none, all."""
        all_there_is = self.statements + self.branches
        if not all_there_is:
            return 100.0
        ran = all_there_is - self.missing - self.missing_branches
        return 100.0 * ran / all_there_is

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(
            statements=self.statements + other.statements,
            excluded=self.excluded + other.excluded,
            missing=self.missing + other.missing,
            branches=self.branches + other.branches,
            partial_branches=self.partial_branches + other.partial_branches,
            missing_branches=self.missing_branches + other.missing_branches,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What became of a part of a file, or of all of it."""

    statements: LineBits
    """Excluded ones left out."""
    excluded: LineBits
    missing: LineBits
    ways: Mapping[LineNo, int]
    """Lines with more than one branch that counts, ascending, to how many: not those from or to
    excluded lines."""
    taken: tuple[Branch, ...]
    """Those of lines with branches that were taken, to excluded lines too."""
    missed: tuple[Branch, ...]
    """Those that were not, and should be."""

    @property
    def branches(self) -> int:
        """How many branches count."""
        return sum(self.ways.values())

    @property
    def numbers(self) -> Numbers:
        """The same, counted."""
        return Numbers(
            statements=self.statements.bit_count(),
            excluded=self.excluded.bit_count(),
            missing=self.missing.bit_count(),
            branches=self.branches,
            partial_branches=sum(1 for line, _ in self.missed if not self.missing >> line & 1),
            missing_branches=len(self.missed),
        )


class Facts:
    """What one version of a file holds and what of it ran, to be told of any of its parts."""

    def __init__(
        self,
        *,
        statements: int,
        excluded: int,
        partial: int,
        ran: int,
        branches: Sequence[Branch],
        taken: int,
    ) -> None:
        """Bitmaps of lines, statements before exclusion; `taken` is one over `branches`."""
        self._statements = statements & ~excluded
        self._excluded = excluded
        self._partial = partial
        self._missing = self._statements & ~ran
        self._ways = _by_line(branches, taken)
        self._counts = {
            line: count
            for line, ways in self._ways.items()
            if not excluded >> line & 1
            and (count := sum(1 for end, _ in ways if not _holds(excluded, end))) > 1
        }
        self._forks = LineBits(sum(1 << line for line in self._counts))

    @property
    def forks(self) -> LineBits:
        """The lines that have more than one branch that counts."""
        return self._forks

    def of(self, lines: int = -1) -> Part:
        """The part on these lines, by default all of them."""
        taken: list[Branch] = []
        missed: list[Branch] = []
        forks = list(lines_in(self._forks & lines))
        # As in coverage.py: an excluded line outside of the part is none.
        excluded = self._excluded & lines
        for line in forks:
            for end, was_taken in self._ways[line]:
                if was_taken:
                    taken.append((line, end))
                elif not self._partial >> line & 1 and not _holds(excluded, end):
                    missed.append((line, end))
        return Part(
            statements=LineBits(self._statements & lines),
            excluded=LineBits(excluded),
            missing=LineBits(self._missing & lines),
            ways={line: self._counts[line] for line in forks},
            taken=tuple(taken),
            missed=tuple(missed),
        )


def _by_line(branches: Iterable[Branch], taken: int) -> Mapping[LineNo, Sequence[tuple[int, bool]]]:
    """Line -> the ends of its branches, ascending, and whether they were taken."""
    ways: dict[LineNo, list[tuple[int, bool]]] = {}
    for place, (line, end) in enumerate(branches):
        ways.setdefault(LineNo(line), []).append((end, bool(taken >> place & 1)))
    for several in ways.values():
        several.sort()
    return ways


def _holds(lines: int, end: int) -> bool:
    """Whether a branch's end is one of these lines; that of a unit is none."""
    return end > 0 and bool(lines >> end & 1)
