"""Which lines of a file are executable. (PYTEST_DONT_REWRITE)

A statement is a line in the code that the compiler makes of the original source, folded to the
first line of its logical line: the compiler is asked, and nothing derived again.
"""

import ast
from collections.abc import Iterable
from types import CodeType

from whotests.source.compiler_warnings import kept_warnings
from whotests.source.logical_lines import Continuations
from whotests.source.units import UnitNode

__all__ = [
    "compile_quietly",
    "compiled_lines",
    "docstring_lines",
    "fold",
    "parse_quietly",
    "statements_of",
]


def compiled_lines(code: CodeType) -> set[int]:
    """The physical lines that a code object and those inside it have instructions for.

    Annotations that are evaluated on demand (`__annotate__`, since Python 3.14) do not count.
    """
    lines: set[int | None] = set()
    todo = [code]
    while todo:
        code = todo.pop()
        todo += [const for const in code.co_consts if isinstance(const, CodeType)]
        if code.co_name != "__annotate__":
            lines.update([line for _, _, line in code.co_lines()])
    return {line for line in lines if line}


def parse_quietly(text: str, filename: str) -> ast.Module:
    """The tree of a program; no warning reaches the program that is measured.

    Raises what the compiler raises.
    """
    with kept_warnings():
        return ast.parse(text, filename)


def compile_quietly(tree: ast.Module, source: bytes, filename: str) -> CodeType:
    """The code of an unchanged tree; no warning reaches the program that is measured.

    Raises what the compiler raises.
    """
    with kept_warnings():
        try:
            return compile(tree, filename, "exec", dont_inherit=True)
        except RecursionError:
            # A tree is checked recursively, which the source's own parser does not need.
            return compile(source, filename, "exec", dont_inherit=True)


def docstring_lines(units: Iterable[UnitNode]) -> set[int]:
    """The physical lines of the units' docstrings."""
    lines: set[int] = set()
    for unit in units:
        if unit.body:
            first = unit.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def fold(lines: set[int], first_lines: Continuations) -> set[int]:
    """The lines, each as the first of its logical line."""
    return {first_lines.get(line, line) for line in lines}


def statements_of(raw: set[int], docstrings: set[int], first_lines: Continuations) -> set[int]:
    """First lines of the executable statements, docstrings left out."""
    return fold(raw - docstrings, first_lines) - docstrings
