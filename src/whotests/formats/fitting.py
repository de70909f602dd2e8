"""What ran of a foreign file, in our own units, lines and branches: held against its source.

May import formats, source and what is below. Refuses to touch a disk, and to take a text for the
one that ran where a line says otherwise.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from whotests.formats.foreign import ForeignFile, ForeignRan
from whotests.formats.line_checksums import line_checksum
from whotests.records import FileRecord, UnitRecord
from whotests.source.analysis import Analysis, analyse
from whotests.source.digests import blake2b
from whotests.source.rules import Rules
from whotests.source.statements import parse_quietly
from whotests.source.text import decode
from whotests.source.units import UnitNode, unit_nodes
from whotests.types import NO_LINES, FileState, LineBits, UnitKind, lines_in

__all__ = ["Fit", "FitToSource", "Part", "WithoutSource"]

_LEFT: Final = -1


class Part(NamedTuple):
    """What ran of one unit."""

    unit: int
    """Its place among the file's units."""
    lines: LineBits
    branches: int
    """Bit i is branch i of the file's record."""


class Fit(Protocol):
    """A foreign file in our words."""

    def record(self, key: int) -> FileRecord:
        """The version of the file that it speaks of."""

    def objection(self, file: ForeignFile) -> str:
        """Why `file` cannot speak of this version, or ''."""

    def parts(self, ran: ForeignRan) -> tuple[Part, ...]:
        """What one context ran; lines and branches that the version does not have are dropped."""


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
        self._units = _Units(self._analysis, unit_nodes(tree))
        self._places = {arc: place for place, arc in enumerate(self._analysis.branches.arcs)}
        self._continued = sum(1 << line for line in self._analysis.first_lines)

    def record(self, key: int, *, imported: bool = True) -> FileRecord:
        """The version; `imported`: something may have run of it."""
        found = self._analysis
        return FileRecord(
            key=key,
            path=self._path,
            digest=found.digest,
            line_count=found.line_count,
            statements=found.statements,
            excluded=found.excluded,
            units=found.units if imported else (),
            state=FileState.MEASURED if imported else FileState.NOT_IMPORTED,
            branches=found.branches.arcs if self._branch else (),
            partial=found.partial if self._branch else NO_LINES,
        )

    @property
    def empty(self) -> bool:
        """Whether it has no statement at all."""
        return not self._analysis.statements

    def objection(self, file: ForeignFile) -> str:
        """Why `file` cannot speak of this text, or ''."""
        lines = 0
        for ran in file.ran.values():
            lines |= ran.lines
        for told in (file.statements, file.excluded):
            lines |= told or 0
        last = lines.bit_length() - 1
        if last > self._analysis.line_count:
            return f"it speaks of line {last}, and the source has {self._analysis.line_count}"
        texts = self._text.split("\n")
        counted = lines & ~(file.excluded or 0)
        for line in lines_in(counted & ~self._continued):
            text = texts[line - 1].strip()
            if not text or text.startswith("#"):
                return f"line {line} ran or could run, and is blank or a comment in the source"
        for line, told in file.checksums.items():
            if not 0 < line < len(texts) or line_checksum(texts[line - 1]) != told:
                return f"line {line} has another check sum than that in the source"
        return ""

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

    def _place(self, pair: tuple[int, int]) -> int:
        """The place of the branch that a pair of lines stands for, or a negative number."""
        known = self._places.get(pair)
        if known is None:
            line, end = map(self._first_line, pair)
            withs = self._analysis.branches.withs
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

    def __init__(
        self, path: str, files: Iterable[ForeignFile], *, salt: bytes, reason: str
    ) -> None:
        """`files` are those that speak of it. `salt`: what is imported along with it may be of the
        same text, and nothing else is."""
        self._path = path
        self._reason = reason
        lines = excluded = told = 0
        branches: set[tuple[int, int]] = set()
        complete = True
        for file in files:
            excluded |= file.excluded or 0
            told |= file.statements or 0
            complete = complete and file.statements is not None
            branches |= file.branches or set()
            for ran in file.ran.values():
                lines |= ran.lines
        self._statements = LineBits((lines if not complete else lines & told) | told)
        self._excluded = LineBits(excluded)
        self._complete = complete
        self._branches = tuple(sorted(branches))
        self._places = {branch: 1 << place for place, branch in enumerate(self._branches)}
        identity = b"\0".join((b"text that was not there", salt, path.encode("utf-8", "replace")))
        self._digest = blake2b(identity, digest_size=16).digest()

    def record(self, key: int) -> FileRecord:
        """The version: one unit, all that counts as told, or else what ran."""
        last = max(self._statements.bit_length(), self._excluded.bit_length(), 2) - 1
        module = UnitRecord("", UnitKind.MODULE, 1, last, self._digest[:8], 1)
        return FileRecord(
            key=key,
            path=self._path,
            digest=self._digest,
            line_count=last,
            statements=self._statements,
            excluded=self._excluded,
            units=(module,),
            state=FileState.MEASURED if self._complete else FileState.NOT_MEASURED,
            reason="" if self._complete else self._reason,
            branches=self._branches,
        )

    def objection(self, file: ForeignFile) -> str:
        """Nothing can be said against it."""
        return ""

    def parts(self, ran: ForeignRan) -> tuple[Part, ...]:
        """What one context ran."""
        branches = 0
        for branch in ran.branches:
            branches |= self._places.get(branch, 0)
        lines = LineBits(ran.lines & self._statements)
        return (Part(0, lines, branches),) if lines or branches else ()


