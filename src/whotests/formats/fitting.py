"""What ran of a foreign file, in our own units, lines and branches: held against its source.

May import formats, source and what is below. Refuses to touch a disk, and to take a text for the
one that ran where a line says otherwise.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Final, NamedTuple, Protocol

from whotests.formats.foreign import ForeignFile, ForeignFork, ForeignRan
from whotests.formats.line_checksums import line_checksum
from whotests.formats.unit_parts import Part, UnitParts
from whotests.packing.branches import Branch
from whotests.query.facts import ContextKey
from whotests.records import FileRecord, UnitRecord
from whotests.source.analysis import analyse
from whotests.source.content import packed_content, unit_spans
from whotests.source.digests import blake2b
from whotests.source.rules import Rules
from whotests.source.statements import parse_quietly
from whotests.source.text import decode
from whotests.source.units import unit_nodes
from whotests.types import NO_LINES, FileState, LineBits, UnitKind, bits_of, lines_in

__all__ = ["Fit", "FitToSource", "WithoutSource"]

_LEFT: Final = -1
"""The place of what is no branch."""

_FIRST_LINE: Final = 1 << 1
_MANY: Final = 100
"""Of so many contexts, one may have lost track."""

_ANYTHING: Final = "(anything)"
"""The name of the unit that stands for all of a text that is not there."""


class Verdict(NamedTuple):
    """Whether a foreign file can speak of a text."""

    problem: str
    """Why not, or ''."""
    strays: Mapping[ContextKey, str]
    """Of a text that it speaks of: single tests in which the other tool lost track, and why one
    can see that. (coverage.py's tracer does where a test comes to the recursion limit.)"""


class Fit(Protocol):
    """A foreign file in our words."""

    def record(self, key: int, *, imported: bool) -> FileRecord:
        """The version of the file that it speaks of; `imported`: something may have run of it."""

    def parts(self, ran: ForeignRan) -> tuple[Part, ...]:
        """What one context ran; lines and branches that the version does not have are dropped."""

    def forked(self, file: ForeignFile) -> tuple[frozenset[Branch], int]:
        """The branches of the file's forks that were certainly taken, as `parts` takes them, and
        of how many forks it is not known which they are."""


class FitToSource:
    """Facts about a Python source that is there."""

    def __init__(self, path: str, source: bytes, *, rules: Rules, branch: bool) -> None:
        """Raises what the compiler would for this source, as `analyse` does."""
        self._path = path
        self._text = decode(source)
        tree = parse_quietly(self._text, path)
        self._analysis = analyse(
            source,
            path,
            tree=tree,
            text=self._text,
            rules=rules.exclude,
            partial_rules=rules.partial,
            branch=True,
        )
        self._branch = branch
        self._units = UnitParts(self._analysis, unit_nodes(tree))
        self._places: dict[Branch, int] = {
            arc: place for place, arc in enumerate(self._analysis.branches.arcs)
        }
        self._continued = sum(1 << line for line in self._analysis.first_lines)
        self._texts = self._text.split("\n")
        self._over = -1 << self._analysis.line_count + 1
        """Lines beyond the last one."""
        self._code = self._continued | bits_of(
            line
            for line, text in enumerate(self._texts[:-1], start=1)
            if (bare := text.strip()) and not bare.startswith("#")
        )
        """Lines that are neither blank nor a comment."""

    def record(self, key: int, *, imported: bool) -> FileRecord:
        """The version that the disk has."""
        found = self._analysis
        units = found.units if imported else ()
        branches = found.branches.arcs if self._branch else ()
        return FileRecord(
            key=key,
            path=self._path,
            digest=found.digest,
            content=packed_content(
                line_count=found.line_count,
                statements=found.statements,
                excluded=found.excluded,
                units=units,
                branches=branches,
                partial=found.partial if self._branch else NO_LINES,
            ),
            units=unit_spans(units, branches),
            state=FileState.MEASURED if imported else FileState.NOT_IMPORTED,
        )

    def verdict(self, file: ForeignFile) -> Verdict:
        """Whether `file` can speak of this text."""
        excluded = file.excluded or 0
        fine = self._code | excluded & ~self._over
        if told := ((file.statements or 0) | excluded) & ~fine:
            return Verdict(self._why(told), {})
        for line, checksum in file.checksums.items():
            if not 0 < line < len(self._texts) or line_checksum(self._texts[line - 1]) != checksum:
                return Verdict(
                    f"line {line} has another check sum than that of the source here", {}
                )
        if not self._analysis.statements:
            fine |= _FIRST_LINE  # which a tracer sees of a text without code
        astray = {key: bad for key, ran in file.ran.items() if (bad := ran.lines & ~fine)}
        few = len(astray) < len(file.ran) and len(astray) <= max(1, len(file.ran) // _MANY)
        if not astray or (few and all(key.test is not None for key in astray)):
            return Verdict("", {key: self._why(bad) for key, bad in astray.items()})
        return Verdict(self._why(reduce(or_, astray.values())), {})

    def _why(self, lines: int) -> str:
        """What is wrong with lines that are not in the source's code."""
        if beyond := lines & self._over:
            line, count = beyond.bit_length() - 1, self._analysis.line_count
            return f"it speaks of line {line}, and the source here has {count}"
        line = next(lines_in(lines))
        return f"line {line} could run there, and is blank or a comment in the source here"

    def parts(self, ran: ForeignRan) -> tuple[Part, ...]:
        """What one context ran, by unit."""
        lines = int(ran.lines)
        for line in lines_in(lines & self._continued):
            lines |= 1 << self._analysis.first_lines[line]
        branches = 0
        if self._branch:
            for pair in ran.branches:
                place = self._place(pair)
                if place >= 0:
                    branches |= 1 << place
        return self._units.split(lines & self._analysis.statements, branches)

    def forked(self, file: ForeignFile) -> tuple[frozenset[Branch], int]:
        """The branches of forks that were certainly taken, and the number of unclear forks."""
        ran = 0
        for each in file.ran.values():
            ran |= each.lines
        taken: set[Branch] = set()
        unclear = 0
        for line, fork in file.forks.items():
            ends = {
                end
                for start, end in self._analysis.branches.arcs
                if start == line and not (end > 0 and self._analysis.excluded >> end & 1)
            }
            found = _ends_taken(fork, ends, ran)
            if found is None:
                unclear += 1
            else:
                taken.update((line, end) for end in found)
        return frozenset(taken), unclear

    def _place(self, pair: Branch) -> int:
        """The place of the branch that a pair of lines stands for, or a negative number."""
        known = self._places.get(pair)
        if known is None:
            line, end = map(self._first_line, pair)
            withs = self._analysis.branches.withs
            if not end:
                end = _only_exit(self._analysis.branches.arcs, line)
            known = self._places.get((line, end), _LEFT)
            if known < 0 and end in withs:
                known = self._places.get((line, withs[end]), _LEFT)
            if withs.get(line) == end:
                known = _LEFT  # it went on behind a `with`, from some line in it
            self._places[pair] = known
        return known

    def _first_line(self, line: int) -> int:
        first_lines = self._analysis.first_lines
        return first_lines.get(line, line) if line > 0 else -first_lines.get(-line, -line)


class WithoutSource:
    """Facts about a text that nobody has: what the format tells is all there is."""

    def __init__(self, path: str, *, salt: bytes, reason: str) -> None:
        """`salt`: what is imported along with it may be of the same text, and nothing else is.
        `reason` says why it is not to be had."""
        self._path = path
        self._reason = reason
        self._lines = self._told = self._excluded = 0
        self._complete = True
        """Whether all lines that count are told."""
        self._places: dict[Branch, int] = {}
        identity = b"\0".join(
            (b"text that was not there, 1", salt, path.encode("utf-8", "replace"))
        )
        self._digest = blake2b(identity, digest_size=16).digest()

    def absorb(self, file: ForeignFile) -> None:
        """Adds what another file says of this text."""
        self._excluded |= file.excluded or 0
        self._told |= file.statements or 0
        self._complete = self._complete and file.statements is not None
        for ran in file.ran.values():
            self._lines |= ran.lines
        named = {_with_exit(branch) for branch in file.branches or ()}
        for line, fork in file.forks.items():
            ends = fork.taken_ends | fork.missed_ends
            if len(ends) == fork.total:
                named.update(_with_exit((line, end)) for end in ends)
        for branch in sorted(named):
            self._places.setdefault(branch, len(self._places))

    def record(self, key: int, *, imported: bool) -> FileRecord:
        """The version: all in one unit, and all that counts as told, or else what ran."""
        statements = LineBits(self._statements)
        last = max(statements.bit_length(), self._excluded.bit_length(), 2) - 1
        module = UnitRecord("", UnitKind.MODULE, 1, last, self._digest[:8], 1)
        # Code that runs at import is told apart from what tests run; here, nothing tells it.
        anything = UnitRecord(_ANYTHING, UnitKind.FUNCTION, 1, last, self._digest[:8], 1)
        units = (module, anything) if imported else ()
        branches = tuple(self._places)
        state = FileState.MEASURED if imported else FileState.NOT_IMPORTED
        return FileRecord(
            key=key,
            path=self._path,
            digest=self._digest,
            content=packed_content(
                line_count=last,
                statements=statements,
                excluded=LineBits(self._excluded),
                units=units,
                branches=branches,
            ),
            units=unit_spans(units, branches),
            state=state if self._complete else FileState.NOT_MEASURED,
            reason="" if self._complete else f"another tool's data tells of it; {self._reason}",
        )

    @property
    def _statements(self) -> int:
        return (
            self._told | self._excluded & self._lines
            if self._complete
            else (self._told | self._lines)
        )

    def parts(self, ran: ForeignRan) -> tuple[Part, ...]:
        """What one context ran."""
        branches = 0
        for branch in ran.branches:
            place = self._places.get(_with_exit(branch))
            if place is not None:
                branches |= 1 << place
        lines = LineBits(ran.lines & self._statements)
        return (Part(1, lines, branches),) if lines or branches else ()

    def forked(self, file: ForeignFile) -> tuple[frozenset[Branch], int]:
        """The branches of forks whose ends are all named, and the number of other forks."""
        taken: set[Branch] = set()
        unclear = 0
        for line, fork in file.forks.items():
            if len(fork.taken_ends | fork.missed_ends) == fork.total:
                taken.update((line, end) for end in fork.taken_ends)
            else:
                unclear += 1
        return frozenset(taken), unclear


def _ends_taken(fork: ForeignFork, ends: set[int], ran: int) -> set[int] | None:
    """Which of a line's branches, by their ends, were taken; None when that is not clear.

    `ran` are the lines of the file that anything ran.
    """
    if not fork.taken:
        return set()
    exits = {end for end in ends if end < 0}

    def meant(told: frozenset[int]) -> set[int]:
        return set(told & ends) | (exits if 0 in told and len(exits) == 1 else set())

    taken = meant(fork.taken_ends)
    left = {end for end in ends - taken - meant(fork.missed_ends) if end < 0 or ran >> end & 1}
    more = fork.taken - len(taken)
    if more == 0:
        return taken
    return taken | left if len(left) == more else None


def _only_exit(arcs: Iterable[Branch], line: int) -> int:
    """The end of the branch of a line that leaves the unit, 0 when there are none or several."""
    exits = [end for start, end in arcs if start == line and end < 0]
    return exits[0] if len(exits) == 1 else 0


def _with_exit(branch: Branch) -> Branch:
    """A branch out of a unit that is not known: out of the module, which is all that there is."""
    return branch if branch[1] else (branch[0], -1)
