"""Makes data files through the Writer, for tests that ask about them.

data = DataFile(tmp_path)
with data.run() as run:
    run.file(basket_of())
    run.test("tests/test_b.py::test_new", {(SOURCE, "Basket.__init__"): [8]})

What ran is lines, and branches as pairs.
"""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from whotests.packing.branches import Branch
from whotests.query.files import Catalogue
from whotests.records import (
    Batch,
    ContextRecord,
    FileRecord,
    PatternRecord,
    RunRecord,
    TestRecord,
    UnitRecord,
)
from whotests.source.content import packed_content, unit_spans
from whotests.source.rules import ALWAYS_PARTIAL, DEFAULT_EXCLUDE, DEFAULT_PARTIAL, Rules
from whotests.source.text import digest_of
from whotests.store.reader import Reader
from whotests.store.writer import Writer
from whotests.types import (
    FileState,
    LineBits,
    Outcome,
    Phase,
    Runner,
    RunStatus,
    TestName,
    UnitKind,
    bits_of,
)

__all__ = [
    "ADD",
    "ADD_FORK",
    "BASKET",
    "INIT",
    "MODULE",
    "NOON",
    "REFUSE",
    "SOURCE",
    "DataFile",
    "Measured",
    "Ran",
    "RunInProgress",
    "basket_of",
    "facts_in",
    "record_forks",
    "record_shop",
    "run_record",
]

NOON = 1_750_000_000.0
"""When recorded runs begin, unless said otherwise: seconds since the epoch."""

BASKET = """\
import os


class Basket:
    limit = 10

    def __init__(self):
        self.items = []

    def add(self, name):
        if not name:
            raise ValueError(
                "name"
            )
        self.items.append(name)

    def never(self):
        return os.getcwd()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A source file of a run: its text, its statements and its units (name -> kind and lines)."""

    path: str
    text: str
    statements: frozenset[int]
    units: Mapping[str, tuple[UnitKind, int, int]]
    excluded: frozenset[int] = frozenset()
    branches: tuple[Branch, ...] = ()
    partial: frozenset[int] = frozenset()
    state: FileState = FileState.MEASURED
    reason: str = ""

    def record(self, key: int) -> FileRecord:
        """As the recorder writes it."""
        units = tuple(
            UnitRecord(
                qualname=name,
                kind=kind,
                first_line=first,
                last_line=last,
                fingerprint=digest_of(f"{self.text}{name}".encode()),
            )
            for name, (kind, first, last) in self.units.items()
        )
        return FileRecord(
            key=key,
            path=self.path,
            digest=digest_of(self.text.encode()),
            content=packed_content(
                line_count=self.text.count("\n"),
                statements=bits_of(self.statements),
                excluded=bits_of(self.excluded),
                branches=self.branches,
                partial=bits_of(self.partial),
                units=units,
            ),
            units=unit_spans(units, self.branches),
            state=self.state,
            reason=self.reason,
        )

    def unit_of(self, name: str) -> int:
        """The index of one of its units."""
        return list(self.units).index(name)


def basket_of(
    path: str = "src/shop/basket.py",
    *,
    comment: str = "",
    branch: bool = False,
    excluded: frozenset[int] = frozenset(),
) -> Measured:
    """BASKET as a measured file; `comment` makes another version of it, with the same lines."""
    return Measured(
        path=path,
        text=BASKET + comment,
        statements=frozenset({1, 4, 5, 7, 8, 10, 11, 12, 15, 17, 18}),
        units={
            "": (UnitKind.MODULE, 1, 18),
            "Basket": (UnitKind.CLASS, 4, 18),
            "Basket.__init__": (UnitKind.FUNCTION, 7, 8),
            "Basket.add": (UnitKind.FUNCTION, 10, 15),
            "Basket.never": (UnitKind.FUNCTION, 17, 18),
        },
        branches=((11, 12), (11, 15)) if branch else (),
        excluded=excluded,
    )


