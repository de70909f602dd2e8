"""Who tests this line, function or file?

May import types, packing, errors and the store. Refuses to read a disk or to print.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from whotests.packing.branches import Branch
from whotests.query.commands import commands_for
from whotests.query.files import Catalogue
from whotests.query.forks import Fork, Way, branches_by_path, fork_of, places_in, ways_of
from whotests.query.numbers import Facts
from whotests.query.sources import Staleness
from whotests.query.targets import Target
from whotests.store.reader import Reader
from whotests.store.values import Context, FileVersion, Pattern, Test
from whotests.types import FileState, LineBits, LineNo, Phase, lines_in

__all__ = ["Asked", "LabelHit", "Near", "TestHit", "Who", "who"]


_PHASES: Final = {
    frozenset(chosen): chosen
    for size in range(len(Phase) + 1)
    for chosen in combinations(Phase, size)
}
"""A set of phases, in the order in which they run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A line close to one that nothing ran, and who ran that."""

    line: LineNo
    tests: int
    at_import: bool
    """Importing the file runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One target and what was found of it."""

    target: Target
    stale: Staleness | None
    statements: LineBits
    """The target's statements, excluded ones too, `headers` left out."""
    excluded: LineBits
    tested: LineBits
    """Those that a test ran, other than by importing the file."""
    ran: LineBits
    """Those that anything ran."""
    imported: LineBits
    """Those of `ran` that importing the file runs."""
    headers: LineBits
    """Lines within a function or class asked for that belong to what encloses it (decorators,
    `def`, default values): they ran when it was defined. None of `statements`."""
    nearest_statements: tuple[LineNo, ...]
    """When the target holds no statement: the closest before and after it."""
    near: tuple[Near, ...]
    """When no test ran it: the closest lines before and after it that something ran; of a branch,
    its own line."""
    ways: tuple[Way, ...]
    """When one line was asked for: its branches, if it has any."""
    partial: bool
    """A rule says that not all of these have to be taken."""
    missed: tuple[Branch, ...]
    """When it is not one line: branches of its lines that nothing took, and should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestHit:
    """A test that ran something of what was asked for."""

    test: Test
    phases: tuple[Phase, ...]
    lines: Mapping[str, LineBits]
    """Path -> which of the lines asked for it ran."""
    branches: Mapping[str, tuple[Branch, ...]]
    """Path -> which branches of single lines asked for it took."""
    total_lines: int
    """How many lines it ran altogether: the fewer, the more specific it is."""
    complete: bool
    """False when the run ended before the test did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelHit:
    """A context that is not a test's: '' is before or between tests."""

    label: str
    run_label: str
    """That of its runs, or ''."""
    lines: Mapping[str, LineBits]
    at_import: bool
    """All of it is what importing the files runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The answer."""

    asked: tuple[Asked, ...]
    tests: tuple[TestHit, ...]
    """The most specific first."""
    importers: tuple[TestHit, ...]
    """Tests that only imported the file: what they ran runs at every import."""
    labels: tuple[LabelHit, ...]
    commands: tuple[str, ...]
    """Shell command lines that run `tests` again, one per runner."""
    several_labels: bool
    """Runs of several labels were asked: the names of tests stand below theirs."""


@dataclass(slots=True)
class _Found:
    """What one test or label ran of the targets so far."""

    tested: dict[str, int]
    imported: dict[str, int]
    phases: set[Phase]
    complete: bool = True
    tested_branches: dict[str, int] = field(default_factory=dict)
    imported_branches: dict[str, int] = field(default_factory=dict)
    """Bitmaps over the files' branches, of whatever patterns were hit."""


