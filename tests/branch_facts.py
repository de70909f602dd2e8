"""Which branches were taken, as coverage.py says: what its reports count as branches, and no more."""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from coverage.exceptions import NotPython
from coverage.parser import PythonParser
from coverage.sqldata import CoverageData

from facts import shown

__all__ = ["Arc", "BranchFacts", "FileBranches", "coverage_branches"]

Arc = tuple[int, int]
"""A line, and the line that ran next or minus the first line of the unit that was left."""
BranchFacts = Mapping[tuple[str, str], frozenset[Arc]]
"""Context and path -> the branches taken."""


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


def coverage_branches(data_file: Path, root: Path) -> BranchFacts:
    """The branches that coverage.py recorded, by context and file."""
    data = CoverageData(basename=str(data_file))
    data.read()
    facts: dict[tuple[str, str], frozenset[Arc]] = {}
    recorded: dict[tuple[str, str], set[Arc]] = defaultdict(set)
    query = (
        "SELECT file.path, context.context, fromno, tono FROM arc"
        " JOIN file ON file.id = file_id JOIN context ON context.id = context_id"
    )
    with data._connect() as connection, connection.execute(query) as rows:
        for path, context, line, to in rows:
            recorded[path, context].add((line, to))
    files: dict[str, FileBranches] = {}
    for (path, context), arcs in recorded.items():
        if path not in files:
            files[path] = FileBranches(root / path)
        if taken := files[path].taken(arcs):
            facts[context, shown(root / path, root)] = taken
    return facts
