"""A command under measurement ends as it would without: status, output, tracebacks."""

from pathlib import Path

import pytest

from measured_commands import run_measured, run_plain, write_files
from whotests.store.reader import Reader

PROGRAMS = {
    "ends well": "print('done')",
    "raises": """
        def inner():
            raise ValueError("no")
        def outer():
            try:
                inner()
            except ValueError as error:
                raise RuntimeError("worse") from error
        outer()
    """,
    "exits with a number": "import sys; sys.exit(7)",
    "exits with text": "raise SystemExit('bye')",
    "exits with nothing": "raise SystemExit",
    "exits with an object": "raise SystemExit((1, 2))",
    "interrupts itself": """
        def wait():
            raise KeyboardInterrupt
        wait()
    """,
    "cannot be parsed": "x = 1\nx = = 2\n",
    "is not closed": "def f(:\n",
    "has its own excepthook": """
        import sys, traceback
        def hook(kind, error, trace):
            print("mine", kind.__name__, len(traceback.extract_tb(trace)), sys.excepthook is hook)
            print("last", sys.last_value is error, sys.last_traceback is trace)
        sys.excepthook = hook
        def fail(): raise LookupError("x")
        fail()
    """,
    "prints at exit": """
        import atexit
        atexit.register(print, "late")
        print("early")
    """,
    "raises at exit": """
        import atexit
        class Fails:
            def __call__(self): raise ValueError("late")
            def __repr__(self): return "Fails"
        atexit.register(Fails())
    """,
    "waits for a thread": """
        import threading, time
        def work():
            time.sleep(0.05)
            print("worked")
        threading.Thread(target=work).start()
    """,
    "fails in a thread": """
        import threading
        def work(): raise ValueError("in thread")
        thread = threading.Thread(target=work, name="T")
        thread.start(); thread.join()
    """,
    "leaves at once": "import os; print('x', flush=True); os._exit(5)",
    "forks": """
        import os, sys
        pid = os.fork()
        if pid == 0:
            sys.exit(4)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """,
    "starts processes": """
        import multiprocessing
        def double(x): return 2 * x
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(double, [1, 2]))
    """,
    "kills itself": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "warns": "import warnings; warnings.warn('look out')",
    "pickles its own": """
        import pickle
        class A: pass
        print(type(pickle.loads(pickle.dumps(A()))) is A)
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("form", ["script", "module", "code"])
def test_program_ends_as_without_us(tmp_path: Path, name: str, form: str) -> None:
    """Exit status, stdout and stderr are those of plain Python."""
    if form == "code" and name in ("starts processes", "pickles its own"):
        pytest.skip("a program given by -c cannot be imported by another process")
    write_files(tmp_path, {"prog.py": PROGRAMS[name]})
    text = (tmp_path / "prog.py").read_text()
    words = {
        "script": ("python", "prog.py"),
        "module": ("python", "-m", "prog"),
        "code": ("python", "-c", text),
    }[form]
    plain = run_plain(*words, cwd=tmp_path)
    assert run_measured(*words, cwd=tmp_path) == plain


def test_missing_module_is_told_by_python(tmp_path: Path) -> None:
    """`-m` with an unknown module says what Python says."""
    words = ("python", "-m", "no_such_module")
    assert run_measured(*words, cwd=tmp_path) == run_plain(*words, cwd=tmp_path)


def test_incomplete_data_changes_a_good_status_only(tmp_path: Path) -> None:
    """A run whose data file breaks says so once, and ends with 3 where it would end with 0."""
    breaks = "open('.whotests/data.db', 'r+b').truncate(0); {}"
    write_files(tmp_path, {"good.py": breaks.format("pass"), "bad.py": breaks.format("1 / 0")})
    good = run_measured("python", "good.py", cwd=tmp_path)
    assert (good.status, good.err.count("whotests: the data is incomplete: ")) == (3, 1)
    (tmp_path / ".whotests" / "data.db").unlink()
    bad = run_measured("python", "bad.py", cwd=tmp_path)
    assert (bad.status, bad.err.count("whotests: the data is incomplete: ")) == (1, 1)


def test_foreign_data_file_stops_before_the_command(tmp_path: Path) -> None:
    """A data file of another program is named, left alone, and nothing runs."""
    write_files(tmp_path, {"prog.py": "print('ran')", "data.db": "something else entirely"})
    ended = run_measured("python", "prog.py", options=("--data", "data.db"), cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert "data.db" in ended.err
    assert (tmp_path / "data.db").read_text() == "something else entirely"


def test_other_copy_of_the_package_is_told(tmp_path: Path) -> None:
    """A run that imports an installed copy says so at its end and in the data, with what to do."""
    installed = tmp_path / "site" / "shop"
    write_files(
        tmp_path,
        {
            "project/pyproject.toml": "",
            "project/src/shop/__init__.py": "",
            "project/src/shop/basket.py": "x = 1\n",
            "project/test_shop.py": """
                import unittest, shop
                class T(unittest.TestCase):
                    def test_it(self): pass
            """,
            "site/shop/__init__.py": "",
        },
    )
    project = tmp_path / "project"
    env = {"PYTHONPATH": str(tmp_path / "site")}
    ended = run_measured("python", "-m", "unittest", "test_shop", cwd=project, env=env)
    told = (
        f"{project / 'src' / 'shop'} was not measured: the command imported shop from {installed}; "
        f"install the project in editable mode (pip install -e .), or measure that copy with "
        f"--source {installed}"
    )
    assert f"whotests: {told}\n" in ended.err
    assert ended.status == 0
    with Reader.open(project / ".whotests" / "data.db") as reader:
        assert [run.note for run in reader.runs] == [told]
    again = run_measured(
        "python",
        "-m",
        "unittest",
        "test_shop",
        cwd=project,
        env=env,
        options=("--source", str(installed)),
    )
    assert "whotests:" not in again.err


def test_other_copy_is_told_where_another_process_measured_this_one(tmp_path: Path) -> None:
    """What a test's child ran of the project's copy is no reason to say nothing of the other."""
    write_files(
        tmp_path,
        {
            "project/pyproject.toml": "",
            "project/shop/__init__.py": "x = 1\n",
            "project/tests/test_shop.py": """
                import subprocess, sys, shop
                def test_it():
                    subprocess.run([sys.executable, "-c", "import shop"], check=True)
            """,
            "site/shop/__init__.py": "",
        },
    )
    ended = run_measured(
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        cwd=tmp_path / "project",
        env={"PYTHONPATH": str(tmp_path / "site")},
        options=("--source", "shop"),
    )
    assert ended.status == 0, ended.out
    assert "was not measured: the command imported shop from" in ended.err
    with Reader.open(tmp_path / "project" / ".whotests" / "data.db") as reader:
        assert [file.path for file in reader.files] == ["shop/__init__.py"]


def test_tests_that_import_nothing_of_the_source_are_told(tmp_path: Path) -> None:
    """Where nothing was measured, the end of the run says what to do about it."""
    write_files(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/basket.py": "x = 1\n",
            "test_it.py": "def test_it(): pass\n",
        },
    )
    told = (
        "whotests: none of the 2 source files was imported, so nothing was measured; "
        "name what the tests import with --source PATH|PACKAGE\n"
    )
    pytest_words = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert told in run_measured(*pytest_words, cwd=tmp_path).err
    assert told in run_plain(*pytest_words, "--whotests", cwd=tmp_path).out
    assert "whotests:" not in run_measured("python", "-c", "pass", cwd=tmp_path).err
