"""Sources that no one would write by hand: each runs, or fails, as it does without us."""

import os
import textwrap
from pathlib import Path

import pytest

from measured_commands import Ended, recorded_lines, run_measured, run_plain
from whotests.store.reader import Reader
from whotests.types import FileState

# Imports each module that it is given, calls its `f` if there is one, and tells what came of it.
PROGRAM = """
    import importlib, sys, traceback, warnings
    warnings.simplefilter("always")
    def shown(error):
        return f"{type(error).__name__}: {error}"[:300]
    for name in sys.argv[1:]:
        try:
            module = importlib.import_module(name)
            print(name, sorted(n for n in vars(module) if not n.startswith("__"))[:9], end=" ")
            print(ascii(module.f())[:200] if hasattr(module, "f") else "")
        except BaseException as error:
            print(name, ascii(shown(error)), traceback.extract_tb(error.__traceback__)[-1].lineno)
"""

MANY = int(os.environ.get("WHOTESTS_MANY", "4000"))
"""Functions in one file; by hand 20,000, which take half a minute."""

F = b"def f():\n    return x\n"

ENCODINGS = {
    "signature": b"\xef\xbb\xbfx = 'caf\xc3\xa9'\n" + F,
    "latin": b"# -*- coding: latin-1 -*-\nx = 'caf\xe9'\n" + F,
    "windows": b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n" + F,
    "japanese": "# coding: shift_jis\nx = 'ソース'\n".encode("shift_jis") + F,
    "seven": b"# coding: utf-7\nx = '+AGEAYg-'\n" + F,
    "sixteen": "x = 1\n".encode("utf-16"),
    "sixteen_cookie": b"# coding: utf-16\nx = 1\n" + F,
    "lies_ascii": b"# coding: ascii\nx = '\xe9'\n" + F,
    "lies_utf8": b"# coding: utf-8\nx = '\xe9'\n" + F,
    "no_cookie": b"x = '\xe9'\n" + F,
    "unknown": b"# coding: no-such-encoding\nx = 1\n" + F,
    "contradicts": b"\xef\xbb\xbf# coding: latin-1\nx = 1\n" + F,
    "no_text": b"# coding: rot13\nk = 1\n",
    "late_cookie": b"\n\n# coding: latin-1\nx = 'caf\xc3\xa9'\n" + F,
    "escapes": b"# coding: unicode_escape\nx = '\\u00e9'\n" + F,
    "lone_surrogate": b"x = '\\ud800'\n" + F,
    "identifiers": "ﬁ=1\nclass Ü:\n    def 方法(self):\n        return fi\nx=Ü().方法()\n".encode()
    + F,
}

LINE_ENDS = {
    "carriage": b"x = 1\rdef f():\r    y = 2\r    return x + y\r",
    "windows_lines": b"x = 1\r\ndef f():\r\n    y = 2\r\n    return x + y\r\n",
    "mixed": b"x = 1\r\ndef f():\n    y = '''a\r\nb\rc\n'''\r    if x:\r\n        return y\n",
    "form_feeds": b"x = 1\n\f\ndef f():\n\f    y = 2\n    \f\n    return x + y\n\f",
    "tabs": b"x = 1\ndef f():\n\tif x:\n\t\ty = 2\n\treturn x + y\n",
    "no_newline": b"x = 1\ndef f():\n    return x",
    "vertical_tab": b"x = '\x0b' # \x0b\ndef f():\n    y = '\x1c\x1d\x1e'  # \x1c\n    return y\n",
    "next_line": "x = 'a\x85b\u2028\u2029'  # \x85\ndef f():\n    y = 1\n    return x\n".encode(),
    "docstring_lines": "def f():\n    '''a\u2028b\x0cc\x85'''\n    y = 2\n    return y\n".encode(),
    "continued": b"x = \\\n  1\ndef f():\n    return \\\n        x\n",
    "continued_end": b"x = 1\ndef f():\n    return x\n\\\n",
    "ends_in_backslash": b"x = 1\n\\",
    "control_z": b"x = 1\n\x1a",
    "null_byte": b"x = 1\ndef f():\n    return '\0'\n",
    "null_in_comment": b"x = 1  # \0\n",
    "null_at_end": b"x = 1\n\0",
    "empty": b"",
    "one_newline": b"\n",
    "blanks": b"   \n\t\n  ",
    "comments": b"# nothing\n# but\n# comments",
    "docstring_only": b"'''nothing else'''",
    "semicolons": b"x = 1;\ndef f(): y = 2; return x + y;\n",
}