def who(texts: Sequence[str], reader: Reader, catalogue: Catalogue) -> Who:
    """Who ran any of the targets `texts`. Raises UsageError for a target that is not one thing."""
    targets = [catalogue.target(text) for text in texts]
    patterns: dict[int, tuple[Pattern, str, LineBits]] = {}
    everything: dict[int, tuple[Pattern, ...]] = {}
    forks: dict[str, Fork] = {}
    for target in targets:
        file = target.file
        if file.id not in everything:
            everything[file.id] = reader.patterns(file.id)
        lines = _wanted(target, catalogue)
        fork = fork_of(target, lines, reader)
        forks[file.path] = {**forks.get(file.path, {}), **fork}
        ways = places_in(fork)
        for pattern in everything[file.id]:
            hit = 0 if target.branch is not None else pattern.lines & lines
            if pattern.branches & ways:
                hit |= lines
            if hit and _inside(pattern, target):
                known = patterns.get(pattern.id)
                bits = hit | known[2] if known else hit
                patterns[pattern.id] = (pattern, file.path, LineBits(bits))
    by_test, by_label = _found(reader, patterns)
    totals = reader.lines_of_tests([test.id for test in by_test])
    hits: list[TestHit] = []
    importers: list[TestHit] = []
    for test, found in by_test.items():
        lines_by_path = found.tested or found.imported
        test_hit = TestHit(
            test=test,
            phases=_PHASES[frozenset(found.phases)],
            lines=_by_path(lines_by_path),
            branches=branches_by_path(found.tested_branches or found.imported_branches, forks),
            total_lines=totals.get(test.id, 0),
            complete=found.complete,
        )
        (hits if found.tested else importers).append(test_hit)
    hits.sort(key=_specific)
    importers.sort(key=_specific)
    labels = tuple(
        LabelHit(
            label=label,
            run_label=run_label,
            lines=_merged(found.tested, found.imported),
            at_import=not found.tested,
        )
        for (label, run_label), found in sorted(by_label.items())
    )
    outcome = _Outcome(tests=tuple(by_test.values()), labels=tuple(by_label.values()))
    return Who(
        asked=tuple(
            _asked(target, reader, catalogue, everything[target.file.id], outcome)
            for target in targets
        ),
        tests=tuple(hits),
        importers=tuple(importers),
        labels=labels,
        commands=commands_for((hit.test.runner, hit.test.name) for hit in hits),
        several_labels=len(reader.labels) > 1,
    )


def _by_path(lines: Mapping[str, int]) -> Mapping[str, LineBits]:
    if len(lines) == 1:
        return {path: LineBits(bits) for path, bits in lines.items()}
    return {path: LineBits(lines[path]) for path in sorted(lines)}


def _specific(hit: TestHit) -> tuple[int, str, str]:
    return hit.total_lines, hit.test.name, hit.test.label


def _wanted(target: Target, catalogue: Catalogue) -> LineBits:
    """The statements of the target; a line within a statement stands for that statement."""
    lines = target.lines
    others = lines & ~target.file.statements
    if target.by_lines and others:
        text = catalogue.text(target.file)
        first_lines = text.first_lines() if text is not None else {}
        for line in lines_in(others):
            lines = LineBits(lines | 1 << first_lines.get(line, line))
    return LineBits(lines & target.file.statements)


def _inside(pattern: Pattern, target: Target) -> bool:
    """Whether the pattern's unit is what the target names, or within it.

    The `def` line of a function runs when its file is imported: it does not test the function.
    """
    unit = pattern.unit
    return not target.units or any(
        unit.id == asked.id or unit.qualname.startswith(asked.qualname + ".")
        for asked in target.units
        if asked.first_line <= unit.first_line and unit.last_line <= asked.last_line
    )


def _found(
    reader: Reader, patterns: Mapping[int, tuple[Pattern, str, LineBits]]
) -> tuple[dict[Test, _Found], dict[tuple[str, str], _Found]]:
    """By tests; and by labels, with those of their runs."""
    by_test: dict[Test, _Found] = {}
    by_label: dict[tuple[str, str], _Found] = {}
    footprints = reader.footprints_with(patterns)
    for context in _contexts(reader, footprints):
        if context.test is not None:
            found = by_test.setdefault(context.test, _Found({}, {}, set()))
        else:
            named = (context.label, context.run_label)
            found = by_label.setdefault(named, _Found({}, {}, set()))
        for pattern_id in footprints[context.footprint_id]:
            pattern, path, bits = patterns[pattern_id]
            at_import = pattern.unit.runs_at_import
            lines = found.imported if at_import else found.tested
            lines[path] = lines.get(path, 0) | bits
            if pattern.branches:
                branches = found.imported_branches if at_import else found.tested_branches
                branches[path] = branches.get(path, 0) | pattern.branches
        if context.phase is not None:
            found.phases.add(context.phase)
        found.complete = found.complete and context.complete
    return by_test, by_label


def _contexts(reader: Reader, footprints: Collection[int]) -> Iterable[Context]:
    return reader.contexts(footprints) if footprints else ()


def _merged(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, LineBits]:
    return {
        path: LineBits(one.get(path, 0) | other.get(path, 0)) for path in sorted({*one, *other})
    }


