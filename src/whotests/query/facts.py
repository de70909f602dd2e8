"""What each context ran of each file: all facts that the data holds, one file after another.

May import types, packing, errors and the store. Refuses to print, and to know any format.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from whotests.packing.branches import Branch
from whotests.query.files import Catalogue
from whotests.query.numbers import Facts
from whotests.query.sources import Staleness
from whotests.store.reader import Reader
from whotests.store.values import Context, FileVersion, labelled
from whotests.types import NO_LINES, FileState, LineBits, Phase, TestName

__all__ = ["ContextKey", "FileFacts", "Ran", "file_facts", "key_of"]


class ContextKey(NamedTuple):
    """Which context it is, whatever run it comes from."""

    run_label: str
    """The static context that it was recorded under, or ''."""
    test: TestName | None
    phase: Phase | None
    """Set exactly when `test` is."""
    label: str
    """'' before or between tests, 'import', or a user's label; '' for a test's context."""

    @property
    def name(self) -> str:
        """As people write it: 'py3.13/tests/test_a.py::test_b|call', 'import', ''."""
        inner = self.label if self.test is None else f"{self.test}|{self.phase}"
        return labelled(self.run_label, inner)


class Ran(NamedTuple):
    """What ran of one file."""

    lines: LineBits
    branches: int
    """Bit i is branch i of the file's list."""


_NOTHING = Ran(NO_LINES, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """All that is known of one file's version that the data speaks of now."""

    file: FileVersion
    """Under the rules of now. Of state NOT_MEASURED: nothing is counted of it."""
    rules_kept: bool
    """The project has other rules by now, but the disk another text: it is counted by its own."""
    stale: Staleness | None
    branches: tuple[Branch, ...]
    """All of the file, excluded ones too; none when no run recorded branches."""
    contexts: Mapping[ContextKey, Ran]
    """What each ran, by name; those that ran nothing of the file are left out."""
    ran: LineBits
    """What any of them ran; only lines of statements, excluded ones too."""
    taken: int
    """Bitmap over `branches` of what any of them took."""
    counted: Facts
    """What counts of all this, of the file or any of its lines: as reports have it."""

    @property
    def path(self) -> str:
        """Relative to the project's folder with '/', or absolute when outside of it."""
        return self.file.path

    @property
    def imported(self) -> bool:
        """False: nothing of it ran, because nothing imported it."""
        return self.file.state is FileState.MEASURED


def file_facts(
    reader: Reader, catalogue: Catalogue, *, paths: Collection[str] | None = None
) -> Iterator[FileFacts]:
    """The facts of every file, by path: of the version that a report speaks of.

    `paths`: of these files only, and little else is read for it.
    """
    chosen = catalogue.versions if paths is None else catalogue.versions.keys() & paths
    files = {path: catalogue.current(path) for path in chosen}
    if paths is None:
        by_file = _by_file(reader, {file.id for file in files.values()})
        names = _names(reader)
    else:
        by_file = _of_files(reader, {file.id for file in files.values()})
        footprints = {footprint for known in by_file.values() for footprint in known}
        names = _names(reader, footprints) if footprints else {}
    branch = any(run.branch for run in reader.runs)
    for path in sorted(files):
        file = files[path]
        ruled = catalogue.ruled(file)
        contexts: dict[ContextKey, Ran] = {}
        ran = taken = 0
        for footprint_id, part in by_file.pop(file.id, {}).items():
            for key in names.get(footprint_id, ()):
                lines, branches = contexts.get(key, _NOTHING)
                contexts[key] = Ran(LineBits(lines | part.lines), branches | part.branches)
                ran |= part.lines
                taken |= part.branches
        all_branches = reader.branches(file.id).all if branch else ()
        kept = file if ruled is None else ruled
        yield FileFacts(
            file=kept,
            rules_kept=ruled is None,
            stale=catalogue.stale(file),
            branches=all_branches,
            contexts=dict(sorted(contexts.items(), key=lambda item: _order(item[0]))),
            ran=LineBits(ran),
            taken=taken,
            counted=Facts(
                statements=kept.statements,
                excluded=kept.excluded,
                partial=kept.partial,
                ran=ran,
                branches=all_branches,
                taken=taken,
            ),
        )


def key_of(context: Context) -> ContextKey:
    """Which context that is."""
    test = context.test
    if test is None:
        return ContextKey(context.run_label, None, None, context.label)
    return ContextKey(context.run_label, test.name, context.phase, "")


def _names(
    reader: Reader, footprints: Collection[int] | None = None
) -> Mapping[int, set[ContextKey]]:
    """Footprint -> the contexts that have it; of these footprints, or of all."""
    names: dict[int, set[ContextKey]] = {}
    for context in reader.contexts(footprints):
        names.setdefault(context.footprint_id, set()).add(key_of(context))
    return names


def _by_file(reader: Reader, files: set[int]) -> dict[int, dict[int, Ran]]:
    """File -> footprint -> what that has of the file."""
    patterns = {
        pattern_id: pattern
        for pattern_id, pattern in reader.all_patterns.items()
        if pattern.unit.file_id in files
    }
    owners = {pattern_id: pattern.unit.file_id for pattern_id, pattern in patterns.items()}
    # Contexts that do much the same have the same part of most files.
    shared: dict[tuple[int, ...], Ran] = {}
    found: dict[int, dict[int, Ran]] = {}
    for footprint_id, ids in reader.footprints():
        known = [(owners[pattern_id], pattern_id) for pattern_id in ids if pattern_id in owners]
        known.sort()
        for file_id, group in groupby(known, key=lambda pair: pair[0]):
            members = tuple([pattern_id for _, pattern_id in group])
            ran = shared.get(members)
            if ran is None:
                lines = branches = 0
                for pattern_id in members:
                    lines |= patterns[pattern_id].lines
                    branches |= patterns[pattern_id].branches
                ran = shared[members] = Ran(LineBits(lines), branches)
            found.setdefault(file_id, {})[footprint_id] = ran
    return found


def _of_files(reader: Reader, files: set[int]) -> dict[int, dict[int, Ran]]:
    """As `_by_file`, without a look at what belongs to other files."""
    patterns = {pattern.id: pattern for pattern in reader.patterns(*sorted(files))}
    found: dict[int, dict[int, Ran]] = {}
    for footprint_id, ids in reader.footprints_with(patterns).items():
        for pattern in map(patterns.__getitem__, ids):
            of_file = found.setdefault(pattern.unit.file_id, {})
            lines, branches = of_file.get(footprint_id, _NOTHING)
            of_file[footprint_id] = Ran(
                LineBits(lines | pattern.lines), branches | pattern.branches
            )
    return found


def _order(key: ContextKey) -> tuple[str, str, str, str]:
    return key.run_label, key.test or "", key.phase or "", key.label
