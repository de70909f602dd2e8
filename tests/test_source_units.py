"""Units of a file: names, order, lines and fingerprints."""

import ast
import textwrap
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from source_programs import SOURCES
from whotests.records import UnitRecord
from whotests.source.analysis import analyse
from whotests.source.text import decode
from whotests.source.units import unit_nodes
from whotests.types import UnitKind

NESTED = """
    import a
    @a.b
    @a.c(
        1)
    class A:
        '''Doc.'''
        @property
        def p(self):
            def q():
                class R:
                    def s(self): return lambda: 0
                return R
            return [x for x in q()]
        class B: pass
    if a:
        def f(): pass
    else:
        async def f(): pass
    try:
        def t(): pass
    except E:
        def u(): pass
    else:
        def v(): pass
    finally:
        def w(): pass
    match a:
        case 1:
            def m(): pass
    with a:
        for x in y:
            def n(): pass
        else:
            def o(): pass
"""
GLOBALS = """
    def f():
        global g, h, C
        def g():
            def inner(): pass
        class C:
            def m(self): pass
        if a:
            def h(): pass
        def i(): pass
    class D:
        global j, __k
        def j(self): pass
        def __k(self): pass
        def __l(self): pass
    class _E:
        global _E__m
        def __m(self): pass
    class __:
        global __n
        def __n(self): pass
    global z
    def z(): pass
"""


def units(text: str) -> tuple[UnitRecord, ...]:
    """The units of a program given as an indented text."""
    return analyse(textwrap.dedent(text).encode(), "program.py").units


