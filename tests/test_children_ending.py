"""How processes of a run end: what is kept, who is told, and what the run is afterwards."""

import sys
from pathlib import Path

import pytest

from measured_commands import Ended, recorded_lines, recorded_outcomes, run_measured, run_plain
from measured_commands import write_files as write
from whotests.store.reader import Reader
from whotests.types import FileState, RunStatus

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")

WORK = """\
def early():
    return 1


def late():
    return 2


def other():
    return 3
"""
EARLY, LATE, OTHER = 2, 6, 10
PATH = "product/work.py"


def project(folder: Path, tests: str, **files: str) -> None:
    write(
        folder,
        {
            "pyproject.toml": "[project]\nname = 'product'\n",
            "product/__init__.py": "",
            "product/unused.py": "one = 1\n",
            PATH: WORK,
            "test_it.py": "import os, signal, subprocess, sys, time\n" + tests,
            **{f"{name}.py": text for name, text in files.items()},
        },
    )


def pytest_in(folder: Path, *words: str, options: tuple[str, ...] = ()) -> Ended:
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)
    return run_measured(*command, cwd=folder, options=("--source", "product", *options))


def children_of(folder: Path, test: str, lines: set[int]) -> set[int]:
    """Those of the lines that the call of the test ran."""
    return recorded_lines(folder, PATH).get(f"test_it.py::{test}|call", set()) & lines


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
def test_a_killed_child_keeps_what_is_older_than_a_second(tmp_path: Path, number: str) -> None:
    """A signal ends a child: what it had run a second before counts for the test."""
    project(
        tmp_path,
        f"""
def test_kill():
    code = "from product.work import early as e; e(); print(1, flush=True); import time; "
    words = [sys.executable, "-c", code + "time.sleep(60)"]
    child = subprocess.Popen(words, stdout=subprocess.PIPE)
    child.stdout.readline()
    time.sleep(1.1)
    child.send_signal(signal.{number})
    child.wait()
    child.stdout.close()

def test_kill_forked():
    from product import work
    pid = os.fork()
    if not pid:
        work.late()
        time.sleep(60)
    time.sleep(1.1)
    os.kill(pid, signal.{number})
    os.waitpid(pid, 0)
""",
    )
    done = pytest_in(tmp_path)
    assert (done.status, done.err) == (0, ""), done.out
    assert children_of(tmp_path, "test_kill", {EARLY, LATE}) == {EARLY}
    assert children_of(tmp_path, "test_kill_forked", {EARLY, LATE}) == {LATE}
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        assert len(reader.runs) == 1


def test_a_handler_that_raises_while_a_child_writes(tmp_path: Path) -> None:
    """A signal's handler may raise in the middle of a write of ours: the next ones go on."""
    project(
        tmp_path,
        """
def raise_in_write(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_name == "write" and code.co_filename.endswith("flusher.py"):
        sys.setprofile(None)
        raise KeyboardInterrupt

def work(pipe):
    from product import work
    work.early()
    sys.setprofile(raise_in_write)
    try:
        pipe.send(1)
    except KeyboardInterrupt:
        pass
    work.late()
    pipe.send(2)
    os.kill(os.getpid(), signal.SIGKILL)

def test_pool():
    import multiprocessing
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.get_context("fork").Process(target=work, args=(theirs,)).start()
    assert ours.recv() == 2
""",
    )
    done = pytest_in(tmp_path)
    assert (done.status, done.err) == (0, ""), done.out
    assert children_of(tmp_path, "test_pool", {EARLY, LATE}) == {EARLY, LATE}


def test_ends_of_forked_children(tmp_path: Path) -> None:
    """All is kept of a fork that leaves by an exception's way out, by `os._exit` or by `exec`."""
    script = """
        import os, sys
        from product import work

        for number, function in enumerate((work.early, work.late, work.other)):
            pid = os.fork()
            if not pid:
                function()
                if number == 0:
                    sys.exit(4)
                if number == 1:
                    os._exit(5)
                os.execv("/bin/sh", ["sh", "-c", "exit 6"])
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    project(tmp_path, "", script=script)
    done = run_measured("python", "script.py", cwd=tmp_path, options=("--source", "product"))
    assert (done.status, done.out, done.err) == (0, "4\n5\n6\n", "")
    assert recorded_lines(tmp_path, PATH)[""] >= {EARLY, LATE, OTHER}


def test_a_command_that_becomes_another_program(tmp_path: Path) -> None:
    """A command that replaces itself by another Python goes on in the same run."""
    script = """
        import os, sys
        from product import work

        if sys.argv[1:] == ["again"]:
            work.late()
        else:
            work.early()
            os.execv(sys.executable, [sys.executable, "script.py", "again"])
    """
    project(tmp_path, "", script=script)
    done = run_measured("python", "script.py", cwd=tmp_path, options=("--source", "product"))
    assert (done.status, done.out, done.err) == (0, "", "")
    assert recorded_lines(tmp_path, PATH)[""] >= {EARLY, LATE}
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        assert [run.status for run in reader.runs] == [RunStatus.FINISHED]


def test_a_child_that_outlives_the_run(tmp_path: Path) -> None:
    """A daemon that ends after the run takes itself into it."""
    project(
        tmp_path,
        """
