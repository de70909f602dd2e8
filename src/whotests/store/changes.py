"""Which tests ran code that was changed between two runs.

May import the standard library, packing and the store's own floor. Refuses to change anything.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping

from whotests.packing.ids import common
from whotests.packing.outlines import UNIT_KINDS, unpack_outline
from whotests.store.schema import FILE_STATES
from whotests.types import FileState, UnitKind

__all__ = ["changed_tests"]

_FUNCTION = UNIT_KINDS.index(UnitKind.FUNCTION)

_Name = tuple[str, int]
"""A unit's qualname, and how many units of that name stand before it in the file."""


def changed_tests(
    connection: sqlite3.Connection, one: int, other: int, tests: Mapping[int, int]
) -> frozenset[int]:
    """Those of `tests` (id in the run `one` -> id in the run `other`), by their first id, of which
    the code changed: of a unit that it ran in either run the fingerprint is another one, or is
    not known, in the other run. What runs at import (the bodies of modules and classes) counts
    for all tests that ran anything of the file.

    Of a test that ran nothing that was measured, the code did not change when no file did.
    """
    files, others = _versions(connection, one), _versions(connection, other)
    differing = {path for path in {*files, *others} if files.get(path) != others.get(path)}
    nothing_known = not (_measured(connection, one) and _measured(connection, other))
    if nothing_known:
        return frozenset(tests)
    if not differing:
        return frozenset()
    patterns = _patterns_of(
        connection,
        [
            unit
            for path in differing
            for unit in _changed_units(
                connection, files.get(path, frozenset()), others.get(path, frozenset())
            )
        ],
    )
    touched, told = _touched(connection, (one, other), patterns)
    return frozenset(
        test
        for test, again in tests.items()
        if test in touched or again in touched or not (test in told and again in told)
    )


def _versions(connection: sqlite3.Connection, run_id: int) -> dict[tuple[int, str], frozenset[int]]:
    """Folder and name -> the versions of the file that the run saw."""
    versions: dict[tuple[int, str], set[int]] = {}
    for folder_id, name, file_id in connection.execute(
        "SELECT folder_id, name, file.id FROM run_file JOIN file ON file.id = file_id"
        " WHERE run_id = ?",
        (run_id,),
    ):
        versions.setdefault((folder_id, name), set()).add(file_id)
    return {path: frozenset(files) for path, files in versions.items()}


def _measured(connection: sqlite3.Connection, run_id: int) -> bool:
    query = "SELECT 1 FROM run_file WHERE run_id = ? AND state = ? LIMIT 1"
    state = FILE_STATES.index(FileState.MEASURED)
    return connection.execute(query, (run_id, state)).fetchone() is not None


def _changed_units(
    connection: sqlite3.Connection, files: Iterable[int], others: Iterable[int]
) -> set[int]:
    """Ids of units of these versions of one file that the others do not have as they are."""
    here, at_import = _units(connection, files)
    there, also_at_import = _units(connection, others)
    changed = {
        name
        for name in {*here, *there}
        if here.get(name, (0, b""))[1] != there.get(name, (0, b""))[1]
    }
    if changed & (at_import | also_at_import):
        changed = {*here, *there}
    return {units[name][0] for units in (here, there) for name in changed if name in units}


def _units(
    connection: sqlite3.Connection, files: Iterable[int]
) -> tuple[dict[_Name, tuple[int, bytes]], set[_Name]]:
    """The units of a file that anything ran, as name -> id and fingerprint; and the names of
    those that importing it runs."""
    units: dict[_Name, tuple[int, bytes]] = {}
    at_import: set[_Name] = set()
    for file_id in files:
        (blob,) = connection.execute("SELECT outline FROM file WHERE id = ?", (file_id,)).fetchone()
        names: list[tuple[_Name, int]] = []
        seen: dict[str, int] = {}
        for kind, _, _, _, qualname in unpack_outline(blob):
            names.append(((qualname, seen.get(qualname, 0)), kind))
            seen[qualname] = seen.get(qualname, 0) + 1
        for place, unit_id, fingerprint in connection.execute(
            "SELECT place, id, fingerprint FROM unit WHERE file_id = ?", (file_id,)
        ):
            name, kind = names[place]
            units[name] = (unit_id, fingerprint)
            if kind != _FUNCTION and "<locals>" not in name[0]:
                at_import.add(name)
    return units, at_import


def _patterns_of(connection: sqlite3.Connection, units: Collection[int]) -> frozenset[int]:
    rows = connection.execute(f"SELECT id FROM pattern WHERE unit_id IN {_list(units)}")
    return frozenset(pattern_id for (pattern_id,) in rows)


def _touched(
    connection: sqlite3.Connection, runs: Collection[int], patterns: frozenset[int]
) -> tuple[set[int], set[int]]:
    """The tests of these runs that ran any of the patterns, and all that ran anything."""
    footprints: dict[int, list[int]] = {}
    for test_id, footprint_id in connection.execute(
        f"SELECT test_id, footprint_id FROM context WHERE run_id IN {_list(runs)}"
        " AND test_id IS NOT NULL"
    ):
        footprints.setdefault(footprint_id, []).append(test_id)
    touched: set[int] = set()
    told: set[int] = set()
    for footprint_id, tests in footprints.items():
        told.update(tests)
        if touched.issuperset(tests):
            continue
        (blob,) = connection.execute(
            "SELECT patterns FROM footprint WHERE id = ?", (footprint_id,)
        ).fetchone()
        if common(blob, patterns):
            touched.update(tests)
    return touched, told


def _list(numbers: Collection[int]) -> str:
    """Numbers as SQL: there may be more of them than a statement takes parameters."""
    return f"({','.join(map(str, numbers))})"