def named_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code objects of functions and classes inside one."""
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            if not const.co_name.startswith("<") and const.co_name != "__annotate__":
                yield const
            yield from named_codes(const)


def test_units_in_source_order() -> None:
    """The module comes first, then each definition where its header stands; lambdas are none."""
    assert [(u.qualname, u.kind, u.first_line, u.last_line) for u in units(NESTED)][:9] == [
        ("", UnitKind.MODULE, 1, 35),
        ("A", UnitKind.CLASS, 3, 15),
        ("A.p", UnitKind.FUNCTION, 8, 14),
        ("A.p.<locals>.q", UnitKind.FUNCTION, 10, 13),
        ("A.p.<locals>.q.<locals>.R", UnitKind.CLASS, 11, 12),
        ("A.p.<locals>.q.<locals>.R.s", UnitKind.FUNCTION, 12, 12),
        ("A.B", UnitKind.CLASS, 15, 15),
        ("f", UnitKind.FUNCTION, 17, 17),
        ("f", UnitKind.FUNCTION, 19, 19),
    ]
    assert [u.qualname for u in units(NESTED)][9:] == ["t", "u", "v", "w", "m", "n", "o"]


@pytest.mark.parametrize("text", [NESTED, GLOBALS, *(decode(s) for s in SOURCES.values())])
def test_qualified_names_are_the_compilers(text: str) -> None:
    """Every unit has the qualified name and the first line that the compiler gives it."""
    source = textwrap.dedent(text)
    code = compile(source, "program.py", "exec", dont_inherit=True)
    expected = Counter((c.co_qualname, c.co_firstlineno) for c in named_codes(code))
    found = Counter((u.qualname, u.first_line) for u in units(source)[1:])
    # Type parameters and aliases are code objects with names, and no units.
    assert not found - expected


def test_a_name_declared_global_is_the_modules() -> None:
    """A definition whose scope declares its name global is not qualified by that scope."""
    assert [u.qualname for u in units(GLOBALS)][1:] == [
        "f",
        "g",
        "g.<locals>.inner",
        "C",
        "C.m",
        "h",
        "f.<locals>.i",
        "D",
        "j",
        "__k",
        "D.__l",
        "_E",
        "__m",
        "__",
        "__n",
        "z",
    ]


@pytest.mark.parametrize("text", [NESTED, GLOBALS])
def test_nodes_match_units(text: str) -> None:
    """`unit_nodes` gives the nodes of the units, index by index."""
    nodes = unit_nodes(ast.parse(textwrap.dedent(text)))
    found = units(text)
    assert len(nodes) == len(found)
    assert [getattr(node, "name", "") for node in nodes] == [
        unit.qualname.rpartition(".")[2] for unit in found
    ]
    assert isinstance(nodes[0], ast.Module)


def test_the_empty_file_has_a_module() -> None:
    """An empty file has one unit, its module, and nothing to run."""
    analysis = analyse(b"", "empty.py")
    assert [(u.qualname, u.first_line, u.last_line) for u in analysis.units] == [("", 1, 1)]
    assert analysis.statements == 0
    assert analysis.line_count == 0


SAME = [
    ("x = 1", "x  =  (1)  # comment\n\n"),
    ("f(a, 'b')", 'f(\n    a,\n    "b",\n)'),
    ("x = u'a'", "x = 'a'"),
    ("def f():\n  return 1", "\n\ndef f(): return 1"),
    ("x = 0x10", "x = 16"),
]
DIFFERENT = [
    ("x = 1", "x = 2"),
    ("x = 1", "x = True"),
    ("x = 1", "x = 1.0"),
    ("x = 'a'", "x = b'a'"),
    ("x = 'None'", "x = None"),
    ("x = 'y'", "x = y"),
    ("x = y", "y = x"),
    ("x = a + b", "x = a - b"),
    ("x = a - b", "x = b - a"),
    ("x = not a", "x = a"),
    ("f(a, b=1)", "f(a, c=1)"),
    ("f(a, *b)", "f(*a, b)"),
    ("x = {**a, b: c}", "x = {b: a, **c}"),
    ("x = {**a, None: c}", "x = {None: a, **c}"),
    ("x: int", "(x): int"),
    ("from . import a", "from .. import a"),
    ("import a", "import a as b"),
    ("if a:\n  b\n  c", "if a:\n  b\nc"),
    ("if a: b\nelse: c", "if a:\n  b\n  c"),
    ("match a:\n  case None: b", "match a:\n  case False: b"),
    ("match a:\n  case [*_]: b", "match a:\n  case [*c]: b"),
    ("x = f'{a}'", "x = f'{a!r}'"),
    ("x = f'{a}'", "x = f'{a:2}'"),
    ("x = f'a{b}'", "x = f'{b}a'"),
    ("def f(*, a, b=1): ...", "def f(*, a=1, b): ..."),
    ("def f(a, /): ...", "def f(a): ..."),
    ("def f(): ...", "async def f(): ..."),
    ("x = [i for i in j if k]", "x = [i for i in j]"),
    ("x = [a, b]", "x = (a, b)"),
    ("x = '\\n'", "x = '\\\\n'"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_fingerprint_ignores_layout(one: str, other: str) -> None:
    """Comments, white space, quotes, brackets and places do not change a fingerprint."""
    assert [u.fingerprint for u in units(one)] == [u.fingerprint for u in units(other)]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_fingerprint_sees_code(one: str, other: str) -> None:
    """A change of what the code says changes the fingerprint of the module that it is in."""
    assert units(one)[0].fingerprint != units(other)[0].fingerprint


def test_fingerprint_leaves_out_bodies_of_units_inside() -> None:
    """A changed method changes its own fingerprint, not that of its class or module."""
    before = units("class A:\n  def f(self): return 1\n  def g(self): return 2\n")
    after = units("class A:\n  def f(self): return 9\n  def g(self): return 2\n")
    assert [u.fingerprint == v.fingerprint for u, v in zip(before, after, strict=True)] == [
        True,
        True,
        False,
        True,
    ]


def test_fingerprint_includes_headers_of_units_inside() -> None:
    """A changed signature changes the function and the body that its header runs in."""
    before = units("class A:\n  def f(self, x=1): return x\n")
    after = units("class A:\n  def f(self, x=2): return x\n")
    assert [u.fingerprint == v.fingerprint for u, v in zip(before, after, strict=True)] == [
        True,
        False,
        False,
    ]


def test_fingerprint_is_the_same_on_every_python() -> None:
    """A fingerprint recorded under one Python holds under another."""
    text = """
        @a
        class A(B, c=1):
            def f(self, x: int = 1) -> str:
                return f"{x!r} \\u2028"
    """
    assert [unit.fingerprint.hex() for unit in units(text)] == [
        "0ee61c4324a01663",
        "8a7393660cd08a49",
        "de02d038490d3693",
    ]


def test_huge_and_deep_programs() -> None:
    """Numbers with many digits and long chains of operators are read like any other."""
    text = f"x = {10**4000:#x}\ny = {' + '.join(['a'] * 500)}\n"
    assert analyse(text.encode(), "deep.py").statements == 0b110


def test_real_units_nest() -> None:
    """In a real file every unit lies inside the module and ends where it begins or after."""
    path = Path(ast.__file__)
    analysis = analyse(path.read_bytes(), str(path))
    for unit in analysis.units:
        assert 1 <= unit.first_line <= unit.last_line <= analysis.line_count
        assert len(unit.fingerprint) == 8
