"""Functions, classes and code of measured modules are the objects that they are without us."""

import sys
from pathlib import Path

import pytest

from measured_commands import run_measured, run_plain, write_files
from same_programs import assert_same

SUBJECT = '''
    """A module's text."""
    from __future__ import annotations

    import abc, dataclasses, enum, functools, typing

    LIMIT = 3

    def documented(a: int, /, b: "str" = "x", *rest: float, c: list[int] | None = None, **more):
        """What it does."""
        global counted
        counted = a
        total = a
        for item in rest:
            if item:
                total += item
            else:
                break
        try:
            return [total, b, c, more]
        finally:
            total = 0

    def closing(one):
        two = LIMIT
        def inner(three=two):
            nonlocal one
            one += 1
            try:
                return one + two + three + len("x")
            except TypeError:
                return None
        return inner

    def _hidden(): pass

    class Plain:
        """A class's text."""
        a: int = 1
        if a:
            b = [1 for _ in range(2)]
        for c in b:
            continue
        else:
            d = c
        names = sorted(name for name in locals() if not name.startswith("__"))
        def method(self):
            """A method's text."""
            return __class__.__qualname__
        @property
        def value(self):
            return self.a
        class Nested:
            def deep(self):
                def deeper(): return 1
                return deeper

    @dataclasses.dataclass(order=True)
    class Point:
        x: int
        y: "int" = 0
        def length(self) -> float:
            return (self.x ** 2 + self.y ** 2) ** 0.5

    class Colour(enum.Enum):
        RED = 1
        GREEN = enum.auto()
        def shout(self):
            return self.name + "!"

    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self): ...
        @classmethod
        def make(cls):
            return cls

    @typing.runtime_checkable
    class Sized(typing.Protocol):
        def size(self) -> int: ...

    @functools.singledispatch
    def kind(value):
        return "object"

    @kind.register
    def _(value: int):
        return "int"

    @kind.register(list)
    def _(value):
        return "list"

    def numbers(limit):
        for number in range(limit):
            received = yield number
            if received:
                break
        return limit

    async def soon(): return 1

    bare = lambda x, y=2: (x,
                           y)
'''

LOOKS = """
    import ast, copy, dis, inspect, io, pickle, textwrap, types, typing
    import subject
    from subject import *
    from subject import Plain, Point, Colour, Shape, closing, documented

    print(sorted(name for name in dir() if name[0] != "_"))
    print(dir(subject), list(vars(subject)))
    print(subject.__doc__, documented.__doc__, Plain.__doc__, Plain.method.__doc__)
    print(list(vars(Plain)), Plain.names, list(vars(Plain.Nested)), Plain.__annotations__)
    print(documented.__annotations__, subject.__annotations__ if "x" in vars() else "")
    print(typing.get_type_hints(documented), typing.get_type_hints(Point))

    functions = [documented, closing, closing(1), Plain.method, Plain.value.fget, Plain.Nested.deep,
                 Plain.Nested().deep(), Point.length, Colour.shout, Shape.area, subject.kind,
                 subject.numbers, subject.soon, subject.bare]
    for function in functions:
        print(function.__qualname__, function.__module__, inspect.signature(function))
        print(inspect.getsourcelines(function), inspect.getsourcefile(function) == subject.__file__)
        ast.parse(textwrap.dedent(inspect.getsource(function)))
        original = inspect.unwrap(function)
        code = original.__code__
        print(code.co_name, code.co_firstlineno, code.co_flags, code.co_argcount, code.co_freevars,
              code.co_cellvars, function.__defaults__, function.__kwdefaults__)
        print(inspect.isgeneratorfunction(function), inspect.iscoroutinefunction(function))
        dis.dis(function, file=io.StringIO())
        hash(code), hash(function), {function: 1, code: 2}
        print(code == code.replace(), code.replace(co_name="other") == code, code is code.replace())
        copied = types.FunctionType(code, function.__globals__, "copy", function.__defaults__,
                                    original.__closure__)
        print(copied.__code__ is code, copy.copy(function) is function,
              copy.deepcopy(function) is function)
    for thing in (subject, Plain, Plain.Nested, Point, Colour):
        print(inspect.getsource(thing))
    # Not its `unbound`: the attributes of our probes are among the code's names.
    print(inspect.getclosurevars(closing(1))[:3], inspect.getclosurevars(closing)[:3])
    print(inspect.getdoc(Plain.method), inspect.getmembers(Plain, inspect.isfunction))

    print(documented(1, "b", 2.0, 0, c=[1], z=3), subject.counted, closing(1)(2))
    print(Plain().method(), Plain().value, Point(3, 4).length(), Point(1) < Point(2), Point(1))
    print(Colour.RED.shout(), list(Colour), subject.kind(1), subject.kind([]), subject.kind("x"))
    print(isinstance(Point(1), subject.Sized), Shape.make())
    try:
        Shape()
    except TypeError as error:
        print(error)

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for thing in (documented, Plain, Plain.Nested, Point, Colour.RED, Plain.method):
            assert pickle.loads(pickle.dumps(thing, protocol)) is thing
        assert pickle.loads(pickle.dumps(Point(1, 2), protocol)) == Point(1, 2)
    print(copy.deepcopy([documented, Point(1)]), copy.copy(Point(2)))
    for unpicklable in (closing(1), subject.bare):
        try:
            pickle.dumps(unpicklable)
        except (AttributeError, pickle.PicklingError) as error:
            print(error)
    def here():
        frame = inspect.currentframe()
        print(frame.f_lineno, [(f.lineno, f.function, f.code_context) for f in inspect.stack()[:2]])
    here()
"""