def nested(levels: int, opening: str, closing: str, core: str = "1") -> bytes:
    return f"x = {opening * levels}{core}{closing * levels}\n".encode() + F


def stairs(header: str, steps: int, *, margin: int = 0) -> bytes:
    """That many headers, one in the other, around an assignment to `x`."""
    lines = [" " * (margin + step) + header for step in range(steps)]
    return "\n".join([*lines, " " * (margin + steps) + "x = 1", ""]).encode()


def repeated(text: str, numbers: range) -> bytes:
    """The text for each number, which stands for `{n}` in it, and the next for `{m}`."""
    return "".join(text.format(n=n, m=n + 1) for n in numbers).encode()


SHAPES = {
    "parentheses": nested(190, "(", ")"),
    "too_many_parentheses": nested(300, "(", ")"),
    "lists": nested(90, "[", "]"),
    "calls": b"g = int\n" + nested(90, "g(", ")"),
    "lambdas": nested(80, "(lambda: ", ")()"),
    "conditions": nested(80, "(0 if 0 else ", ")"),
    "generators": nested(15, "list(_ for _ in ", ")", core="[1]"),
    "nots": nested(700, "not ", ""),
    "minuses": nested(700, "-", ""),
    "too_many_minuses": nested(60_000, "-", ""),
    "sum": nested(900, "1 + ", ""),
    "long_sum": nested(20_000, "1 + ", ""),
    "powers": nested(500, "1 ** ", ""),
    "attributes": b"class c: pass\nc.a = c\nx = 1 if c" + b".a" * 900 + b" else 2\n" + F,
    "booleans": nested(3_000, "1 and ", ""),
    "comparisons": nested(3_000, "0 < ", ""),
    "text": nested(3_000, "'a' ", "", core="'b'"),
    "ifs": stairs("if 1:", 95) + F,
    "too_many_ifs": stairs("if 1:", 101) + F,
    "loops": b"def f():\n" + stairs("for _ in 'a':", 20, margin=1) + b" return 1\n",
    "module_loops": stairs("for _ in 'a':", 19) + F,
    "too_many_loops": stairs("for _ in 'a':", 21) + F,
    "tries": b"def f():\n"
    + stairs("try:", 19, margin=1)
    + b"".join(b"%bfinally:\n%b x = %d\n" % (b" " * n, b" " * n, n) for n in range(19, 0, -1))
    + b" return x\n",
    "withs": b"import contextlib\ndef f():\n"
    + stairs("with contextlib.nullcontext():", 20, margin=1)
    + b" return 1\n",
    "functions": stairs("def f():", 90),
    "classes": stairs("class c:", 90),
}

SIZES = {
    "long_function": b"def f():\n    x = 0\n" + b"    x += 1\n" * 10_000 + b"    return x\n",
    "long_module": b"x = 0\n" + b"x += 1\n" * 10_000 + F,
    "long_match": b"def g(y):\n    match y:\n"
    + repeated("        case {n}:\n            return {m}\n", range(5_000))
    + b"def f():\n    return g(0), g(2500), g(4999), g('no')\n",
    "long_elif": b"def g(y):\n    if y == 0:\n        return 1\n"
    + repeated("    elif y == {n}:\n        return {m}\n", range(1, 900))
    + b"def f():\n    return g(0), g(7), g(899), g(-1)\n",
    "too_long_elif": b"def g(y):\n    if y == 0:\n        return 1\n"
    + repeated("    elif y == {n}:\n        return {m}\n", range(1, 3_000))
    + b"def f():\n    return g(0), g(7)\n",
    "long_line": b"x = '" + b"a" * 1_000_000 + b"'\ndef f():\n    return len(x)\n",
    "long_list": b"x = [" + b"1," * 300_000 + b"]\ndef f():\n    return len(x)\n",
    "long_statement_line": b"x = 0;" + b"x += 1;" * 20_000 + b"\n" + F,
    "many_functions": repeated("def f{n}(x):\n    return x\n", range(MANY))
    + f"def f():\n    return f0(1) + f{MANY - 1}(2)\n".encode(),
    "many_handlers": b"def f():\n    try:\n        raise KeyError\n"
    + repeated("    except OSError if {n} else ValueError:\n        pass\n", range(1_000))
    + b"    except KeyError:\n        return 1\n",
    "many_decorators": b"def d(g):\n    return g\n" + b"@d\n" * 500 + b"def f():\n    return 1\n",
    "long_name": b"x = 1\ndef name():\n    return x\nf = name\n".replace(b"name", b"n" * 100_000),
}

