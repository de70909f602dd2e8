"""What there is to say of source files, whatever runs of them, kept from run to run.

A run speaks of all files of its source, and most of a large library's nothing imports. So what was
found out of them is one entry of the cache, and a file that is as it was is not read again.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from whotests.probes.cache import Cache
from whotests.records import FileContent
from whotests.source.archives import archived
from whotests.source.rules import Rules
from whotests.source.text import digest_of
from whotests.system import System

__all__ = ["Contents", "Found"]

_State = tuple[int, ...]
"""Of a file: its number and size, when it was written, and when it came where it is, in ns."""

_SETTLED = 2_000_000_000
"""After so many nanoseconds what is written to a file has another time: that of some file systems
goes by seconds."""

_NO_DIGEST = bytes(16)


class Found(NamedTuple):
    """What was found out of a file."""

    digest: bytes
    """That of its bytes; b'' if it cannot be read."""
    content: FileContent
    reason: str
    """Why there is no content, one clause; '' if there is."""


class Contents:
    """The contents of the files of these sources, by these rules. Call `keep` in the end."""

    def __init__(
        self,
        cache: Cache,
        rules: Rules,
        sources: Iterable[str],
        *,
        read: Callable[[str], bytes] | None = None,
        clock: Callable[[], float] = System.since_the_epoch,
    ) -> None:
        """`read` gives the bytes of a file, or raises OSError; `clock` the seconds since 1970."""
        self._cache = cache
        self._rules = rules
        self._read = read or _read
        self._clock = clock
        self._entry = "\0".join(sources), f"contents{rules.key}", _NO_DIGEST
        kept = cache.read(*self._entry)
        self._kept: dict[str, tuple[_State, bytes, tuple[Any, ...], str]] = kept[0] if kept else {}
        self._asked: set[str] = set()
        self._changed = False

    def of(self, path: str) -> Found:
        """What there is to say of the file as it is now."""
        self._asked.add(path)
        state = self._state(path)
        kept = self._kept.get(path)
        if kept is not None and state and kept[0] == state:
            return Found(kept[1], FileContent(*kept[2]), kept[3])
        try:
            source = self._read(path)
        except OSError as error:
            return Found(b"", FileContent(), f"it cannot be read: {error.strerror}")
        digest = digest_of(source)
        if kept is not None and kept[1] == digest:
            found = Found(digest, FileContent(*kept[2]), kept[3])
        else:
            try:
                found = Found(digest, self._analysed(source, path), "")
            except (SyntaxError, ValueError) as error:
                found = Found(digest, FileContent(), f"{type(error).__name__}: {error}")
            except (RecursionError, MemoryError) as error:  # another time there may be more room
                return Found(digest, FileContent(), f"{type(error).__name__}: {error}")
        now = (state, digest, tuple(found.content), found.reason)
        if now != kept:
            self._kept[path] = now
            self._changed = True
        return found

    def keep(self) -> None:
        """The next run finds what this one has found out."""
        if self._changed:
            others = self._kept.keys() - self._asked
            for path in others:
                if not self._state(path):
                    del self._kept[path]
            self._cache.write(*self._entry, (self._kept,))

    def _analysed(self, source: bytes, path: str) -> FileContent:
        from whotests.source.analysis import analyse  # much to import, and seldom needed
        from whotests.source.content import packed_content

        rules = self._rules
        analysis = analyse(
            source, path, rules=rules.exclude, partial_rules=rules.partial, branch=rules.branch
        )
        return packed_content(  # nothing runs of its units
            line_count=analysis.line_count,
            statements=analysis.statements,
            excluded=analysis.excluded,
            branches=analysis.branches.arcs,
            partial=analysis.partial,
        )

    def _state(self, path: str) -> _State:
        """() if a file that is changed in a moment might have the same."""
        try:
            known = System.stat(path)
        except (OSError, ValueError):
            return ()
        changed = max(known.st_mtime_ns, known.st_ctime_ns)
        if self._clock() * 1e9 - changed < _SETTLED:
            return ()
        return known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        inside = archived(path)
        if inside is None:
            raise
        return inside
