"""Trace and profile functions see what they see without us, and a debugger stops where it does."""

import textwrap
from pathlib import Path

import pytest

from measured_commands import run_measured, write_files
from same_programs import assert_same

TRACED = """
    import contextlib, sys

    def walk(items):
        a = 1
        total = 0
        for item in items:
            if item > 2:
                total += item
            elif item:
                if item == 1:
                    continue
            else:
                total -= 1
        else:
            total += 0
        while total:
            total -= 1
            if total < 3:
                if total:
                    break
        try:
            if items:
                with contextlib.suppress(KeyError):
                    x = 1
                    {}[x]
                for item in items:
                    if item:
                        y = item
                1 / 0
            z = 1
        except KeyError:
            pass
        except (ZeroDivisionError,
                OSError):
            if total:
                w = 1
        finally:
            v = 1
        match items:
            case [1, 2]:
                a = 1
            case {}:
                a = 2
        match total:
            case 1:
                if a:
                    pass
            case 100:
                b = 1
        return [total
                for _ in range(1)]

    def one_line(x): y = x; return y

    def raises(x):
        y = x
        if y:
            z = y
        raise ValueError(y)

    def passes(x):
        y = x
        raises(y)
        return y

    def steps(x):
        y = z = x
        try:
            while y:
                z = yield y
                y -= 1
        finally:
            if z:
                y = 0

    def late(x):
        f = lambda y: y + x
        g = (y
             for y in range(x))
        return f(1), list(g)

    def decorated(x):
        @staticmethod
        @(lambda f: f)
        def inner(
            a=x,
        ): return a
        class Local:
            b = x
            if b:
                c = 1
        return inner

    def run():
        print(walk([1, 2, 3, 0]), one_line(1))
        try:
            passes(1)
        except ValueError:
            pass
        print(list(steps(2)), late(2), decorated(1))
        g = steps(3)
        next(g)
        g.close()
"""


# How often a trace function is told of a line may differ: what handles an exception, or ends a
# suite, stands at a line of the source that was passed already.
TRACERS = {
    "settrace": """
        seen, lines = [], set()
        def trace(frame, event, arg):
            if frame.f_code.co_filename != __file__:
                return None
            name = frame.f_code.co_name
            if event == "line":
                lines.add((name, frame.f_lineno))
            else:
                seen.append((name, event, arg[0] if event == "exception" else type(arg)))
            return trace
        sys.settrace(trace)
        run()
        sys.settrace(None)
        print(*seen, sorted(lines), sep="\\n")
    """,
    "setprofile": """
        seen = []
        def profile(frame, event, arg):
            if frame.f_code.co_filename == __file__ and not event.startswith("c_"):
                seen.append((frame.f_code.co_name, event, type(arg)))
        sys.setprofile(profile)
        run()
        sys.setprofile(None)
        print(*seen, sep="\\n")
    """,
    "setprofile that is left behind": """
        def profile(frame, event, arg):
            seen[event] = seen.get(event, 0) + 1
        seen = {}
        sys.setprofile(profile)
        run()
        raise ValueError
    """,
    "trace": """
        import trace
        tracer = trace.Trace(count=1, trace=0, ignoredirs=[sys.prefix, sys.exec_prefix])
        tracer.runfunc(run)
        print(sorted(line for (name, line) in tracer.results().counts if name == __file__))
    """,
    "pdb": """
        import io, pdb
        commands = ["b 6", "b 57", "b 64", "b 24", "tb 71, y == 2", "c", "n", "n",
                    "p item", "cl 1", "c", "w", "u", "p x", "l", "c", "p y, z", "s", "c", "c"]
        out = io.StringIO()
        debugger = pdb.Pdb(stdin=io.StringIO("\\n".join(commands) + "\\n"), stdout=out,
                           nosigint=True, readrc=False)
        debugger.use_rawinput = False
        debugger.runcall(run)
        print(out.getvalue())
    """,
}


@pytest.mark.parametrize("name", TRACERS)
def test_tracers_see_the_same(tmp_path: Path, name: str) -> None:
    """Trace and profile functions see the same calls, and a debugger stops at its breakpoints."""
    program = textwrap.dedent(TRACED) + textwrap.dedent(TRACERS[name])
    assert_same(tmp_path, {"prog.py": program}, status=int("left behind" in name))


def test_what_interrupts_code_of_ours_goes_its_way(tmp_path: Path) -> None:
    """What a handler of the program raises in the middle of our code reaches the program."""
    write_files(
        tmp_path,
        {
            "prog.py": """
                import sys
                import whotests

                def give_up(frame, event, argument):
                    if event == "call" and frame.f_code.co_name == "_switch":
                        sys.setprofile(None)
                        raise TimeoutError

                late = False
                sys.setprofile(give_up)  # comes where a signal's handler might
                try:
                    with whotests.context("label"):
                        pass
                except TimeoutError:
                    late = True
                sys.setprofile(None)
                assert late
            """
        },
    )
    done = run_measured("python", "prog.py", cwd=tmp_path)
    assert (done.status, done.out, done.err) == (0, "", "")
