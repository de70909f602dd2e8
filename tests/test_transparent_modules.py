"""Measured modules are imported, reloaded, warned of and refused as without us."""

import json
import os
import re
import shlex
import zipfile
from pathlib import Path

import pytest

from measured_commands import run_measured, run_plain, write_files
from same_programs import assert_same

IMPORTING = {
    "prog.py": """
        import importlib, importlib.resources, importlib.util, pkgutil, runpy, sys, types
        import package
        from package import lazy, sub
        from package.sub import *
        import one
        import space.inside
        print(lazy, package.made_up, sorted(name for name in dir() if name[0] != "_"))
        try:
            package.absent
        except AttributeError as error:
            print(error)
        print(dir(package), package.__path__ == package.__spec__.submodule_search_locations)
        for module in (package, sub, one, space, space.inside):
            spec, loader = module.__spec__, module.__loader__
            print(module.__name__, type(loader).__name__, spec.loader is loader, spec.origin,
                  spec.cached, spec.has_location, module.__package__, list(vars(module)))
        print(sub.__loader__.get_source("package.sub") == open(sub.__file__).read(),
              sub.__loader__.is_package("package.sub"),
              type(sub.__loader__.get_code("package.sub")) is types.CodeType)
        first = sub.value, sub.function, sub.Thing
        again = importlib.reload(sub)
        print(again is sub, sub.value is first[0], sub.function is first[1],
              sub.function.__code__ == first[1].__code__, isinstance(sub.Thing(), first[2]))
        print(importlib.resources.files("package").joinpath("data.txt").read_text())
        print([found.name for found in pkgutil.iter_modules(package.__path__)])
        print(sorted(runpy.run_module("package.sub")), runpy.run_path(one.__file__)["x"])
        spec = importlib.util.spec_from_file_location("renamed", one.__file__)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        print(module.__name__, module.later.__module__, module.later())
        lazily = importlib.util.LazyLoader.factory(type(sub.__loader__))
        source = open(one.__file__).read()
        code = compile(source, one.__file__, "exec")
        namespace = {"__name__": "executed"}
        exec(code, namespace)
        print(sorted(namespace), __name__, __file__ == sys.argv[0], __spec__)
        if __name__ == "__main__":
            print("main")
    """,
    "package/__init__.py": '''
        """Text."""
        __all__ = ["sub", "lazy"]
        lazy = 1
        def __getattr__(name):
            if name == "made_up":
                return f"made up {name}"
            raise AttributeError(f"no {name}")
        def __dir__():
            return ["made_up"]
    ''',
    "package/sub.py": """
        from . import lazy as _lazy
        __all__ = ["function", "Thing"]
        value = [_lazy]
        def function(): return __name__
        class Thing: pass
        if __name__ == "__main__":
            raise SystemExit
    """,
    "package/data.txt": "resource",
    "one.py": "import two\nx = 1\ndef later(): return two.y\n",
    "two.py": "import one\ny = hasattr(one, 'x')\n",
    "space/inside.py": "from __future__ import annotations\nz: undefined = 1\n",
}


def test_importing_is_the_same(tmp_path: Path) -> None:
    """Loaders, specs, reloading, resources, namespace packages, `__getattr__`, circular imports."""
    assert_same(tmp_path, IMPORTING, subject="package/sub.py")


def test_zip_archive_is_the_same(tmp_path: Path) -> None:
    """A program in a zip archive runs beside measured files."""
    write_files(tmp_path, {"beside.py": "def f(): return 1 / 0\n"})
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", "import sys; sys.path.append('.')\nimport beside, inner\n")
        archive.writestr("inner.py", "import beside\nbeside.f()\n")
    assert_same(tmp_path, {}, "python", "app.pyz", subject="beside.py", status=1)


DOCTESTS = '''
    """Adds.

    >>> add(1, 2)
    3
    >>> add(1, 2)
    4
    """
    def add(a, b):
        """
        >>> add("a", "b")
        'ab'
        >>> add(1, "b")
        Traceback (most recent call last):
            ...
        TypeError: unsupported operand type(s) for +: 'int' and 'str'
        >>> add(None, 1)
        """
        if a:
            pass
        return a + b
    class Holder:
        def method(self):
            """
            >>> Holder().method()
            1
            """
            return 1
    if __name__ == "__main__":
        import doctest
        print(doctest.testmod())
'''