def test_daemon():
    code = "import time; from product.work import early as e, late; e(); time.sleep(2.5); late()"
    subprocess.Popen([sys.executable, "-c", code])
    time.sleep(0.2)
    subprocess._active.clear()
""",
    )
    done = pytest_in(tmp_path, "-W", "ignore")
    assert done.status == 0
    import time

    for _ in range(100):
        if children_of(tmp_path, "test_daemon", {LATE}):
            break
        time.sleep(0.1)
    assert children_of(tmp_path, "test_daemon", {EARLY, LATE}) == {EARLY, LATE}
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        assert [run.status for run in reader.runs] == [RunStatus.FINISHED]


def test_files_that_only_a_child_imports_are_measured(tmp_path: Path) -> None:
    """They count as measured, nothing is said of them, and those that nothing imports are named."""
    project(
        tmp_path,
        """
def test_it():
    subprocess.run([sys.executable, "-c", "from product.work import early; early()"], check=True)
""",
    )
    done = pytest_in(tmp_path)
    assert (done.status, done.err) == (0, ""), done.out
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        states = {file.path: file.state for file in reader.files}
    assert states == {
        "product/__init__.py": FileState.MEASURED,
        PATH: FileState.MEASURED,
        "product/unused.py": FileState.NOT_IMPORTED,
    }


def test_a_child_that_cannot_record_is_told_of(tmp_path: Path) -> None:
    """A child whose contexts cannot be written makes the run incomplete, with the reason."""
    project(
        tmp_path,
        """
def test_it():
    code = '''
from product.work import early
early()
from whotests.recording.session import current
current().fail(ValueError("it is broken"))
'''
    subprocess.run([sys.executable, "-c", code], check=True)
""",
    )
    done = pytest_in(tmp_path)
    assert done.status == 3
    assert done.err.startswith("whotests: the data is incomplete: process ")
    assert "it is broken" in done.err
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        (run,) = reader.runs
    assert run.status is RunStatus.INCOMPLETE
    assert "it is broken" in run.note


def test_a_run_within_a_test_is_its_own(tmp_path: Path) -> None:
    """A test that runs whotests itself gets a data file that knows nothing of the outer run."""
    inner = "def test_inner():\n    from product.work import late\n    late()\n"
    project(
        tmp_path,
        """
import shutil
def test_outer():
    from product.work import early
    early()
    words = [sys.executable, "-m", "pytest", "-q", "--whotests=product", "-p", "no:cacheprovider"]
    done = subprocess.run([*words, "test_inner.py"], cwd="inner", env={**os.environ})
    assert done.returncode == 0
""",
    )
    project(tmp_path / "inner", "", test_inner=inner)
    done = pytest_in(tmp_path, "test_it.py")
    assert done.status == 0, done.out + done.err
    assert recorded_outcomes(tmp_path) == {"test_it.py::test_outer": "passed"}
    assert recorded_outcomes(tmp_path / "inner") == {"test_inner.py::test_inner": "passed"}
    assert children_of(tmp_path, "test_outer", {EARLY, LATE}) == {EARLY}
    assert LATE in recorded_lines(tmp_path / "inner", PATH)["test_inner.py::test_inner|call"]


def test_the_plugin_hands_over_too(tmp_path: Path) -> None:
    """`pytest --whotests` measures the children of its tests."""
    project(
        tmp_path,
        """
def test_it():
    subprocess.run([sys.executable, "-c", "from product.work import early; early()"], check=True)
""",
    )
    words = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--whotests=product")
    done = run_plain(*words, cwd=tmp_path)
    assert done.status == 0, done.out + done.err
    assert children_of(tmp_path, "test_it", {EARLY, LATE}) == {EARLY}


def test_a_program_sees_the_environment_that_it_sees_without_us(tmp_path: Path) -> None:
    """A child Python's variables, and those that a test gives another program, are the same."""
    project(
        tmp_path,
        """
def test_it():
    code = "import os; print(sorted(os.environ)); os.system('env | cut -d= -f1 | sort')"
    python = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    given = {"PATH": os.environ["PATH"], "ONE": "1"}
    env = subprocess.run(["env"], env=given, capture_output=True, text=True)
    with open("seen", "w") as file:
        print(python.stdout.replace("WHOTESTS_PART\\n", ""), env.stdout, python.stderr, file=file)
        print(sorted(os.environ), sorted(os.environb), file=file)
""",
    )
    words = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert run_plain(*words, cwd=tmp_path).status == 0
    plain = (tmp_path / "seen").read_text()
    assert pytest_in(tmp_path).status == 0
    assert (tmp_path / "seen").read_text() == plain
    assert "['" in plain
