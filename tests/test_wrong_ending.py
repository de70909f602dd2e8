"""Runs that are killed, interrupted or forked lose nothing that was a second old."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from measured_commands import (
    SCRIPTS,
    recorded_lines,
    recorded_outcomes,
    run_measured,
    run_plain,
    write_files,
)
from same_programs import assert_same
from whotests.store.reader import Reader

DATA = Path(".whotests", "data.db")

KILLS = int(os.environ.get("WHOTESTS_KILLS", "25"))
"""Runs that are killed; `make compat` kills 200."""

SLOW = """
    import os, sys, time, unittest
    import subject
    class T(unittest.TestCase):
        def tearDown(self):
            os.write(1, f"{self.id()} {time.time()}\\n".encode())
    def make(n):
        def test(self):
            getattr(subject, f"f{n % 50}")(n)
            time.sleep(LENGTHS[n % len(LENGTHS)])
        return test
    LENGTHS = (0.001, 0.002, 0.05, 0.0, 0.01, 0.3, 0.0, 0.02)
    for n in range(2000):
        setattr(T, f"test_{n:04}", make(n))
"""
SUBJECT = "".join(f"def f{n}(x):\n    return x + {n}\n" for n in range(50))


def start(*words: str, cwd: Path, plain: bool = False) -> "subprocess.Popen[str]":
    """A measured command, running."""
    measured = [sys.executable, "-P", "-m", "whotests", "run", "--", *words]
    path = SCRIPTS + os.pathsep + os.environ["PATH"]
    inherited = {
        name: v for name, v in os.environ.items() if not name.startswith(("PYTEST", "COV"))
    }
    return subprocess.Popen(
        [sys.executable, *words[1:]] if plain else measured,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=_hear_interrupts if os.name == "posix" else None,
    )


def _hear_interrupts() -> None:
    """What a shell starts in the background does not, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def killed_once(folder: Path, after: float) -> int:
    """Kills a run some time after its first test, and looks at what it left behind.

    Returns how many tests had ended more than a second before.
    """
    folder.mkdir()
    write_files(folder, {"subject.py": SUBJECT, "test_slow.py": SLOW})
    process = start("python", "-m", "unittest", "test_slow", cwd=folder)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, process.communicate()
    time.sleep(after)
    killed_at = time.time()
    process.kill()
    output, _ = process.communicate(timeout=30)
    ended = dict(line.split() for line in (first + output).splitlines() if line.count(" ") == 1)
    due = {name for name, moment in ended.items() if float(moment) < killed_at - 1}
    with Reader.open(folder / DATA) as reader:
        assert [run.killed for run in reader.runs] == [True]
    outcomes = recorded_outcomes(folder)
    assert due <= {name for name, outcome in outcomes.items() if outcome == "passed"}
    lines = recorded_lines(folder, "subject.py")
    for name in due:
        number = int(name[-4:]) % 50
        assert lines[f"{name}|call"] == {2 * number + 2}, name
    return len(due)


def test_killed_runs_keep_what_was_a_second_old(tmp_path: Path) -> None:
    """SIGKILL at random moments: the tests that had ended a second before are there."""
    chance = random.Random()
    moments = [chance.uniform(0.0, 2.0) for _ in range(KILLS)]
    folders = [tmp_path / str(number) for number in range(KILLS)]
    with ThreadPoolExecutor(5) as several:
        assert sum(several.map(killed_once, folders, moments)) > 0


def test_killed_run_is_marked_and_the_next_one_is_fine(tmp_path: Path) -> None:
    """`status` and `report` tell of it, it removes no older run, and the next one does."""
    quick = SLOW.replace("range(2000)", "range(5)")
    write_files(tmp_path, {"subject.py": SUBJECT, "test_slow.py": quick})
    words = ("python", "-m", "unittest", "test_slow")
    assert run_measured(*words, cwd=tmp_path).status == 0
    write_files(tmp_path, {"test_slow.py": SLOW})
    process = start(*words, cwd=tmp_path)
    assert process.stdout is not None
    for _ in range(8):
        process.stdout.readline()
    time.sleep(1.1)
    process.kill()
    process.communicate(timeout=30)
    shown = run_plain("python", "-P", "-m", "whotests", "status", cwd=tmp_path)
    assert (shown.status, "2 runs" in shown.out, "killed" in shown.out) == (0, True, True)
    report = run_plain("python", "-P", "-m", "whotests", "report", "--json", cwd=tmp_path)
    assert len(json.loads(report.out)["incomplete_runs"]) == 1
    assert "test_slow.T.test_0004" in recorded_outcomes(tmp_path)
    write_files(tmp_path, {"test_slow.py": quick})
    assert run_measured(*words, cwd=tmp_path).status == 0
    assert set(recorded_outcomes(tmp_path)) == {f"test_slow.T.test_000{n}" for n in range(5)}
    assert sorted(os.listdir(tmp_path / ".whotests")) == [".gitignore", "cache", "data.db"]


INTERRUPTED = {
    "subject.py": SUBJECT,
    "test_slow.py": SLOW,
    "prog.py": """
        import time
        import subject
        def wait():
            subject.f1(1)
            print("ready", flush=True)
            while True:
                time.sleep(0.01)
        wait()
    """,
}

RUNNERS = {
    "pytest": ("python", "-m", "pytest", "-sq", "-p", "no:cacheprovider", "test_slow.py"),
    "unittest": ("python", "-m", "unittest", "test_slow"),
    "script": ("python", "prog.py"),
}


