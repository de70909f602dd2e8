"""Small programs of every kind of statement, and the odd cases, for tests of `whotests.source`."""

import sys
import textwrap

__all__ = ["SOURCES"]

PROGRAMS: dict[str, str] = {
    "simple statements": """
        import os, sys as system
        from os import path
        a = 1
        a += 2
        b: int = 3
        c: int
        del a
        pass
        assert b
        b
        1
        "not a docstring"
        ...
    """,
    "global and nonlocal": """
        def f():
            global a
            x = 1
            y: int
            z: int = 2
            def g():
                nonlocal x
                x = 2
            return g
    """,
    "if and elif": """
        if a:
            b = 1
        elif c:
            b = 2
        elif (d and
              e):
            b = 3
        else:
            b = 4
        if a: b = 5
        else: b = 6
    """,
    "constant tests": """
        if 0:
            a = 1
        else:
            a = 2
        if 1:
            a = 3
        else:
            a = 4
        if __debug__:
            a = 5
        if not True:
            a = 6
        while False:
            a = 7
        while True:
            a = 8
            break
    """,
    "loops": """
        for i in range(3):
            if i:
                continue
            break
        else:
            a = 1
        while a:
            a = 2
        else:
            a = 3
        async def f():
            async for i in a:
                b = 1
            else:
                b = 2
            async with c as d, e:
                await d
    """,
    "try": """
        try:
            a = 1
        except ValueError:
            a = 2
        except (KeyError,
                TypeError) as error:
            a = 3
        except:
            a = 4
        else:
            a = 5
        finally:
            a = 6
        try:
            a = 7
        finally:
            a = 8
        try:
            a = 9
        except* OSError:
            a = 10
    """,
    "with": """
        with a: b = 1
        with (
            a as b,
            c as d,
        ):
            e = 1
        with a, \\
             b:
            c = 2
    """,
    "match": """
        match a:
            case 1:
                b = 1
            case [x, y] if x:
                b = 2
            case {"k": v, **rest}:
                b = 3
            case A(x=1) | \\
                 B():
                b = 4
            case None:
                ...
            case _:
                b = 5
        match a:
            case 1: b = 1
            case x: b = 2
    """,
    "match all of whose last case is excluded": """
        match a:
            case 1:
                b = 1
            case _:
                raise E  # pragma: no cover
        match a:
            case 1:
                b = 1
            case (1 | _) as y:
                raise E  # pragma: no cover
        match a:
            case [
                *_
            ]:
                b = 1
            case (
                _
            ):
                def f():  # pragma: no cover
                    pass
    """,
    "definitions": '''
        @a
        @b(
            1,
        )
        def f(x,
              y=1,
              *, z: int = 2) -> int:
            """Doc
            string."""
            return x

        @c
        class C(
            A,
            metaclass=M,
        ):
            """Doc."""
            x: int
            y: int = 1

            @property
            def p(self): return 1

            async def q(self):
                yield 1

        def one(): pass
        class Two: pass
        def only_doc():
            """Doc."""
        class OnlyDoc:
            """Doc."""
    ''',
    "strings where docstrings are": '''
        """Module
        doc."""
        """second string"""
        def f():
            "doc"; x = 1
            "no doc"
        def g():
            x = """no
            doc"""
        def h(): "doc"
        class C:
            b"no doc"
        class D:
            f"no {doc}"
        async def k():
            ("doc"
             "more")
            return 1
        if a:
            "no doc"
    ''',
    "semicolons": '''
        a = 1; b = 2; c = (
            3); d = 4
        x = """one
        two"""; y = 1
        if a: b = 1; c = """
        """; d = 2
        e = 3;
    ''',
    "brackets": """
        a = [
            1,

            # a comment
            2,
        ]
        b = f(a,
              (b, {
                  1: 2,
              }), c)(
            3)
        c = {**a,
             'b': [x
                   for x in y
                   if z]}
    """,
    "backslashes": """
        a = 1 + \\
            2
        assert a, \\
            b
        from os \\
            import path
        if a and \\
           b:
            c = 1
        d = 'one \\
        two'
        e = 1 \\

        f = 2
        g = 'a' \\
            # comment
        h = 3
    """,
    "a backslash before a statement": (
        "if a:\n    b = 1\n\\\n\nc = 1\nif a:\n  \\\n    b = 2\nc = 2\n"
    ),
    "f-strings": '''
        a = f"one {x!r:>{width}} {{y}} {d['k']}"
        b = f"""
            {x}
            {
                y
            } # no comment
        """
        c = (f"a {x}"
             "b"
             f"{'#'} c")
        d = rf"\\d{x}" f'it"s {y}'
        def f(): return f"{x:%H:%M}"
    ''',
    "lambdas and comprehensions": """
        f = lambda x: (
            x +
            1
        )
        g = [lambda: y
             for y in z]
        h = {a: b
             for a, b in c
             for d in e}
        i = (j
             async for j in k) if a else lambda: 0
    """,
    "walrus and conditional": """
        if a := f():
            b = 1
        while (c :=
               d):
            e = 1
        f = (1 if a
             else 2)
        print(a, b := 3)
    """,
    "unreachable code": """
        def f():
            return 1
            a = 2
        def g():
            raise E
            yield
        while True:
            break
            a = 3
        for x in y:
            continue
            a = 4
    """,
    "ellipsis bodies": """
        def f(): ...
        def g():
            ...
        class P(Protocol):
            a: int
            def m(self) -> int: ...
            async def n(
                self,
                x: int,
            ) -> int: ...
            def o(self): ...  # comment
            def p(self): ...; x = 1
            @overload
            def q(
                self
            ): ...
        ...

        # after a blank line
        x = [1, ...]
        y = (
            ...
        )
    """,
    "TYPE_CHECKING": """
        if TYPE_CHECKING:
            import a
            from b import (
                c,
            )
        else:
            a = 1
        if typing.TYPE_CHECKING: import d
        if not TYPE_CHECKING:
            import e
        if t.TYPE_CHECKING:
            import f
        def f():
            if TYPE_CHECKING:
                import g
            return 1
    """,
    "spellings of the pragma": """
        a = 1  # pragma: no cover
        b = 1  #pragma:no cover
        c = 1  # pragma no cover
        d = 1  # PRAGMA: NO COVER
        e = 1  # pragma:  no  cover because
        f = 1  # Pragma: no cover
        g = 1  # pragma: nocover
        h = 1  # type: ignore # pragma: no cover
        i = "# pragma: no cover"
        j = 1  # pragma: no branch
    """,
    "a pragma on its own line": """
        # pragma: no cover
        a = 1
        if a:
            # pragma: no cover
            b = 1
        # pragma: no cover
        if a:
            b = 1
        c = [
            # pragma: no cover
            1,
        ]
    """,
    "nested exclusions": """
        if a:  # pragma: no cover
            if b:
                c = 1
            else:
                c = 2

            # comment
        # comment at the margin
            d = 1
        elif e:
            f = 1
        else:  # pragma: no cover
            g = 1
        h = 1
        for x in y:  # pragma: no cover
        \tif a:
        \t\tb = 1
        else:
            c = 1
    """,
    "multi-line string in an excluded suite": '''
        if a:  # pragma: no cover
            b = """
        c = 1
        """
            d = 1
        e = 1
    ''',
    "a colon before the pragma": """
        if a: b = f(
            1)  # pragma: no cover
        x: int = (
            1)  # pragma: no cover
        f = lambda: (
            1)  # pragma: no cover
        def g(a=lambda: 0, b={1: 2}): return (
            1)  # pragma: no cover
        if a: \\
            b = 1  # pragma: no cover
        y[1:2] = 1  # pragma: no cover
        z = 1
    """,
    "tabs": "if a:  # pragma: no cover\n\tif b:\n\t        c = 1\n\td = 1\ne = 1\n",
    "form feeds": "a = 1\n\f\ndef f():\n    b = 1\n\f\n    c = [\n\f  1]\n",
    "empty": "",
    "blank lines": "\n\n  \n",
    "comments only": "# one\n# two: pragma: no cover\n",
    "no line end": "a = 1\nif a:\n    b = 1",
    "a string at the end without line end": 'a = 1\nb = """\n"""',
    "a comment at the end without line end": "if a:\n    b = 1\n    # c",
    "a backslash in comments and strings": (
        "a = 1  # \\\nb = '\\''\nc = r'\\''\nd = '\\\\'\ne = [\n1]\n"
    ),
    "quotes in strings": "a = \"'''\"\nb = '\"\"\"'\nc = ''\nd = \"\"\nf = ''''a'''\ng = [\n]\n",
    "other white space": "a = '\\x0b'\nb = '\x0b\x1c\u2028'\nc = (\n    1)\n",
}
TYPE_PARAMETERS = """
    type A = int
    type B[
        T
    ] = list[T]
    def f[T](x: T) -> T:
        return x
    @a
    class C[T: (int,
                str)](B):
        def m[U](self): ...
    x = f"{d["k"]} {f'{y["}"]}'}" f'''{
        a['''b''']
    }'''
    y = f"{
        x  # comment
    }"
    if f"{d["k"]:>{w}}": z = (
        1)  # pragma: no cover
"""
if sys.version_info >= (3, 12):
    PROGRAMS["type parameters and nested f-strings"] = TYPE_PARAMETERS
SOURCES = {name: textwrap.dedent(text).encode() for name, text in PROGRAMS.items()} | {
    "byte order mark": b"\xef\xbb\xbfa = 1\nb = '\xc3\xa9'\n",
    "byte order mark and cookie": b"\xef\xbb\xbf# coding: utf-8\na = 1\n",
    "latin-1 cookie": b"# -*- coding: latin-1 -*-\na = '\xe9'\nb = (\n'\xe9')\n",
    "cookie on the second line": b"#!/bin/python\n# vim: set fileencoding=cp1252:\na = '\x80'\n",
    "no cookie on the third line": b"\n\n# coding: latin-1\na = 1\n",
    "carriage returns and line feeds": b"a = [\r\n1]\r\nif a:  # pragma: no cover\r\n    b = 1\r\n",
    "carriage returns": b"# coding: utf-8\ra = [\r1]\rif a:\r    b = '''\r\r'''\r",
    "mixed line ends": b"a = '''\r\n\r\n'''\rb = 1\nc = [\r1]\n",
}
