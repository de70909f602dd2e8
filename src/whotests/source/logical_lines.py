r"""Which physical lines make one logical line. (PYTEST_DONT_REWRITE)

A logical line begins at its first token that is no white space and no comment, and ends at a
NEWLINE token: at a line end outside brackets and strings that no backslash escapes.

Up to Python 3.11 `tokenize` is written in Python and costs more than all the rest of an analysis,
so there one regular expression finds the few tokens that matter: strings, comments, brackets,
escaped and plain line ends. Since 3.12 f-strings nest, and `tokenize` is quick: it is asked.
"""

import re
import sys
from io import StringIO

__all__ = ["Continuations", "continuations", "scan", "tokenized"]

Continuations = dict[int, int]
"""A physical line that is not the first of its logical line, to that first line."""

_TOKEN = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    r"|\#[^\n]*"
    r"|\\\n"
    r"|[\n()\[\]{}]",
    re.DOTALL,
)
_INDENT = re.compile(r"(?:[ \t\f]|\\\n)*")
_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")


def continuations(text: str) -> Continuations:
    """The continuation lines of a program that compiles, each with its logical line's first line.

    What it says of a text that does not compile is undefined.
    """
    return tokenized(text) if sys.version_info >= (3, 12) else scan(text)


def tokenized(text: str) -> Continuations:
    """`continuations` by the tokenizer of this Python."""
    # Imported here because Python 3.11 can do without.
    from token import COMMENT, NEWLINE
    from tokenize import generate_tokens

    lines: Continuations = {}
    first = 0
    for kind, token, (start, _), (end, _), _ in generate_tokens(StringIO(text).readline):
        if kind == NEWLINE:
            if first and end != first:
                lines.update(dict.fromkeys(range(first + 1, end + 1), first))
            first = 0
        elif not first and kind != COMMENT and token.strip():
            first = start
    return lines


def scan(text: str) -> Continuations:
    """`continuations` by the lexical rules before Python 3.12, where a string holds no strings."""
    lines: Continuations = {}
    depth = 0
    line = 1  # where the scan stands
    begin = 0  # the offset just after the last NEWLINE token
    begin_line = 1
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "\n":
            if not depth:
                if line != begin_line:
                    indent = _INDENT.match(text, begin)
                    assert indent is not None  # it may be empty
                    if text[indent.end()] not in "#\n":
                        first = begin_line + indent.group().count("\n")
                        lines.update(dict.fromkeys(range(first + 1, line + 1), first))
                begin = match.end()
                begin_line = line + 1
            line += 1
        elif token in _OPENING:
            depth += 1
        elif token in _CLOSING:
            depth -= 1
        elif "\n" in token:
            line += token.count("\n")
    return lines
