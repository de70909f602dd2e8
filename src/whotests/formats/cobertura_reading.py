"""What a Cobertura XML document says, of coverage.py or any other tool.

May import formats.foreign and what is below. Refuses entities that the document defines, and all
that it would have to fetch.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from whotests.errors import DataError
from whotests.formats.foreign import (
    EVERYTHING,
    Foreign,
    ForeignFile,
    ForeignFork,
    ForeignRan,
    Lines,
    Room,
    shown,
)

__all__ = ["read_cobertura"]

_CHUNK: Final = 1 << 16
_LONGEST_TOKEN: Final = 1 << 20
"""Bytes of one tag or comment."""
_LONGEST_PATH: Final = 1 << 14
_DEEPEST: Final = 64
_MOST_FORKS: Final = 200_000
"""Lines with branches, which are held until the end, since a file may come several times, once for
each class; the largest projects have half of that."""
_MOST_FILES: Final = 200_000
_MOST_SOURCES: Final = 1000

_COVERAGE: Final = re.compile(r"\s*[\d.]+%\s*\((\d{1,9})/(\d{1,9})\)\s*")


def read_cobertura(path: Path) -> Foreign:
    """What the document says. Raises DataError for what is none, or is cut short."""
    reading = _Reading(path)
    with path.open("rb") as document:
        reading.read(lambda: document.read(_CHUNK))
    return Foreign(
        format="cobertura",
        files=(
            file.foreign(_place(name, reading.sources), where=f"{path}: {shown(name)}")
            for name, file in reading.files.items()
        ),
        branch=any(file.forks or file.branches for file in reading.files.values()),
        unsaid=("contexts", "outcomes and durations of tests", "excluded lines"),
        made_by=reading.made_by,
        created=reading.created,
    )


def _place(name: str, sources: list[str]) -> str:
    """Where the file was: names are relative to one of the sources."""
    if not sources or name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name):
        return name
    there = [source for source in sources if len(sources) > 1 and Path(source, name).is_file()]
    source = there[0] if there else sources[0]
    return f"{source.rstrip('/')}/{name}" if source not in ("", ".") else name


class _File:
    """All that the document says of one source file."""

    def __init__(self, room: Room) -> None:
        self.counted = Lines(room)
        self.ran = Lines(room)
        self.forks: dict[int, ForeignFork] = {}
        """Lines whose branches are counted."""
        self.branches: dict[int, dict[int, bool]] = {}
        """Line -> end of each branch, and whether it was taken. Those that are not there were not
        taken and do not have to be."""

    def foreign(self, path: str, *, where: str) -> ForeignFile:
        """The same as the importer takes it."""
        named = {(line, end) for line, ends in self.branches.items() for end in ends}
        taken = {
            (line, end)
            for line, ends in self.branches.items()
            for end, was_taken in ends.items()
            if was_taken
        }
        room = Room(where)
        ran = room.take(self.ran.bits())
        return ForeignFile(
            path=path,
            ran={EVERYTHING: ForeignRan(ran, room.branches(taken))} if ran or taken else {},
            statements=room.take(self.counted.bits()),
            branches=room.branches(named) if self.forks or self.branches else None,
            forks=self.forks,
        )


class _Reading:
    """One pass through a document."""

    def __init__(self, path: Path) -> None:
        self.files: dict[str, _File] = {}
        self.sources: list[str] = []
        self.made_by = ""
        self.created: float | None = None
        self._path = path
        self._depth = 0
        self._room = Room(str(path))
        self._forks = 0
        self._file: _File | None = None
        self._line = 0
        self._fork: ForeignFork | None = None
        self._ends: dict[int, bool] = {}
        self._text: list[str] | None = None
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._entity
        self._starts: Mapping[str, Callable[[Mapping[str, str]], None]] = {
            "coverage": self._document,
            "source": self._source,
            "class": self._class,
            "line": self._counted,
            "condition": self._condition,
        }

    def read(self, chunk: Callable[[], bytes]) -> None:
        """Takes all of the document."""
        parser, fed = self._parser, 0
        try:
            while some := chunk():
                parser.Parse(some, False)
                fed += len(some)
                if fed - parser.CurrentByteIndex > _LONGEST_TOKEN:
                    self._wrong(f"a tag is longer than {_LONGEST_TOKEN} bytes")
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DataError(
                f"{self._path} is no whole XML document ({error}): it was cut short or is damaged; "
                "write it again"
            ) from error
        except (ValueError, LookupError) as error:
            # Of an encoding that Python does not know, and the like.
            raise DataError(f"{self._path} cannot be read as XML: {error}") from error

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._wrong(f"elements stand in each other more than {_DEEPEST} deep")
        if self._depth == 1 and name != "coverage":
            self._wrong(
                f"it begins with <{shown(name)}>, not with <coverage>, so it is not Cobertura's"
            )
        take = self._starts.get(name)
        if take is not None:
            try:
                take(attributes)
            except KeyError as error:
                self._wrong(f"a <{name}> has no attribute {error}")
            except ValueError as error:
                self._wrong(f"a <{name}> has a value that makes no sense ({shown(error)})")

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "source" and self._text is not None:
            source = "".join(self._text).strip()
            if len(self.sources) == _MOST_SOURCES:
                self._wrong(f"it has more than {_MOST_SOURCES:,} sources")
            self.sources.append(self._path_of(source.replace("\\", "/")))
            self._text = None
        elif name == "class":
            self._file = None
        elif name == "line" and self._fork is not None and self._file is not None:
            if self._ends:
                self._file.branches[self._line] = self._ends
            else:
                self._file.forks[self._line] = self._fork
            self._fork = None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
            if sum(map(len, self._text)) > _LONGEST_PATH:
                self._wrong("a <source> is longer than any path")

    def _entity(self, *_: object) -> None:
        self._wrong("it defines entities, which no report needs; remove its DOCTYPE to import it")

    def _document(self, attributes: Mapping[str, str]) -> None:
        self.made_by = attributes.get("version", "")[:200]
        stamp = attributes.get("timestamp", "")
        if re.fullmatch(r"\d{1,15}", stamp):
            # Seconds of some tools, milliseconds of most.
            self.created = int(stamp) / (1000 if len(stamp) > 11 else 1)

    def _source(self, _: Mapping[str, str]) -> None:
        self._text = []

    def _class(self, attributes: Mapping[str, str]) -> None:
        path = self._path_of(attributes["filename"])
        self._file = self.files.get(path)
        if self._file is None:
            self._file = self.files[path] = _File(self._room)
            if len(self.files) > _MOST_FILES:
                self._wrong(f"it has more than {_MOST_FILES:,} files")

    def _counted(self, attributes: Mapping[str, str]) -> None:
        if self._file is None:
            self._wrong("a <line> stands outside of any <class>")
        self._line = line = int(attributes["number"])
        self._file.counted.add(line)
        if float(attributes["hits"]) != 0:
            self._file.ran.add(line)
        self._fork, self._ends = None, {}
        counts = _COVERAGE.fullmatch(attributes.get("condition-coverage", ""))
        if attributes.get("branch", "").lower() == "true" and counts:
            taken, total = int(counts[1]), int(counts[2])
            if not taken <= total:
                raise ValueError(f"{taken} branches of {total} were taken")
            missing = attributes.get("missing-branches", "")
            self._forks += 1
            if self._forks > _MOST_FORKS:
                self._wrong(f"it has more than {_MOST_FORKS:,} lines with branches")
            self._fork = ForeignFork(
                total=total,
                taken=taken,
                missed_ends=frozenset(
                    0 if end.strip() == "exit" else int(end) for end in missing.split(",")
                )
                if missing
                else frozenset(),
            )

    def _condition(self, attributes: Mapping[str, str]) -> None:
        # Cobertura itself numbers them, as type 'jump'; ours have the end of the branch.
        if self._fork is not None and attributes.get("type") == "branch":
            end, coverage = int(attributes["number"]), attributes["coverage"]
            if len(self._ends) < self._fork.total and coverage in ("0%", "100%"):
                self._ends[end] = coverage == "100%"

    def _path_of(self, text: str) -> str:
        if len(text) > _LONGEST_PATH:
            self._wrong("a path in it is longer than any path can be")
        return text

    def _wrong(self, problem: str) -> NoReturn:
        raise DataError(
            f"{self._path}, line {self._parser.CurrentLineNumber}: {problem}; write the file again"
        )