def run_record(
    root: Path,
    *,
    started: float = NOON,
    pid: int | None = None,
    host: str | None = None,
    command: tuple[str, ...] = ("pytest", "-q"),
    branch: bool = False,
    exclude: tuple[str, ...] | None = None,
    partial: tuple[str, ...] | None = None,
    name: str = "",
    label: str = "",
) -> RunRecord:
    """A run as this process would begin it."""
    return RunRecord(
        started=started,
        command=command,
        root=str(root),
        label=label,
        name=name,
        python="CPython 3.11.7",
        platform="linux",
        host=socket.gethostname() if host is None else host,
        pid=os.getpid() if pid is None else pid,
        branch=branch,
        exclude=exclude,
        partial=partial,
    )


Ran = Mapping[tuple[str, str], Sequence[int | Branch]]
"""Path and unit -> which lines and branches of it ran."""


@dataclass(slots=True)
class RunInProgress:
    """Writes one run, one batch for each test or label."""

    writer: Writer
    files: dict[str, tuple[int, Measured]] = field(default_factory=dict)
    patterns: int = 0
    contexts: dict[tuple[str | None, Phase | None, str], int] = field(default_factory=dict)

    def file(self, measured: Measured) -> None:
        """The run saw this file."""
        key = len(self.files)
        self.files[measured.path] = (key, measured)
        self.writer.write(Batch(files=(measured.record(key),)))

    def test(
        self,
        name: str,
        ran: Ran,
        *,
        outcome: Outcome = Outcome.PASSED,
        runner: Runner = Runner.PYTEST,
        phase: Phase = Phase.CALL,
        duration: float | None = 0.25,
        complete: bool = True,
    ) -> None:
        """A test ran this: (path, unit) -> lines and branches."""
        test = TestRecord(name=TestName(name), runner=runner, outcome=outcome, duration=duration)
        self._context(test, phase, "", ran, complete=complete)

    def label(self, label: str, ran: Ran) -> None:
        """This ran under a label, outside of tests."""
        self._context(None, None, label, ran, complete=True)

    def _context(
        self,
        test: TestRecord | None,
        phase: Phase | None,
        label: str,
        ran: Ran,
        *,
        complete: bool,
    ) -> None:
        patterns = []
        for (path, unit), parts in ran.items():
            key, measured = self.files[path]
            lines = [part for part in parts if isinstance(part, int)]
            branches = [part for part in parts if not isinstance(part, int)]
            patterns.append(
                PatternRecord(
                    key=self.patterns,
                    file_key=key,
                    unit_index=measured.unit_of(unit),
                    lines=LineBits(bits_of(lines)),
                    branches=bits_of(map(measured.branches.index, branches)),
                )
            )
            self.patterns += 1
        context = ContextRecord(
            key=self.contexts.setdefault(
                (test.name if test else None, phase, label), len(self.contexts)
            ),
            test=test.name if test else None,
            phase=phase,
            label=label,
            patterns=tuple(pattern.key for pattern in patterns),
            complete=complete,
        )
        self.writer.write(
            Batch(patterns=tuple(patterns), tests=(test,) if test else (), contexts=(context,))
        )


