"""What does this test run?

May import types, packing, errors and the store. Refuses to read a disk or to print.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from whotests.errors import UsageError
from whotests.packing.branches import Branch
from whotests.query.files import Catalogue
from whotests.query.name_glob import name_glob
from whotests.query.sources import SourceText, Staleness
from whotests.store.reader import Reader
from whotests.store.values import FileVersion, Test, Unit
from whotests.types import LineBits, lines_in

__all__ = ["FileRan", "UnitRan", "What", "find_tests", "what"]

_MANY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRan:
    """What the tests ran of one function, class or module body."""

    unit: Unit
    lines: LineBits
    alone: LineBits
    """Those that no other test runs. Empty for what runs at import."""
    branches: tuple[Branch, ...]
    """Those taken."""
    branches_alone: tuple[Branch, ...]
    """Those that no other test takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRan:
    """What the tests ran of one version of one file."""

    file: FileVersion
    stale: Staleness | None
    text: SourceText | None
    """None when the disk does not have this version any more."""
    units: tuple[UnitRan, ...]
    """In source order; without what runs at import."""
    imported: LineBits
    """Lines that ran because the file was imported meanwhile."""

    @property
    def lines(self) -> LineBits:
        """All lines but the imported ones."""
        bits = 0
        for unit in self.units:
            bits |= unit.lines
        return LineBits(bits)

    @property
    def alone(self) -> LineBits:
        """Those of `lines` that no other test runs."""
        bits = 0
        for unit in self.units:
            bits |= unit.alone
        return LineBits(bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """The answer."""

    tests: tuple[Test, ...]
    complete: bool
    """False when a run ended before one of the tests did."""
    files: tuple[FileRan, ...]
    """By path; files of which only the import ran come with empty `units`."""
    several_labels: bool
    """Runs of several labels were asked: the names of tests stand below theirs."""

    @property
    def lines(self) -> int:
        """How many lines the tests ran, imports left out."""
        return sum(file.lines.bit_count() for file in self.files)

    @property
    def alone(self) -> int:
        """How many of them no other test runs."""
        return sum(file.alone.bit_count() for file in self.files)


def find_tests(texts: Sequence[str], tests: Sequence[Test]) -> tuple[Test, ...]:
    """The tests that `texts` mean: test ids, parts of one id only, or globs of any number.

    An id means the tests of that name under all labels, unless it stands below one of them. Raises
    UsageError for a text that means no test, or a part of several ids.
    """
    found: dict[int, Test] = {}
    for text in texts:
        for test in _find(text, tests):
            found[test.id] = test
    return tuple(sorted(found.values(), key=lambda test: (test.name, test.label)))


def what(texts: Sequence[str], reader: Reader, catalogue: Catalogue) -> What:
    """What the tests that `texts` mean ran, together. Raises UsageError as `find_tests` does."""
    tests = find_tests(texts, reader.tests)
    asked = {test.id for test in tests}
    own_footprints: set[int] = set()
    other_footprints: set[int] = set()
    complete = True
    for context in reader.contexts():
        if context.test is None:
            continue
        if context.test.id in asked:
            own_footprints.add(context.footprint_id)
            complete = complete and context.complete
        else:
            other_footprints.add(context.footprint_id)
    own: set[int] = set()
    others: set[int] = set()
    for footprint_id, ids in reader.footprints():
        members = tuple(ids)
        if footprint_id in own_footprints:
            own.update(members)
        if footprint_id in other_footprints:
            others.update(members)
    return What(
        tests=tests,
        complete=complete,
        files=_files(own, others, reader, catalogue),
        several_labels=len(reader.labels) > 1,
    )


def _files(
    own: set[int], others: set[int], reader: Reader, catalogue: Catalogue
) -> tuple[FileRan, ...]:
    patterns = reader.all_patterns
    lines: dict[int, int] = {}
    branches: dict[int, int] = {}
    for pattern_id in own:
        pattern = patterns[pattern_id]
        lines[pattern.unit.id] = lines.get(pattern.unit.id, 0) | pattern.lines
        branches[pattern.unit.id] = branches.get(pattern.unit.id, 0) | pattern.branches
    by_others: dict[int, int] = {}
    taken_by_others: dict[int, int] = {}
    for pattern_id in others:
        pattern = patterns[pattern_id]
        if pattern.unit.id in lines:
            known = by_others.get(pattern.unit.id, 0)
            by_others[pattern.unit.id] = known | pattern.lines
            taken = taken_by_others.get(pattern.unit.id, 0)
            taken_by_others[pattern.unit.id] = taken | pattern.branches
    units = [reader.all_units[unit_id] for unit_id in lines]
    files = []
    for file in reader.files:
        here = [unit for unit in units if unit.file_id == file.id]
        if not here:
            continue
        here.sort(key=lambda unit: (unit.first_line, unit.id))
        imported = 0
        ran = []
        for unit in here:
            bits = LineBits(lines[unit.id])
            if unit.runs_at_import:
                imported |= bits
                continue
            alone = LineBits(bits & ~by_others.get(unit.id, 0))
            taken = branches[unit.id]
            taken_alone = taken & ~taken_by_others.get(unit.id, 0)
            all_branches = reader.branches(file.id).all if taken else ()
            ran.append(
                UnitRan(
                    unit=unit,
                    lines=bits,
                    alone=alone,
                    branches=tuple(all_branches[place] for place in lines_in(taken)),
                    branches_alone=tuple(all_branches[place] for place in lines_in(taken_alone)),
                )
            )
        files.append(
            FileRan(
                file=file,
                stale=catalogue.stale(file),
                text=catalogue.text(file) if ran else None,
                units=tuple(ran),
                imported=LineBits(imported),
            )
        )
    return tuple(files)


def _find(text: str, tests: Sequence[Test]) -> Sequence[Test]:
    if not text.strip():
        raise UsageError("the test is empty; give its id, a part of it, or a glob: '*PART*'")
    for called in (_name, _title):
        exact = [test for test in tests if called(test) == text]
        if exact:
            return exact
    parts: list[Test] = []
    for called in (_name, _title):
        parts = parts or [test for test in tests if text in called(test)]
    # `test_sum` is that test, although there is a `test_sum_of_none` too.
    whole = [test for test in parts if test.name.endswith(("::" + text, "." + text, "/" + text))]
    for candidates in (whole, parts):
        if len({test.name for test in candidates}) == 1:
            return candidates
    if not parts and any(sign in text for sign in "*?"):
        fits = name_glob(text)
        for called in (_name, _title):
            parts = [test for test in tests if fits(called(test))]
            if parts:
                return parts
    if parts:
        names = list(dict.fromkeys(test.name for test in whole or parts))
        more = len(names) - _MANY
        listed = "".join(f"\n  {name}" for name in names[:_MANY])
        raise UsageError(
            f"{text} is part of {len(names)} tests; give more of the id, or '*{text}*' for all "
            f"of them:{listed}" + (f"\n  and {more} more" if more > 0 else "")
        )
    if not tests:
        raise UsageError(f"{text}: the data holds no tests; `whotests status` says what it holds")
    raise UsageError(f"no test is called {text}{_nearest(text, tests)}")


def _name(test: Test) -> str:
    return test.name


def _title(test: Test) -> str:
    return test.title


def _nearest(text: str, tests: Sequence[Test]) -> str:
    names = [str(test.name) for test in tests]
    ends = {name.rpartition("::")[2].rpartition(".")[2]: name for name in names}
    near = get_close_matches(text, names, n=3)
    near = near or [ends[end] for end in get_close_matches(text, list(ends), n=3)]
    listed = "".join(f"\n  {name}" for name in near)
    return (
        f"; the nearest are:{listed}" if listed else "; try a part of its id, or a glob: '*PART*'"
    )
