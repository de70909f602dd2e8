"""Runs with names, kept side by side, as commands record them: workers, children, interruptions."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from measured_commands import SCRIPTS, Ended, run_measured, run_plain
from measured_commands import write_files as write
from whotests.store.generations import generations
from whotests.store.reader import Reader

SOURCE = """\
def double(number):
    return number * 2


def half(number):
    return number // 2
"""

TESTS = """\
import os
from product import double, half


def test_double():
    assert double(2) == 4


def test_half():
    if "BREAK" in os.environ:
        raise KeyboardInterrupt
    if "DIE" in os.environ:
        os.kill(os.getpid(), 9)
    assert half(4) == 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two tests."""
    write(
        tmp_path,
        {
            "pyproject.toml": "[project]\nname = 'product'\n",
            "product.py": SOURCE,
            "test_it.py": TESTS,
        },
    )
    return tmp_path


def run(
    folder: Path, *options: str, words: tuple[str, ...] = (), env: dict[str, str] | None = None
) -> Ended:
    """`whotests run OPTIONS -- pytest WORDS`."""
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)
    return run_measured(*command, cwd=folder, options=("--source", "product", *options), env=env)


def whotests(folder: Path, *words: str) -> Ended:
    """Any command of ours."""
    return run_plain(
        "python", "-P", "-c", "from whotests.cli import main; main()", *words, cwd=folder
    )


def recorded_tests(folder: Path, ref: str | None = None) -> dict[str, int]:
    """The tests of the runs that are asked -> the number of their run."""
    with Reader.open(folder / ".whotests" / "data.db", run=ref) as reader:
        return {test.title.removeprefix("test_it.py::"): test.run_id for test in reader.tests}


def kept(folder: Path) -> list[tuple[str, str, int]]:
    """Name, label and generation of all runs; no parts are left of them."""
    with Reader.open(folder / ".whotests" / "data.db") as reader:
        ages = generations(reader.all_runs)
        assert len(list(reader.stored.rows("run"))) == len(reader.all_runs)
        return [(run.name, run.label, ages[run.id]) for run in reader.all_runs]


def test_options_of_run(folder: Path) -> None:
    """--run-name and --keep-runs say what the run is called and how many of them stay."""
    for _ in range(3):
        assert run(folder, "--run-name", "nightly", "--keep-runs", "2").status == 0
    assert run(folder, words=("-k", "half")).status == 0
    assert kept(folder) == [("nightly", "", 1), ("nightly", "", 0), ("", "", 0)]
    assert recorded_tests(folder) == {"test_half": 4}
    assert recorded_tests(folder, "nightly") == {"test_double": 3, "test_half": 3}
    assert recorded_tests(folder, "nightly~1") == {"test_double": 2, "test_half": 2}


def test_settings(folder: Path) -> None:
    """`run_name` and `keep_runs` of [tool.whotests] say it for every run; an option wins."""
    write(
        folder,
        {"pyproject.toml": "[tool.whotests]\nsource = ['.']\nrun_name = 'main'\nkeep_runs = 2\n"},
    )
    for options in ((), (), ("--run-name", "")):
        assert run(folder, *options).status == 0
    assert kept(folder) == [("main", "", 1), ("main", "", 0), ("", "", 0)]
    assert run(folder, "--keep-runs", "1").status == 0
    assert kept(folder) == [("", "", 0), ("main", "", 0)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("keep_runs = 0", "'keep_runs' of [tool.whotests] must be a whole number from 1 on"),
        ("keep_runs = true", "must be a whole number from 1 on"),
        ("run_name = '12'", "a run cannot be called '12': it is a number"),
        ("run_name = 'all'", "a run cannot be called 'all': that stands for all runs"),
        ("run_name = 'a~1'", "a run cannot be called 'a~1': '~' stands for generations before"),
        ("run_name = ' a'", "a run cannot be called ' a': it has white space around it"),
    ],
)
def test_settings_that_cannot_be(folder: Path, line: str, told: str) -> None:
    """What no run can be called, or be kept by, is told before anything runs."""
    write(folder, {"pyproject.toml": f"[tool.whotests]\n{line}\n"})
    ended = run(folder)
    assert ended.status == 2
    assert told in ended.err
    assert "pyproject.toml" in ended.err
    assert not (folder / ".whotests").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--run-name", "7"), "a run cannot be called '7'"),
        (("--run-name", "x\ny"), "what cannot be printed"),
        (("--keep-runs", "0"), "0 is not in the range x>=1"),
    ],
)
def test_options_that_cannot_be(folder: Path, options: tuple[str, ...], told: str) -> None:
    """The same of options."""
    ended = run(folder, *options)
    assert ended.status == 2
    assert told in ended.err


def test_options_of_pytest(folder: Path) -> None:
    """`pytest --whotests` has the same options by its own names."""
    for _ in range(2):
        options = ("--whotests-run-name=nightly", "--whotests-keep-runs=2")
        ended = run_plain("python", "-m", "pytest", "-q", "--whotests", *options, cwd=folder)
        assert ended.status == 0, ended.err
    assert kept(folder) == [("nightly", "", 1), ("nightly", "", 0)]
    for option, told in (
        ("--whotests-run-name=all", "a run cannot be called 'all'"),
        ("--whotests-keep-runs=0", "--whotests-keep-runs=0 would keep no run"),
    ):
        ended = run_plain("python", "-m", "pytest", "-q", "--whotests", option, cwd=folder)
        assert ended.status == 4
        assert told in ended.err


def test_workers_of_xdist(folder: Path) -> None:
    """Workers record for the named run; they are no generations of their own."""
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    for _ in range(2):
        options = ("--run-name", "nightly", "--keep-runs", "2", "--context", "py")
        assert run(folder, *options, words=("-n", "2")).status == 0
    assert kept(folder) == [("nightly", "py", 1), ("nightly", "py", 0)]
    for ref in ("nightly", "nightly~1"):
        assert set(recorded_tests(folder, ref)) == {
            "py/test_it.py::test_double",
            "py/test_it.py::test_half",
        }


def test_processes_that_tests_start(folder: Path) -> None:
    """What a child runs counts for the run that started it, and stays with its generation."""
    child = """
        import subprocess
        import sys

        def test_child():
            code = "import product; product.half(2)"
            subprocess.run([sys.executable, "-c", code], check=True)
    """
    for line in (child, child.replace("half", "double")):
        write(folder, {"test_it.py": line})
        assert run(folder, "--keep-runs", "2").status == 0
    assert [age for *_, age in kept(folder)] == [1, 0]
    for ref, ran in (("~0", 2), ("~1", 6)):
        target = f"product.py:{ran}"
        answer = json.loads(whotests(folder, "who", target, "--run", ref, "--json").out)
        assert [hit["test"] for hit in answer["tests"]] == ["test_it.py::test_child"]
        other = f"product.py:{8 - ran}"
        answer = json.loads(whotests(folder, "who", other, "--run", ref, "--json").out)
        assert answer["tests"] == []


def test_interrupted(folder: Path) -> None:
    """Ctrl-C in the second test: what it had run before stays, and so do generations."""
    for _ in range(2):
        assert run(folder, "--keep-runs", "2").status == 0
    assert run(folder, "--keep-runs", "2", env={"BREAK": "1"}).status == 2
    assert recorded_tests(folder) == {"test_double": 3, "test_half": 3}
    assert recorded_tests(folder, "2") == {"test_half": 2}
    assert recorded_tests(folder, "~1") == {"test_double": 1, "test_half": 1}
    assert run(folder, "--keep-runs", "2").status == 0
    assert recorded_tests(folder) == {"test_double": 4, "test_half": 4}
    assert recorded_tests(folder, "~1") == {"test_double": 3, "test_half": 3}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed(folder: Path) -> None:
    """A killed run supersedes nothing and loses nothing; the next one supersedes both at once."""
    assert run(folder, "--keep-runs", "2").status == 0
    assert run(folder, "--keep-runs", "2", env={"DIE": "1"}).status == -signal.SIGKILL
    assert recorded_tests(folder)["test_half"] == 1
    assert [age for *_, age in kept(folder)] == [0, 0]
    assert run(folder, "--keep-runs", "2").status == 0
    assert [age for *_, age in kept(folder)] == [1, 1, 0]
    assert recorded_tests(folder, "~1")["test_half"] == 1


def test_append(folder: Path) -> None:
    """--append goes on with the current generation, and older ones stay."""
    for _ in range(2):
        assert run(folder, "--keep-runs", "2").status == 0
    assert run(folder, "--keep-runs", "2", "--append", words=("-k", "half")).status == 0
    assert recorded_tests(folder) == {"test_double": 2, "test_half": 3}
    assert recorded_tests(folder, "~1") == {"test_double": 1, "test_half": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes")
def test_two_runs_at_once(folder: Path) -> None:
    """A run that ends while another of its name goes on leaves that alone, and both stay."""
    gate = folder / "gate"
    os.mkfifo(gate)
    slow = (
        f"import product\n\ndef test_slow():\n    open({str(gate)!r}).read()\n    product.half(2)\n"
    )
    write(folder, {"slow/test_slow.py": slow})
    assert run(folder, "--keep-runs", "2", words=("test_it.py",)).status == 0
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "slow"]
    with subprocess.Popen(
        [f"{SCRIPTS}/whotests", "run", "--keep-runs", "2", "--", "python", *words],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"},
        stdout=subprocess.DEVNULL,
    ) as first:
        with open(gate, "w", encoding="utf-8"):  # it waits until the test reads
            ended = run(folder, "--keep-runs", "2", words=("test_it.py", "-k", "half"))
            assert ended.status == 0
        assert first.wait(timeout=60) == 0
    assert recorded_tests(folder) == {"slow/test_slow.py::test_slow": 2, "test_half": 3}
    assert set(recorded_tests(folder, "~1")) == {"test_double", "test_half"}
