"""Makes programs that are only read, never run: any statements in any order, dead code and all.

`program(choose)` builds the text from numbers below a bound, so that hypothesis can draw and
shrink them. Not all that it makes compiles.
"""

from collections.abc import Callable, Sequence
from textwrap import indent
from typing import TypeVar

__all__ = ["program"]

Choose = Callable[[int], int]
"""A number from 0 to below the one given."""

_T = TypeVar("_T")

_SIMPLE = (
    *("x", "x = 1", "pass", "...", "'s'", "1", "del x", "import a", "assert x", "x: int"),
    *("global g", "x = {**a}", "x = [\n1]", "x; y", "x = 1; global g", "lambda: (yield)"),
)
_JUMPS = (
    "return",
    "return x",
    "raise",
    "raise E",
    "return; x",
    "x; return",
    "raise; x",
    "return (\n)",
)
_LOOP_JUMPS = ("break", "continue", "x; break", "continue; x")
_TESTS = (
    *("a", "not a", "a and 1", "1 or a", "(a or\nb)", "a := b", "lambda: 1"),
    *("1", "0", "True", "False", "None", "'a'", "''", "...", "not 1", "not not 0", "__debug__"),
    *("not __debug__", "True and 0", "None or ''", "1 and (0 or 'a')", "not (1 and a)"),
)
_MANAGERS = ("a", "a, b", "(a as b,\nc)", "(\na, \nb)", "a, \\\nb")
_PATTERNS = ("1", "A()", "[x, *_]", "x if y", "_ if z", "{\n}", "1 | 2")
_TAKE_ALL = ("_", "x", "1 | _", "(1 | 2) as x", "(1 | _) as x", "(\n_)", "_ if a")


def program(choose: Choose) -> str:
    """The text of a module."""
    return _Maker(choose).several(4, 1 + choose(5), loop=False, returns=False)


class _Maker:
    def __init__(self, choose: Choose) -> None:
        self.choose = choose

    def one_of(self, of: Sequence[_T]) -> _T:
        return of[self.choose(len(of))]

    def once_in(self, times: int) -> bool:
        return self.choose(times) == times - 1

    def several(self, most: int, depth: int, *, loop: bool, returns: bool) -> str:
        count = 1 + self.choose(most)
        return "".join(self.statement(depth, loop, returns) for _ in range(count))

    def simple(self, loop: bool, returns: bool) -> str:
        texts: Sequence[str] = _SIMPLE
        if self.once_in(3):
            texts = _LOOP_JUMPS if loop and self.once_in(2) else _JUMPS if returns else _JUMPS[2:4]
        return self.one_of(texts) + "\n"

    def suite(self, depth: int, loop: bool, returns: bool) -> str:
        """What follows a colon."""
        if self.once_in(4):
            return " " + self.simple(loop, returns)
        return "\n" + indent(self.several(3, depth - 1, loop=loop, returns=returns), "  ")

    def statement(self, depth: int, loop: bool, returns: bool) -> str:
        if depth <= 0 or self.once_in(4):
            return self.simple(loop, returns)
        return self.one_of(
            (self.test, self.loop, self.manager, self.cases, self.attempt, self.definition)
        )(depth, loop, returns)

    def test(self, depth: int, loop: bool, returns: bool) -> str:
        text = f"if {self.one_of(_TESTS)}:" + self.suite(depth, loop, returns)
        while self.once_in(3):
            text += f"elif {self.one_of(_TESTS)}:" + self.suite(depth, loop, returns)
        return text + self.maybe("else:", 2, depth, loop, returns)

    def loop(self, depth: int, loop: bool, returns: bool) -> str:
        header = "for i in a:" if self.once_in(2) else f"while {self.one_of(_TESTS)}:"
        text = header + self.suite(depth, True, returns)
        return text + self.maybe("else:", 2, depth, loop, returns)

    def manager(self, depth: int, loop: bool, returns: bool) -> str:
        suite = self.suite(depth, loop, returns)
        if {line.strip() for line in suite.splitlines()} <= {"", "global g", "x: int"}:
            suite = " x\n"  # coverage.py may never end where the compiler keeps nothing of it
        return f"with {self.one_of(_MANAGERS)}:" + suite

    def cases(self, depth: int, loop: bool, returns: bool) -> str:
        patterns = [self.one_of(_PATTERNS) for _ in range(self.choose(3))]
        patterns.append(self.one_of(_TAKE_ALL if self.once_in(2) else _PATTERNS))
        suites = [f"case {text}:" + self.suite(depth, loop, returns) for text in patterns]
        return "match a:\n" + indent("".join(suites), "  ")

    def attempt(self, depth: int, loop: bool, returns: bool) -> str:
        text = "try:" + self.suite(depth, loop, returns)
        if self.once_in(6):
            return text + "except* E:" + self.suite(depth, False, False)
        handlers = self.choose(3)
        for _ in range(handlers):
            text += "except E:" + self.suite(depth, loop, returns)
        if handlers:
            text += self.maybe("else:", 3, depth, loop, returns)
        if not handlers or self.once_in(2):
            text += "finally:" + self.suite(depth, loop, returns)
        return text

    def definition(self, depth: int, _: bool, __: bool) -> str:
        decorators = self.one_of(("", "", "@a\n", "@a(\n1)\n@b\n"))
        if self.once_in(3):
            return decorators + "class C:" + self.suite(depth, False, False)
        header = self.one_of(("def f():", "def f(a,\nb):", "async def f():"))
        return decorators + header + self.suite(depth, False, True)

    def maybe(self, header: str, times: int, depth: int, loop: bool, returns: bool) -> str:
        return header + self.suite(depth, loop, returns) if self.once_in(times) else ""
