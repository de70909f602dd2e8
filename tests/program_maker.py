"""Makes programs of nested statements that call the helpers of `program_helpers`.

`program(choose)` builds the text from numbers below a bound, so hypothesis can draw them and
shrink what it found.
"""

from collections.abc import Callable

__all__ = ["KINDS", "program"]

Choose = Callable[[int], int]
"""A number from 0 to below the one given; 0 where the program is to be simplest."""

KINDS = ("function", "generator", "coroutine", "async generator")


def program(choose: Choose) -> str:
    """The text of a module: a few functions, and a driver that runs them in several contexts."""
    return _Maker(choose).module()


class _Maker:
    def __init__(self, choose: Choose) -> None:
        self.choose = choose
        self.lines: list[str] = []
        self.depth = 0
        self.left = 0
        self.kind = "function"
        self.loops = 0
        self.handlers = 0
        self.starred = 0
        """Depth of `except*` handlers and class bodies, in which nothing may return."""
        self.nested = 0

    # -- the module ---------------------------------------------------------------------------

    def module(self) -> str:
        kinds = []
        for number in range(1 + self.choose(3)):
            kind = KINDS[self.choose(len(KINDS))]
            kinds.append(kind)
            self.definition(f"f{number}", kind, size=3 + self.choose(18))
        self.put("frames = []")
        for number in range(2 + self.choose(6)):
            self.put(f'switch("c{number}")')
            for _ in range(1 + self.choose(3)):
                function = self.choose(len(kinds))
                if self.choose(3) == 2:
                    self.put("go_on(frames)")
                else:
                    self.put(f"begin(frames, f{function})")
            if self.choose(4) == 3:
                self.put("run_kept()")
        self.put('switch("last")')
        self.put("end(frames)")
        return "\n".join(self.lines) + "\n"

    def put(self, text: str) -> None:
        for line in text.split("\n"):
            self.lines.append("    " * self.depth + line)

    def definition(self, name: str, kind: str, *, size: int) -> None:
        saved = self.kind, self.left, self.loops, self.handlers, self.starred
        self.kind, self.left, self.loops, self.handlers, self.starred = kind, size, 0, 0, 0
        for _ in range(self.choose(8) // 6):
            self.put("@same" if self.choose(2) else "@same_if(\n    t(),\n    lambda: t())")
        prefix = "async " if kind in ("coroutine", "async generator") else ""
        arguments = ("", "a=1", "a=r(),\n        b=(lambda: r())")[self.choose(9) // 3 % 3]
        self.put(f"{prefix}def {name}({arguments}):")
        self.depth += 1
        if self.choose(6) == 5:
            self.put('"""Doc."""')
        self.body(1)
        if kind in ("generator", "async generator"):
            self.put("yield r()")
        elif kind == "coroutine" and self.choose(2):
            self.put("await pause()")
        self.depth -= 1
        self.kind, self.left, self.loops, self.handlers, self.starred = saved

    def suite(self, header: str, least: int = 1) -> None:
        """A header and its suite."""
        if self.choose(14) == 13:
            self.put(header + " " + self.simple())
            return
        self.put(header)
        self.depth += 1
        self.body(least)
        self.depth -= 1

    def body(self, least: int) -> None:
        written = 0
        for _ in range(least + self.choose(4)):
            if self.left <= 0 and written:
                break
            self.left -= 1
            written += 1
            if not self.statement():
                break
        if not written:
            self.put("pass")

    # -- expressions --------------------------------------------------------------------------

    @property
    def suspends(self) -> bool:
        return self.kind != "function"

    def value(self) -> str:
        choices = ["r()", "1", "t()", "r(\n    r(),\n    r())", "[r() for x in items()]"]
        choices += ["keep(lambda: r())", "keep(r() for x in items())", "(y := r())"]
        choices += ["r() if t() else r()", "sum(\n    r() for x in items()\n    if t())"]
        choices += ["keep(lambda:\n    r(\n    r()))", "{r(): t() for x in items() if t()}"]
        choices += ["keep(\n    r()\n    for x in items()\n    for y in items() if t())"]
        choices += ["all(t() for x in items())", "sorted(items(), key=lambda x: r())"]
        choices += ["t() and r()", "not r()", "f'{r()}{t()!r:>{r()}}'"]
        if self.kind in ("generator", "async generator"):
            choices += ["(yield r())", "(yield)", "(yield) + (yield)", "r((yield\n), r())"] * 2
        if self.kind == "generator":
            choices += ["(yield from items())", "(yield from gen())"]
        if self.kind in ("coroutine", "async generator"):
            choices += ["await pause()", "r(await pause(),\n    await pause())"] * 2
            choices += ["[x async for x in ticks()]", "[await pause() for x in items()]"]
        return choices[self.choose(len(choices))]

    def test(self) -> str:
        choices = [
            "t()",
            "t() or t()",
            "(z := t())",
            "t(\n    ) and t()",
            "True",
            "False",
            "not t()",
        ]
        choices += ["any(t() for x in items())", "r()"]
        if self.kind in ("generator", "async generator"):
            choices += ["(yield)", "t() and (yield 1)"]
        if self.kind in ("coroutine", "async generator"):
            choices += ["await pause()"]
        return choices[self.choose(len(choices))]

    # -- statements ---------------------------------------------------------------------------

    def simple(self) -> str:
        choices = [f"{self.value()}", f"x = {self.value()}", "pass", "x = 1", "r(); r()"]
        choices += ["x = [\n    1,\n    r(),\n]", "import os", "assert t()", "x = y = r()"]
        choices += ["assert r(), r()", "x: int = r()", "o().a = r()", "o()[r()] = r()"]
        choices += ["x = 1; del x", "...", "r() ; x = r() ; r()", "o().a += r()", "'text'"]
        choices += ["x, (y, *z) = items(3)", "from os import path"]
        return choices[self.choose(len(choices))]

    def statement(self) -> bool:
        """Writes one; False when control does not go on behind it."""
        kinds: list[Callable[[], bool | None]] = [self.plain] * 5
        kinds += [self.if_, self.try_, self.with_, self.for_, self.while_, self.jump]
        kinds += [self.match_, self.if_, self.try_, self.try_, self.with_, self.group]
        kinds += [self.nested_definition, self.class_, self.guard]
        if self.suspends:
            kinds += [self.suspension] * 4
        chosen = kinds[self.choose(len(kinds))]
        if self.depth > 6:
            chosen = self.plain
        return chosen() is not False

    def plain(self) -> None:
        self.put(self.simple())

    def suspension(self) -> None:
        self.put({"coroutine": "await pause()"}.get(self.kind, "yield r()"))

    def guard(self) -> None:
        self.put(f"if {self.test()}:")
        self.depth += 1
        self.jump()
        self.depth -= 1

    def jump(self) -> bool:
        choices = ["raise FirstError", "raise SecondError() from None", "raise r()"]
        if self.handlers:
            choices += ["raise", "raise FirstError from e()"]
        if not self.starred:
            choices += ["return", "return"]
            if self.kind != "async generator":
                choices += ["return r()", f"return {self.value()}"]
        if self.loops:
            choices += ["break", "continue"] * 2
        self.put(choices[self.choose(len(choices))])
        return False

    def if_(self) -> None:
        self.suite(f"if {self.test()}:")
        for _ in range(self.choose(3) // 2):
            self.suite(f"elif {self.test()}:")
        if self.choose(2):
            self.suite("else:")

    def loop(self, header: str, guard: bool) -> None:
        self.loops += 1
        self.put(header)
        self.depth += 1
        if guard:
            self.put("if t(): break")
        self.body(1)
        self.depth -= 1
        self.loops -= 1
        if self.choose(3) == 2:
            self.suite("else:")

    def for_(self) -> None:
        if self.kind in ("coroutine", "async generator") and self.choose(2):
            self.loop(f"async for x in {('ticks()', 'ticks(r())')[self.choose(2)]}:", False)
        else:
            iterables = ["items()", "items(2)", "items(r())", "[\n    r(),\n    r()]", "o()"]
            iterables += ["(r() for x in items())"]
            if self.kind == "generator":
                iterables += ["(yield)"]
            targets = ["x", "x", "o().a", "o()[r()]"]
            target = targets[self.choose(4)]
            self.loop(f"for {target} in {iterables[self.choose(len(iterables))]}:", False)

    def while_(self) -> None:
        endless = self.choose(4) > 1
        header = ("while True:", "while 1:")[self.choose(2)] if endless else f"while {self.test()}:"
        self.loop(header, guard=endless or "t()" not in header or "not" in header or "or" in header)

    def with_(self) -> None:
        managers = ["m()", "m() as x", "swallow()", "swallow() as o().a", "m(\n    r())"]
        managers += [
            "swallow(r())",
            "suppress(FirstError)",
            "suppress(FirstError, SecondError)",
            "r()",
        ]
        chosen = [managers[self.choose(len(managers))] for _ in range(1 + self.choose(5) // 3)]
        if self.kind in ("coroutine", "async generator") and self.choose(2):
            some = ["am()", "am() as x", "aswallow()", "am(r())"]
            chosen = [some[self.choose(4)] for _ in chosen]
            self.suite(f"async with {', '.join(chosen)}:")
        elif len(chosen) > 1 and self.choose(2):
            self.suite("with (\n    " + ",\n    ".join(chosen) + ",\n):")
        else:
            self.suite(f"with {', '.join(chosen)}:")

    def try_(self, star: str = "") -> None:
        self.suite("try:")
        count = 1 + self.choose(4) // 3 if star else self.choose(5) // 2
        for number in range(count):
            kinds = [
                "FirstError",
                "SecondError",
                "(FirstError, SecondError)",
                "kinds()",
                "(\n    kinds(),\n    SecondError)",
            ]
            kinds += ["Exception", "BaseException", "FirstError if t() else r()"]
            named = " as error" if self.choose(3) == 2 else ""
            header = f"except{star} {kinds[self.choose(len(kinds))]}{named}:"
            if not star and number == count - 1 and self.choose(3) == 2:
                header = "except:"
            self.handlers += 1
            self.starred += bool(star)
            loops, self.loops = self.loops, 0 if star else self.loops
            self.suite(header)
            self.loops = loops
            self.starred -= bool(star)
            self.handlers -= 1
        if count and self.choose(3) == 2:
            self.suite("else:")
        if not count or self.choose(3) == 2:
            self.suite("finally:")

    def group(self) -> None:
        self.try_("*")

    def match_(self) -> None:
        subjects = ["t()", "[r(), r()]", "r()", "o()", "{'a': r()}", "1"]
        subject = subjects[self.choose(len(subjects))]
        self.put(f"match {subject}:")
        self.depth += 1
        patterns = ["0", "True | 1", "[x, *_]", "{'a': x}", "Thing(a=x)", "[x, y] as z", "None"]
        for _ in range(1 + self.choose(3)):
            pattern = patterns[self.choose(len(patterns))]
            guard = f" if {self.test()}" if self.choose(3) == 2 else ""
            self.suite(f"case {pattern}{guard}:")
        if self.choose(3) == 2:
            self.suite("case " + ("_", "other", "(_)", "_ if t()")[self.choose(4)] + ":")
        self.depth -= 1

    def nested_definition(self) -> None:
        self.nested += 1
        name = f"g{self.nested}"
        kind = KINDS[self.choose(len(KINDS))]
        self.definition(name, kind, size=1 + self.choose(6))
        if self.choose(2):
            self.put(f"keep({name})")
        elif kind == "function":
            self.put(f"x = {name}()")
        elif kind == "generator":
            self.put(f"for x in {name}(): r()")
        elif kind == "coroutine" and self.kind in ("coroutine", "async generator"):
            self.put(f"await {name}()")
        elif kind == "async generator" and self.kind in ("coroutine", "async generator"):
            self.put(f"async for x in {name}():\n    r()")
        else:
            self.put(f"keep({name}())")

    def class_(self) -> None:
        self.nested += 1
        saved = self.kind, self.loops, self.starred, self.handlers
        # A class body may not suspend, return, or jump out.
        self.put(f"class C{self.nested}({('', 'base()', 'base(r())')[self.choose(3)]}):")
        self.kind, self.loops, self.starred, self.handlers = "function", 0, 1, 0
        self.depth += 1
        self.body(1)
        self.depth -= 1
        self.kind, self.loops, self.starred, self.handlers = saved
