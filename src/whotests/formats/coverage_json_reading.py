"""What a JSON document of coverage.py says, of format 2 or 3.

May import formats.foreign and what is below. Refuses a document that contradicts itself.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from whotests.errors import DataError
from whotests.formats.coverage_contexts import MEANINGS, contexts_of, told_meanings
from whotests.formats.foreign import (
    EVERYTHING,
    Foreign,
    ForeignFile,
    ForeignRan,
    Lines,
    Room,
    shown,
)
from whotests.formats.json_pieces import JsonPieces
from whotests.packing.branches import Branch
from whotests.query.facts import ContextKey
from whotests.types import NO_LINES, LineBits

__all__ = ["FORMAT_VERSION", "read_coverage_json"]

FORMAT_VERSION: Final = 3
"""The newest that coverage.py 7 writes."""

_LINES: Final = ("executed_lines", "missing_lines", "excluded_lines")
_BRANCHES: Final = ("executed_branches", "missing_branches")
_LONGEST_PATH: Final = 1 << 14


def read_coverage_json(path: Path) -> Foreign:
    """What the document says; its files are read as they are asked for. Raises DataError for what
    is none, is cut short, is of a newer format, or says two things of one line."""
    meta, names = _first_pass(path)
    version = meta.get("format", 1)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise DataError(
            f"{path} has coverage.py's JSON of format {shown(version)}, of which this whotests "
            f"knows nothing: it reads those up to {FORMAT_VERSION}; update whotests"
        )
    contexts = bool(meta.get("show_contexts"))
    branch = meta.get("branch_coverage") is True
    unsaid = ["outcomes and durations of tests"]
    unsaid += [] if contexts else ["contexts"]
    unsaid += ["the contexts of branches"] if branch and contexts else []
    made_by = meta.get("version")
    return Foreign(
        format="coverage-json",
        files=_files(path, contexts_of(names, told=told_meanings(meta.get(MEANINGS)))),
        branch=branch,
        unsaid=tuple(unsaid),
        made_by=made_by[:200] if isinstance(made_by, str) else "",
        created=_seconds(meta.get("timestamp")),
    )


def _first_pass(path: Path) -> tuple[Mapping[str, object], set[str]]:
    """What stands about the document, and the names of all contexts. All of it is looked at, so
    that what is cut short is seen before any of it is imported."""
    meta: object = None
    names = {""}
    found = False
    with JsonPieces.open(path) as pieces:
        for key in pieces.members():
            if key == "meta":
                meta = pieces.value()
            elif key == "files":
                found = True
                for _ in pieces.members():
                    for part in pieces.members():
                        if part == "contexts":
                            for _line in pieces.members():
                                names.update(_names(pieces))
                        else:
                            pieces.skip()
            else:
                pieces.skip()
        pieces.end()
        if not found or not isinstance(meta, dict):
            pieces.fail("it has no 'meta' and 'files'")
    return meta, names


def _files(path: Path, keys: Mapping[str, ContextKey]) -> Iterator[ForeignFile]:
    with JsonPieces.open(path) as pieces:
        for key in pieces.members():
            if key != "files":
                pieces.skip()
                continue
            seen: set[str] = set()
            for name in pieces.members():
                if name in seen or len(name) > _LONGEST_PATH:
                    pieces.fail(f"the file {shown(name)} is there twice or has too long a name")
                seen.add(name)
                yield _file(pieces, name, keys, where=f"{path}: {shown(name)}")


def _file(
    pieces: JsonPieces, path: str, keys: Mapping[str, ContextKey], *, where: str
) -> ForeignFile:
    listed: dict[str, set[int]] = {key: set() for key in _LINES}
    branches: dict[str, set[Branch]] = {}
    contexts: dict[str, Lines] = {}
    room = Room(where)
    for key in pieces.members():
        if key in _LINES:
            listed[key] = _numbers(pieces)
        elif key in _BRANCHES:
            branches[key] = _pairs(pieces)
        elif key == "contexts":
            for line in pieces.members():
                if not (line.isdecimal() and len(line) < 10):
                    pieces.fail(f"{shown(line)} is no line")
                for name in _names(pieces):
                    if name not in contexts:
                        contexts[name] = Lines(room)
                    contexts[name].add(int(line))
        else:
            pieces.skip()
    executed, missing, excluded = (listed[key] for key in _LINES)
    taken, missed = (branches.get(key, set()) for key in _BRANCHES)
    for twice, what in (
        (executed & missing, "executed and missing"),
        (executed & excluded, "executed and excluded"),
        (missing & excluded, "missing and excluded"),
    ):
        if twice:
            raise DataError(
                f"{where}: line {shown(min(twice))} is both {what}; write the report again"
            )
    if both := taken & missed:
        start, end = min(both)
        branch = shown(f"{start}->{end}")
        raise DataError(
            f"{where}: branch {branch} is both executed and missing; write the report again"
        )
    ran = {keys[name]: ForeignRan(lines.bits()) for name, lines in contexts.items()}
    # What no context has still ran.
    rest = room.bits(executed) & ~_union(ran)
    if rest or taken:
        lines, _ = ran.get(EVERYTHING, ForeignRan(NO_LINES))
        ran[EVERYTHING] = ForeignRan(LineBits(lines | rest), room.branches(taken))
    return ForeignFile(
        path=path,
        ran=ran,
        statements=room.bits(executed | missing),
        excluded=room.bits(excluded),
        branches=room.branches(taken | missed) if branches else None,
    )


def _union(ran: Mapping[ContextKey, ForeignRan]) -> int:
    every = 0
    for each in ran.values():
        every |= each.lines
    return every


def _numbers(pieces: JsonPieces) -> set[int]:
    numbers = pieces.value()
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        pieces.fail("a list of lines has something else in it")
    return set(numbers)


def _pairs(pieces: JsonPieces) -> set[Branch]:
    pairs = pieces.value()
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(type(line) is int for line in pair)
        for pair in pairs
    ):
        pieces.fail("a list of branches has something else in it")
    return {(line, end) for line, end in pairs}


def _names(pieces: JsonPieces) -> list[str]:
    names = pieces.value()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        pieces.fail("a list of contexts has something else in it")
    return names


def _seconds(stamp: object) -> float | None:
    try:
        return datetime.fromisoformat(stamp).timestamp() if isinstance(stamp, str) else None
    except (ValueError, OverflowError, OSError):
        return None
