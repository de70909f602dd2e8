"""Processes that a test starts record for it, whatever way they are started."""

import sys
from pathlib import Path

import pytest

from measured_commands import Ended, recorded_lines, recorded_outcomes, run_measured, run_plain
from measured_commands import write_files as write
from whotests.store.reader import Reader
from whotests.types import RunStatus

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and programs of Unix")

WAYS = {
    "run": "ended(subprocess.run(command))",
    "given_environment": "ended(subprocess.run(command, env={**os.environ, 'MORE': '1'}))",
    "no_environment": "ended(subprocess.run(command, env={}))",
    "by_name": """
        env = {"PATH": os.path.dirname(sys.executable)}
        ended(subprocess.run([os.path.basename(sys.executable), *command[1:]], env=env))
    """,
    "open_files": "ended(subprocess.run(command, close_fds=False))",
    "prepared": "ended(subprocess.run(command, preexec_fn=os.getpid))",
    "shell": "ended(subprocess.run(line, shell=True))",
    "shell_and_environment": "ended(subprocess.run(line, shell=True, env={**os.environ}))",
    "shell_script": "ended(subprocess.run(['sh', script('shell', 'sh', line)]))",
    "python_script": """
        ended(subprocess.run([script("child.py", sys.executable, command[-1])], env=own_path))
    """,
    "system": "assert os.system(line) == 0",
    "popen": "assert os.popen(line).close() is None",
    "posix_spawn": "waited(os.posix_spawn(command[0], command, os.environ))",
    "posix_spawnp": "waited(os.posix_spawnp(command[0], command, {'MORE': '1'}))",
    "spawnv": "assert os.spawnv(os.P_WAIT, command[0], command) == 0",
    "spawnvpe": "assert os.spawnvpe(os.P_WAIT, command[0], command, {}) == 0",
    "fork": "forked(function)",
    "fork_of_fork": "forked(lambda: forked(function))",
    "fork_and_exec": "forked(lambda: os.execv(command[0], command))",
    "fork_and_search": "forked(lambda: os.execvpe(command[0], command, {'PATH': '/nowhere'}))",
    "fork_and_exec_by_keywords": """
        forked(lambda: os.execve(path=command[0], argv=command, env={**os.environ}))
    """,
    "in_thread": """
        thread = threading.Thread(target=lambda: subprocess.run(command))
        thread.start()
        thread.join()
    """,
    "asyncio": """
        async def main():
            process = await asyncio.create_subprocess_exec(*command)
            assert await process.wait() == 0
        asyncio.run(main())
    """,
    "child_of_child": """
        code = f"import subprocess; subprocess.run({command!r}, check=True)"
        ended(subprocess.run([sys.executable, "-c", code]))
    """,
    "fork_of_child": """
        code = "import os; from product.work import NAME\\nif not os.fork(): NAME(); os._exit(0)"
        code = code.replace("NAME", function.__name__) + "\\nos.wait()"
        ended(subprocess.run([sys.executable, "-c", code]))
    """,
    "exit_at_once": """
        code = command[-1] + "; import os; os._exit(3)"
        assert subprocess.run([sys.executable, "-c", code]).returncode == 3
    """,
    "isolated": """
        code = "import sys; sys.path.append('.'); " + command[-1]
        ended(subprocess.run([sys.executable, "-I", "-c", code]))
    """,
}
WAYS |= {
    f"process_{method}": f"""
        process = multiprocessing.get_context("{method}").Process(target=function)
        process.start()
        process.join()
        assert process.exitcode == 0
    """
    for method in ("fork", "spawn", "forkserver")
}
WAYS |= {
    f"pool_{method}": f"""
        with multiprocessing.get_context("{method}").Pool(2) as pool:
            assert pool.map(function, range(3)) == [7, 7, 7]
    """
    for method in ("fork", "spawn", "forkserver")
}
WAYS |= {
    f"executor_{method}": f"""
        context = multiprocessing.get_context("{method}")
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            assert list(pool.map(function, range(3))) == [7, 7, 7]
    """
    for method in ("fork", "spawn", "forkserver")
}
"""The body of a test for each: `function` is to run in a child, `command` and `line` start one."""

HEAD = """
import asyncio
import multiprocessing
import os
import shlex
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from product import work

own_path = {"PYTHONPATH": os.getcwd()}

def ended(process):
    assert process.returncode == 0

def waited(pid):
    assert os.waitpid(pid, 0)[1] == 0

def forked(function):
    pid = os.fork()
    if not pid:
        status = 1
        try:
            function()
            status = 0
        finally:
            os._exit(status)
    waited(pid)

def script(name, program, text):
    if os.path.isabs(program):
        with open(name, "w") as file:
            file.write(f"#!{program}\\n{text}\\n")
        os.chmod(name, 0o755)
        return "./" + name
    with open(name, "w") as file:
        file.write(text + "\\n")
    return name
"""
PATH = "product/work.py"


