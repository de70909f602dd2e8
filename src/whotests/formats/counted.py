"""The files of an export as reports of coverage.py count them: what ran, what is missing, regions.

May import query and what is below. Refuses to know any format.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from whotests.formats.definition_lines import DefinitionLines
from whotests.formats.exporting import Export
from whotests.query.facts import FileFacts
from whotests.query.files import Catalogue
from whotests.query.numbers import Part
from whotests.query.regions import Region, regions_of
from whotests.query.sources import SourceText
from whotests.store.values import Unit
from whotests.types import FileState, UnitKind

__all__ = ["CountedFile", "CountedRegion", "counted_files"]


class CountedFile:
    """One file that counts, under the rules of now."""

    def __init__(self, facts: FileFacts, catalogue: Catalogue) -> None:
        self.facts = facts
        self._catalogue = catalogue

    @property
    def path(self) -> str:
        """Relative to the project's folder with '/', or absolute when outside of it."""
        return self.facts.path

    @cached_property
    def part(self) -> Part:
        """All of it."""
        return self.facts.counted.of()

    @cached_property
    def units(self) -> Sequence[Unit] | None:
        """In source order, the module first; None when they are not known: nothing imported the
        file, and the disk has another text of it."""
        return self._catalogue.units(self.facts.file)

    @cached_property
    def text(self) -> SourceText | None:
        """Its text, if the disk still has it."""
        return self._catalogue.text(self.facts.file)

    def regions(self, kind: UnitKind) -> "Sequence[CountedRegion]":
        """Its functions or its classes in source order, and last what is in none of them; none
        at all when its units are not known."""
        if self.units is None:
            return ()
        functions, classes = regions_of(self.units, self.facts.file.line_count)
        definitions = DefinitionLines(self.text)
        return [
            CountedRegion(
                name=region.unit.name if region.unit else "",
                start=definitions.of(region.unit) if region.unit else _first(region),
                region=region,
                part=self.facts.counted.of(region.lines),
            )
            for region in (functions if kind is UnitKind.FUNCTION else classes)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRegion:
    """A function or class, or what is in none."""

    name: str
    """'' for what is in none."""
    start: int
    """The line of its `def` or `class`."""
    region: Region
    part: Part


def counted_files(export: Export) -> Iterator[CountedFile]:
    """The files that count, by path: all but those of which nothing was measured."""
    for facts in export.files():
        if facts.file.state is not FileState.NOT_MEASURED:
            yield CountedFile(facts, export.catalogue)


def _first(region: Region) -> int:
    lines = region.lines
    return (lines & -lines).bit_length() - 1 if lines else 1
