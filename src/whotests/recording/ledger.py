"""What a run has found out and not yet written, as batches for the store.

It gives files, patterns and contexts their numbers within the run.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from itertools import groupby
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
    """What of the run has been put into batches: the numbers of files and patterns."""

    def __init__(
        self,
        contexts: Contexts,
        files: Callable[[], list[LoadedFile]],
        stored: Callable[[str], str],
        *,
        before: Iterable[LoadedFile] = (),
    ) -> None:
        """`before`: files that were loaded before this process was forked, of which the run knows;
        they are written once something runs of them here."""
        self._contexts = contexts
        self._files = files
        self._stored = stored
        self._file_keys: dict[int, int] = {}
        self._new_files: list[FileRecord] = []
        self._before = frozenset(map(id, before))
        self._told: set[TestName] = set()
        """Tests that were written."""
        self._patterns: set[int] = set()
        """Numbers of those patterns that were put into batches. Several may come to the same lines
        and branches: which, the store sees."""

    def batch(self, unfinished: list[Context] | None = None, *, complete: bool = False) -> Batch:
        """Everything new. `unfinished`: contexts that ended with the run, not by themselves; in a
        process that records for another's tests these are `complete`."""
        contexts = self._contexts
        # Contexts first: what they refer to is then among the patterns, files and tests.
        ended = [(context, context.patterns, True) for context in _drained(contexts.closed)]
        if unfinished is None:
            for context, patterns in contexts.snapshot():
                if len(patterns) != context.written:
                    context.written = len(patterns)
                    ended.append((context, patterns, False))
        else:
            ended += [
                (context, context.patterns, complete) for context in unfinished if context.patterns
            ]
        told = {test.name: test for test in _drained(contexts.tests)}  # the last one counts
        new_patterns: list[PatternRecord] = []
        for file in self._files():
            if id(file) not in self._before:
                self._file_key(file)
        records = tuple(
            ContextRecord(
                key=context.key,
                test=context.test,
                phase=context.phase,
                label=context.label,
                patterns=tuple(patterns),
                complete=complete,
            )
            for context, patterns, complete in ended
        )
        for numbers in {record.patterns: None for record in records}:  # many run the same
            self._tell_patterns(numbers, new_patterns)
        for name in {record.test for record in records} - self._told - told.keys():
            if name is not None:  # what it is, the process that runs it tells
                told[name] = TestRecord(
                    name=name, runner=Runner.OTHER, outcome=Outcome.UNKNOWN, duration=None
                )
        self._told.update(told)
        new_files, self._new_files = self._new_files, []
        return Batch(
            files=tuple(new_files),
            patterns=tuple(new_patterns),
            tests=tuple(told.values()),
            contexts=records,
        )

    def add_files(self, files: list[FileRecord]) -> Batch:
        """A batch of files that were not loaded; their keys are set here."""
        first = len(self._file_keys)
        for offset in range(len(files)):
            self._file_keys[-1 - offset] = first + offset
        return Batch(
            files=tuple(
                file._replace(key=first + offset, path=self._stored(file.path))
                for offset, file in enumerate(files)
            )
        )

    def _file_key(self, file: LoadedFile) -> int:
        key = self._file_keys.get(id(file))
        if key is None:
            key = self._file_keys[id(file)] = len(self._file_keys)
            self._new_files.append(self._file_record(file))
        return key

    def _file_record(self, file: LoadedFile) -> FileRecord:
        return FileRecord(
            key=self._file_keys[id(file)],
            path=self._stored(file.path),
            digest=file.digest,
            content=FileContent(*file.content),
            units=file.units,
            state=FileState.MEASURED if file.instrumented else FileState.NOT_MEASURED,
            reason=file.reason,
        )

    def _tell_patterns(self, numbers: Collection[int], new: list[PatternRecord]) -> None:
        """Adds those patterns that no batch has told of."""
        told = self._patterns
        if told.issuperset(numbers):
            return
        # What lies together in a file mostly runs together: footprints of neighbours are small.
        unknown = sorted(set(numbers) - told, key=_place)
        for block, its_numbers in groupby(unknown, block_of):
            keys = keys_of(block)
            for number in its_numbers:
                new.append(self._pattern(number, block, keys[number]))
        told.update(unknown)

    def _pattern(self, number: int, block: Block, hit: Key) -> PatternRecord:
        file = block.file
        assert isinstance(file, LoadedFile)
        layout = layout_of(block)
        lines, branches = layout.hit(block, hit)
        return PatternRecord(
            key=number,
            file_key=self._file_key(file),
            unit_index=layout.unit(block.index),
            lines=lines,
            branches=branches,
        )


def _place(number: int) -> tuple[str, int]:
    """Where the block of a pattern number is."""
    block = block_of(number)
    assert isinstance(block.file, LoadedFile)
    return block.file.path, block.index


def _drained(queue: "deque[_Item]") -> list[_Item]:
    """Takes all items out of a queue that others may be filling."""
    items = []
    try:
        while True:
            items.append(queue.popleft())
    except IndexError:
        return items