@pytest.mark.parametrize(
    ("runner", "kind"),
    [*((runner, signal.SIGINT) for runner in RUNNERS), ("unittest", signal.SIGTERM)],
)
def test_interrupted_run_keeps_what_ran(tmp_path: Path, runner: str, kind: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the command as without us, and what ran is kept."""
    write_files(tmp_path, INTERRUPTED)
    ends = []
    for plain in (True, False):
        process = start(*RUNNERS[runner], cwd=tmp_path, plain=plain)
        assert process.stdout is not None
        line = process.stdout.readline()
        while line and not line.startswith(("test_slow", "ready")):
            line = process.stdout.readline()
        time.sleep(0.1 if plain else 0.9)
        process.send_signal(kind)
        _, errors = process.communicate(timeout=30)
        assert "whotests:" not in errors
        ends.append(process.returncode)
    assert ends[0] == ends[1]
    with Reader.open(tmp_path / DATA) as reader:
        (run,) = reader.runs
        assert not run.complete
        assert run.killed == (kind is signal.SIGTERM)
    lines = recorded_lines(tmp_path, "subject.py")
    if runner == "script":
        assert 4 in lines[""]
    else:
        assert {"passed"} <= set(recorded_outcomes(tmp_path).values())
        assert any(name.endswith("test_0000|call") for name in lines)


def test_exit_without_cleaning_up_keeps_what_was_written(tmp_path: Path) -> None:
    """`os._exit` in a test ends the process at once, with its status; the run counts as killed."""
    suite = """
        import os, time, unittest
        import subject
        class T(unittest.TestCase):
            def test_a(self): subject.f1(1)
            def test_b(self): time.sleep(1.0)
            def test_c(self): os._exit(7)
    """
    write_files(tmp_path, {"subject.py": SUBJECT, "test_exits.py": suite})
    ended = run_measured("python", "-m", "unittest", "test_exits", cwd=tmp_path)
    assert ended.status == 7
    assert recorded_outcomes(tmp_path)["test_exits.T.test_a"] == "passed"
    with Reader.open(tmp_path / DATA) as reader:
        assert [run.killed for run in reader.runs] == [True]


FORKS = """
    import multiprocessing, os, sys, time, unittest
    import subject

    def work(x):
        return subject.f3(x)

    class T(unittest.TestCase):
        def wait(self, pid):
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        def test_exits(self):
            for code in (0, 3):
                pid = os.fork()
                if pid == 0:
                    subject.f1(1)
                    os._exit(code)
                self.assertEqual(self.wait(pid), code)
        def test_exits_properly(self):
            pid = os.fork()
            if pid == 0:
                subject.f2(1)
                sys.exit(4)
            self.assertEqual(self.wait(pid), 4)
        def test_long_child(self):
            pid = os.fork()
            if pid == 0:
                time.sleep(0.8)
                os._exit(0)
            time.sleep(0.8)
            subject.f5(1)
            self.assertEqual(self.wait(pid), 0)
        def test_processes(self):
            with multiprocessing.get_context("fork").Pool(2) as pool:
                self.assertEqual(pool.map(work, [1, 2]), [4, 5])
            process = multiprocessing.get_context("fork").Process(target=work, args=(1,))
            process.start()
            process.join()
            self.assertEqual(process.exitcode, 0)
        def test_subprocess(self):
            import subprocess
            done = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True)
            self.assertEqual(done.stdout, b"1\\n")
            subject.f4(1)
    if __name__ == "__main__":
        from unittest import mock
        sys.stderr = sys.stdout
        with mock.patch("time.perf_counter", lambda: 0.0):
            unittest.main()
"""


def test_forks_are_the_same(tmp_path: Path) -> None:
    """Children of all kinds end as without us, warn of nothing new, and write nothing."""
    files = {"subject.py": SUBJECT, "prog.py": FORKS}
    assert_same(tmp_path, files, "python", "-W", "error", "prog.py", status=None)
    outcomes = recorded_outcomes(tmp_path)
    assert outcomes["__main__.T.test_long_child"] == "passed"
    lines = recorded_lines(tmp_path, "subject.py")
    assert lines["__main__.T.test_long_child|call"] == {12}
    assert lines["__main__.T.test_subprocess|call"] == {10}
    with Reader.open(tmp_path / DATA) as reader:
        (run,) = reader.runs
        assert run.ended is not None


STOPPED_CLOCKS = """
    import os, signal, sys, time, unittest
    import subject
    real = {function: 0.0 for function in (time.time, time.monotonic, time.perf_counter)}
    for module in list(sys.modules.values()):  # as freezegun does
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if type(value) is type(time.time) and value in real:
                setattr(module, name, lambda: 1.0)
    class T(unittest.TestCase):
        def test_one(self):
            subject.f1(1)
        def test_two(self):
            time.sleep(1.5)
            os.kill(os.getpid(), signal.SIGKILL)
"""


def test_stopped_clocks_stop_no_writing(tmp_path: Path) -> None:
    """A program that stops the time for itself, in every module, does not for us."""
    write_files(tmp_path, {"subject.py": SUBJECT, "test_it.py": STOPPED_CLOCKS})
    ended = run_measured(
        "python", "-m", "unittest", "test_it", cwd=tmp_path, options=("--source", "subject.py")
    )
    assert ended.status == -signal.SIGKILL
    assert recorded_lines(tmp_path, "subject.py")["test_it.T.test_one|call"] == {4}
    with Reader.open(tmp_path / DATA) as reader:
        (run,) = reader.runs
    assert time.time() - run.heartbeat < 60