def test_doctests_are_the_same(tmp_path: Path) -> None:
    """Those of a measured module: found, run and failing the same by doctest."""
    assert_same(tmp_path, {"prog.py": DOCTESTS})


WARNED = {
    "prog.py": """
        import warnings, sys
        import warned, again
        def old():
            warnings.warn("old", DeprecationWarning, stacklevel=2)
        def caller():
            if True:
                old()
        class Base:
            def __init_subclass__(cls):
                warnings.warn("subclass", stacklevel=2)
        class Sub(Base):
            x = 1
        for _ in range(3):
            caller()
            warnings.warn("repeated")
            exec("import late")
        def resource():
            file = open(__file__)
            x = file.name
        resource()
        x = 1
        print(x is 1)
    """,
    "warned.py": """
        import warnings
        warnings.warn("at import", stacklevel=2)
        text = "\\d"
        def function(x):
            assert (x, "always")
            return x is "text", "\\w"
        class A:
            y = 1 ()if 0 else 2
    """,
    "again.py": "import warnings\nwarnings.warn('again')\n",
    "late.py": "import again\nz = 1\n",
}


@pytest.mark.parametrize("option", ["default", "error", "ignore"])
def test_warnings_are_the_same(tmp_path: Path, option: str) -> None:
    """Python's own of the source, cached or not, and the program's, each as often as without us."""
    words = ("python", "-W", option, "prog.py")
    for _ in range(2):
        if option.startswith("error"):  # raised before anything could be measured
            write_files(tmp_path, WARNED)
            plain = run_plain(*words, cwd=tmp_path)
            assert plain.status == 1
            assert run_measured(*words, cwd=tmp_path, options=("--source", ".")) == plain
        else:
            plain = assert_same(tmp_path, WARNED, *words, subject="warned.py")
            assert ("invalid escape" in plain.err) == (option == "default")


def test_warnings_of_the_source_come_when_python_would_compile_it(tmp_path: Path) -> None:
    """Once for each version of a file, and not for one that Python has compiled before."""
    files = {"prog.py": "import warned\n", "warned.py": "x = 1\nassert (x, 'always')\n"}
    write_files(tmp_path, files)
    writes = {"PYTHONDONTWRITEBYTECODE": ""}
    words = ("python", "-W", "default", "prog.py")

    def warned() -> bool:
        ended = run_measured(*words, cwd=tmp_path, options=("--source", "."), env=writes)
        assert ended.status == 0
        return "always true" in ended.err

    assert [warned(), warned()] == [True, False]
    write_files(tmp_path, {"warned.py": "x = 2\nassert (x, 'always')\n\n"})
    assert "always true" in run_plain(*words, cwd=tmp_path, env=writes).err
    assert [warned(), warned()] == [False, False]


BRANCHES = "".join(f"    {'el' * bool(n)}if x == {n}:\n        y = {n}\n" for n in range(1500))
CASES = "".join(f"        case {n}:\n            return {n}\n" for n in range(5000))
NESTED = "".join(f"{' ' * n}for i{n} in (1,):\n" for n in range(1, 20)) + " " * 20 + "print('in')\n"
WITHS = (
    "".join(f"{' ' * n}with open(__file__) as f{n}:\n" for n in range(1, 20))
    + " " * 20
    + "x = 1\n"
    + " " * 20
    + "print('with')\n"
)

LARGE = {
    "branches": f"def f(x):\n    y = None\n{BRANCHES}    return y\nprint(f(3), f(1499), f(2000))\n",
    "cases": f"def f(x):\n    match x:\n{CASES}\nprint(f(3), f(4999), f(6000))\n",
    "lines": "def f(x):\n" + "    x += 1\n" * 10_000 + "    return x / 0\nf(0)\n",
    "module": "x = 0\n" + "x += 1\n" * 10_000 + "print(x)\n",
    "literal": f"d = { {key: [1, 2] for key in range(5000)} }\nprint(len(d))\n",
    "operators": f"x = {' + '.join(['1'] * 900)}\nprint(x)\n",
    "brackets": f"x = {'[' * 90}{']' * 90}\nprint(x)\n",
    "calls": f"f = abs\nx = {'f(' * 90}1{')' * 90}\nprint(x)\n",
    "strings": "def f():\n    return (" + '\n    "text"' * 3000 + ")\nprint(len(f()))\n",
    "functions": "\n".join(f"def f{n}(): return {n}" for n in range(2000)) + "\nprint(f7())\n",
}


