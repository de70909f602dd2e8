"""Many processes, processes that come and go beside threads, and runs that are not over."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from measured_commands import SCRIPTS, recorded_lines, recorded_outcomes, run_measured
from measured_commands import write_files as write
from whotests.store.reader import Reader
from whotests.types import RunStatus

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")

WORK = "".join(f"def part_{number}():\n    return {number}\n" for number in range(200))
PATH = "product/work.py"
PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")


def project(folder: Path, tests: str) -> None:
    write(
        folder,
        {
            "pyproject.toml": "[project]\nname = 'product'\n",
            "product/__init__.py": "",
            PATH: WORK,
            "test_it.py": tests,
        },
    )


def size_of(folder: Path) -> int:
    return (folder / ".whotests" / "data.db").stat().st_size


def test_many_processes_leave_one_run_of_no_size(tmp_path: Path) -> None:
    """150 forks of one test: all facts are there, and the file is hardly larger than of one."""
    tests = """
        import os, pytest
        from product import work

        @pytest.mark.parametrize("count", [COUNT])
        def test_it(count):
            for number in range(count):
                pid = os.fork()
                if not pid:
                    getattr(work, f"part_{number % 50}")()
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
    """
    project(tmp_path, tests.replace("COUNT", "50"))
    assert run_measured(*PYTEST, cwd=tmp_path, options=("--source", "product")).status == 0
    few = size_of(tmp_path)
    project(tmp_path, tests.replace("COUNT", "150"))
    done = run_measured(*PYTEST, cwd=tmp_path, options=("--source", "product"))
    assert (done.status, done.err) == (0, "")
    lines = recorded_lines(tmp_path, PATH)["test_it.py::test_it[150]|call"]
    assert lines == {2 * number + 2 for number in range(50)}
    assert size_of(tmp_path) <= few
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        assert len(reader.runs) == 1
        assert sum(context.test is not None for context in reader.contexts()) == 1


def test_forks_beside_busy_threads(tmp_path: Path) -> None:
    """Threads that run measured code, and a flusher at work, block no fork and lose nothing."""
    project(
        tmp_path,
        """
        import os, threading, time
        from product import work
        from product.work import part_0

        def test_it():
            go = True
            def busy():
                while go:
                    for number in range(50, 100):
                        getattr(work, f"part_{number}")()
            threads = [threading.Thread(target=busy) for _ in range(4)]
            for thread in threads:
                thread.start()
            ended = time.monotonic() + 4
            number = 0
            while time.monotonic() < ended or number < 50:
                pid = os.fork()
                if not pid:
                    getattr(work, f"part_{100 + number % 50}")()
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
                number += 1
            go = False
            for thread in threads:
                thread.join()
        """,
    )
    done = run_measured(*PYTEST, "-W", "ignore", cwd=tmp_path, options=("--source", "product"))
    assert (done.status, done.err) == (0, ""), done.out
    lines = recorded_lines(tmp_path, PATH)["test_it.py::test_it|call"]
    assert lines >= {2 * number + 2 for number in range(50, 150)}


def test_processes_of_threads(tmp_path: Path) -> None:
    """Threads that start programs at once hand over to each of them."""
    project(
        tmp_path,
        """
        import subprocess, sys
        from concurrent.futures import ThreadPoolExecutor

        def start(number):
            code = f"from product.work import part_{number} as part; part()"
            return subprocess.run([sys.executable, "-c", code]).returncode

        def test_it():
            with ThreadPoolExecutor(4) as pool:
                assert set(pool.map(start, range(12))) == {0}
        """,
    )
    done = run_measured(*PYTEST, cwd=tmp_path, options=("--source", "product"))
    assert (done.status, done.err) == (0, ""), done.out
    lines = recorded_lines(tmp_path, PATH)["test_it.py::test_it|call"]
    assert lines >= {2 * number + 2 for number in range(12)}


def test_what_a_killed_run_and_its_processes_recorded_is_one(tmp_path: Path) -> None:
    """While a run goes on, and after it was killed, its children's facts are its tests'."""
    project(
        tmp_path,
        """
        import os, subprocess, sys, time
        from product import work

        def test_before():
            code = "from product.work import part_1 as part; part()"
            subprocess.run([sys.executable, "-c", code], check=True)

        def test_killed():
            if not os.fork():
                work.part_2()
                open("forked", "w").close()
                time.sleep(60)
                os._exit(0)
            while not os.path.exists("forked"):
                time.sleep(0.01)
            time.sleep(1.2)  # what ran is older than a second now
            open("ready", "w").close()
            time.sleep(60)
        """,
    )
    command = [os.path.join(SCRIPTS, "whotests"), "run", "--source", "product", "--", "pytest"]
    child = subprocess.Popen(
        [*command, "-q", "-p", "no:cacheprovider"], cwd=tmp_path, start_new_session=True
    )
    try:
        for _ in range(600):  # flushed each second; a busy machine takes longer
            if (tmp_path / "ready").exists() and "passed" in recorded_outcomes(tmp_path).values():
                break
            time.sleep(0.1)
        statuses = []
        for killed in (False, True):
            if killed:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            facts = recorded_lines(tmp_path, PATH)
            assert facts["test_it.py::test_before|call"] >= {4}
            assert facts["test_it.py::test_killed|call"] >= {6}
            with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
                (run,) = reader.runs
                statuses.append((run.status, run.killed))
        assert statuses == [(RunStatus.RUNNING, False), (RunStatus.RUNNING, True)]
        outcomes = recorded_outcomes(tmp_path)
        assert outcomes == {
            "test_it.py::test_before": "passed",
            "test_it.py::test_killed": "unknown",
        }
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    # The next run that ends well takes its place.
    project(tmp_path, textwrap.dedent("def test_now():\n    from product import work\n"))
    assert run_measured(*PYTEST, cwd=tmp_path, options=("--source", "product")).status == 0
    assert set(recorded_outcomes(tmp_path)) == {"test_it.py::test_now"}
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        assert len(reader.runs) == 1
