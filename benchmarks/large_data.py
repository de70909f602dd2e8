"""A made data set of a large project: 1,000,000 lines, 50,000 tests, 100,000,000 facts.

It goes through the Writer as a run's would. Tests of one module go through much the same functions
of one part of the project and through a few of all others; some functions are run by every test.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Final

from whotests.records import Batch, ContextRecord, FileRecord, PatternRecord, RunRecord, TestRecord
from whotests.source.analysis import analyse
from whotests.source.content import packed_content, unit_spans
from whotests.source.text import digest_of
from whotests.store.writer import Writer
from whotests.types import FileState, LineBits, Outcome, Phase, Runner, RunStatus, TestName, bits_of

__all__ = ["Made", "Scale", "make"]

FUNCTIONS: Final = 45
"""In each file."""
HEADER: Final = '"""Part {number} of a large project."""\n\nimport os\n\nLIMIT = {number}\n'
FUNCTION: Final = """\
def function_{number}(items, less=None):
    if items is None:
        return less
    total = 0
    for item in items:
        if item:
            total += item
    if less:
        total -= less
    return total

"""
WAYS: Final = (
    (1, 3, 4, 5, 6, 7, 8, 9),
    (1, 3, 4, 5, 6, 7, 9),
    (1, 3, 4, 5, 7, 8, 9),
    (1, 3, 4, 7, 9),
    (1, 2),
    (1, 2, 3, 4, 5, 6, 7, 8, 9),
)
"""Through a function: the lines that run, from its first one on."""
FILES_OF_A_PART: Final = 40
CORE: Final = 40
"""So many functions of the first file are run by every test."""
POOL: Final = 402
"""Functions that the tests of one module go through, five of eight each."""
TESTS_OF_A_MODULE: Final = 20
TESTS_OF_A_BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much to make."""

    files: int = 2_000
    """Of 500 lines each."""
    tests: int = 50_000
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made, and what it cost to write it."""

    root: Path
    data: Path
    lines: int
    tests: int
    facts: int
    """Pairs of (test, line)."""
    cpu: float
    """Seconds of processor time within the Writer, the end of the run included."""
    ending: float
    """Those of the end of the run alone."""


def make(root: Path, scale: Scale) -> Made:
    """Writes the sources and the data file below `root`, an empty folder."""
    files = list(_files(root, scale))
    chance = random.Random(scale.seed)
    data = root / ".whotests" / "data.db"
    began = time.process_time()
    writer = Writer.open(data)
    writer.begin_run(_run(root))
    writer.write(_imports(files))
    cpu = time.process_time() - began
    facts = 0
    written: set[int] = set()
    for first in range(0, scale.tests, TESTS_OF_A_BATCH):
        numbers = range(first, min(first + TESTS_OF_A_BATCH, scale.tests))
        batch, lines = _batch(numbers, scale, chance, written)
        facts += lines
        began = time.process_time()
        writer.write(batch)
        cpu += time.process_time() - began
    began = time.process_time()
    writer.finish_run(
        ended=time.time(), status=RunStatus.FINISHED, exit_status=0, note="", append=False
    )
    writer.close()
    ending = time.process_time() - began
    return Made(
        root=root,
        data=data,
        lines=sum(file.content.line_count for file in files),
        tests=scale.tests,
        facts=facts,
        cpu=cpu + ending,
        ending=ending,
    )


def path_of(file: int) -> str:
    """Where a file of the project is, below its root."""
    return f"project/part_{file // FILES_OF_A_PART:02}/file_{file:04}.py"


def line_of(function: int, offset: int) -> int:
    """The line of a file that is so far below the first one of its function."""
    return HEADER.count("\n") + 1 + function * FUNCTION.count("\n") + offset


def _files(root: Path, scale: Scale) -> Iterator[FileRecord]:
    body = "".join(FUNCTION.format(number=number) for number in range(FUNCTIONS))
    analysis = analyse((HEADER.format(number=0) + body).encode(), "file.py")
    content = packed_content(
        line_count=analysis.line_count,
        statements=analysis.statements,
        excluded=LineBits(0),
        units=analysis.units,
    )
    units = unit_spans(analysis.units)
    for key in range(scale.files):
        source = (HEADER.format(number=key) + body).encode()
        path = root / path_of(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source)
        yield FileRecord(
            key=key,
            path=path_of(key),
            digest=digest_of(source),
            content=content,
            units=units,
            state=FileState.MEASURED,
        )


def _run(root: Path) -> RunRecord:
    return RunRecord(
        started=time.time(),
        command=("pytest",),
        root=str(root),
        label="",
        python="CPython",
        platform="made",
        host="made",
        pid=1,
    )


def _imports(files: Sequence[FileRecord]) -> Batch:
    """All files, and that they were imported."""
    lines = bits_of((1, 3, 5, *(line_of(function, 0) for function in range(FUNCTIONS))))
    patterns = tuple(
        PatternRecord(key=-2 - file.key, file_key=file.key, unit_index=0, lines=lines)
        for file in files
    )
    imported = ContextRecord(
        key=0,
        test=None,
        phase=None,
        label="import",
        patterns=tuple(pattern.key for pattern in patterns),
        complete=True,
    )
    return Batch(files=tuple(files), patterns=patterns, contexts=(imported,))


def _batch(
    numbers: range, scale: Scale, chance: random.Random, written: set[int]
) -> tuple[Batch, int]:
    """Tests with what they ran, the patterns that are new, and how many facts these are."""
    tests = []
    contexts = []
    new: list[PatternRecord] = []
    facts = 0
    for number in numbers:
        module, place = divmod(number, TESTS_OF_A_MODULE)
        if not place:
            usual, seldom, fixture = _pool(module, scale)
        taken = chance.getrandbits(POOL) | chance.getrandbits(POOL) & chance.getrandbits(POOL)
        other = (
            taken & chance.getrandbits(POOL) & chance.getrandbits(POOL) & chance.getrandbits(POOL)
        )
        way = chance.choices(range(len(WAYS)), (60, 20, 10, 6, 3, 1))[0]
        keys = [
            *(_key(0, function, way if function < 8 else 0) for function in range(CORE)),
            *compress(usual, _chosen(taken & ~other)),
            *compress(seldom, _chosen(other)),
        ]
        for key in {*keys, *fixture} - written:
            written.add(key)
            new.append(_pattern(key))
        facts += _lines(keys, fixture)
        name = TestName(f"tests/test_module_{module:04}.py::TestSomething::test_{place:02}")
        tests.append(
            TestRecord(name=name, runner=Runner.PYTEST, outcome=Outcome.PASSED, duration=0.01)
        )
        for phase, ran in ((Phase.SETUP, fixture), (Phase.CALL, keys)):
            contexts.append(
                ContextRecord(
                    key=1 + 2 * number + (phase is Phase.CALL),
                    test=name,
                    phase=phase,
                    label="",
                    patterns=tuple(ran),
                    complete=True,
                )
            )
    return Batch(patterns=tuple(new), tests=tuple(tests), contexts=tuple(contexts)), facts


def _pool(module: int, scale: Scale) -> tuple[list[int], list[int], list[int]]:
    """What the tests of a module go through: usually, sometimes, and when they are set up."""
    chance = random.Random(scale.seed * 1_000_003 + module)
    parts = max(scale.files // FILES_OF_A_PART, 1)
    part = module * parts * TESTS_OF_A_MODULE // scale.tests
    functions: dict[int, None] = {}
    while len(functions) < POOL:
        home = chance.random() < 0.8
        file = chance.randrange(FILES_OF_A_PART) + FILES_OF_A_PART * part
        if not home or file >= scale.files:
            file = chance.randrange(1, scale.files)
        first = chance.randrange(FUNCTIONS)
        for function in range(first, min(first + chance.randint(4, 24), FUNCTIONS)):
            functions[file * FUNCTIONS + function] = None
    pool = list(functions)[:POOL]
    ways = range(len(WAYS))
    usual, seldom = (
        [
            function * len(WAYS) + way
            for function, way in zip(pool, chance.choices(ways, weights, k=POOL), strict=True)
        ]
        for weights in ((50, 20, 10, 10, 8, 2), (10, 20, 20, 20, 20, 10))
    )
    return usual, seldom, usual[:: POOL // 8]


def _chosen(bits: int) -> bytes:
    """A byte for each of a pool's places: not zero where the bit is set."""
    return f"{bits:0{POOL}b}".encode().translate(_AS_NUMBERS)


_AS_NUMBERS: Final = bytes(byte & 1 for byte in range(256))


def _key(file: int, function: int, way: int) -> int:
    return (file * FUNCTIONS + function) * len(WAYS) + way


def _pattern(key: int) -> PatternRecord:
    place, way = divmod(key, len(WAYS))
    file, function = divmod(place, FUNCTIONS)
    lines = bits_of(line_of(function, offset) for offset in WAYS[way])
    return PatternRecord(key=key, file_key=file, unit_index=1 + function, lines=lines)


_WAY_BITS: Final = [bits_of(way) for way in WAYS]


def _lines(*sets: Sequence[int]) -> int:
    """How many lines these patterns are together."""
    lines: dict[int, int] = {}
    for keys in sets:
        for key in keys:
            place, way = divmod(key, len(WAYS))
            lines[place] = lines.get(place, 0) | _WAY_BITS[way]
    return sum(bits.bit_count() for bits in lines.values())
