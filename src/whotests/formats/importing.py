"""Files of other tools made into runs of a data file.

May import formats, the store's writer and what is below. Refuses to mix: what cannot be about the
text that is there is kept as another version of the file, and said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from whotests.errors import DataError
from whotests.formats.fitting import Fit, FitToSource, WithoutSource
from whotests.formats.foreign import (
    EVERYTHING,
    MOST_LINES,
    Foreign,
    ForeignFile,
    ForeignRan,
    shown,
)
from whotests.formats.local_sources import LocalSources, Located
from whotests.formats.unit_parts import Part
from whotests.query.facts import ContextKey
from whotests.records import Batch, ContextRecord, FileRecord, PatternRecord, TestRecord
from whotests.source.rules import Rules
from whotests.store.writer import Writer
from whotests.types import NO_LINES, Outcome, Runner, TestName

__all__ = ["Importer", "Left", "Tally"]

_AT_ONCE: Final = 1000
"""Contexts that are written together."""

_PATTERNS_AT_ONCE: Final = 10_000
_BYTES_AT_ONCE: Final = 10_000_000
"""What is written together of what ran of files."""


@dataclass(frozen=True, slots=True)
class Left:
    """A file of which not all could be imported, and why."""

    path: str
    """As the format has it."""
    reason: str
    """One clause."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was imported, and what was not."""

    files: int = 0
    """Of which anything ran, or could have."""
    contexts: int = 0
    tests: int = 0
    lines: int = 0
    """Facts: lines in contexts."""
    branches: int = 0
    """The same of branches."""
    labels: tuple[str, ...] = ()
    """Those of the runs that were made, one for each."""
    without_source: list[Left] = field(default_factory=list)
    """What ran of them was kept as told, apart from the text that may be there."""
    astray: list[Left] = field(default_factory=list)
    """Contexts below files, in which the other tool lost track: their facts were dropped."""
    left_out: list[Left] = field(default_factory=list)
    """Nothing was kept of them."""
    unclear_forks: int = 0
    """Lines with branches of which only the number is known that was taken."""


class Importer:
    """Writes what foreign files say as runs, one for each static context that they have."""

    def __init__(
        self,
        begin: Callable[[str], Writer],
        *,
        sources: LocalSources,
        rules: Rules,
        salt: bytes,
    ) -> None:
        """`begin` gives the writer of a run with that label, which has begun. `rules` say what
        counts of a source. `salt` tells this import from all others."""
        self._begin = begin
        self._sources = sources
        self._rules = rules
        self._salt = salt
        self._runs: dict[str, _Run] = {}
        self._of_sources: dict[tuple[str, bool], FitToSource | str] = {}
        self._sourceless: dict[str, WithoutSource] = {}
        self._idle: dict[str, Fit] = {}
        """Files of which nothing ran, so far."""
        self._busy: set[str] = set()
        """Paths of the others."""
        self._tests: dict[TestName, TestRecord] = {}
        self._lines = 0
        """Of all files, as told."""
        self.tally = Tally()

    def add(self, foreign: Foreign) -> None:
        """Writes the facts of one file of another tool. Raises DataError and what writing does."""
        for file in foreign.files:
            self._add(foreign, file)
        for name, test in foreign.tests.items():
            self._tests[name] = TestRecord(name, test.runner, test.outcome, test.duration)

    def finish(self) -> Tally:
        """Writes tests and contexts; to end the runs is left to the caller.

        Raises DataError when there was nothing to import.
        """
        idle = {path: fit for path, fit in self._idle.items() if path not in self._busy}
        if not self._runs and not idle:
            raise DataError(_nothing(self.tally))
        if not self._runs:
            self._run("")
        for run in self._runs.values():
            run.finish(idle, self._tests)
        tally = self.tally
        tally.files = len(idle) + len(self._busy)
        tally.contexts = sum(len(run.contexts) for run in self._runs.values())
        tally.tests = sum(len(run.tests) for run in self._runs.values())
        tally.labels = tuple(sorted(self._runs))
        return tally

    def _add(self, foreign: Foreign, file: ForeignFile) -> None:
        located = self._sources.locate(file.path)
        if not located.path:
            self.tally.left_out.append(Left(shown(file.path), located.problem))
            return
        self._claim(file)
        fit, ran = self._fit(foreign, file, located)
        if file.forks:
            taken, unclear = fit.forked(file)
            self.tally.unclear_forks += unclear
            lines, branches = ran.get(EVERYTHING, ForeignRan(NO_LINES))
            ran[EVERYTHING] = ForeignRan(lines, branches | taken)
        by_label: dict[str, dict[ContextKey, ForeignRan]] = {}
        for key, some in ran.items():
            if some.lines or some.branches:
                by_label.setdefault(key.run_label, {})[key] = some
        if not by_label:
            self._idle[located.path] = fit
            return
        self._busy.add(located.path)
        for label, of_run in by_label.items():
            facts = self._run(label).write(fit, of_run)
            self.tally.lines += facts[0]
            self.tally.branches += facts[1]

    def _claim(self, file: ForeignFile) -> None:
        """Bounds what bitmaps of all files take: a report of a few bytes can speak of any line."""
        lines = (file.statements or 0) | (file.excluded or 0)
        lasts = [lines.bit_length(), *(some.lines.bit_length() for some in file.ran.values())]
        self._lines += max(lasts)
        if self._lines > MOST_LINES:
            raise DataError(
                f"{shown(file.path)} and the files before it have more than {MOST_LINES:,} lines, "
                "as told: there is no such project; import the report in parts if it is one"
            )

    def _run(self, label: str) -> "_Run":
        if label not in self._runs:
            self._runs[label] = _Run(self._begin(label))
        return self._runs[label]

    def _fit(
        self, foreign: Foreign, file: ForeignFile, located: Located
    ) -> tuple[Fit, dict[ContextKey, ForeignRan]]:
        """The version that the file speaks of, that on the disk if nothing is against it; and
        what ran of it."""
        problem = located.problem
        if file.plugin:
            problem = f"only {file.plugin}, a plugin of coverage.py, knows its statements"
        elif located.source is not None:
            fit = self._of_source(located.path, located.source, branch=foreign.branch)
            if isinstance(fit, str):
                problem = fit
            else:
                problem, strays = fit.verdict(file)
                if not problem:
                    for key, reason in strays.items():
                        self.tally.astray.append(Left(shown(f"{file.path}|{key.name}"), reason))
                    ran = {key: some for key, some in file.ran.items() if key not in strays}
                    return fit, ran
        self.tally.without_source.append(Left(shown(file.path), problem))
        sourceless = self._sourceless.get(located.path)
        if sourceless is None:
            sourceless = WithoutSource(located.path, salt=self._salt, reason=problem)
            self._sourceless[located.path] = sourceless
        sourceless.absorb(file)
        return sourceless, dict(file.ran)

    def _of_source(self, path: str, source: bytes, *, branch: bool) -> FitToSource | str:
        """What can be said of a source, or why nothing can."""
        key = (path, branch)
        if key not in self._of_sources:
            try:
                self._of_sources[key] = FitToSource(path, source, rules=self._rules, branch=branch)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self._of_sources[key] = f"{type(error).__name__}: {error}"
        return self._of_sources[key]


