"""What the measured process hands to the store: frozen values, no behaviour.

A run writes batches. Within one run, `key` numbers are the run's own (dense, from 0);
the writer maps them to the file's row ids.
"""

from typing import NamedTuple

from whotests.types import FileState, LineBits, Outcome, Phase, Runner, TestName, UnitKind

__all__ = [
    "Batch",
    "ContextRecord",
    "FileContent",
    "FileRecord",
    "PatternRecord",
    "RunRecord",
    "TestRecord",
    "UnitRecord",
    "UnitSpan",
]


class RunRecord(NamedTuple):
    """One run as it begins."""

    started: float
    """Seconds since the epoch, UTC."""
    command: tuple[str, ...]
    root: str
    """Absolute path of the project; file paths below it are stored relative to it."""
    label: str
    """The static context of the whole run, or ''."""
    python: str
    """For instance 'CPython 3.11.7'."""
    platform: str
    host: str
    pid: int
    part_of: int = 0
    """The id of the run that this one is a part of, or 0."""
    branch: bool = False
    """Branches are recorded too."""
    exclude: tuple[str, ...] | None = None
    """The regular expressions of what is excluded; None when they are not known."""
    partial: tuple[str, ...] | None = None
    """Those of lines of which not all branches have to be taken."""
    name: str = ""
    """What people call the run, or ''."""


class UnitRecord(NamedTuple):
    """A module body, function, method or class body of a file."""

    qualname: str
    """'' for the module, else dotted as in `__qualname__` ('A.method', 'f.<locals>.g')."""
    kind: UnitKind
    first_line: int
    """The first decorator's line if there is one; 1 for the module."""
    last_line: int
    fingerprint: bytes
    """Digest of its syntax tree, without comments, positions and the bodies of nested units."""
    body_line: int = 0
    """The first line of its body, a docstring's too; 0 when not known."""


UnitSpan = tuple[int, int, int, bytes]
"""Of a unit: its first and last line, the place of the first branch that begins there (0 if none
does), and its fingerprint. A plain tuple of plain values, which the garbage collector need not
look at: a large program has as many as functions."""


class FileContent(NamedTuple):
    """What there is to say of a version of a file, whatever runs of it; packed, as it is kept
    (`whotests.packing`, `whotests.source.content`)."""

    line_count: int = 0
    statements: bytes = b""
    """coverage.py's statements before exclusion: first lines of executable statements."""
    excluded: bytes = b""
    """All lines that the exclusion rules drop, statements or not."""
    branches: bytes = b""
    """Every way out of a line that has more than one: the line, and the first line of what runs
    next, or minus the first line of the unit that is left. Before exclusion; empty when the run
    does not record branches."""
    partial: bytes = b""
    """Lines whose branches are not missed when they are not taken ('no branch')."""
    outline: bytes = b""
    """Its units; empty when nothing of it was measured."""


class FileRecord(NamedTuple):
    """One version of one source file."""

    key: int
    path: str
    """Relative to the run's root with '/' when below it, absolute otherwise."""
    digest: bytes
    """BLAKE2b-128 of the file's bytes."""
    content: FileContent
    units: tuple[UnitSpan, ...]
    """In source order, the module first; empty when nothing of it was measured."""
    state: FileState
    reason: str = ""
    """Why it is not measured, one clause."""


class PatternRecord(NamedTuple):
    """The lines and branches of one unit that one context ran; without either, nothing ran."""

    key: int
    file_key: int
    unit_index: int
    """Index into the file's `units`."""
    lines: LineBits
    """A subset of the file's statements (absolute line numbers)."""
    branches: int = 0
    """Those of the file's `branches` that were taken: bit i for branch i."""


class TestRecord(NamedTuple):
    """A test and how it ended. Written again when it changes: the last one counts."""

    name: TestName
    runner: Runner
    outcome: Outcome
    duration: float | None
    """Seconds of wall time over all phases, or None while it runs."""


class ContextRecord(NamedTuple):
    """What ran under one label. Written again when more did: the patterns add up."""

    key: int
    test: TestName | None
    phase: Phase | None
    """Set exactly when `test` is."""
    label: str
    """'' (before or between tests), 'import', or a user's label; '' for a test's context."""
    patterns: tuple[int, ...]
    """Pattern keys in any order, maybe repeatedly."""
    complete: bool
    """False while the context is still open."""


class Batch(NamedTuple):
    """Everything new since the last batch; written in one transaction.

    Records may refer to files, patterns and tests of this batch or of earlier ones.
    """

    files: tuple[FileRecord, ...] = ()
    patterns: tuple[PatternRecord, ...] = ()
    tests: tuple[TestRecord, ...] = ()
    contexts: tuple[ContextRecord, ...] = ()
    number: int = 0
    """Ascending from 1: what has a number is not written twice. 0: it has none."""
