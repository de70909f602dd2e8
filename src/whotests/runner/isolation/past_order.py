"""What a worker of an earlier run had run before a test failed: what may have disturbed it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from whotests.hosts.frames import EVENT, FrameReader
from whotests.stream.event import FAILED, FINAL, Status

__all__ = ["PastOrder", "past_order"]

_PIECE: Final = 1 << 20

_BEGAN: Final = Status.INPROGRESS.value
_FAILED: Final = frozenset(status.value for status in FAILED)
_FINAL: Final = frozenset(status.value for status in FINAL)


class PastOrder(NamedTuple):
    """The tests of one process until one of them failed."""

    journal: Path
    before: tuple[str, ...]
    """Ids, in the order in which they began."""


def past_order(runs: Path, test_id: str, *, but: Path) -> PastOrder | None:
    """From the journals of the newest run in which that test failed, of those whose folders are
    kept in `runs`; `but` is the folder of the run that asks. None where no journal tells.

    Journals that cannot be read tell nothing: they are a hint, and no more.
    """
    folders = (each for each in runs.iterdir() if each.name.isdecimal() and each != but)
    for folder in sorted(folders, key=lambda each: -int(each.name)):
        for journal in sorted((*folder.glob("w*.journal"), *folder.glob("round-*/w*.journal"))):
            before = _before_failure(journal, test_id)
            if before is not None:
                return PastOrder(journal, before)
    return None


def _before_failure(journal: Path, test_id: str) -> tuple[str, ...] | None:
    began: dict[str, None] = {}
    running = False
    try:
        for each, status in _statuses(journal):
            if each != test_id:
                if status == _BEGAN:
                    began[each] = None
            elif status in _FAILED:
                return tuple(began)
            else:
                running = status not in _FINAL
    except (OSError, ValueError, EOFError, TypeError, IndexError):
        return None
    return tuple(began) if running else None


def _statuses(journal: Path) -> Iterator[tuple[str, str]]:
    reader = FrameReader()
    with journal.open("rb") as content:
        while octets := content.read(_PIECE):
            for frame in reader.feed(octets):
                if frame[0] == EVENT and frame[1] is not None and frame[2] is not None:
                    yield frame[1], frame[2]
