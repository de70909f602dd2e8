"""Which context ran which line and took which branch, as rows.

May import query, store and types. Refuses to know SQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from whotests.query.facts import Ran, key_of
from whotests.sql.ground import Ground, Who, who_of
from whotests.sql.relations import Estimate, Row
from whotests.sql.tables import BRANCH_FACT, BRANCHES_OF, FACT, LINES_OF, Table
from whotests.sql.wanted import Wanted
from whotests.store.values import Context

__all__ = ["FactRows", "FootprintRows"]

_UNKNOWN = (None, None)

# Rough numbers of a project with some thousand tests: only their order matters.
_ALL = 10_000_000
_SHARE = {"test": 2_000, "context": 6_000, "file": 100, "unit": 2_000, "line": 200}


class FactRows:
    """The table `fact`, or `branch_fact`."""

    def __init__(self, ground: Ground, *, branches: bool = False) -> None:
        self._ground = ground
        self._branches = branches

    @property
    def table(self) -> Table:
        return BRANCH_FACT if self._branches else FACT

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate:
        rows = float(_ALL)
        for column in known:
            rows /= _SHARE.get(column, 2)
        rows = max(1.0, rows / 2 ** len(hinted))
        # All contexts of a file are found at once, and all files of a context.
        found = max(rows, _ALL / _SHARE["file"] / 20 if "file" in known or "unit" in known else 0)
        if known.isdisjoint(("file", "unit", "test", "context")):
            found = _ALL
        return Estimate(rows=int(rows), cost=found)

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        paths = self._ground.wanted_paths(wanted)
        chosen = None if paths is None else frozenset(paths)
        names = self._names(wanted)
        if names is not None:
            for name in names:
                contexts = self._ground.contexts[name]
                who = _who(name, contexts[0])
                for path, ran in self._ground.of_contexts(contexts).items():
                    if chosen is None or path in chosen:
                        yield from self._of(who, path, ran, wanted)
        elif chosen is not None and self._ground.few(chosen):
            for path in sorted(chosen):
                yield from self._of_file(path, wanted)
        else:
            yield from self._all(wanted, chosen)

    def _of_file(self, path: str, wanted: Wanted) -> Iterator[Row]:
        lines = wanted.lines(-1)
        if lines > 0 and not self._branches:
            entries = self._ground.ran_on(path, lines)
        else:
            entries = self._ground.ran_in(path)
        for who, ran in entries:
            if _admits(wanted, who):
                yield from self._of(who, path, ran, wanted)

    def _names(self, wanted: Wanted) -> Sequence[str] | None:
        """The contexts that rows may be of; None: others than few and known ones."""
        names: Iterable[object] | None = wanted.values("context")
        if names is None and (tests := wanted.values("test")) is not None:
            if None in tests:
                return None
            by_test = self._ground.names_by_test
            names = [name for test in tests for name in by_test.get(str(test), ())]
        if names is None:
            return None
        known = self._ground.contexts
        return [
            name
            for name in names
            if isinstance(name, str)
            and name in known
            and _admits(wanted, _who(name, known[name][0]))
        ]

    def _all(self, wanted: Wanted, chosen: frozenset[str] | None) -> Iterator[Row]:
        """Footprint by footprint, so that little is held at once."""
        several: dict[str, Sequence[Context]] = {}
        by_footprint: dict[int, list[Who]] = {}
        for name, contexts in self._ground.contexts.items():
            who = _who(name, contexts[0])
            if not _admits(wanted, who):
                continue
            if len(contexts) == 1:
                by_footprint.setdefault(contexts[0].footprint_id, []).append(who)
            else:
                several[name] = contexts
        for footprint_id, by_file in self._ground.footprints():
            for who in by_footprint.get(footprint_id, ()):
                for path, ran in by_file.items():
                    if chosen is None or path in chosen:
                        yield from self._of(who, path, ran, wanted)
        for name, contexts in several.items():
            for path, ran in self._ground.of_contexts(contexts).items():
                if chosen is None or path in chosen:
                    yield from self._of(_who(name, contexts[0]), path, ran, wanted)

    def _of(self, who: Who, path: str, ran: Ran, wanted: Wanted) -> Iterable[Row]:
        """The rows of one context and file."""
        ground = self._ground
        inside = ground.lines_of_units(path, wanted)
        units = ground.owners(path) if wanted.uses("unit", "unit_name") else _NONE
        context, test, phase = who
        if not self._branches:
            lines = wanted.lines(ran.lines if inside is None else ran.lines & inside)
            if not units:
                return [
                    (context, path, line, test, phase, None, None)
                    for line in ground.lines_in(lines)
                ]
            return [
                (context, path, line, test, phase, *units.get(line, _UNKNOWN))
                for line in ground.lines_in(lines)
            ]
        if not ran.branches:
            return ()
        all_branches = ground.reader.branches(ground.files[path].id).all
        found = [all_branches[place] for place in ground.lines_in(ran.branches)]
        begun = 0
        for line, _ in found:
            begun |= 1 << line
        lines = wanted.lines(begun if inside is None else begun & inside)
        return [
            (context, path, line, end, test, phase, *units.get(line, _UNKNOWN))
            for line, end in found
            if lines >> line & 1
        ]


_NONE: Mapping[int, tuple[int, str]] = {}


class FootprintRows:
    """The table `lines_of(footprint)`, or `branches_of(footprint)`."""

    def __init__(self, ground: Ground, *, branches: bool = False) -> None:
        self._ground = ground
        self._branches = branches

    @property
    def table(self) -> Table:
        return BRANCHES_OF if self._branches else LINES_OF

    def estimate(self, known: frozenset[str], hinted: frozenset[str]) -> Estimate | None:
        if "footprint_id" not in known:
            return None
        return Estimate(rows=1000 if "file" not in known else 50, cost=1000.0)

    def rows(self, wanted: Wanted) -> Iterator[Row]:
        for footprint in wanted.values("footprint_id") or ():
            if not isinstance(footprint, int):
                continue
            for path, (lines, branches) in self._ground.of_footprint(footprint).items():
                if not wanted.admits("file", path):
                    continue
                if not self._branches:
                    for line in self._ground.lines_in(wanted.lines(lines)):
                        yield path, line, footprint
                elif branches:
                    there = self._ground.reader.branches(self._ground.files[path].id).all
                    for place in self._ground.lines_in(branches):
                        yield path, *there[place], footprint


def _who(name: str, context: Context) -> Who:
    return who_of(key_of(context))._replace(context=name)


def _admits(wanted: Wanted, who: Who) -> bool:
    return not wanted.restricts("context", "test", "phase") or (
        wanted.admits("context", who.context)
        and wanted.admits("test", who.test)
        and wanted.admits("phase", who.phase)
    )
