"""What is raised in measured code shows the frames, lines and carets that it has without us."""

import textwrap
from pathlib import Path

import pytest

from same_programs import assert_same

CAUGHT = """
    import sys, traceback

    def shown(function, *args):
        try:
            function(*args)
        except BaseException as error:
            traceback.print_exception(error, file=sys.stdout)
            print("--", function.__name__)
            frames = traceback.extract_tb(error.__traceback__)
            print([(f.lineno, f.end_lineno, f.colno, f.end_colno, f.name) for f in frames])
"""

PROGRAMS = {
    "plain": """
        def leaf(x):
            y = x + 1
            z = [y, 1 / 0, (x
                 .missing)]
            return z

        def chained(x):
            try:
                leaf(x)
            except ZeroDivisionError as error:
                z = 1
                raise ValueError(
                    "no") from error

        def context(x):
            try:
                leaf(x)
            except ZeroDivisionError:
                {}["key"]

        def again(x):
            try:
                leaf(x)
            except KeyError:
                pass
            except ZeroDivisionError:
                x += 1
                raise

        def by_name(x):
            try:
                leaf(x)
            except ZeroDivisionError as error:
                raise error

        def in_finally(x):
            try:
                leaf(x)
            finally:
                raise LookupError("finally")

        def passes_finally(x):
            try:
                for i in range(3):
                    while True:
                        leaf(i)
            finally:
                x = 1

        def in_else(x):
            try:
                y = x
            except Exception:
                pass
            else:
                leaf(y)

        def no_match(x):
            try:
                leaf(x)
            except (KeyError, TypeError):
                y = 1
            except ValueError: y = 2

        def bad_handler(x):
            try:
                leaf(x)
            except undefined_name:
                y = 1

        def in_with(x):
            import contextlib
            with contextlib.suppress(KeyError), contextlib.nullcontext():
                y = x
                leaf(y)

        def leaves_with(x):
            class Fails:
                def __enter__(self): return self
                def __exit__(self, *error):
                    raise OSError(error[0])
            with Fails():
                with Fails():
                    leaf(x)

        def in_match(x):
            match x:
                case [1, *rest]:
                    return 1
                case int() if x.missing:
                    return 2

        def stripped(x):
            try:
                leaf(x)
            except ZeroDivisionError as error:
                error.__traceback__ = None
                raise error from None

        def with_other(x):
            try:
                leaf(x)
            except ZeroDivisionError as error:
                raise OSError("moved").with_traceback(error.__traceback__)

        def group(x):
            errors = []
            for function in (leaf, by_name, chained):
                try:
                    function(x)
                except Exception as error:
                    errors.append(error)
            try:
                raise ExceptionGroup("several", errors)
            except* ValueError as some:
                y = 1
                raise TypeError("from star") from some

        def group_rest(x):
            try:
                raise ExceptionGroup("several", [ValueError(1), KeyError(2)])
            except* ValueError:
                y = 1

        def notes(x):
            try:
                leaf(x)
            except ZeroDivisionError as error:
                error.add_note("a note")
                raise

        def defaults(x):
            def inner(a, b=x.missing):
                return a
            return inner

        def decorated(x):
            @(lambda f: f.missing)
            def inner():
                return 1

        def in_lambda(x):
            return (lambda y: y.missing)(x)

        def in_comprehension(x):
            return [y
                    .missing for y in range(x)]

        def in_genexp(x):
            return list(y.missing for y in range(x))

        def in_class_body(x):
            class Inner:
                a = 1
                b = x.missing

        def asserts(x):
            assert (x ==
                    2), "message"

        for function in (leaf, chained, context, again, by_name, in_finally, passes_finally,
                in_else, no_match, bad_handler, in_with, leaves_with, in_match, stripped,
                with_other, group, group_rest, notes, defaults, decorated, in_lambda,
                in_comprehension, in_genexp, in_class_body, asserts):
            shown(function, 1)
    """,
    "generators and coroutines": """
        import asyncio

        def numbers():
            try:
                yield 1
                1 / 0
            finally:
                x = 1

        def delegates():
            x = yield from numbers()
            return x

        def consumed():
            return list(delegates())

        def thrown():
            generator = delegates()
            next(generator)
            generator.throw(KeyError("into"))

        def stop():
            def fails():
                yield 1
                raise StopIteration("inner")
            list(fails())

        def ignores():
            def keeps():
                while True:
                    try:
                        yield 1
                    except GeneratorExit:
                        y = 1
            generator = keeps()
            next(generator)
            generator.close()

        async def leaf():
            await asyncio.sleep(0)
            raise OSError("async")

        async def outer():
            async with asyncio.timeout(10):
                x = 1
                await leaf()

        async def grouped():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(leaf())

        async def values():
            yield 1
            await leaf()

        async def loops():
            async for value in values():
                x = value

        async def comprehends():
            return [x async for x in values()]

        def run_outer(): asyncio.run(outer())
        def run_grouped(): asyncio.run(grouped())
        def run_loops(): asyncio.run(loops())
        def run_comprehends(): asyncio.run(comprehends())

        for function in (consumed, thrown, stop, ignores, run_outer, run_grouped, run_loops,
                run_comprehends):
            shown(function)
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_caught_tracebacks_are_the_same(tmp_path: Path, name: str) -> None:
    """Printed tracebacks, and the lines and columns in them, are those of plain Python."""
    program = textwrap.dedent(CAUGHT) + textwrap.dedent(PROGRAMS[name])
    plain = assert_same(tmp_path, {"prog.py": program})
    assert plain.out.count("-- ") > 7


IMPORTS = {
    "bad_syntax": "x = 1\ndef f(:\n    pass\n",
    "bad_indent": "if True:\n    x = 1\n  y = 2\n",
    "bad_name": "import no_such_module_here\n",
    "bad_from": "from package import nothing_there\n",
    "bad_value": "x = 1\ny = [x,\n     1 / 0]\n",
    "bad_return": "x = 1\nreturn x\n",
    "package.bad": "from . import deeper\n",
    "package.deeper": "import os\nclass A:\n    b = os.missing\n",
    "circular_one": "import circular_two\nx = 1\n",
    "circular_two": "from circular_one import x\n",
    "raises_exit": "def f():\n    raise SystemExit(3)\nf()\n",
}


def test_failing_imports_are_the_same(tmp_path: Path) -> None:
    """Errors at the import of measured modules have the frames of plain Python, and no others."""
    files = {f"{name.replace('.', '/')}.py": text for name, text in IMPORTS.items()}
    names = [*IMPORTS, "package.absent", "os.absent"]
    program = f"""
        import importlib, sys, traceback
        for name in {names!r}:
            try:
                __import__(name)
            except BaseException:
                traceback.print_exc(file=sys.stdout)
            print("--", name, name in sys.modules)
        import bad_value
    """
    files |= {"package/__init__.py": "y = 1\n", "prog.py": program}
    plain = assert_same(tmp_path, files, status=1)
    assert "ZeroDivisionError" in plain.err


OBJECTS = """
    import gc, sys, weakref

    class Weak(ValueError): pass

    class Kept:
        def __init__(self, name): self.name = name
        def __del__(self): print("gone", self.name)

    def fails(name):
        kept = Kept(name)
        other = 1
        raise Weak(name)

    def caught():
        try:
            fails("caught")
        except ValueError as error:
            print("in handler", sys.exc_info()[1] is error, sys.exc_info()[0])
            reference = weakref.ref(error)
        print("after", reference(), sys.exc_info())

    def nested():
        try:
            fails("outer")
        except ValueError as outer:
            try:
                fails("inner")
            except ValueError as inner:
                print(inner.__context__ is outer, inner.__cause__, outer.__context__)
            print(sys.exc_info()[1] is outer)
        print(sys.exc_info())

    def count_entries():
        def depth(error):
            trace, lines = error.__traceback__, []
            while trace is not None:
                lines.append((trace.tb_lineno, trace.tb_frame.f_code.co_name))
                trace = trace.tb_next
            return lines
        def again(times):
            try:
                if times:
                    again(times - 1)
                fails("deep")
            finally:
                x = times
        try:
            again(3)
        except ValueError as error:
            print(depth(error))
            saved = error
        for _ in range(3):
            try:
                x = 1
                raise saved
            except ValueError as error:
                print(depth(error))

    def cleared():
        try:
            try:
                fails("cleared")
            except ValueError as error:
                error.__traceback__ = None
                error.__context__ = None
                x = 1
                raise
        except ValueError as error:
            print(error.__traceback__ and error.__traceback__.tb_lineno)
            error.__traceback__ = None

    def swallowed():
        for i in range(2):
            try:
                fails(f"turn {i}")
            finally:
                continue
        print("left the loop", sys.exc_info())

    def held():
        kept = Kept("held by frame")
        x = 1
        raise KeyError

    def frames():
        try:
            held()
        except KeyError as error:
            trace = error.__traceback__
            names = {k: type(v).__name__ for k, v in trace.tb_next.tb_frame.f_locals.items()}
            print(names, list(sys._getframe().f_locals))
            trace.tb_next.tb_frame.clear()
            print("cleared")

    def ends_in_generator():
        def generator():
            kept = Kept("in generator")
            try:
                yield 1
                yield 2
            finally:
                print("finally", sys.exc_info()[0])
        for value in generator():
            break
        print("left")
        g = generator(); next(g)
        print(sorted(g.gi_frame.f_locals), g.gi_frame.f_lineno)
        g.close()
        print(g.gi_frame)

    gc.disable()
    for function in (caught, nested, count_entries, cleared, swallowed, frames, ends_in_generator):
        print("-", function.__name__)
        function()
    print(gc.collect() >= 0)
"""


def test_exceptions_live_as_long(tmp_path: Path) -> None:
    """Exceptions, their frames and what these hold die at the same moment, with the same links."""
    plain = assert_same(tmp_path, {"prog.py": OBJECTS})
    assert "gone caught" in plain.out
