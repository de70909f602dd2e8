"""Which lines the exclusion rules drop. (PYTEST_DONT_REWRITE)

Rules are regular expressions over the text. What a match drops depends on where it is: on a
header up to its colon, that suite; on a decorator or a signature, the whole definition; anywhere
else, the logical line.
"""

import ast
import re
from collections.abc import Iterator

from whotests.source.logical_lines import Continuations
from whotests.source.rules import ALWAYS_PARTIAL, DEFAULT_EXCLUDE, DEFAULT_PARTIAL
from whotests.source.statements import fold
from whotests.source.units import suites_of

__all__ = ["excluded_lines", "is_irrefutable", "matched_lines"]


def matched_lines(text: str, rules: tuple[str, ...] = DEFAULT_EXCLUDE) -> set[int]:
    """The physical lines that a match of a rule touches, the lines of its ends included.

    The rules are alternatives of one expression: a match hides those that overlap with it.
    """
    hints = _HINTS.get(rules)
    if hints is not None and not any(hint in text for hint in hints):
        return set()
    pattern = _joined(rules)
    if not pattern.pattern:
        return set()  # no rule, or an empty one alone
    lines: set[int] = set()
    line, offset = 1, 0
    for match in pattern.finditer(text):
        start, end = match.span()
        line += text.count("\n", offset, start)
        lines.update(range(line, line + text.count("\n", start, end) + 1))
        offset = start
    return lines


def excluded_lines(
    text: str,
    tree: ast.Module,
    *,
    raw: set[int],
    first_lines: Continuations,
    rules: tuple[str, ...] = DEFAULT_EXCLUDE,
) -> set[int]:
    """The lines that the rules drop: folded ones, and all lines of definitions dropped whole.

    `raw` are the physical lines with code (see `statements.compiled_lines`).
    """
    matched = matched_lines(text, rules)
    if not matched:
        return matched
    excluded = fold(matched | _suite_lines(text, matched, first_lines), first_lines)
    # The order matters where a definition or a case makes the lines of another one excluded:
    # parents first, and of siblings the last one first.
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, _DEFINITIONS):
            header = min((d.lineno for d in node.decorator_list), default=node.lineno)
            if not excluded.isdisjoint(range(header, node.lineno + 1)):
                excluded.update(range(header, _end(node) + 1))
        elif isinstance(node, ast.match_case) and is_irrefutable(node):
            # The `else` of a match: without its body nothing is left that could run.
            body = raw.intersection(range(node.body[0].lineno, _end(node.body[-1]) + 1))
            if body and body <= excluded:
                excluded.update(range(node.pattern.lineno, node.pattern.end_lineno + 1))
        todo += suites_of(node)
    return excluded


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CONSTANT_TESTS = [
    f"{word} {test}:" for word in ("if", "while") for test in ("True", 1, "False", 0)
]
_HINTS: dict[tuple[str, ...], tuple[str, ...]] = {
    DEFAULT_EXCLUDE: ("cover", "COVER", "...", "TYPE_CHECKING:"),
    DEFAULT_PARTIAL + ALWAYS_PARTIAL: ("branch", "BRANCH", *_CONSTANT_TESTS),
}
"""Words of which a text that the rules match has one: much quicker to look for."""
_compiled: dict[tuple[str, ...], re.Pattern[str]] = {}


def _joined(rules: tuple[str, ...]) -> re.Pattern[str]:
    """The rules as one expression."""
    pattern = _compiled.get(rules)
    if pattern is None:
        joined = rules[0] if len(rules) == 1 else "|".join(f"(?:{rule})" for rule in rules)
        pattern = _compiled[rules] = re.compile(joined, re.MULTILINE)
    return pattern


def _suite_lines(text: str, matched: set[int], first_lines: Continuations) -> set[int]:
    """The first lines of the logical lines in suites whose header is matched up to its colon."""
    suites: set[int] = set()
    physical = text.split("\n")
    header_column: int | None = None  # of the header whose suite is being dropped
    for first, last, column in _logical_lines(physical, first_lines):
        if header_column is not None and column <= header_column:
            header_column = None
        if header_column is not None:
            suites.add(first)
        elif not matched.isdisjoint(range(first, last + 1)):
            colon = next(_colon_lines(physical[first - 1 : last], matched, first), None)
            if colon is not None:
                suites.add(first)
                header_column = column
    return suites


def _logical_lines(
    physical: list[str], first_lines: Continuations
) -> Iterator[tuple[int, int, int]]:
    """First line, last line and column of each logical line."""
    escaped_column: int | None = None  # of a backslash alone on the line above
    pending: tuple[int, int] | None = None
    last = 0
    for number, line in enumerate(physical, start=1):
        if number in first_lines:
            last = number
            continue
        content = line.lstrip(" \t\f")
        if content == "\\":
            if escaped_column is None:
                escaped_column = _column(line)
            continue
        if content and not content.startswith("#"):
            if pending is not None:
                yield pending[0], last, pending[1]
            column = _column(line) if escaped_column is None else escaped_column
            pending, last = (number, column), number
        escaped_column = None
    if pending is not None:
        yield pending[0], last, pending[1]


def _column(line: str) -> int:
    """How far a line is indented, in columns; a form feed begins anew."""
    indent = line[: len(line) - len(line.lstrip(" \t\f"))]
    return len(indent.rpartition("\f")[2].expandtabs(8))


def _colon_lines(logical: list[str], matched: set[int], first: int) -> Iterator[int]:
    """The lines of the colons outside brackets that have a matched line at or before them."""
    # Imported here because few files have a line that a rule matches.
    from token import OP
    from tokenize import generate_tokens

    readline = iter([line + "\n" for line in logical]).__next__
    depth = 0
    for kind, token, (start, _), _, _ in generate_tokens(readline):
        if kind != OP:
            continue
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        elif token == ":" and not depth:
            line = first + start - 1
            if not matched.isdisjoint(range(first, line + 1)):
                yield line


def _end(node: ast.stmt) -> int:
    """The last line of a statement."""
    return node.end_lineno or node.lineno


def is_irrefutable(case: ast.match_case) -> bool:
    """Whether whatever comes to a `case` matches it: no guard, and a pattern that takes all."""
    if case.guard is not None:
        return False
    pattern = case.pattern
    while isinstance(pattern, ast.MatchOr):
        pattern = pattern.patterns[-1]
    while isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
        pattern = pattern.pattern
    return isinstance(pattern, ast.MatchAs)
