"""The source files of a run that nothing imported, or that were imported before it began."""

import os
import sys

from whotests.config.scope import Scope
from whotests.probes.cache import Cache
from whotests.probes.load import LoadedFile
from whotests.records import FileRecord, UnitRecord
from whotests.source.text import digest_of
from whotests.types import FileState, LineBits, UnitKind

__all__ = ["unloaded_files"]


def unloaded_files(scope: Scope, loaded: list[LoadedFile], cache: Cache) -> list[FileRecord]:
    """Records of the scope's files that are not among the loaded ones, with absolute paths.

    A file that some module came from without our seeing it is 'not measured', because it was
    imported too early; one that cannot be read or parsed is, too, with the reason.
    """
    seen = {os.path.realpath(file.path) for file in loaded}
    early = {
        os.path.realpath(path)
        for module in list(sys.modules.values())
        if isinstance(path := getattr(module, "__dict__", {}).get("__file__"), str)
    }
    records = []
    for path in scope.python_files():
        real = os.path.realpath(path)
        if real not in seen:
            seen.add(real)
            records.append(_record(str(path), cache, imported=real in early))
    return records


def _record(path: str, cache: Cache, *, imported: bool) -> FileRecord:
    reason = "it was imported before measuring began" if imported else ""
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        return _unread(path, b"", f"it cannot be read: {error.strerror}")
    digest = digest_of(source)
    entry = cache.read(path, "analysis", digest)
    if entry is None:
        from whotests.source.analysis import analyse  # much to import, and seldom needed

        try:
            analysis = analyse(source, path)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return _unread(path, digest, f"{type(error).__name__}: {error}")
        units = tuple(
            (unit.qualname, unit.kind.value, unit.first_line, unit.last_line, unit.fingerprint)
            for unit in analysis.units
        )
        entry = (analysis.line_count, int(analysis.statements), int(analysis.excluded), units)
        cache.write(path, "analysis", digest, entry)
    line_count, statements, excluded, plain = entry
    return FileRecord(
        key=0,
        path=path,
        digest=digest,
        line_count=line_count,
        statements=LineBits(statements),
        excluded=LineBits(excluded),
        units=tuple(
            UnitRecord(
                qualname=qualname,
                kind=UnitKind(kind),
                first_line=first_line,
                last_line=last_line,
                fingerprint=fingerprint,
            )
            for qualname, kind, first_line, last_line, fingerprint in plain
        ),
        state=FileState.NOT_MEASURED if imported else FileState.NOT_IMPORTED,
        reason=reason,
    )


def _unread(path: str, digest: bytes, reason: str) -> FileRecord:
    return FileRecord(
        key=0,
        path=path,
        digest=digest,
        line_count=0,
        statements=LineBits(0),
        excluded=LineBits(0),
        units=(),
        state=FileState.NOT_MEASURED,
        reason=reason,
    )
