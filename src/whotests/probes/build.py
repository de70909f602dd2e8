"""Makes the code to run of a source file: analysed, instrumented, compiled.

Much to import, for the first run of a file alone: what it makes is kept in the cache.
"""

import __future__

import ast
import marshal
import sys
import types
from functools import partial
from typing import NamedTuple

from whotests.probes.compiled import is_empty, left_as_they_are
from whotests.probes.instrument import instrument
from whotests.probes.layout import Packed
from whotests.probes.loaded import Entry, Variant
from whotests.source.analysis import Analysis, analyse
from whotests.source.compiler_warnings import kept_warnings
from whotests.source.content import packed_content, unit_spans
from whotests.source.rules import Rules
from whotests.source.text import decode
from whotests.source.units import unit_nodes
from whotests.types import LineBits

__all__ = ["build"]


class _Way(NamedTuple):
    """How many blocks of ours there may be."""

    each: bool
    """A probe for each statement, and no handlers."""
    mark_module: bool
    """The module's body in a block: it is known when it is imported."""


_WAYS = (
    _Way(each=False, mark_module=True),
    _Way(each=True, mark_module=True),
    _Way(each=True, mark_module=False),
)
"""The usual one first."""


def build(path: str, source: bytes, variant: Variant, rules: Rules) -> Entry:
    """The entry of the cache for a variant of a file's code. Raises what the compiler raises."""
    text = decode(source)
    limit = sys.getrecursionlimit()
    with kept_warnings() as warned:
        tree = ast.parse(source, path)
    ask = partial(analyse, rules=rules.exclude, partial_rules=rules.partial, branch=rules.branch)
    analysis = ask(source, path, tree, text)
    left_out, reason = _left_to_others(tree, text)
    # A long chain of `elif` is a deep tree, for us and for the compiler's check of it.
    sys.setrecursionlimit(limit + 20 * len(analysis.units) + 10_000)
    try:
        for way in _WAYS:
            try:
                layout, code, compiler_warned = _compiled(
                    tree, path, source, text, analysis, variant, way
                )
                break
            except SyntaxError:
                # Too many blocks in each other, ours among them; or it is no Python at all.
                if way is _WAYS[-1]:
                    raise
                tree = ast.parse(source, path)
                # Branches are known by the nodes of the tree.
                analysis = ask(source, path, tree, text)
    finally:
        sys.setrecursionlimit(limit)
    branches = analysis.branches.arcs
    content = packed_content(
        line_count=analysis.line_count,
        statements=analysis.statements,
        excluded=LineBits(analysis.excluded | left_out & analysis.statements),
        units=analysis.units,
        branches=branches,
        partial=analysis.partial,
    )
    return Entry(
        code=code,
        layout=layout,
        content=tuple(content),
        units=marshal.dumps(unit_spans(analysis.units, branches)),
        warned=(*warned, *compiler_warned),
        reason=reason,
    )


def _left_to_others(tree: ast.Module, text: str) -> tuple[int, str]:
    """The lines of functions that are not measured, as a bitmap, and what to say of them."""
    functions = left_as_they_are(tree, text)
    lines = 0
    for function in functions:
        last = function.end_lineno or function.lineno
        lines |= (1 << last + 1) - (1 << function.body[0].lineno)
    names = ", ".join(function.name for function in functions if not is_empty(function))
    return lines, f"functions compiled by another tool are not measured: {names}" if names else ""


def _compiled(
    tree: ast.Module,
    path: str,
    source: bytes,
    text: str,
    analysis: Analysis,
    variant: Variant,
    way: _Way,
) -> tuple[Packed, types.CodeType, list[tuple[str, str, int]]]:
    """A tree's layout and code, and what the compiler warned of."""
    layout = instrument(
        tree,
        text=text,
        units=unit_nodes(tree),
        first_lines=analysis.first_lines,
        statements=analysis.statements,
        branches=analysis.branches,
        mark_module=way.mark_module,
        each=way.each,
        annotations_are_text=bool(variant.flags & __future__.annotations.compiler_flag),
    )
    if variant.rewrite is not None:
        variant.rewrite(tree, source)
    with kept_warnings() as warned:
        code = compile(tree, path, "exec", variant.flags, dont_inherit=True)
    return layout, code, warned
