"""What a run has found out and not yet written, as batches for the store."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from itertools import groupby, repeat
from typing import TypeVar

from whotests.probes.collecting import block_of, keys_of
from whotests.probes.loaded import LoadedFile, layout_of
from whotests.probes.runtime import Block, Key
from whotests.recording.context import Context
from whotests.recording.contexts import Contexts
from whotests.records import (
    Batch,
    ContextRecord,
    FileContent,
    FileRecord,
    PatternRecord,
    TestRecord,
)
from whotests.types import FileState, Outcome, Runner, TestName

__all__ = ["Ledger"]

_Item = TypeVar("_Item")


class Ledger:
    """What of the run has been put into batches.

    A signal's handler may raise anywhere in here, and what is new then is in the next batch: what
    is taken out of a queue is in hand, and what a batch tells of is settled when there is one.
    """

    def __init__(
        self,
        contexts: Contexts,
        files: Callable[[], list[LoadedFile]],
        stored: Callable[[str], str],
        *,
        before: Iterable[LoadedFile] = (),
    ) -> None:
        """`before`: files that were loaded before this process was forked, of which the run knows;
        they are written once patterns of them come up here."""
        self._contexts = contexts
        self._files = files
        self._stored = stored
        self._before = frozenset(map(id, before))
        self._complete: bool | None = None
        """When the run is over: whether that completes the contexts that were open."""
        self.batches: list[Batch] = []
        """What was made and waits to be written, the oldest first. Who has written one takes it
        out."""
        self._unsettled: Batch | None = None
        """The last one, until what it tells of counts as told."""
        self._made = 0
        """How many there were."""
        # In hand, for the next batch.
        self._closed: list[Context] = []
        self._unfinished: list[Context] = []
        self._tests: list[TestRecord] = []
        # What batches have told of.
        self._keys: dict[int, int] = {}
        """Id of a loaded file -> its key, told or not."""
        self._files_by_key: list[LoadedFile | FileRecord] = []
        self._told_files = 0
        """How many of these."""
        self._told_tests: set[TestName] = set()
        self._told_patterns: set[int] = set()
        """Several of these numbers may come to the same lines and branches: which, the store
        sees."""

    def make_batch(self) -> None:
        """Puts everything new into a batch, if there is something."""
        self._settle()
        # Contexts first: what they refer to is then among the patterns, files and tests.
        _drain(self._contexts.closed, self._closed)
        growing: list[tuple[Context, set[int]]] = []
        if self._complete is None:
            closed = set(map(id, self._closed))
            growing += [
                (context, patterns)
                for context, patterns in self._contexts.snapshot()
                if len(patterns) != context.written and id(context) not in closed
            ]
        else:
            _drain(self._contexts.unfinished, self._unfinished)
        _drain(self._contexts.tests, self._tests)
        told = {test.name: test for test in self._tests}  # the last one counts
        for file in self._files():
            if id(file) not in self._before:
                self._file_key(file)
        # Of two with the same key the last one tells whether it is complete.
        records = (
            *(_record(each, each.patterns, complete=True) for each in self._closed),
            *(_record(context, patterns, complete=False) for context, patterns in growing),
            *(
                _record(each, each.patterns, complete=bool(self._complete))
                for each in self._unfinished
                if each.patterns
            ),
        )
        new_patterns = self._new_patterns({record.patterns: None for record in records})
        for name in {record.test for record in records} - self._told_tests - told.keys():
            if name is not None:  # what it is, the process that runs it tells
                told[name] = TestRecord(
                    name=name, runner=Runner.OTHER, outcome=Outcome.UNKNOWN, duration=None
                )
        batch = Batch(
            files=tuple(map(self._file_record, range(self._told_files, len(self._files_by_key)))),
            patterns=tuple(new_patterns),
            tests=tuple(told.values()),
            contexts=records,
        )
        if any(batch):
            self._unsettled = batch._replace(number=self._made + 1)
            self._settle()
            for context, patterns in growing:
                context.written = len(patterns)

    def _settle(self) -> None:
        """The last batch waits to be written, and what it tells of is told; each step may have
        been taken before."""
        batch = self._unsettled
        if batch is None:
            return
        if self._made < batch.number:
            self.batches.append(batch)
            self._made = batch.number
        self._told_files = max(self._told_files, *(file.key + 1 for file in batch.files), 0)
        self._told_tests.update([test.name for test in batch.tests])
        self._told_patterns.update([pattern.key for pattern in batch.patterns])
        self._closed, self._unfinished, self._tests = [], [], []
        self._unsettled = None

    def end(self, *, complete: bool) -> None:
        """No context is open any more. Those that ended with the run, not by themselves, are
        `complete` in a process that records for another's tests."""
        self._complete = complete

    def add_files(self, files: list[FileRecord]) -> None:
        """Files that were not loaded; their keys are set here."""
        self._files_by_key += files

    def _file_key(self, file: LoadedFile) -> int:
        key = self._keys.get(id(file))
        if key is None:
            key = len(self._files_by_key)
            self._files_by_key.append(file)
            self._keys[id(file)] = key
        return key

    def _file_record(self, key: int) -> FileRecord:
        file = self._files_by_key[key]
        if isinstance(file, FileRecord):
            return file._replace(key=key, path=self._stored(file.path))
        return FileRecord(
            key=key,
            path=self._stored(file.path),
            digest=file.digest,
            content=FileContent(*file.content),
            units=file.units,
            state=FileState.MEASURED if file.instrumented else FileState.NOT_MEASURED,
            reason=file.reason,
        )

    def _new_patterns(self, ran: Iterable[Collection[int]]) -> list[PatternRecord]:
        """Those of these patterns that no batch has told of."""
        new: list[PatternRecord] = []
        told, known = self._told_patterns, set[int]()
        for numbers in ran:  # many contexts run the same
            if told.issuperset(numbers):
                continue
            # What lies together in a file mostly runs together: footprints of neighbours are small.
            unknown = sorted(set(numbers) - told - known, key=_place)
            for block, its_numbers in groupby(unknown, block_of):
                keys = keys_of(block)
                for number in its_numbers:
                    new.append(self._pattern(number, block, keys[number]))
            known.update(unknown)
        return new

    def _pattern(self, number: int, block: Block, hit: Key) -> PatternRecord:
        file = block.file
        assert isinstance(file, LoadedFile)
        layout = layout_of(block)
        lines, branches = layout.hit(block, hit)
        return PatternRecord(
            key=number,
            file_key=self._file_key(file) if lines or branches else 0,
            unit_index=layout.unit(block.index),
            lines=lines,
            branches=branches,
        )


def _record(context: Context, patterns: Iterable[int], *, complete: bool) -> ContextRecord:
    return ContextRecord(
        key=context.key,
        test=context.test,
        phase=context.phase,
        label=context.label,
        patterns=tuple(patterns),
        complete=complete,
    )


def _place(number: int) -> tuple[str, int]:
    """Where the block of a pattern number is."""
    block = block_of(number)
    assert isinstance(block.file, LoadedFile)
    return block.file.path, block.index


def _drain(queue: "deque[_Item]", into: list[_Item]) -> None:
    """Takes all items out of a queue that others may be filling."""
    # By one call: whatever comes up, an item is in one of them.
    into.extend(map(deque.popleft, repeat(queue, len(queue))))
