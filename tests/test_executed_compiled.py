"""Code that the program compiles and runs by itself is measured, and `compile` is as it was."""

import ast
import re
from pathlib import Path

import pytest

from measured_commands import recorded_lines, run_measured, run_plain, write_files
from same_lines import assert_same_lines
from same_programs import assert_same

SUBJECT = """
    import sys

    def half(x):
        if x > 3:
            return x // 2
        return 0

    class Kept:
        value = half(8)

    if value_of_driver if "value_of_driver" in globals() else True:
        print(Kept.value, __name__)
    else:
        print("no")
"""

RUNS = {
    "str source": "exec(compile(open('subject.py').read(), 'subject.py', 'exec'))",
    "bytes source": "exec(compile(open('subject.py', 'rb').read(), 'subject.py', 'exec'), {})",
    "absolute name": """
        import os
        name = os.path.abspath('subject.py')
        exec(compile(open(name).read(), name, 'exec'), {'__name__': 'other', '__file__': name})
    """,
    "keywords": """
        exec(compile(source=open('subject.py').read(), filename='subject.py', mode='exec'))
    """,
    "bytes name": "exec(compile(open('subject.py').read(), b'subject.py', 'exec'))",
    "run_path": "import runpy; print(sorted(runpy.run_path('subject.py'))[-3:])",
    "run_path as main": """
        import runpy
        print(runpy.run_path('subject.py', {'value_of_driver': 0}, run_name='__main__')['half'](9))
    """,
    "run_module": """
        import runpy
        print(runpy.run_module('subject')['half'](9))
        print(runpy.run_module('subject', run_name='__main__', alter_sys=True)['half'](2))
    """,
    "several times": """
        for name in ('subject.py', './subject.py', 'subject.py'):
            exec(compile(open(name).read(), name, 'exec'))
    """,
    "and imported": """
        import subject
        exec(compile(open('subject.py').read(), 'subject.py', 'exec'))
        print(subject.half(1))
    """,
    "in a function": """
        def run(value_of_driver):
            names = {"half": lambda x: x}
            exec(compile(open('local.py').read(), 'local.py', 'exec'), globals(), names)
            exec(compile(open('subject.py').read(), 'subject.py', 'exec'), dict(names))
            return sorted(names)
        print(run(1), 'half' in globals())
    """,
    "by the loader": """
        from importlib.machinery import SourceFileLoader
        from importlib.util import module_from_spec, spec_from_loader
        loader = SourceFileLoader('loaded', 'subject.py')
        module = module_from_spec(spec_from_loader('loaded', loader))
        exec(loader.get_code('loaded'), module.__dict__)
        print(module.half(7))
    """,
    "in another folder": """
        import os
        text = open('subject.py').read()
        os.mkdir('elsewhere')
        os.chdir('elsewhere')
        exec(compile(text, '../subject.py', 'exec'))
        os.chdir('..')
        os.rmdir('elsewhere')
    """,
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_what_is_executed_is_measured(run: str, tmp_path: Path) -> None:
    """Its lines are those of coverage.py, and its module-level code counts as imported."""
    files = {"subject.py": SUBJECT, "local.py": "x = 1\nif x:\n    y = x\n", "prog.py": run}
    ours, _ = assert_same_lines(tmp_path, files)
    assert ours["subject.py"]


LONG = "import sys\n" + "".join(
    f"""
def function_{number}(x: int, y: [str for _ in "ab"]) -> (lambda: {number}):
    return x if y else {number}
if {number} in chosen if "chosen" in globals() else {number} < 60:
    kept = function_{number}({number}, sys.argv)
else:
    kept = None
"""
    for number in range(80)
)
"""More than a block's probes on its own level, between annotations."""

WAYS = {
    "evaluated first": """
        import __future__
        import long
        text = open("long.py").read()
        names = {"chosen": {0, 30, 70, 79}}
        exec(compile(text, "long.py", "exec", __future__.annotations.compiler_flag), names)
        print(names["function_79"].__annotations__)
    """,
    "text first": """
        import __future__
        text = open("long.py").read()
        names = {"chosen": {0, 30, 70, 79}}
        exec(compile(text, "long.py", "exec", __future__.annotations.compiler_flag), names)
        print(names["function_79"].__annotations__)
        import long
        print(sorted(long.function_1.__annotations__))
    """,
}


@pytest.mark.parametrize("run", WAYS.values(), ids=WAYS)
def test_each_way_has_its_own_probes(run: str, tmp_path: Path) -> None:
    """Annotations that are text have no code: a file's probes are others then."""
    ours, _ = assert_same_lines(tmp_path, {"long.py": LONG, "prog.py": run})
    assert ours["long.py"]


def test_a_changed_text_is_left_alone(tmp_path: Path) -> None:
    """What was made of a file, or stands in none, runs as it is; its file was not imported."""
    program = """
        text = open("subject.py").read()
        exec(compile(text.replace("3", "4"), "subject.py", "exec"))
        exec(compile("x = 1", "<string>", "exec"))
        exec(compile("x = 1", "missing.py", "exec"))
        exec(compile("x = 1", ".", "exec"))
    """
    write_files(tmp_path, {"subject.py": SUBJECT, "prog.py": program})
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", "."))
    assert ended.status == 0, ended.err
    assert not any(recorded_lines(tmp_path, "subject.py").values())


TRANSPARENT = {
    "what compile is": """
        import builtins, inspect, pickle
        print(compile.__name__, compile.__qualname__, compile.__module__)
        print(inspect.signature(compile), compile.__doc__ == builtins.compile.__doc__)
        print(pickle.loads(pickle.dumps(compile)) is compile, callable(compile))
    """,
    "what it raises": """
        import sys, traceback
        def attempt(*args, **kwargs):
            try:
                print(compile(*args, **kwargs).co_filename)
            except BaseException as error:
                traceback.print_exc(file=sys.stdout)
                frames = traceback.extract_tb(error.__traceback__)
                print(type(error).__name__, [frame.name for frame in frames])
        attempt("1 +", "<string>", "exec")
        attempt("1 +", "subject.py", "exec")
        attempt("x = 1", "subject.py", "wrong")
        attempt("x = 1", "subject.py")
        attempt()
        attempt("x = 1", "subject.py", "exec", 1 << 30)
        attempt("x = 1", "subject.py", "exec", "flags")
        attempt("x = 1\\0", "subject.py", "exec")
        attempt(3, "subject.py", "exec")
        attempt("x = 1", 3, "exec")
        attempt("x = 1", "subject.py", "exec", nonsense=1)
        class Named:
            def __fspath__(self):
                raise KeyError("deep")
        attempt("x = 1", Named(), "exec")
        attempt(open("broken.py").read(), "broken.py", "exec")
        import runpy
        try:
            runpy.run_path("broken.py")
        except SyntaxError as error:
            print([frame.name for frame in traceback.extract_tb(error.__traceback__)])
        try:
            exec(compile(open("raising.py").read(), "raising.py", "exec"))
        except ZeroDivisionError:
            traceback.print_exc(file=sys.stdout)
    """,
    "inherited flags": """
        from __future__ import annotations
        import ast, types
        text = open("annotated.py").read()
        def made(*args, **kwargs):
            names = {}
            exec(compile(*args, **kwargs), names)
            return names["function"].__annotations__
        print(made(text, "annotated.py", "exec"))
        print(made(text, "annotated.py", "exec", dont_inherit=True))
        print(made(text, "annotated.py", "exec", 0, True))
        print(made(text.encode(), "annotated.py", "exec", 0))
        print(made(text + "#", "annotated.py", "exec"))
        print(made(ast.parse(text), "annotated.py", "exec"))
        print(made(ast.parse(text), "annotated.py", "exec", dont_inherit=True))
        print(type(compile("1", "<s>", "eval")), ast.dump(compile("1", "<s>", "eval", 1024)))
        names = {}
        exec("def made(): return compile('def f(x: y): pass', '<s>', 'exec')", names)
        exec(names["made"](), names)
        print(names["f"].__annotations__)
    """,
    "given flags": """
        import __future__, ast
        text = open("annotated.py").read()
        names = {}
        exec(compile(text, "annotated.py", "exec", __future__.annotations.compiler_flag), names)
        print(names["function"].__annotations__)
        tree = compile(text, "annotated.py", "exec", ast.PyCF_ONLY_AST)
        print(ast.dump(tree)[:60])
        for optimize in (-1, 0, 1, 2):
            names = {}
            exec(compile(text, "annotated.py", "exec", optimize=optimize), names)
            print(names["function"].__doc__, names["asserted"])
        print(eval(compile("1 + 1", "annotated.py", "eval")))
        exec(compile("print(3)", "annotated.py", "single"))
    """,
    "from C": """
        import functools, _thread, threading
        text = open("annotated.py").read()
        for code in map(compile, [text], ["annotated.py"], ["exec"]):
            print(code.co_filename, code.co_name)
        print(functools.partial(compile, mode="exec")("x = 1", "annotated.py").co_names)
        codes = []
        args = (text, "annotated.py", "exec")
        thread = threading.Thread(target=lambda: codes.append(compile(*args)))
        thread.start()
        thread.join()
        done = threading.Lock()
        done.acquire()
        class Text(str):
            def __del__(self):
                done.release()
        _thread.start_new_thread(compile, (Text("x = 1"), "<s>", "exec"))
        done.acquire(timeout=1)  # without the interpreter lock it is not let go of
        print(len(codes))
    """,
    "warnings": """
        import sys, warnings
        text = open("warned.py").read()
        for _ in range(2):
            exec(compile(text, "warned.py", "exec"))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            compile(text, "warned.py", "exec")
            compile(text, "./warned.py", "exec")
        print([(w.category.__name__, w.filename, w.lineno) for w in caught])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                compile(text, "warned.py", "exec")
            except SyntaxError as error:
                print(error.filename, error.lineno)
    """,
    "stored code": """
        import compileall, marshal, os, py_compile, sys
        path = py_compile.compile("annotated.py", cfile="annotated.pyc", doraise=True)
        code = marshal.loads(open(path, "rb").read()[16:])
        names = {}
        exec(code, names)
        print(names["function"].__name__, code.co_filename)
        print(compileall.compile_file("annotated.py", quiet=1, legacy=True, force=True))

        from importlib.machinery import SourceFileLoader
        from importlib.util import module_from_spec, spec_from_file_location

        class Loader(SourceFileLoader):
            def source_to_code(self, data, path, *others, **options):
                return compile(data, path, "exec", dont_inherit=True)

        sys.dont_write_bytecode = False
        for _ in range(2):
            loader = Loader("own", "annotated.py")
            spec = spec_from_file_location("own", "annotated.py", loader=loader)
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            print(module.function.__name__)
    """,
    "tools that look": """
        import dis, doctest, inspect, symtable, trace
        from coverage.parser import PythonParser
        print(sorted(trace._find_executable_linenos("annotated.py"), key=str))
        parser = PythonParser(filename="annotated.py")
        parser.parse_source()
        print(sorted(parser.statements))
        print(symtable.symtable(open("annotated.py").read(), "annotated.py", "exec").get_symbols())
        import annotated
        print(doctest.testmod(annotated))
        print(inspect.getsource(annotated.function))
    """,
}

FILES = {
    "annotated.py": '''
        def function(x: int = 1) -> "str":
            """Documented.

            >>> function()
            1
            """
            return x

        asserted = False
        try:
            assert False
        except AssertionError:
            asserted = True
    ''',
    "warned.py": """
        x = 1
        if x is 1:
            y = 2
    """,
    "broken.py": "def f(:\n",
    "raising.py": """
        def deeper():
            return 1 / 0
        deeper()
    """,
    "subject.py": "x = 2\n",
}


@pytest.mark.parametrize("program", TRANSPARENT.values(), ids=TRANSPARENT)
def test_compile_is_as_it_was(program: str, tmp_path: Path) -> None:
    """Results, exceptions, tracebacks, warnings and inherited flags are those without us."""
    assert_same(tmp_path, {**FILES, "prog.py": program})


def test_the_programs_own_compile_stays(tmp_path: Path) -> None:
    """Who replaces `compile` while we measure finds what he put there."""
    program = """
        import atexit, builtins
        before = builtins.compile

        def own(*args, **kwargs):
            return before(*args, **kwargs)

        builtins.compile = own
        atexit.register(lambda: print(builtins.compile is own))
        exec(compile(open("subject.py").read(), "subject.py", "exec"))
        print(x)
    """
    assert_same(tmp_path, {**FILES, "prog.py": program}, subject="subject.py")


def test_warm_and_cold(tmp_path: Path) -> None:
    """The second run takes the code from the cache: same facts, same warnings."""
    program = """
        exec(compile(open("warned.py").read(), "warned.py", "exec"))
        import runpy
        runpy.run_path("./warned.py")
    """
    write_files(tmp_path, {**FILES, "prog.py": program})
    plain = run_plain("python", "prog.py", cwd=tmp_path)
    facts = []
    for _ in range(2):
        ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", "."))
        assert ended == plain
        facts.append(recorded_lines(tmp_path, "warned.py"))
    assert facts[0] == facts[1]
    assert set().union(*facts[0].values()) == {1, 2, 3}
    assert len(re.findall("SyntaxWarning", plain.err)) == 2
    assert ast.parse((tmp_path / "warned.py").read_text())