def test_large_sources_run_and_are_measured(tmp_path: Path) -> None:
    """Many lines, branches, cases and operators; each module runs and is measured."""
    names = list(LARGE)
    program = f"""
        import traceback
        for name in {names!r}:
            try:
                __import__(name)
            except ZeroDivisionError:
                traceback.print_exc()
    """
    files = {f"{name}.py": text for name, text in LARGE.items()}
    assert_same(tmp_path, {**files, "prog.py": program})
    reasons = not_measured(tmp_path)
    assert reasons == {}


def test_deeply_nested_blocks_run(tmp_path: Path) -> None:
    """As many nested blocks as the compiler takes leave room for no more, and are measured."""
    files = {
        "nested.py": f"def f():\n{NESTED}f()\n",
        "withs.py": f"def f():\n{WITHS}f()\n",
        "prog.py": "import nested, withs\n",
    }
    assert_same(tmp_path, files)
    assert not_measured(tmp_path) == {}


def not_measured(folder: Path) -> dict[str, str]:
    """The files that `report` lists as not measured, with the reason."""
    done = run_plain("python", "-m", "whotests", "report", "--json", cwd=folder)
    assert done.status == 0, done.err
    return {file["path"]: file["reason"] for file in json.loads(done.out)["not_measured"]}


ODD = {
    "nul.py": b"x = 1\n\0\n",
    "undecodable.py": b"x = '\xff\xfe'\n",
    "unknown_cookie.py": b"# coding: nonsense\nx = 1\n",
    "broken.py": b"def f(:\n",
    "latin.py": "# -*- coding: latin-1 -*-\ndef f():\n    return 'caf\xe9', 1 / 0\n".encode(
        "latin-1"
    ),
    "form_feed.py": b"x = 1\n\x0c\n\x0cdef f():\n    y = x\x0c\n    return y\n\x0cprint(f())\n",
    "windows.py": b"\xef\xbb\xbfdef f():\r\n  return '''a\r\nb'''\r\nprint(repr(f()))\r\n",
    "old_mac.py": b"def f():\r    return 1\rprint(f())\r",
    "no_newline.py": b"def f():\n    return 1\nprint(f())",
    "empty.py": b"",
    "comment.py": b"# nothing else",
    "tabs.py": b"if True:\n\tx = 1\n\tif x:\n\t        y = 2\nprint(y)\n",
    "names.py": "def f\xfcr(\ufb01):\n  \u1d31 = \ufb01\n  return E\nprint(f\xfcr(1))\n".encode(),
    "continued.py": b"x = 1 + \\\n    2\nif x: \\\n  print(x)\ny = (1 /\n 0)\n",
}

ODD_PROGRAM = """
    import traceback
    for name in {names!r}:
        try:
            module = __import__(name)
            if name == "latin":
                module.f()
        except Exception:
            traceback.print_exc()
        print("--", name)
"""


def test_odd_sources_run_or_fail_the_same(tmp_path: Path) -> None:
    """Sources that Python refuses are refused in its words, and listed with the reason."""
    for name, source in ODD.items():
        (tmp_path / name).write_bytes(source)
    program = ODD_PROGRAM.replace("{names!r}", repr([name[:-3] for name in ODD]))
    assert_same(tmp_path, {"prog.py": program})
    reasons = not_measured(tmp_path)
    refused = ["broken.py", "nul.py", "undecodable.py", "unknown_cookie.py"]
    assert sorted(reasons) == refused
    assert all(reasons.values())
    for command in ("report", "status"):
        shown = run_plain("python", "-m", "whotests", command, cwd=tmp_path)
        assert shown.status == 0
        assert "not measured" in shown.out.lower()
    shown = run_plain("python", "-m", "whotests", "report", cwd=tmp_path)
    assert all(name in shown.out for name in reasons)


