"""What one source file could run. (PYTEST_DONT_REWRITE)"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from whotests.records import UnitRecord
from whotests.source.branches import NO_BRANCHES, Branches, branches_of
from whotests.source.exclusions import excluded_lines, matched_lines
from whotests.source.logical_lines import continuations
from whotests.source.rules import ALWAYS_PARTIAL, DEFAULT_EXCLUDE, DEFAULT_PARTIAL
from whotests.source.statements import (
    compile_quietly,
    compiled_lines,
    docstring_lines,
    fold,
    parse_quietly,
    statements_of,
)
from whotests.source.text import decode, digest_of
from whotests.source.units import unit_nodes, units_of
from whotests.types import NO_LINES, LineBits, bits_of

__all__ = ["Analysis", "analyse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The facts of one version of a file that hold whatever is run of it."""

    digest: bytes
    """BLAKE2b-128 of the file's bytes."""
    line_count: int
    first_lines: Mapping[int, int]
    """Each physical line that continues a logical line, to the first line of that."""
    statements: LineBits
    """First lines of executable statements, excluded ones too, docstrings not."""
    excluded: LineBits
    """All lines that the exclusion rules drop, statements or not."""
    branches: Branches
    """Before exclusion; none when they were not asked for."""
    partial: LineBits
    """First lines of what the rules excuse of branches; none when these were not asked for."""
    units: tuple[UnitRecord, ...]
    """The module first, in source order: as `units.unit_nodes` orders their nodes."""


def analyse(
    source: bytes,
    filename: str,
    tree: ast.Module | None = None,
    text: str | None = None,
    *,
    rules: tuple[str, ...] = DEFAULT_EXCLUDE,
    partial_rules: tuple[str, ...] = DEFAULT_PARTIAL + ALWAYS_PARTIAL,
    branch: bool = False,
) -> Analysis:
    """What the file with these bytes could run, as coverage.py 7.17 defines it.

    `tree` and `text` spare the parsing and decoding to a caller that has done them: the tree must
    be unchanged since `ast.parse`, the text what `text.decode` gives. `rules` are the regular
    expressions that exclude. With `branch`, branches are worked out, too, and `partial_rules` are
    those of lines of which not all have to be taken. Nothing is kept of the arguments, but the
    ids of the tree's nodes are, in `branches.ways`.

    Raises what the compiler would: SyntaxError, UnicodeDecodeError, another ValueError for NUL
    bytes, RecursionError or MemoryError for a program too deep for it.
    """
    if text is None:
        text = decode(source)
    if tree is None:
        tree = parse_quietly(text, filename)
    raw = compiled_lines(compile_quietly(tree, source, filename))
    if not tree.body:
        raw = set()  # an empty module has an instruction, but nothing that a person wrote
    first_lines = continuations(text)
    nodes = unit_nodes(tree)
    docstrings = docstring_lines(nodes)
    dropped = excluded_lines(text, tree, raw=raw, first_lines=first_lines, rules=rules)
    kept = fold(raw - docstrings - dropped, first_lines) - docstrings - dropped
    # A statement may lose all of its lines but the first, on which no code stands: coverage.py
    # has it neither as a statement nor as excluded.
    statements = kept | statements_of(raw, docstrings, first_lines) & dropped
    branches, partial = NO_BRANCHES, NO_LINES
    if branch:
        branches = branches_of(nodes, first_lines=first_lines, statements=fold(raw, first_lines))
        partial = bits_of(fold(matched_lines(text, partial_rules), first_lines))
    line_count = text.count("\n")
    return Analysis(
        digest=digest_of(source),
        line_count=line_count,
        first_lines=first_lines,
        statements=bits_of(statements),
        excluded=bits_of(dropped),
        branches=branches,
        partial=partial,
        units=units_of(tree, line_count),
    )