def source_of(way: str, body: str) -> str:
    """The source of a test that runs `product.work.by_WAY` in a child."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    if body.startswith("\n"):
        lines = "\n".join(line[4:] for line in body.strip("\n").splitlines())
    return (
        f"\ndef test_{way}():\n"
        f"    function = work.by_{way}\n"
        f"    code = 'from product.work import by_{way} as function; function()'\n"
        "    command = [sys.executable, '-c', code]\n"
        "    line = shlex.join(command)\n"
        f"{lines}\n"
        "    assert not [name for name in os.environ if 'WHOTESTS' in name]\n"
    )


def line_of(way: str) -> int:
    """The line that only the child of that way runs."""
    return 2 + 2 * list(WAYS).index(way)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with a function for each way, and a test for each that runs it in a child."""
    folder = tmp_path_factory.mktemp("children")
    write(
        folder,
        {
            "pyproject.toml": "[project]\nname = 'product'\n",
            "product/__init__.py": "",
            PATH: "".join(f"def by_{way}(number=0):\n    return 7\n" for way in WAYS),
            "test_ways.py": HEAD + "".join(source_of(way, body) for way, body in WAYS.items()),
        },
    )
    return folder


def pytest_in(folder: Path, *words: str) -> Ended:
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)
    return run_measured(*command, cwd=folder, options=("--source", "product"))


@pytest.fixture(scope="module")
def facts(project: Path) -> dict[str, set[int]]:
    """The lines of the package by context."""
    done = pytest_in(project)
    assert (done.status, done.err) == (0, ""), done.out + done.err
    return recorded_lines(project, PATH)


@pytest.mark.parametrize("way", WAYS)
def test_what_a_child_runs_counts_for_the_test(way: str, facts: dict[str, set[int]]) -> None:
    """The line that only the child ran is the test's, in its call, and nobody else's."""
    having = [name for name, lines in facts.items() if line_of(way) in lines]
    assert having == [f"test_ways.py::test_{way}|call"]


def test_the_run_is_one(project: Path, facts: dict[str, set[int]]) -> None:
    """In the end there is one run with all tests and their outcomes."""
    assert facts
    with Reader.open(project / ".whotests" / "data.db") as reader:
        assert [run.status for run in reader.runs] == [RunStatus.FINISHED]
        assert all(context.complete for context in reader.contexts())
    outcomes = recorded_outcomes(project)
    assert outcomes == {f"test_ways.py::test_{way}": "passed" for way in WAYS}


def test_lines_are_those_that_coverage_finds(project: Path, facts: dict[str, set[int]]) -> None:
    """All lines together are those of coverage.py with its own support of child processes."""
    pytest.importorskip("coverage", minversion="7.10")
    write(
        project,
        {
            "settings.ini": """
                [run]
                source = product
                parallel = true
                patch = subprocess, fork, _exit, execv
                concurrency = multiprocessing, thread
            """
        },
    )
    # coverage.py hands over by variables of the environment: not where a test gives its own one.
    given = {"no_environment", "by_name", "python_script", "posix_spawnp", "spawnvpe"}
    # A search along PATH ends its measuring at the first place.
    given.add("fork_and_search")
    # It takes no keywords there.
    given.add("fork_and_exec_by_keywords")
    # Workers that a pool ends are lost to it, or hang.
    given |= {way for way in WAYS if way.startswith(("pool_", "executor_"))}
    deselected = [f"--deselect=test_ways.py::test_{way}" for way in given]
    words = ("python", "-m", "coverage")
    rc = "--rcfile=settings.ini"
    done = run_plain(
        *words, "run", rc, "-m", "pytest", "-q", "-p", "no:cacheprovider", *deselected, cwd=project
    )
    assert done.status == 0, done.out + done.err
    assert run_plain(*words, "combine", "-q", rc, cwd=project).status == 0
    from coverage import CoverageData

    data = CoverageData(str(project / ".coverage"))
    data.read()
    theirs = set(data.lines(str(project / PATH)) or ())
    ours = set().union(*facts.values()) - {line_of(way) for way in given}
    assert theirs <= ours
    assert {way for way in WAYS if line_of(way) in ours - theirs} == set()