class _Units:
    """Which unit each statement and each branch of a file belongs to."""

    def __init__(self, analysis: Analysis, nodes: Iterable[UnitNode]) -> None:
        self._own: list[int] = []
        """For each unit its own lines: those of its body that are in no inner one's."""
        self._either: list[tuple[int, int, int]] = []
        """Functions whose only line is the one that defines them: that, the unit around, theirs."""
        parents: list[int] = []
        around: list[int] = []
        first_lines = analysis.first_lines
        statements = analysis.statements
        for place, (unit, node) in enumerate(zip(analysis.units, nodes, strict=True)):
            while around and analysis.units[around[-1]].last_line < unit.first_line:
                around.pop()
            header = 0
            if place:
                header = first_lines.get(node.lineno, node.lineno)  # type: ignore[union-attr]
            body = _span(unit.body_line, unit.last_line) & ~(1 << header)
            self._own.append(body)
            parents.append(around[-1] if around else 0)
            for outer in around:
                self._own[outer] &= ~body
            if unit.kind is UnitKind.FUNCTION and not body & statements:
                self._either.append((header, parents[place], place))
            around.append(place)
        self._headers = sum({1 << header for header, _, _ in self._either})
        self._branches = [0] * len(self._own)
        for place, (line, _) in enumerate(analysis.branches.arcs):
            owner = next((unit for unit, own in enumerate(self._own) if own >> line & 1), 0)
            self._branches[owner] |= 1 << place

    def split(self, lines: int, branches: int) -> tuple[Part, ...]:
        """These lines and branches by unit."""
        by_unit: dict[int, int] = {}
        if lines & self._headers:
            for header, around, unit in self._either:
                # The line was run by who defined the function, or by who called it: what ran
                # nothing else around it called it.
                if lines >> header & 1 and not lines & self._own[around] & ~self._headers:
                    by_unit[unit] = 1 << header
                    lines &= ~(1 << header)
        parts = []
        for unit, own in enumerate(self._own):
            ran = by_unit.get(unit, 0) | lines & own
            taken = branches & self._branches[unit]
            if ran or taken:
                parts.append(Part(unit, LineBits(ran), taken))
        return tuple(parts)


def _span(first: int, last: int) -> int:
    return ((1 << last + 1) - 1) & ~((1 << first) - 1) if last >= first else 0
