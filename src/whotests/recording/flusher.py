"""Writes what a run has found out, at least once a second.

Between two tests, if one ends in time: there it is in nobody's way, and no other thread waits
for the interpreter. During a long test a thread of ours does it. That is started below
`threading`, so that the program under measurement does not see it among its threads, and is
gone while the process forks: a forked child has neither the thread nor a connection to the
data file, and Python does not warn of forking with threads.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from whotests.errors import WhotestsError
from whotests.probes.loaded import LoadedFile, layout_of
from whotests.probes.runtime import seen
from whotests.recording.contexts import Context, Contexts
from whotests.recording.interruptions import is_the_programs
from whotests.recording.originals import Clock, RLock, allocate_lock, start_new_thread
from whotests.records import (
    Batch,
    ContextRecord,
    FileRecord,
    PatternRecord,
    TestRecord,
)
from whotests.store.writer import Writer
from whotests.types import FileState, LineBits, Outcome, Runner, TestName

__all__ = ["Flusher", "Ledger"]

_Item = TypeVar("_Item")

INTERVAL = 0.6
"""Seconds between two writes at most; with the time that a write takes, under a second."""


_FREE_SECONDS = 0.1


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
        self._patterns: dict[tuple[int, int, int, int], int] = {}
        self._numbers: dict[int, int] = {}
        """Pattern number in this process -> pattern key, or -1 where no line is in it."""

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
        notes = {note.name: note for note in _drained(contexts.notes)}
        tests = [
            TestRecord(
                name=note.name, runner=note.runner, outcome=note.outcome, duration=note.duration
            )
            for note in notes.values()
        ]
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
                patterns=self._pattern_keys(patterns, new_patterns),
                complete=complete,
            )
            for context, patterns, complete in ended
        )
        for name in {record.test for record in records} - self._told - notes.keys():
            if name is not None:  # what it is, the process that runs it tells
                tests.append(
                    TestRecord(
                        name=name, runner=Runner.OTHER, outcome=Outcome.UNKNOWN, duration=None
                    )
                )
        self._told.update(test.name for test in tests)
        new_files, self._new_files = self._new_files, []
        return Batch(
            files=tuple(new_files),
            patterns=tuple(new_patterns),
            tests=tuple(tests),
            contexts=records,
        )

    def add_files(self, files: list[FileRecord]) -> Batch:
        """A batch of files that were not loaded; their keys are set here."""
        first = len(self._file_keys)
        for offset in range(len(files)):
            self._file_keys[-1 - offset] = first + offset
        return Batch(
            files=tuple(
                FileRecord(
                    key=first + offset,
                    path=self._stored(file.path),
                    digest=file.digest,
                    line_count=file.line_count,
                    statements=file.statements,
                    excluded=file.excluded,
                    branches=file.branches,
                    partial=file.partial,
                    units=file.units,
                    state=file.state,
                    reason=file.reason,
                )
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
            line_count=file.line_count,
            statements=LineBits(file.statements),
            excluded=LineBits(file.excluded),
            branches=file.branches,
            partial=LineBits(file.partial),
            units=file.units,
            state=FileState.MEASURED if file.packed_layout else FileState.NOT_MEASURED,
            reason=file.reason,
        )

    def _pattern_keys(self, numbers: set[int], new: list[PatternRecord]) -> tuple[int, ...]:
        known = self._numbers
        try:
            keys = set(map(known.__getitem__, numbers))
        except KeyError:
            # What lies together in a file mostly runs together: footprints of neighbours are small.
            for number in sorted(numbers.difference(known), key=_place):
                known[number] = self._pattern_key(number, new)
            keys = set(map(known.__getitem__, numbers))
        keys.discard(-1)
        return tuple(keys)

    def _pattern_key(self, number: int, new: list[PatternRecord]) -> int:
        block, hit = seen(number)
        file = block.file
        assert isinstance(file, LoadedFile)
        layout = layout_of(file)
        lines, branches = layout.hit(block.index, hit)
        if not lines and not branches:
            return -1
        unit = layout.unit(block.index)
        place = (self._file_key(file), unit, lines, branches)
        key = self._patterns.get(place)
        if key is None:
            key = self._patterns[place] = len(self._patterns)
            new.append(
                PatternRecord(
                    key=key,
                    file_key=place[0],
                    unit_index=unit,
                    lines=lines,
                    branches=branches,
                )
            )
        return key


class Flusher:
    """The thread that writes a ledger's batches, and the last write of all."""

    def __init__(self, ledger: Ledger, writer: Writer) -> None:
        self._ledger = ledger
        self._writer = writer
        self._turns = RLock()
        """Held by the one that starts or ends the thread."""
        self._stop = allocate_lock()
        self._ended = allocate_lock()
        self._runs = False
        self._failed: list[Batch] = []
        self._writes = allocate_lock()
        """Held by the one that writes."""
        self._holds = False
        self._written_at = Clock.monotonic()
        self._began = Clock.monotonic()
        self._soon = 0.0
        """Seconds that it took to write soon."""
        self.problem = ""
        """Why a batch could not be written, until it could."""

    def resume(self) -> None:
        """Starts the thread, unless it runs."""
        if self._runs:
            return
        with self._turns:
            # Not `_runs`: a signal's handler may be in here, in the middle of `pause`.
            if not self._stop.acquire(blocking=False):
                return
            self._runs = True
            self._ended.acquire()
            try:
                start_new_thread(self._run, ())
            except RuntimeError:  # no more threads, or the interpreter is ending: the end writes
                self._runs = False
                self._stop.release()
                self._ended.release()

    def pause(self) -> None:
        """Ends the thread and lets go of the data file; `resume` or `write` go on."""
        with self._turns:
            if self._runs:
                self._end_thread()

    def _end_thread(self) -> None:
        threads = _operating_system_threads()
        if self._stop.locked():
            self._stop.release()
        self._ended.acquire()
        self._ended.release()
        self._runs = False
        # The thread's last Python code is over; wait until the system has seen it go.
        waiting = allocate_lock()
        waiting.acquire()
        for _ in range(100):
            if not threads or _operating_system_threads() < threads:
                break
            waiting.acquire(timeout=0.0002)
        # Another thread may be writing between two tests of its own. (A signal's handler that
        # forks in the middle of a write would wait for ever: then the write is tried again.)
        held = self._writes.acquire(timeout=1)
        self._writer.suspend()
        if held:
            self._writes.release()

    def _run(self) -> None:
        try:
            pause = INTERVAL
            while not self._stop.acquire(timeout=pause):
                pause = self._written_at + INTERVAL - Clock.monotonic()
                if pause < INTERVAL / 10:
                    if self._writes.acquire(blocking=False):
                        self._write_and_release()
                    pause = INTERVAL
            self._stop.release()
        finally:
            self._ended.release()

    def between_tests(self) -> None:
        """A good moment to write, if the last time was a while ago."""
        if Clock.monotonic() - self._written_at > INTERVAL / 2 and self._writes.acquire(
            blocking=False
        ):
            self._write_and_release()

    def write_soon(self, *, share: float) -> None:
        """Writes what is new, now, as long as such writes take no more than this share of the
        time; the first few always may."""
        began = Clock.monotonic()
        if self._soon > _FREE_SECONDS + share * (began - self._began):
            return
        if self._writes.acquire(timeout=_FREE_SECONDS):
            self._write_and_release()
        self._soon += Clock.monotonic() - began

    def write_and_hold(self) -> None:
        """Writes what is new, now. From then on nobody else writes, until `let_go`."""
        # Not for ever: a signal's handler may have come in the middle of a write.
        self._holds = self._writes.acquire(timeout=1)
        try:
            self.write()
        except BaseException:
            self.let_go()
            raise

    def let_go(self) -> None:
        """Others may write again."""
        if self._holds:
            self._holds = False
            self._writes.release()

    def _write_and_release(self) -> None:
        # A signal's handler may raise in the middle of it: it is the program's own exception.
        try:
            self.write()
        finally:
            self._writes.release()

    def write(self, *batches: Batch) -> None:
        """Writes what is new, and what could not be written before; raises nothing of
        its own."""
        try:
            self._failed += batches or (self._ledger.batch(),)
            while self._failed:
                batch = self._failed[0]
                if batch != Batch():
                    self._writer.write(batch)
                del self._failed[0]
            self.problem = ""
        except WhotestsError as error:
            self.problem = str(error)
        except Exception as error:
            if is_the_programs(error):
                raise
            self.problem = f"a bug in whotests, please report it: {error!r}"
        self._written_at = Clock.monotonic()


def _place(number: int) -> tuple[str, int]:
    """Where the block of a pattern number is."""
    block, _ = seen(number)
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


def _operating_system_threads() -> int:
    """How many threads the system says this process has; 0 where it does not say."""
    try:
        return len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 0
    except OSError:
        return 0
