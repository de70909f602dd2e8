"""Which branches were taken in which context, as coverage.py and as whotests recorded it.

Only what coverage.py's reports count as branches are facts. They are bitmaps, as lines are in
`facts`: bit i is branch i of the file, in ascending order.
"""

import sqlite3
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path

from coverage.exceptions import NotPython
from coverage.parser import PythonParser

from explained_branches import Explained
from facts import PHASES, Facts, differences, shown
from whotests.store.reader import Reader
from whotests.types import bits_of, lines_in

__all__ = ["Arc", "BranchFacts", "FileBranches"]

Arc = tuple[int, int]
"""A line, and the line that ran next or minus the first line of the unit that was left."""


class FileBranches:
    """The branches of one file, before exclusion."""

    def __init__(self, path: Path) -> None:
        self._parser = PythonParser(filename=str(path))
        possible: set[Arc] = set()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._parser.parse_source()
                possible = self._parser.arcs()
            except NotPython:
                pass
        self._bits: dict[Arc, int] = {}
        ways: dict[int, set[int]] = defaultdict(set)
        for line, to in possible:
            ways[line].add(to)
        self.possible = frozenset(arc for arc in possible if len(ways[arc[0]]) > 1)

    def taken(self, recorded: Iterable[Arc]) -> frozenset[Arc]:
        """The branches among pairs of lines as the tracer saw them."""
        if not self.possible:
            return frozenset()
        arcs = self._parser.translate_arcs(self._parser.translate_arcs(set(recorded)))
        return self.possible.intersection(arcs)

    @cached_property
    def order(self) -> Mapping[Arc, int]:
        """Each branch's place."""
        return {arc: index for index, arc in enumerate(sorted(self.possible))}

    def bit(self, arc: Arc) -> int:
        """The bit of the branch that a pair of lines stands for, or 0."""
        if arc not in self._bits:
            taken = self.taken((arc,))
            self._bits[arc] = bits_of(self.order[branch] for branch in taken)
        return self._bits[arc]


class BranchFacts:
    """The facts below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, FileBranches] = {}

    def file(self, path: str) -> FileBranches:
        """The branches of the file at a path as `facts.shown` gives it."""
        if path not in self._files:
            self._files[path] = FileBranches(self._root / path)
        return self._files[path]

    def of_coverage(self, data_file: Path) -> Facts:
        """What coverage.py recorded."""
        facts: dict[tuple[str, str], int] = defaultdict(int)
        with closing(sqlite3.connect(data_file)) as connection:
            paths = {
                file_id: shown(self._root / path, self._root)
                for file_id, path in connection.execute("SELECT id, path FROM file")
            }
            for context, file_id, line, to in connection.execute(
                "SELECT context, file_id, fromno, tono FROM arc"
                " JOIN context ON context.id = context_id"
            ):
                path = paths[file_id]
                bit = self.file(path).bit((line, to))
                if bit:
                    facts[context, path] |= bit
        return facts

    def of_whotests(self, data_file: Path) -> Facts:
        """What whotests recorded of the newest version of each file."""
        facts: dict[tuple[str, str], int] = {}
        with Reader.open(data_file) as reader:
            roots = {run.id: Path(run.root) for run in reader.runs}
            orders: dict[int, tuple[str, list[int]]] = {}
            for version in reader.files:
                path = shown(roots[version.newest_run] / version.path, self._root)
                order = self.file(path).order
                orders[version.id] = path, [order[arc] for arc in reader.branches(version.id).all]
            patterns = reader.all_patterns
            footprints: dict[int, dict[str, int]] = {}
            for footprint, ids in reader.footprints():
                taken = footprints[footprint] = {}
                for pattern in map(patterns.__getitem__, ids):
                    path, places = orders[pattern.unit.file_id]
                    for index in lines_in(pattern.branches):
                        taken[path] = taken.get(path, 0) | 1 << places[index]
            for context in reader.contexts():
                name = context.label
                if context.test is not None and context.phase is not None:
                    name = f"{context.test.name}|{PHASES[context.phase]}"
                for path, bits in footprints[context.footprint_id].items():
                    facts[name, path] = facts.get((name, path), 0) | bits
        return facts

    def unexplained(self, theirs: Facts, ours: Facts, lent: Mapping[str, set[int]]) -> list[str]:
        """The branches that only one has, but for those that docs/exactness.md names, to be
        shown. `lent` are the lines that the compiler lent, of the files that need it."""
        found = []
        rules: dict[str, Explained] = {}
        for sign, one, other in (("-", theirs, ours), ("+", ours, theirs)):
            for difference in differences(one, other):
                path = difference.path
                arc = sorted(self.file(path).possible)[difference.line]
                text = (self._root / path).read_text(encoding="utf-8")
                if path not in rules:
                    rules[path] = Explained(text, lent.get(path, set()))
                named = rules[path].missing if sign == "-" else rules[path].superfluous
                if not named(arc):
                    found.append(
                        f"{sign}{path}:{arc[0]}->{arc[1]} {text.splitlines()[arc[0] - 1].strip()!r}"
                        f" in {len(difference.contexts)}: {difference.contexts[0]}"
                    )
        return found