GROUPS = {"encodings": ENCODINGS, "line ends": LINE_ENDS, "shapes": SHAPES, "sizes": SIZES}
REFUSED = {
    "sixteen",
    "sixteen_cookie",
    "lies_ascii",
    "lies_utf8",
    "no_cookie",
    "unknown",
    "contradicts",
    "no_text",
    "ends_in_backslash",
    "control_z",
    "null_byte",
    "null_in_comment",
    "null_at_end",
    "continued_end",
    "too_many_parentheses",
    "too_many_minuses",
    "long_sum",
    "too_many_ifs",
    "too_many_loops",
    "too_long_elif",
}
"""What some Python refuses, and then is not measured."""


def both(folder: Path, *words: str, options: tuple[str, ...]) -> Ended:
    """The same status and output with and without us, and no word of ours."""
    plain = run_plain("python", *words, cwd=folder)
    measured = run_measured("python", *words, cwd=folder, options=("--source", ".", *options))
    assert measured == plain
    return plain


@pytest.mark.parametrize("group", GROUPS)
def test_hostile_sources(tmp_path: Path, group: str) -> None:
    """Modules end as they do plainly, warnings and line numbers of errors included; what Python
    runs is measured, what it refuses is 'not measured', with its reason; report and who answer."""
    modules = GROUPS[group]
    (tmp_path / "prog.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    for name, content in modules.items():
        (tmp_path / f"{name}.py").write_bytes(content)
    plain = both(tmp_path, "prog.py", *modules, options=("--branch",))
    ended = {line.split()[0]: line for line in plain.out.splitlines() if line.split()[0] in modules}
    assert set(ended) == set(modules), plain
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        files = {file.path: file for file in reader.files}
    for name in modules:
        file = files[f"{name}.py"]
        if "Error: " in ended[name]:
            assert name in REFUSED, ended[name]
            assert file.state is FileState.NOT_MEASURED, (name, file.reason)
            assert "Error: " in file.reason, (name, file.reason)
            assert "whotests" not in file.reason
        else:
            assert file.state is FileState.MEASURED, (name, file.reason, ended[name])
            ran = recorded_lines(tmp_path, f"{name}.py")
            assert any(ran.values()) or not file.statements, name
    for words in (("report",), ("report", "--json"), ("status",), ("who", f"{name}.py")):
        asked = run_plain("python", "-P", "-m", "whotests", *words, cwd=tmp_path)
        assert asked.status == 0, (words, asked.err[-2000:])


@pytest.mark.parametrize("name", ["carriage", "form_feeds", "mixed", "vertical_tab", "next_line"])
def test_line_numbers_with_odd_line_ends(tmp_path: Path, name: str) -> None:
    """What ran is told by the lines that Python counts, whatever else looks like an end of one."""
    (tmp_path / "prog.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    (tmp_path / "subject.py").write_bytes(LINE_ENDS[name])
    both(tmp_path, "prog.py", "subject", options=())
    expected = {
        "carriage": {1, 2, 3, 4},
        "form_feeds": {1, 3, 4, 6},
        "mixed": {1, 2, 3, 7, 8},
        "vertical_tab": {1, 2, 3, 4},
        "next_line": {1, 2, 3, 4},
    }
    lines = recorded_lines(tmp_path, "subject.py")
    assert set().union(*lines.values()) == expected[name]