@pytest.mark.parametrize("options", [(), ("-OO",)], ids=" ".join)
def test_objects_look_the_same(tmp_path: Path, options: tuple[str, ...]) -> None:
    """What inspect, dis, dir, vars, typing, copy and pickle see of a measured module."""
    files = {"subject.py": SUBJECT, "prog.py": LOOKS}
    assert_same(tmp_path, files, "python", *options, "prog.py", subject="subject.py")


LOCALS = """
    import sys

    def function(a):
        b = a
        if b:
            c = [x for x in range(2)]
        try:
            {}["x"]
        except KeyError as error:
            print(sorted(locals()))
        print(locals(), sorted(sys._getframe().f_locals), vars() == locals())
        names = locals()
        d = 1
        locals()["e"] = 2
        print(names.keys(), "e" in locals())
        exec("f = a + 1; print(sorted(locals()))")
        print(eval("[a, b, c]"), eval("sorted(locals())"))
        try:
            raise ValueError
        except ValueError:
            return sys._getframe().f_code.co_nlocals > 3, sorted(locals())

    def generator(a):
        for b in range(a):
            try:
                yield locals().copy()
            except ValueError:
                yield sorted(locals())

    print(function(1))
    g = generator(3)
    print(next(g), g.throw(ValueError), list(g), sorted(locals()) == sorted(globals()))

    def writes_back():
        x = 1
        def trace(frame, event, arg):
            return None
        y = 2
        return locals()
    print(writes_back().keys())

    def unbound():
        try:
            print(later)
        except UnboundLocalError as error:
            print(error)
        later = 1
        del later
        try:
            later
        except UnboundLocalError as error:
            print(error, error.name if hasattr(error, "name") else "")
        for i in (): pass
        return i
    try:
        unbound()
    except UnboundLocalError as error:
        print(error)

    space = {}
    exec(compile("def made(x):\\n    y = x\\n    return [y, 1 / x]\\n", "<made>", "exec"), space)
    print(space["made"](1), sorted(space))

    class Meta(type):
        @classmethod
        def __prepare__(cls, name, bases):
            class Seen(dict):
                def __setitem__(self, key, value):
                    print("set", key)
                    super().__setitem__(key, value)
            return Seen()
    class Made(metaclass=Meta):
        "Text."
        x = 1
        if x:
            y: int = 2
        try:
            z = undefined
        except NameError as error:
            w = 3
        with open(__file__) as file:
            v = 4
        def method(self): return super().__init__
    print(list(vars(Made)))
"""


def test_namespaces_are_the_same(tmp_path: Path) -> None:
    """`locals()`, `vars()`, `exec` and class bodies see no name of ours."""
    assert_same(tmp_path, {"prog.py": LOCALS})


BY_VALUE = """
    import asyncio, base64, pickle, subprocess, sys
    import cloudpickle
    import shipped

    cloudpickle.register_pickle_by_value(shipped)
    closed = shipped.make(10)
    print(closed(1))
    data = cloudpickle.dumps([shipped.work, closed, shipped.Worker, shipped.later, shipped.values])
    again = cloudpickle.dumps(pickle.loads(data))
    receiver = '''
    import base64, pickle, sys
    sys.modules["whotests"] = None  # cannot be imported
    before = set(sys.modules)  # as a child of a measured process it may have some
    work, closed, Worker, later, values = pickle.loads(base64.b64decode(sys.stdin.read()))
    print(work([3, 1, 0]), work(["x"]), closed(2), closed(2), Worker().run(), list(values(3)))
    print(later(5)(1), {work.__code__: 1}[work.__code__], work.__code__ == work.__code__.replace())
    try:
        work([None])
    except TypeError as error:
        print(error, error.__traceback__.tb_next.tb_lineno)
    import cloudpickle
    print(pickle.loads(cloudpickle.dumps(work))([1]))
    assert not [name for name in set(sys.modules) - before if name.startswith("whotests.")]
    '''
    import textwrap
    for sent in (data, again):
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(receiver)],
                              input=base64.b64encode(sent).decode(), text=True,
                              capture_output=True)
        print(done.stdout, done.stderr)
    for function in pickle.loads(data)[:1]:
        print(function([1, 2, 0]), function is shipped.work, shipped.work([0]))
"""

