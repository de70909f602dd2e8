"""What a data file holds, as frozen values: what the reader gives and queries work on.

May import types only. Refuses to know how it is stored.
"""

from dataclasses import dataclass

from whotests.types import (
    FileState,
    LineBits,
    Outcome,
    Phase,
    Runner,
    RunStatus,
    TestName,
    UnitKind,
)

__all__ = ["Context", "FileVersion", "Pattern", "Run", "Test", "Unit", "labelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One measured run of a command."""

    id: int
    """Ascending in the order in which the runs began."""
    started: float
    """Seconds since the epoch, UTC; `heartbeat` (when it last wrote) and `ended` too."""
    heartbeat: float
    ended: float | None
    status: RunStatus
    killed: bool
    """Marked as running, but its process is gone: what it wrote last is all there is."""
    note: str
    command: tuple[str, ...]
    root: str
    label: str
    """The static context of the whole run, or ''."""
    uid: bytes
    """The same in every data file that has this run."""
    name: str
    """What people call it, or ''."""
    superseded: float | None
    """When newer runs took its place; None: it counts."""
    branch: bool
    """It recorded branches too."""
    exclude: tuple[str, ...] | None
    """The regular expressions of what it excluded; None when they are not known."""
    partial: tuple[str, ...] | None
    """Those of lines of which not all branches have to be taken."""
    python: str
    platform: str
    host: str
    pid: int
    whotests: str
    exit_status: int | None

    @property
    def complete(self) -> bool:
        """Whether everything that the run did was recorded."""
        return self.status is RunStatus.FINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """One version of one source file, as all runs that are kept saw it."""

    id: int
    path: str
    digest: bytes
    line_count: int
    statements: LineBits
    """First lines of executable statements, before exclusion."""
    excluded: LineBits
    """All lines that rules exclude, statements or not."""
    partial: LineBits
    """Lines of which not all branches have to be taken."""
    state: FileState
    """MEASURED if any run measured it."""
    reason: str
    recorded: float
    """When the newest run that saw it began, seconds since the epoch, UTC."""
    newest_run: int
    """That run's id."""
    rules_run: int
    """The id of the run whose rules say what is excluded here: the newest that saw it of all that
    are kept, also where an older one is asked."""

    @property
    def counted(self) -> LineBits:
        """The statements that count: those that no rule excludes."""
        return LineBits(self.statements & ~self.excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A module body, function, method or class body of a file's version."""

    id: int
    file_id: int
    qualname: str
    kind: UnitKind
    first_line: int
    last_line: int
    body_line: int
    """The first line of its body, a docstring's too; 0 when not known."""
    fingerprint: bytes

    @property
    def runs_at_import(self) -> bool:
        """Whether importing the file runs it: a module's body, or a class's outside functions."""
        return self.kind is not UnitKind.FUNCTION and "<locals>" not in self.qualname

    @property
    def name(self) -> str:
        """The qualname as people write it."""
        return self.qualname.replace("<locals>.", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A set of lines and branches of one unit that some context ran."""

    id: int
    unit: Unit
    lines: LineBits
    branches: int
    """Bit i is branch i of the file (`Reader.branches`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test as the newest run that has it saw it."""

    id: int
    run_id: int
    label: str
    """That of its run: tests of one name under several labels are several tests."""
    name: TestName
    runner: Runner
    outcome: Outcome
    duration: float | None
    """Seconds of wall time over all phases."""

    @property
    def title(self) -> str:
        """Its name below its label: 'py3.13/tests/test_a.py::test_b'."""
        return labelled(self.label, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What ran under one label: a phase of a test, or something else (`test` is None)."""

    test: Test | None
    run_label: str
    """That of its run, or ''."""
    phase: Phase | None
    label: str
    run_id: int
    footprint_id: int
    complete: bool

    @property
    def name(self) -> str:
        """As people write it: 'py3.13/tests/test_a.py::test_b|call', 'import', ''."""
        inner = self.label if self.test is None else f"{self.test.name}|{self.phase}"
        return labelled(self.run_label, inner)


def labelled(label: str, name: str) -> str:
    """A name below the static context that it was recorded under, if any."""
    return f"{label}/{name}" if label else name