class _Run:
    """One run that is being written."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._files: dict[int, int] = {}
        """Id of a fit -> the file's key."""
        self._pattern_count = 0
        self._waiting_files: list[FileRecord] = []
        self._waiting: list[PatternRecord] = []
        self._waiting_bytes = 0
        self.contexts: dict[ContextKey, list[int]] = {}
        """The keys of the patterns that each ran."""
        self.tests: set[TestName] = set()

    def write(self, fit: Fit, ran: Mapping[ContextKey, ForeignRan]) -> tuple[int, int]:
        """Writes what contexts ran of a file; how many facts of lines and branches that is."""
        key = self._files.setdefault(id(fit), len(self._files))
        patterns: dict[Part, PatternRecord] = {}
        known: dict[ForeignRan, tuple[list[int], int, int]] = {}
        lines = branches = 0
        for context, some in ran.items():
            if some not in known:
                parts = fit.parts(some)
                for part in parts:
                    if part not in patterns:
                        number = self._pattern_count + len(patterns)
                        patterns[part] = PatternRecord(number, key, *part)
                known[some] = (
                    [patterns[part].key for part in parts],
                    sum(part.lines.bit_count() for part in parts),
                    sum(part.branches.bit_count() for part in parts),
                )
            keys, more_lines, more_branches = known[some]
            lines += more_lines
            branches += more_branches
            self.contexts.setdefault(context, []).extend(keys)
            if context.test is not None:
                self.tests.add(context.test)
        self._pattern_count += len(patterns)
        self._waiting_files.append(fit.record(key, imported=True))
        self._waiting.extend(patterns.values())
        self._waiting_bytes += sum(part.lines.bit_length() // 8 for part in patterns)
        if (
            len(self._waiting_files) + len(self._waiting) >= _PATTERNS_AT_ONCE
            or self._waiting_bytes >= _BYTES_AT_ONCE
        ):
            self._flush()
        return lines, branches

    def _flush(self) -> None:
        """Writes what waits: each batch waits for the disk."""
        self._writer.write(Batch(files=tuple(self._waiting_files), patterns=tuple(self._waiting)))
        self._waiting_files, self._waiting, self._waiting_bytes = [], [], 0

    def finish(self, idle: Mapping[str, Fit], told: Mapping[TestName, TestRecord]) -> None:
        """Writes the files of which nothing ran, the tests and the contexts."""
        self._flush()
        first = len(self._files)
        records = [
            fit.record(key, imported=False) for key, fit in enumerate(idle.values(), start=first)
        ]
        tests = [told.get(name) or _test(name) for name in sorted(self.tests)]
        self._writer.write(Batch(files=tuple(records), tests=tuple(tests)))
        contexts = enumerate(self.contexts.items())
        while some := tuple(islice(contexts, _AT_ONCE)):
            records_of = tuple(
                ContextRecord(
                    key=number,
                    test=context.test,
                    phase=context.phase,
                    label=context.label,
                    patterns=tuple(patterns),
                    complete=True,
                )
                for number, (context, patterns) in some
            )
            self._writer.write(Batch(contexts=records_of))


def _test(name: TestName) -> TestRecord:
    """A test of which only the name is known."""
    runner = Runner.PYTEST if "::" in name else Runner.OTHER
    return TestRecord(name=name, runner=runner, outcome=Outcome.UNKNOWN, duration=None)


def _nothing(tally: Tally) -> str:
    if not tally.left_out:
        return "there is nothing to import: no file is spoken of; record with the other tool first"
    first = tally.left_out[0]
    many = len(tally.left_out)
    which = f"{first.path}: {first.reason}" + (f" (and {many - 1} more)" if many > 1 else "")
    return f"nothing could be imported: {which}"
