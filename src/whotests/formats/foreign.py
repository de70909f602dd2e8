"""What a file of another tool says, in words of ours, whatever its format.

May import query and what is below. Refuses to touch a disk, and to believe what it holds: lines
are numbers that somebody wrote down, paths are text.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from whotests.errors import DataError
from whotests.packing.branches import Branch
from whotests.query.facts import ContextKey
from whotests.types import LineBits, Outcome, Runner, TestName

__all__ = [
    "EVERYTHING",
    "LAST_LINE",
    "MOST_LINES",
    "Foreign",
    "ForeignFile",
    "ForeignFork",
    "ForeignRan",
    "ForeignTest",
    "Lines",
    "Room",
    "shown",
]

EVERYTHING: Final = ContextKey("", None, None, "")
"""The context of what a format does not tell contexts of."""

LAST_LINE: Final = 1_000_000
"""No file that anybody wrote has more lines; bitmaps of lines take room up to the last one."""

MOST_LINES: Final = 100_000_000
"""No project has more, all files together."""

_MOST_SHOWN: Final = 200
"""Characters of anything foreign in a message."""

_MOST_BYTES: Final = 100_000_000
"""That bitmaps may take together: those of one source file, or those that a reader holds."""


def shown(value: object) -> str:
    """What stands in a foreign file, for a message: it may be anything, and of any length."""
    text = str(value)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


class ForeignRan(NamedTuple):
    """What one context ran of one file."""

    lines: LineBits
    """As the format has them: also lines that continue a statement, or hold none."""
    branches: frozenset[Branch] = frozenset()
    """Pairs of lines, the second maybe minus the first line of the unit that was left. Pairs that
    are no branch of the source may be among them."""


class ForeignFork(NamedTuple):
    """The branches of one line, where the format counts them and does not name all ends.

    The end 0 is a way out of the unit, whichever unit that is.
    """

    total: int
    taken: int
    taken_ends: frozenset[int] = frozenset()
    """Those of which it says that they were taken."""
    missed_ends: frozenset[int] = frozenset()
    """Those of which it says that they were not."""


class ForeignTest(NamedTuple):
    """A test and how it ended, where the format tells."""

    runner: Runner
    outcome: Outcome
    duration: float | None
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFile:
    """One source file, as the format speaks of it. None stands for what it does not say."""

    path: str
    """As it stands there: of another machine maybe, with either slash."""
    ran: Mapping[ContextKey, ForeignRan]
    statements: LineBits | None = None
    """The lines that count, whether they ran or not."""
    excluded: LineBits | None = None
    branches: frozenset[Branch] | None = None
    """All that count, taken or not; but those of `forks`."""
    forks: Mapping[int, ForeignFork] = field(default_factory=dict)
    """Line -> its branches, of lines whose branches are not all named. None of them is among
    `branches` or in `ran`."""
    checksums: Mapping[int, str] = field(default_factory=dict)
    """Line -> base64 of the MD5 of its text, without line end: as LCOV has it."""
    plugin: str = ""
    """What measured it in coverage.py's place, because it is no Python source; or ''."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """One file of another tool."""

    format: str
    """Its name, as commands take it."""
    files: Iterable[ForeignFile]
    """May be read once only, and raise DataError while it is read."""
    branch: bool
    """Whether it tells which branches were taken."""
    unsaid: tuple[str, ...] = ()
    """What it does not tell, of all that our data holds: nouns ('outcomes', 'contexts')."""
    tests: Mapping[TestName, ForeignTest] = field(default_factory=dict)
    """Those of which it tells more than that they ran something."""
    made_by: str = ""
    """The tool and its version, for instance 'coverage.py 7.17.3'."""
    created: float | None = None
    """Seconds since the epoch, UTC."""


class Room:
    """Makes bitmaps of lines, and bounds what they take together: a few numbers can claim any
    amount of memory. `where` begins the messages of the DataErrors that its methods raise."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._left = _MOST_BYTES
        self._known: dict[int, LineBits] = {}

    def bits(self, lines: Iterable[int]) -> LineBits:
        """These lines."""
        found = Lines(self)
        for line in lines:
            found.add(line)
        return found.bits()

    def branches(self, pairs: Iterable[Branch]) -> frozenset[Branch]:
        """These branches."""
        found = frozenset(_checked(pairs, self._where))
        for line, _ in found:
            if line <= 0:
                raise self.no_such_line(line)
        return found

    def take(self, bits: int) -> LineBits:
        """A bitmap that is there already; of equal ones there is one."""
        known = self._known.get(bits)
        if known is None:
            length = bits.bit_length()
            if length > LAST_LINE + 1:
                raise self.no_such_line(length - 1)
            self.claim(length // 8)
            known = self._known[bits] = LineBits(bits)
        return known

    def claim(self, size: int) -> None:
        """Takes so many bytes, or gives them back when `size` is negative."""
        self._left -= size
        if self._left < 0:
            raise DataError(
                f"{self._where} speaks of more lines in more contexts than can be; import it in "
                "parts"
            )

    def no_such_line(self, line: int) -> DataError:
        """The error about a line that no file has."""
        return DataError(f"{self._where} speaks of line {shown(line)}, which no source file has")


class Lines:
    """A set of lines that grows, in the room that there is."""

    __slots__ = ("_octets", "_room")

    def __init__(self, room: Room) -> None:
        self._octets = bytearray()
        self._room = room

    def add(self, line: int) -> None:
        """Adds a line. Raises DataError for one that no file has, or when there is no room."""
        place = line >> 3
        octets = self._octets
        if not 0 < line <= LAST_LINE:
            raise self._room.no_such_line(line)
        if place >= len(octets):
            more = place + 1 - len(octets)
            self._room.claim(more)
            octets.extend(bytes(more))
        octets[place] |= 1 << (line & 7)

    def bits(self) -> LineBits:
        """All of them; none is left here."""
        bits = int.from_bytes(self._octets, "little")
        self._room.claim(-len(self._octets))
        self._octets = bytearray()
        return self._room.take(bits)


def _checked(branches: Iterable[Branch], where: str) -> Iterator[Branch]:
    for line, end in branches:
        if max(abs(line), abs(end)) > LAST_LINE:
            branch = shown(f"{line}->{end}")
            raise DataError(f"{where} speaks of a branch {branch}, which no source file has")
        yield line, end
