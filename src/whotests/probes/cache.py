"""Instrumented code kept between runs: one entry for each source file and way of compiling it.

An entry is found by the file's path and used only if the digest of the file's bytes is the
one that it was made from; so a changed file replaces its entry, and the cache holds as many
entries as there are files. Entries are written whole or not at all, and an entry that was
damaged is as good as none.
"""

import marshal
import os
import sys
import zlib
from pathlib import Path
from typing import Any

from whotests import __version__
from whotests.probes.files import read_file, replace_file
from whotests.probes.runtime import in_c
from whotests.source.digests import blake2b

__all__ = ["Cache"]

_FORMAT = f"{__version__}/33" + ("" if in_c is None else "c")
"""Changes whenever entries of before must not be used: probes, layout or analysis changed."""
_DIGEST = 16
_CHECKSUM = 4
"""Enough to tell damage from what was written; a digest would take as long as `marshal`."""


class Cache:
    """The entries below one folder. Never raises: what cannot be read or written is not cached."""

    def __init__(self, folder: Path) -> None:
        tag = f"{sys.implementation.cache_tag}-{sys.flags.optimize}"
        self._folder = os.path.join(folder, tag)

    def _entry(self, path: str, variant: str) -> str:
        name = blake2b(
            f"{_FORMAT}\0{variant}\0{path}".encode(errors="surrogatepass"), digest_size=16
        )
        return os.path.join(self._folder, f"{name.hexdigest()}.bin")

    def read(self, path: str, variant: str, digest: bytes) -> tuple[Any, ...] | None:
        """What was written for these bytes of the file, or None."""
        try:
            entry = read_file(self._entry(path, variant))
            if entry[:_DIGEST] != digest:
                return None
            payload = memoryview(entry)[_DIGEST + _CHECKSUM :]
            if _checksum(payload) != entry[_DIGEST : _DIGEST + _CHECKSUM]:
                return None
            value = marshal.loads(payload)
        except (OSError, ValueError, EOFError, TypeError):
            return None
        return value if isinstance(value, tuple) else None

    def write(self, path: str, variant: str, digest: bytes, value: tuple[Any, ...]) -> None:
        """Keeps a value of plain objects and code, in place of what was kept for the path."""
        try:
            payload = marshal.dumps(value)
            entry = digest + _checksum(payload) + payload
            replace_file(self._entry(path, variant), entry)
        except (OSError, ValueError):
            return


def _checksum(payload: bytes | memoryview) -> bytes:
    return zlib.crc32(payload).to_bytes(_CHECKSUM, "little")
