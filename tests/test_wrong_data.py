"""What whotests says and does when its data is missing, damaged, stale, or cannot be written."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from measured_commands import (
    Ended,
    recorded_lines,
    recorded_outcomes,
    run_measured,
    run_plain,
    write_files,
)

SUITE = {
    "subject.py": """
        def double(x):
            return 2 * x
    """,
    "test_it.py": """
        import unittest
        from subject import double
        class T(unittest.TestCase):
            def test_one(self):
                self.assertEqual(double(1), 2)
            def test_two(self):
                self.assertEqual(double(2), 4)
    """,
}
UNITTEST = ("python", "-m", "unittest", "test_it")
DATA = Path(".whotests", "data.db")


def ask(*words: str, cwd: Path) -> Ended:
    """A command of whotests."""
    return run_plain("python", "-P", "-m", "whotests", *words, cwd=cwd)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A folder with a small suite that was recorded."""
    write_files(tmp_path, SUITE)
    assert run_measured(*UNITTEST, cwd=tmp_path).status == 0
    return tmp_path


@pytest.mark.parametrize(
    "words", [("who", "subject.py"), ("what", "test_one"), ("report",), ("status",)], ids=" ".join
)
def test_no_data_yet(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Each question says that there is nothing yet and how to record; nothing is made."""
    write_files(tmp_path, SUITE)
    ended = ask(*words, cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("whotests: no data yet: ")
    assert "whotests test" in ended.err
    assert not (tmp_path / ".whotests").exists()


def damaged(data: Path, how: str) -> bytes:
    """Damages a data file; returns what is in it then."""
    content = data.read_bytes()
    if how == "truncated":
        data.write_bytes(content[: len(content) // 2])
    elif how == "foreign text":
        data.write_bytes(b"someone else's, and not to be lost\n" * 100)
    elif how == "foreign database":
        data.unlink()
        with sqlite3.connect(data) as connection:
            connection.execute("CREATE TABLE file (path)")
            connection.execute("INSERT INTO file VALUES ('precious')")
        connection.close()
    else:
        with sqlite3.connect(data) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    return data.read_bytes()


@pytest.mark.parametrize("how", ["truncated", "foreign text", "foreign database", "newer"])
def test_unusable_data_is_refused_and_left_alone(recorded: Path, how: str) -> None:
    """Questions and `run` name the file and end with 2; the command does not run."""
    data = recorded / DATA
    before = damaged(data, how)
    said = {"truncated": "cut short or damaged", "newer": "data version 99"}.get(how, "not a data")
    commands = [ask("who", "subject.py", cwd=recorded), ask("status", cwd=recorded)]
    commands.append(ask("report", "--json", cwd=recorded))
    commands.append(run_measured("python", "-c", "print('ran')", cwd=recorded))
    for ended in commands:
        assert (ended.status, ended.out) == (2, "")
        assert "data.db" in ended.err
        assert said in ended.err
        assert "Traceback" not in ended.err
    assert data.read_bytes() == before


def test_target_that_matches_nothing_names_the_nearest(recorded: Path) -> None:
    """A misspelt function, file or test: status 2, and what was probably meant."""
    for words, near in (
        (("who", "subject.py::dubble"), "double"),
        (("who", "subjct.py"), "subject.py"),
        (("what", "test_onee"), "test_one"),
    ):
        ended = ask(*words, cwd=recorded)
        assert (ended.status, ended.out) == (2, ""), words
        assert near in ended.err


def test_target_that_matches_several_names_them(recorded: Path) -> None:
    """A part of a test id that two tests have: status 2, and both names."""
    ended = ask("what", "test_", cwd=recorded)
    assert (ended.status, ended.out) == (2, "")
    assert "test_one" in ended.err
    assert "test_two" in ended.err


def test_changed_file_is_answered_as_stale(recorded: Path) -> None:
    """The answer is for the lines as they were recorded, and says so."""
    subject = recorded / "subject.py"
    subject.write_text("# a line more\n" + subject.read_text())
    for words in (("who", "subject.py:2"), ("report",), ("status",)):
        ended = ask(*words, cwd=recorded)
        assert ended.status == 0
        assert "stale" in ended.out + ended.err
    ended = ask("who", "subject.py:2", cwd=recorded)
    assert "test_one" in ended.out
    subject.unlink()
    assert "gone" in ask("status", cwd=recorded).out


def test_source_that_does_not_exist_stops_before_the_command(tmp_path: Path) -> None:
    """`--source` is checked first: status 2, and nothing runs."""
    write_files(tmp_path, SUITE)
    for source in ("no/such/folder", "no_such_package"):
        ended = run_measured(
            "python", "-c", "print('ran')", cwd=tmp_path, options=("--source", source)
        )
        assert (ended.status, ended.out) == (2, "")
        assert source in ended.err


def limited(*words: str, cwd: Path, size: int) -> Ended:
    """A measured command whose process cannot write files beyond a size in bytes."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = subprocess.run(
        [sys.executable, "-P", "-m", "whotests", "run", "--", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return Ended(status=done.returncode, out=done.stdout, err=done.stderr)


MANY = {
    "subject.py": "".join(f"def f{n}(x):\n    return x + {n}\n" for n in range(300)),
    "test_many.py": """
        import time, unittest
        import subject
        class T(unittest.TestCase):
            pass
        def make(n):
            def test(self):
                for m in range(n % 37 + 1):
                    getattr(subject, f"f{(n * m) % 300}")(m)
                if n % 100 == 0:
                    time.sleep(0.05)
                self.assertNotEqual(n, FAILING)
            return test
        FAILING = -1
        for n in range(1000):
            setattr(T, f"test_{'long_name_' * 5}{n}", make(n))
    """,
}


@pytest.mark.parametrize("failing", [False, True])
def test_full_disk_changes_no_outcome(tmp_path: Path, failing: bool) -> None:
    """The tests end as they end, one line tells of it, and 0 becomes 3; older data stays."""
    write_files(tmp_path, SUITE)
    assert run_measured(*UNITTEST, cwd=tmp_path).status == 0
    before = recorded_outcomes(tmp_path)
    files = dict(MANY)
    if failing:
        files["test_many.py"] = files["test_many.py"].replace("= -1", "= 500")
    write_files(tmp_path, files)
    ended = limited("python", "-m", "unittest", "test_many", cwd=tmp_path, size=40_000)
    assert "Ran 1000 tests" in ended.err
    assert ended.err.count("whotests: the data is incomplete: ") == 1
    assert ended.err.count("whotests") == 1 + ended.err.count(".whotests")
    assert ended.status == (1 if failing else 3)
    after = recorded_outcomes(tmp_path)
    assert {name: after.get(name) for name in before} == before
    if failing:  # once there is room again, all is recorded
        again = run_measured("python", "-m", "unittest", "test_many", cwd=tmp_path)
        assert again.status == 1
        assert len(recorded_outcomes(tmp_path)) == 1000


def test_runs_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    """Three runs that begin in the same second and write into one file lose nothing."""
    suite = """
        import time, unittest
        import subject
        class T{name}(unittest.TestCase):
            def test_a(self): subject.f1(1); time.sleep(0.7)
            def test_b(self): subject.f{number}(2); time.sleep(0.2)
    """
    files = {"subject.py": MANY["subject.py"]}
    for number, name in enumerate("ABC", 5):
        files[f"test_{name}.py"] = suite.replace("{name}", name).replace("{number}", str(number))
    write_files(tmp_path, files)
    running = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "whotests", "run", "--", *UNITTEST[:3], f"test_{name}"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in "ABC"
    ]
    for process in running:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        assert "whotests" not in output
    expected = {f"test_{name}.T{name}.test_{test}" for name in "ABC" for test in "ab"}
    assert recorded_outcomes(tmp_path) == dict.fromkeys(expected, "passed")
    lines = recorded_lines(tmp_path, "subject.py")
    for number, name in enumerate("ABC", 5):
        assert lines[f"test_{name}.T{name}.test_b|call"] == {2 * number + 2}
    assert len(os.listdir(tmp_path / ".whotests")) == 3  # .gitignore, cache, data.db


FAILURES = {
    "the cache is a file": "",
    "the cache is damaged": "",
    "the data file is replaced": """
        os.unlink(".whotests/data.db"); open(".whotests/data.db", "w").write("other")
    """,
    "the data folder is a file": """
        import shutil; shutil.rmtree('.whotests'); open(".whotests", "w").close()
    """,
    "the data is cut": "open('.whotests/data.db', 'r+b').truncate(5000)",
    "the run is removed": """
        import sqlite3
        connection = sqlite3.connect(".whotests/data.db")
        connection.execute("DELETE FROM run"); connection.commit(); connection.close()
    """,
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_of_ours_change_no_outcome(tmp_path: Path, name: str) -> None:
    """The tests pass and fail as they do; what was lost is told once, at the end."""
    breaking = textwrap.dedent(FAILURES[name])
    files = {
        **SUITE,
        "test_break.py": f"""
            import os, time, unittest
            from subject import double
            class T(unittest.TestCase):
                def test_a(self):
                    self.assertEqual(double(1), 2)
                def test_b(self):
                    exec(BREAKING)
                def test_c(self):
                    time.sleep(0.7)
                    self.assertEqual(double(1), 2)
            BREAKING = {breaking!r}
        """,
    }
    write_files(tmp_path, files)
    if name == "the cache is a file":
        (tmp_path / ".whotests").mkdir()
        (tmp_path / ".whotests" / "cache").write_text("")
    if name == "the cache is damaged":
        assert run_measured(*UNITTEST[:3], "test_break", cwd=tmp_path).status == 0
        entries = list((tmp_path / ".whotests" / "cache").rglob("*.bin"))
        assert len(entries) > 1
        for number, entry in enumerate(entries):
            content = bytearray(entry.read_bytes())
            content[len(content) // 2] ^= 255
            entry.write_bytes(content if number else b"")
    ended = run_measured(*UNITTEST[:3], "test_break", cwd=tmp_path)
    assert "Ran 3 tests" in ended.err
    assert "\nOK\n" in ended.err
    assert "Traceback" not in ended.err
    told = ended.err.count("whotests: the data is incomplete: ")
    assert (told, ended.status) == ((1, 3) if breaking else (0, 0)), ended.err
    if name == "the data folder is a file":
        (tmp_path / ".whotests").unlink()
    elif breaking:
        shutil.rmtree(tmp_path / ".whotests")
    assert run_measured(*UNITTEST[:3], "test_it", cwd=tmp_path).status == 0
    assert set(recorded_outcomes(tmp_path).values()) == {"passed"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written_stops_before_the_command(tmp_path: Path) -> None:
    """Status 2 and the path; nothing runs."""
    write_files(tmp_path, SUITE)
    tmp_path.chmod(0o555)
    try:
        ended = run_measured("python", "-c", "print('ran')", cwd=tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert (ended.status, ended.out) == (2, "")
    assert str(tmp_path) in ended.err
