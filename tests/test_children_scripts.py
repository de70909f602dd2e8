"""A child that is started with a script of the source runs it measured, and sees no difference."""

import sys
from pathlib import Path

import pytest

from measured_commands import recorded_lines, run_measured, run_plain
from measured_commands import write_files as write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="exit statuses of signals")

SCRIPT = """\
import atexit
import inspect
import sys


def work():
    return [frame.function for frame in inspect.stack() if frame.filename == __file__]


names = ("__name__", "__spec__", "__package__", "__doc__", "__file__", "__builtins__")
print(sys.argv, sys.path[0] == sys.path[1], sys.path[0], sys.orig_argv[1:])
print({name: str(globals().get(name)) for name in names}, __loader__.name, work())
print(sys.modules["__main__"].__dict__ is globals(), "runpy" in sys.modules)
atexit.register(lambda: print("at the end", sorted(globals()), __spec__, sys.path[0]))
if "status" in sys.argv:
    sys.exit(7)
if "words" in sys.argv:
    sys.exit("no")
if "error" in sys.argv:
    raise ValueError("wrong")
if "interrupt" in sys.argv:
    raise KeyboardInterrupt
"""
TESTS = """\
import subprocess, sys, pytest

@pytest.mark.parametrize("how", ["", "status", "words", "error", "interrupt"])
@pytest.mark.parametrize("options", [[], ["-P"], ["-I", "-W", "error"]], ids=str)
def test_script(how, options):
    words = [sys.executable, *options, "tools/script.py", how]
    done = subprocess.run(words, capture_output=True, text=True)
    with open(f"seen{sys.argv[-1]}", "a") as file:
        print(how, options, done.returncode, done.stdout, done.stderr, file=file)
"""


def test_a_script_of_the_source_is_measured_and_sees_no_difference(tmp_path: Path) -> None:
    """Output, status, traceback and what a script sees of itself are the same; its lines count."""
    write(tmp_path, {"tools/script.py": SCRIPT, "test_it.py": TESTS})
    words = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py", "-k")
    plain = run_plain(*words, "test_script", cwd=tmp_path)
    assert plain.status == 0, plain.out
    first = (tmp_path / "seentest_script").read_text()
    (tmp_path / "seentest_script").unlink()
    options = ("--source", "tools")
    measured = run_measured(*words, "test_script", cwd=tmp_path, options=options)
    assert (measured.status, measured.err) == (0, ""), measured.out
    assert (tmp_path / "seentest_script").read_text() == first
    facts = recorded_lines(tmp_path, "tools/script.py")
    common = {1, 2, 3, 6, 7, 10, 11, 12, 13, 14, 15}
    for ids in ("[]", "['-P']", "['-I', '-W', 'error']"):
        name = f"test_it.py::test_script[{ids}-%s]|call"
        assert facts[name % ""] == common | {17, 19, 21}
        assert facts[name % "status"] == common | {16}
        assert facts[name % "error"] == common | {17, 19, 20}
        assert facts[name % "interrupt"] == common | {17, 19, 21, 22}


MAIN = """
import multiprocessing, os, sys

def by_child():
    return os.getpid()

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        assert pool.apply(by_child) != os.getpid()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_the_main_script_in_processes_of_multiprocessing(method: str, tmp_path: Path) -> None:
    """A function of the command's own script is measured in a worker, too."""
    write(tmp_path, {"script.py": MAIN})
    options = ("--source", "script.py")
    done = run_measured("python", "script.py", method, cwd=tmp_path, options=options)
    assert (done.status, done.err) == (0, "")
    assert recorded_lines(tmp_path, "script.py")[""] == {1, 3, 4, 6, 7, 8, 9}