def _asked(
    target: Target,
    reader: Reader,
    catalogue: Catalogue,
    patterns: Sequence[Pattern],
    outcome: "_Outcome",
) -> Asked:
    file = catalogue.ruled(target.file) or target.file
    wanted = _wanted(target, catalogue)
    fork = fork_of(target, wanted, reader)
    _, taken, _ = outcome.branches(file.path)
    by_tests = [found.tested_branches.get(file.path, 0) for found in outcome.tests]
    ways = ways_of(fork, file, taken=taken, by_tests=by_tests)
    tested, ran, imported = outcome.lines(file.path)
    if target.branch is not None:
        # It is its line's fate only when that took it.
        tested, ran, imported = (
            wanted if bits & places_in(fork) else 0 for bits in outcome.branches(file.path)
        )
    inside = _lines_of(pattern for pattern in patterns if _inside(pattern, target))
    outside = _lines_of(pattern for pattern in patterns if not _inside(pattern, target))
    headers = LineBits(wanted & outside & ~inside)
    wanted = LineBits(wanted & ~headers)
    tested_here = LineBits(wanted & tested)
    nearest: tuple[LineNo, ...] = ()
    if not wanted:
        nearest = _around(file.statements, target)
    near: tuple[Near, ...] = ()
    if not tested_here and file.state is FileState.MEASURED:
        near = _near(target, reader, patterns, file)
    excluded = LineBits(wanted & file.excluded)
    if target.branch is not None and all(way.excluded for way in ways):
        excluded = wanted
    return Asked(
        target=target,
        stale=catalogue.stale(file),
        statements=wanted,
        excluded=excluded,
        tested=tested_here,
        ran=LineBits(wanted & ran),
        nearest_statements=nearest,
        imported=LineBits(wanted & imported),
        headers=headers,
        near=near,
        ways=ways,
        partial=bool(ways) and bool(wanted & file.partial),
        missed=() if fork else _missed(file, wanted, reader, outcome),
    )


def _missed(
    file: FileVersion, lines: LineBits, reader: Reader, outcome: "_Outcome"
) -> tuple[Branch, ...]:
    _, ran, _ = outcome.lines(file.path)
    _, taken, _ = outcome.branches(file.path)
    facts = Facts(
        statements=file.statements,
        excluded=file.excluded,
        partial=file.partial,
        ran=ran,
        branches=reader.branches(file.id).all,
        taken=taken,
    )
    return facts.of(lines).missed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What tests, and contexts that are none, ran of all targets."""

    tests: tuple[_Found, ...]
    labels: tuple[_Found, ...]

    def lines(self, path: str) -> tuple[int, int, int]:
        """What tests ran of a file, what anything did, and what runs when it is imported."""
        everyone = (*self.tests, *self.labels)
        tested = _union(found.tested.get(path, 0) for found in self.tests)
        imported = _union(found.imported.get(path, 0) for found in everyone)
        ran = _union(found.tested.get(path, 0) for found in everyone)
        return tested, ran | imported, imported

    def branches(self, path: str) -> tuple[int, int, int]:
        """The same of its branches."""
        everyone = (*self.tests, *self.labels)
        tested = _union(found.tested_branches.get(path, 0) for found in self.tests)
        imported = _union(found.imported_branches.get(path, 0) for found in everyone)
        ran = _union(found.tested_branches.get(path, 0) for found in everyone)
        return tested, ran | imported, imported


def _around(lines: int, target: Target) -> tuple[LineNo, ...]:
    """The closest of `lines` before the target and after it."""
    before = lines & ((1 << target.first_line) - 1)
    after = lines >> (target.last_line + 1)
    found = []
    if before:
        found.append(LineNo(before.bit_length() - 1))
    if after:
        found.append(LineNo(target.last_line + (after & -after).bit_length()))
    return tuple(found)


def _near(
    target: Target, reader: Reader, patterns: Sequence[Pattern], file: FileVersion
) -> tuple[Near, ...]:
    if target.branch is not None:
        lines: tuple[LineNo, ...] = (LineNo(target.first_line),)
    else:
        in_functions = _lines_of(one for one in patterns if not one.unit.runs_at_import)
        lines = _around(in_functions, target) or _around(_lines_of(patterns), target)
    near = []
    for line in lines:
        having = {pattern.id: pattern for pattern in patterns if pattern.lines >> line & 1}
        placed = {
            pattern.id: (pattern, file.path, LineBits(1 << line)) for pattern in having.values()
        }
        by_test, _ = _found(reader, placed)
        testing = sum(1 for found in by_test.values() if found.tested)
        if having:
            near.append(Near(line=line, tests=testing, at_import=not testing))
    return tuple(near)


def _lines_of(patterns: Iterable[Pattern]) -> int:
    return _union(pattern.lines for pattern in patterns)


def _union(many: Iterable[int]) -> int:
    bits = 0
    for one in many:
        bits |= one
    return bits