class DataFile:
    """A project in a folder of its own, with its data file and sources."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".whotests" / "data.db"

    @contextmanager
    def run(
        self,
        *,
        started: float = NOON,
        status: RunStatus = RunStatus.FINISHED,
        append: bool = False,
        exit_status: int | None = 0,
        note: str = "",
        pid: int | None = None,
        branch: bool = False,
        rules: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
        name: str = "",
        label: str = "",
        keep_runs: int = 1,
        keep_history: int = 100,
    ) -> Iterator[RunInProgress]:
        """Records a run that ends with `status`; RUNNING: it never ends, as when killed."""
        writer = Writer.open(self.path, clock=lambda: started)
        try:
            exclude, partial = rules or (None, None)
            writer.begin_run(
                run_record(
                    self.root,
                    started=started,
                    pid=pid,
                    branch=branch,
                    exclude=exclude,
                    partial=partial,
                    name=name,
                    label=label,
                )
            )
            yield RunInProgress(writer)
            if status is not RunStatus.RUNNING:
                writer.finish_run(
                    ended=started + 2,
                    status=status,
                    exit_status=exit_status,
                    note=note,
                    append=append,
                    keep_runs=keep_runs,
                    keep_history=keep_history,
                )
        finally:
            writer.close()

    def save(self, measured: Measured) -> None:
        """Puts the file's source where the data says that it is."""
        path = self.root / measured.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(measured.text, encoding="utf-8", newline="\n")

    @contextmanager
    def opened(
        self, *, run: str | None = None, now: float = NOON + 60, rules: Rules | None = None
    ) -> Iterator[tuple[Reader, Catalogue]]:
        """A reader, and a catalogue over the sources in the project's folder."""
        with Reader.open(self.path, run=run, clock=lambda: now) as reader:
            roots = (self.root,)
            yield reader, Catalogue(reader, self, cwd=self.root, roots=roots, rules=rules)

    def read(self, path: str) -> bytes | None:
        """The source at `path`, as a `SourceTree` gives it."""
        file = self.root / path
        return file.read_bytes() if file.is_file() else None


def facts_in(data: DataFile, *, run: str | None = None) -> set[tuple[str, str, int]]:
    """All (test or label, path, line) of the file, or of a run of it."""
    with data.opened(run=run) as (reader, _):
        paths = {file.id: file.path for file in reader.files}
        footprints = {key: tuple(ids) for key, ids in reader.footprints()}
        return {
            (context.test.name if context.test else context.label, paths[unit.file_id], line)
            for context in reader.contexts()
            for pattern in map(reader.all_patterns.__getitem__, footprints[context.footprint_id])
            for unit in (pattern.unit,)
            for line in range(1, 40)
            if pattern.lines >> line & 1
        }


SOURCE = "src/shop/basket.py"
INIT = {(SOURCE, "Basket.__init__"): [8]}
ADD = {(SOURCE, "Basket.add"): [11, 15]}
REFUSE = {(SOURCE, "Basket.add"): [11, 12]}
MODULE = {(SOURCE, ""): [1, 4], (SOURCE, "Basket"): [5, 7, 10, 17]}
ADD_FORK: Ran = {(SOURCE, "Basket.add"): [11, (11, 15), 15]}


def record_shop(data: DataFile, *, started: float = NOON) -> None:
    """A finished run over BASKET: test_new, test_add[1], test_add[2], test_refuse and the import.

    The source is saved as well; test_refuse failed.
    """
    basket = basket_of()
    data.save(basket)
    with data.run(started=started) as run:
        run.file(basket)
        run.label("import", MODULE)
        run.test("tests/test_b.py::test_new", INIT)
        run.test("tests/test_b.py::test_add[1]", {**INIT, **ADD})
        run.test("tests/test_b.py::test_add[2]", {**INIT, **ADD})
        run.test("tests/test_b.py::test_refuse", {**INIT, **REFUSE}, outcome=Outcome.FAILED)


def record_forks(data: DataFile) -> None:
    """A finished run over BASKET with branches, under the usual rules: test_new, test_add and the
    import.

    Nothing takes 11->12. The source is saved as well.
    """
    basket = basket_of(branch=True)
    data.save(basket)
    usual = (DEFAULT_EXCLUDE, DEFAULT_PARTIAL + ALWAYS_PARTIAL)
    with data.run(branch=True, rules=usual) as run:
        run.file(basket)
        run.label("import", MODULE)
        run.test("tests/test_b.py::test_new", INIT)
        run.test("tests/test_b.py::test_add", {**INIT, **ADD_FORK})
