"""What hands over to other processes looks and fails like what it stands for."""

import sys
from pathlib import Path

import pytest

from measured_commands import run_measured, run_plain
from measured_commands import write_files as write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="functions of Unix")

SCRIPT = """
    import inspect, os, pickle, posix, subprocess, sys
    from multiprocessing import spawn
    from multiprocessing.connection import Connection

    functions = [getattr(os, name) for name in (
        "posix_spawn", "posix_spawnp", "execv", "execve", "system", "_exit"
    )]
    functions += [subprocess._fork_exec, spawn.prepare, spawn.get_preparation_data]
    functions.append(Connection._send_bytes)
    for function in functions:
        names = function.__module__, function.__name__, function.__qualname__, function.__doc__
        try:
            signature = inspect.signature(function)
        except ValueError as error:
            signature = error
        home = sys.modules[function.__module__]
        print(names, signature, pickle.loads(pickle.dumps(function)) is function)

    def tried(call):
        try:
            print(call())
        except Exception as error:
            print(type(error), error)

    wrong = [(), (1,), ("x", "y"), ("/nowhere", ["a"]), (b"/nowhere", ["a"], {}), (1,) * 4]
    for arguments in wrong:
        for name in ("execv", "execve", "posix_spawn", "system", "_exit"):
            if (name, len(arguments)) not in [("_exit", 1), ("system", 1)]:
                tried(lambda: getattr(os, name)(*arguments))
    programs = [("/nowhere", None), ("/bin/true", {"a=b": "c"}), ("/bin/true", {"a": "\\0"})]
    for path, given in programs:
        tried(lambda: subprocess.run([path], env=given))
        tried(lambda: subprocess.run([path], env=given, close_fds=False))
    tried(lambda: os.execvp("nowhere-at-all", ["x"]))
    tried(lambda: subprocess.run([sys.executable, "-c", "1/0"], preexec_fn=lambda: 1 / 0))
    given = {"ONE": "1"}
    for command in (["env"], [sys.executable, "-c", "import os; print(dict(os.environ))"]):
        print(subprocess.run(command, env=given, capture_output=True, text=True).stdout, given)
"""


def test_a_program_finds_no_difference(tmp_path: Path) -> None:
    """Names, signatures, pickles, errors and given environments are those of a plain run."""
    write(tmp_path, {"script.py": SCRIPT, "product/__init__.py": ""})
    plain = run_plain("python", "script.py", cwd=tmp_path)
    measured = run_measured("python", "script.py", cwd=tmp_path, options=("--source", "product"))
    assert plain.status == measured.status == 0, measured.err
    assert measured.out.splitlines() == plain.out.splitlines()
