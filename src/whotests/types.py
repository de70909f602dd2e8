"""The words of whotests as types: outcomes, phases, kinds and states, and bitmaps of lines.

May import the standard library only. Refuses to hold behaviour beyond a word's own.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NewType

__all__ = [
    "NO_LINES",
    "FileState",
    "LineBits",
    "LineNo",
    "Outcome",
    "Phase",
    "RunStatus",
    "Runner",
    "TestName",
    "UnitKind",
    "bits_of",
    "lines_in",
]

TestName = NewType("TestName", str)
"""A test id: the runner's own name of a test (pytest node id, unittest or trial dotted id)."""

LineNo = NewType("LineNo", int)
"""A 1-based physical line number in a source file."""

LineBits = NewType("LineBits", int)
"""A set of lines as an integer: bit L is set when line L is in it (bit 0 is never set)."""

NO_LINES = LineBits(0)

_WORD = 512
"""Bits that are looked at together."""


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    EXPECTED_FAILURE = "expected failure"
    UNEXPECTED_SUCCESS = "unexpected success"
    UNKNOWN = "unknown"
    """It began and no end was seen (the run was killed, or the runner told nothing)."""


class Phase(StrEnum):
    """The part of a test that a context stands for."""

    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"


class Runner(StrEnum):
    """Which runner named a test."""

    PYTEST = "pytest"
    UNITTEST = "unittest"
    TRIAL = "trial"
    OTHER = "other"


class RunStatus(StrEnum):
    """How far a run came."""

    RUNNING = "running"
    """Not ended: it still runs, or it was killed."""
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"
    """It ended, but whotests failed to record all of it."""


class FileState(StrEnum):
    """What a run did with a source file."""

    MEASURED = "measured"
    NOT_IMPORTED = "not imported"
    NOT_MEASURED = "not measured"
    """It could not be instrumented; the reason stands beside it."""


class UnitKind(StrEnum):
    """What a unit is."""

    MODULE = "module"
    FUNCTION = "function"
    CLASS = "class"


def bits_of(lines: Iterable[int]) -> LineBits:
    """The lines as one integer, bit L for line L."""
    bits = 0
    for line in lines:
        bits |= 1 << line
    return LineBits(bits)


def lines_in(bits: int) -> Iterator[LineNo]:
    """The lines of a bitmap, ascending."""
    if bits.bit_length() <= _WORD:
        words = [bits]
    else:
        # Each step on one large number would copy all of it.
        size = _WORD // 8
        octets = bits.to_bytes(bits.bit_length() // 8 + 1, "little")
        words = [
            int.from_bytes(octets[start : start + size], "little")
            for start in range(0, len(octets), size)
        ]
    for place, word in enumerate(words):
        first = place * _WORD
        while word:
            low = word & -word
            yield LineNo(first + low.bit_length() - 1)
            word ^= low