SUITE = {
    "conftest.py": """
        import pytest
        @pytest.fixture
        def made():
            value = [1]
            yield value
            assert value == [2]
        def pytest_assertrepr_compare(op, left, right):
            if left == "special":
                return ["special words", f"{left} {op} {right}"]
    """,
    "test_it.py": """
        import pytest, warnings
        from subject import double
        class Box:
            def __init__(self, x): self.x = x
            def __repr__(self): return f"Box({self.x})"
            def get(self): return self.x
        def test_compare():
            left = {"a": [1, 2, {"b": 3}], "c": "long" * 20}
            for turn in range(2):
                assert left == {"a": [1, 2, {"b": 4}], "c": "long" * 20}, f"turn {turn}"
        def test_call():
            box = Box(1)
            assert box.get() + double(2) == 6 and not box
        def test_custom(): assert "special" == "other"
        def test_walrus():
            assert (x := double(2)) == 5 or x in [1, 2]
        def test_fixture(made): made.append(double(1))
        def test_raises():
            with pytest.raises(ValueError, match="no"):
                double("x")
        def test_did_not():
            with pytest.raises(ValueError):
                double(1)
        def test_deep():
            def inner(n):
                try:
                    return double(None) if n == 0 else inner(n - 1)
                finally:
                    done = True
            inner(3)
        @pytest.mark.parametrize("n", [1, 2])
        def test_cases(n):
            assert all(double(x) == n for x in range(n)), (
                "several"
                "lines")
        def test_warns():
            warnings.warn("careful")
            with pytest.warns(UserWarning):
                warnings.warn("expected")
        def test_output(capsys):
            print("printed")
            assert capsys.readouterr().out == "other"
        async def helper(): assert 1 == 2
        def test_async():
            import asyncio
            asyncio.run(helper())
        def test_exit(): raise SystemExit(3)
        @pytest.mark.xfail
        def test_expected(): assert 0
        class TestGroup:
            def setup_method(self): self.value = double(1)
            def test_method(self): assert self.value is None
        def test_tuple(): assert (1, 2) < (1,) < (3,)
    """,
    "subject.py": '''
        def double(x):
            """
            >>> double(2)
            5
            """
            if x is None:
                raise TypeError("none")
            y = x
            if x == "x":
                raise ValueError("never")
            return x + y
    ''',
    "bad/conftest.py": "import nothing_there\n",
    "bad/test_bad.py": "def test(): pass\n",
    "worse/conftest.py": "def pytest_configure():\n    x = 1\n    x.missing\n",
    "worse/test_worse.py": "def test(): pass\n",
    "syntax/test_syntax.py": "def test():\n    x = = 1\n",
    "raising/test_raising.py": "import os\nos.missing\n",
    "fixture/conftest.py": """
        import pytest
        @pytest.fixture(autouse=True)
        def broken():
            x = {}
            yield x["missing"]
    """,
    "fixture/test_fixture.py": "def test(): pass\n",
}


@pytest.mark.parametrize(
    "arguments",
    [
        "test_it.py subject.py --doctest-modules",
        "test_it.py --tb=long --showlocals -k 'deep or compare' -vv",
        "test_it.py --tb=native",
        "bad",
        "worse",
        "syntax raising fixture",
    ],
)
def test_pytest_says_the_same(tmp_path: Path, arguments: str) -> None:
    """Failures, explanations of assertions, and errors in conftest files and at collection."""
    write_files(tmp_path, SUITE)
    words = ("python", "-m", "pytest", "-p", "no:cacheprovider", *shlex.split(arguments))
    env = {"PYTEST_ADDOPTS": "", "COLUMNS": "100", "PYTHONHASHSEED": "0"}
    plain = run_plain(*words, cwd=tmp_path, env=env)
    measured = run_measured(*words, cwd=tmp_path, options=("--source", "."), env=env)
    assert without_times(measured.out) == without_times(plain.out)
    assert (measured.status, measured.err) == (plain.status, plain.err)
    assert os.path.exists(tmp_path / ".whotests" / "data.db")


def without_times(text: str) -> str:
    """pytest's output without durations and addresses."""
    return re.sub(r" in \d+\.\d+s| at 0x[0-9a-f]+", "", text).replace("=", "")