SHIPPED = """
    def work(items):
        found = []
        for item in items:
            try:
                found.append(10 // item)
            except ZeroDivisionError:
                found.append(None)
            except TypeError:
                if item is None:
                    raise
                found.append("type")
            else:
                continue
        return found

    def make(start):
        total = start
        def add(number):
            nonlocal total
            if number:
                total += number
            return total
        return add

    def later(x):
        return lambda y: [x + y, *(z for z in range(x))]

    def values(limit):
        while limit:
            limit -= 1
            try:
                yield limit
            finally:
                last = limit

    class Worker:
        def run(self):
            with open(__import__("os").devnull) as file:
                return [file.read() for _ in range(2)]
"""


def test_functions_travel_by_value(tmp_path: Path) -> None:
    """cloudpickle ships measured code to a process that cannot import whotests."""
    pytest.importorskip("cloudpickle")
    files = {"prog.py": BY_VALUE, "shipped.py": SHIPPED}
    plain = assert_same(tmp_path, files, subject="shipped.py")
    assert "Traceback" not in plain.out


def test_measured_code_cannot_be_marshalled(tmp_path: Path) -> None:
    """A known limit: marshal takes no code with a probe in it, and says so with ValueError."""
    program = """
        import marshal
        def function(): return 1
        print(len(marshal.dumps(compile("1", "x", "exec"))) > 0)
        marshal.dumps(function.__code__)
    """
    write_files(tmp_path, {"prog.py": program})
    assert run_plain("python", "prog.py", cwd=tmp_path).status == 0
    measured = run_measured("python", "prog.py", cwd=tmp_path)
    assert (measured.status, measured.out) == (1, "True\n")
    assert "ValueError: unmarshallable object" in measured.err


PATCHED = """
    import unittest
    from unittest import mock
    import subject

    class T(unittest.TestCase):
        def test_patch(self):
            with mock.patch("subject.documented", autospec=True) as double:
                double.return_value = 5
                self.assertEqual(subject.documented(1), 5)
                with self.assertRaises(TypeError) as caught:
                    subject.documented()
                print(caught.exception)
            with mock.patch.object(subject.Plain, "method", autospec=True) as double:
                subject.Plain().method()
                print(double.call_args_list)
            print(type(mock.create_autospec(subject.Point).length), subject.documented(1))
        @mock.patch.dict(vars(subject), LIMIT=100)
        def test_dict(self):
            print(subject.closing(1)())
        def test_wraps(self):
            with mock.patch.object(subject, "kind", wraps=subject.kind) as double:
                print(subject.kind(1), double.mock_calls)
            with mock.patch("builtins.len", lambda x: 5):
                print(subject.closing(1)())
            code = subject.closing.__code__
            subject.closing.__code__ = subject._hidden.__code__.replace(co_argcount=0)
            print(subject.closing())
            subject.closing.__code__ = code

    if __name__ == "__main__":
        import sys
        sys.stderr = sys.stdout
        with mock.patch("time.perf_counter", lambda: 0.0):
            unittest.main()
"""


def test_patching_is_the_same(tmp_path: Path) -> None:
    """`unittest.mock` replaces and specifies measured functions, classes and builtins."""
    files = {"prog.py": PATCHED, "subject.py": SUBJECT}
    assert_same(tmp_path, files, subject="subject.py", status=None)


if sys.version_info >= (3, 12):
    GENERIC = """
        import typing
        type Pair[T] = tuple[T, T]
        class Box[T: (int, str), *Ts]:
            def put[U](self, item: T, other: U) -> U:
                if item:
                    return other
                raise ValueError(f"{item!r:>{
                    10}}")
        def first[T](items: list[T]) -> T:
            for item in items:
                return item
        print(Pair.__value__, Box.__type_params__, Box.put.__type_params__, first.__type_params__)
        print(first([1]), Box().put(1, 2), first.__qualname__, typing.get_type_hints(first))
        Box().put(0, 1)
    """

    def test_type_parameters_are_the_same(tmp_path: Path) -> None:
        """Generic functions, classes and aliases of Python 3.12."""
        assert_same(tmp_path, {"prog.py": GENERIC}, status=1)
