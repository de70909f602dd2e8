"""`whotests combine` and `whotests subset`, on data that real runs recorded."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from measured_commands import Ended, run_measured, run_plain, write_files
from merged_data import shard, told
from whotests.store.reader import Reader

PROJECT = {
    "pyproject.toml": "[tool.whotests]\n",
    "src/shop/__init__.py": "",
    "src/shop/basket.py": """
        def double(x):
            if x > 2:
                return x + x
            return 2 * x

        def half(x):
            return x // 2
    """,
    "tests/test_basket.py": """
        import sys
        sys.path.insert(0, "src")
        from shop.basket import double, half
        def test_small():
            assert double(1) == 2
        def test_large():
            assert double(4) == 8
        def test_half():
            assert half(4) == 2
        def test_wrong():
            assert half(5) == 2.5
    """,
}
PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
DATA = Path(".whotests", "data.db")
KILLS = 12


def whotests(*words: str, cwd: Path) -> Ended:
    """A command of whotests."""
    return run_plain("python", "-P", "-m", "whotests", *words, cwd=cwd)


def record(folder: Path, *tests: str, data: str, options: tuple[str, ...] = ()) -> None:
    """Runs these tests of the project in a folder, into a data file."""
    names = [f"tests/test_basket.py::{test}" for test in tests]
    options = ("--branch", "--data", data, *options)
    assert run_measured(*PYTEST, *names, cwd=folder, options=options).status in (0, 1)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with data of all tests, and two shards of them that two machines recorded."""
    home = tmp_path_factory.mktemp("home")
    write_files(home, PROJECT)
    there = tmp_path_factory.mktemp("ci")
    shutil.copytree(home, there / "build")
    record(home, "test_small", "test_large", "test_half", "test_wrong", data="whole/data.db")
    record(home, "test_small", "test_half", data="shards/1/data.db")
    record(there / "build", "test_large", "test_wrong", data="shard.db")
    (home / "shards" / "2").mkdir()
    shutil.copy(there / "build" / "shard.db", home / "shards" / "2" / "data.db")
    return home


@pytest.fixture
def home(recorded: Path, tmp_path: Path) -> Path:
    """The same, for one test alone."""
    shutil.copytree(recorded, tmp_path / "home")
    return tmp_path / "home"


def answers(home: Path, *data: str) -> list[str]:
    """What the data says to several questions, but for how long tests took and where."""
    options = [word for path in data for word in ("--data", path)]
    return [
        re.sub(r" +[0-9.]+ m?s\b|, in /.*(?=:)", "", whotests(*words, *options, cwd=home).out)
        for words in (
            ("report", "--show-missing"),
            ("who", "src/shop/basket.py:7"),
            ("who", "src/shop/basket.py::double"),
            ("what", "tests/test_basket.py::test_large"),
        )
    ]


def test_shards_give_the_figures_of_the_whole(home: Path) -> None:
    """Combined, or read without, they answer as one run of all tests does."""
    ended = whotests("combine", "shards", cwd=home)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("combined 2 data files into ")
    assert "1 run, 4 tests, 2 measured files" in ended.out
    whole = answers(home, "whole/data.db")
    assert "test_large" in whole[3]
    assert answers(home) == whole
    assert answers(home, "shards") == whole
    assert answers(home, "shards/2/data.db", "shards/1") == whole
    assert (home / "shards" / "1" / "data.db").exists()
    with Reader.open(home / DATA) as reader:
        assert [run.root for run in reader.runs] == [str(home)]


def test_contexts_are_nested(home: Path) -> None:
    """Two interpreters in one file: tests are told apart by the labels that they are put below."""
    for label, options in (("py3.12", ()), ("py3.13", ("--append",))):
        ended = whotests("combine", "--context", label, *options, "shards", cwd=home)
        assert ended.status == 0, ended.err
    said = whotests("who", "src/shop/basket.py::half", cwd=home).out
    assert "py3.12/tests/test_basket.py::test_half" in said
    assert "py3.13/tests/test_basket.py::test_half" in said


def test_runs_are_named(home: Path) -> None:
    """`--run-name` makes what is combined a run that `--run` asks."""
    assert whotests("combine", "--run-name", "nightly", "shards/1", cwd=home).status == 0
    assert whotests("combine", "shards/2", cwd=home).status == 0
    said = whotests("who", "src/shop/basket.py", "--run", "nightly", cwd=home).out
    assert "test_small" in said
    assert "test_large" not in said
    ended = whotests("combine", "--run-name", "7", "shards", cwd=home)
    assert ended.status == 2
    assert "cannot be called" in ended.err


def test_without_arguments_the_files_beside_the_result(home: Path) -> None:
    """What lies in .whotests/ is combined; where nothing does, that is said."""
    ended = whotests("combine", cwd=home)
    assert (ended.status, ended.out) == (2, "")
    assert "nothing to combine" in ended.err
    (home / ".whotests").mkdir(exist_ok=True)
    for number in "12":
        shutil.copy(home / "shards" / number / "data.db", home / ".whotests" / f"{number}.db")
    ended = whotests("combine", "--remove", cwd=home)
    assert (ended.status, ended.err) == (0, "")
    assert [path.name for path in (home / ".whotests").glob("*.db")] == ["data.db"]
    assert answers(home) == answers(home, "whole/data.db")


def test_paths_of_the_settings(home: Path) -> None:
    """Combined or read in place, a file below an alias is the one in the project."""
    write_files(home / "elsewhere", {"shop/basket.py": "def double(x):\n    return x * 2\n"})
    test = "import sys; sys.path.insert(0, 'elsewhere')\nfrom shop.basket import double\n"
    write_files(home, {"test_other.py": test + "def test_other():\n    assert double(1) == 2\n"})
    options = ("--source", "elsewhere", "--data", "other.db")
    assert run_measured(*PYTEST, "test_other.py", cwd=home, options=options).status == 0
    settings = '[tool.whotests.paths]\nsource = ["src", "elsewhere"]\n'
    (home / "pyproject.toml").write_text(settings, encoding="utf-8")
    said = whotests("status", "--data", "shards", "--data", "other.db", cwd=home).out
    assert "elsewhere" not in said.replace("--source elsewhere", "")
    ended = whotests("combine", "shards", "other.db", cwd=home)
    assert "elsewhere/shop/basket.py is src/shop/basket.py here" in ended.out
    assert "src/shop/basket.py was recorded in 2 versions" in ended.err


def test_other_versions_are_named(home: Path) -> None:
    """A shard of another source is told on stderr; with `--one-source` nothing is combined."""
    basket = home / "src" / "shop" / "basket.py"
    before = basket.read_text(encoding="utf-8")
    basket.write_text("# another line\n" + before, encoding="utf-8")
    record(home, "test_half", data="new.db")
    ended = whotests("combine", "--one-source", "shards", "new.db", cwd=home)
    assert (ended.status, ended.out) == (2, "")
    assert "different source of src/shop/basket.py (2 versions)" in ended.err
    ended = whotests("combine", "shards", "new.db", cwd=home)
    assert ended.status == 0
    assert "src/shop/basket.py was recorded in 2 versions" in ended.err
    # The version that is on the disk is spoken of.
    said = whotests("who", "src/shop/basket.py:8", cwd=home).out
    assert "test_half" in said
    basket.write_text(before, encoding="utf-8")
    assert "test_half" in whotests("who", "src/shop/basket.py:7", cwd=home).out


def test_errors_are_sentences(home: Path) -> None:
    """Missing and foreign inputs, empty folders: status 2, one line, nothing is made."""
    (home / "empty").mkdir()
    (home / "notes.txt").write_text("precious\n" * 50, encoding="utf-8")
    for words in (("gone.db",), ("notes.txt",), ("empty",), ("shards", "notes.txt")):
        ended = whotests("combine", *words, cwd=home)
        assert (ended.status, ended.out) == (2, ""), words
        assert ended.err.startswith("whotests: ")
        assert "Traceback" not in ended.err
        assert words[-1] in ended.err
        assert not (home / DATA).exists()


def limit() -> None:
    """No file of this process may have more than 20 kB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def combining(home: Path, *words: str) -> list[str]:
    """The words of a combine, for processes of the tests' own."""
    return [sys.executable, "-P", "-m", "whotests", "combine", *words]


def test_full_disk(home: Path) -> None:
    """The result of before stays, byte by byte; so do the shards."""
    assert whotests("combine", "shards/1", cwd=home).status == 0
    before = (home / DATA).read_bytes()
    many = shard(home / "many", tests={f"t.py::test_{n}" * 9: [8] for n in range(300)})
    done = subprocess.run(
        combining(home, "--append", str(many)),
        cwd=home,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "data.db" in done.stderr
    assert (home / DATA).read_bytes() == before


def test_killed_at_any_moment(home: Path) -> None:
    """What is there afterwards is the result of before, or the new one, whole; inputs stay."""
    for number in range(12):
        tests = {f"tests/test_{number}.py::test_{n}": [8, 11] for n in range(150)}
        shard(home / "many" / str(number), tests=tests)
    inputs = {path: path.read_bytes() for path in (home / "many").rglob("*.db")}
    assert len(inputs) == 12
    assert whotests("combine", "shards", cwd=home).status == 0
    old = told(home / DATA)
    start = time.perf_counter()
    assert whotests("combine", "-o", "new.db", "--append", "many", cwd=home).status == 0
    usual = time.perf_counter() - start
    dice = random.Random(7)
    seen = set()
    for _ in range(KILLS):
        child = subprocess.Popen(
            combining(home, "--append", "--quiet", "many"), cwd=home, start_new_session=True
        )
        start = time.perf_counter()
        try:
            child.wait(timeout=dice.uniform(0.3, 1.1) * usual)
            usual = min(usual, time.perf_counter() - start)  # the machine may have been busy
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        with Reader.open(home / DATA) as reader:
            seen.add(len(reader.tests))
        if 4 + 12 * 150 in seen:
            assert whotests("erase", cwd=home).status == 0
            assert whotests("combine", "shards", cwd=home).status == 0
    assert seen <= {4, 4 + 12 * 150}
    assert 4 in seen
    assert {path: path.read_bytes() for path in inputs} == inputs
    assert old.tests.items() <= told(home / DATA).tests.items()


def test_two_at_once(home: Path) -> None:
    """Two commands that combine into one file both have their data in it."""
    children = [
        subprocess.Popen(combining(home, "--append", f"shards/{number}"), cwd=home)
        for number in (1, 2)
    ]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    assert answers(home) == answers(home, "whole/data.db")


def test_the_result_alone_is_nothing_to_combine(home: Path) -> None:
    """A command that would change nothing, a label for what is there, say, is refused."""
    before = (home / "whole" / "data.db").read_bytes()
    words = ("combine", "--context", "linux", "-o", "whole/data.db")
    for named in ("whole", "whole/data.db"):
        ended = whotests(*words, named, cwd=home)
        assert (ended.status, ended.out) == (2, "")
        assert "is the result itself" in ended.err
    assert (home / "whole" / "data.db").read_bytes() == before


def test_subset_by_context(home: Path) -> None:
    """Only what these tests ran is in it; the data is as it was, the new file has its rules."""
    before = (home / "whole" / "data.db").read_bytes()
    words = ("subset", "--data", "whole/data.db", "--contexts", "*test_large*", "-o", "part.db")
    ended = whotests(*words, cwd=home)
    assert (ended.status, ended.err) == (0, "")
    assert "1 test," in ended.out
    assert (home / "whole" / "data.db").read_bytes() == before
    assert told(home / "part.db").tests.keys() == {("", "tests/test_basket.py::test_large")}
    assert told(home / "part.db").facts < told(home / "whole" / "data.db").facts
    assert whotests(*words, cwd=home).status == 2
    assert whotests(*words, "--force", cwd=home).status == 0
    assert [path.name for path in home.glob("*part.db*")] == ["part.db"]


def test_subset_by_file_outcome_and_run(home: Path) -> None:
    """Each option leaves out what it does not name; together they all hold."""
    whole = ("subset", "--data", "whole/data.db")
    assert whotests(*whole, "--outcome", "failed", "-o", "1.db", cwd=home).status == 0
    assert {name for _, name in told(home / "1.db").tests} == {"tests/test_basket.py::test_wrong"}
    assert {context for _, context, *_ in told(home / "1.db").facts} == {
        "tests/test_basket.py::test_wrong|call"
    }
    assert whotests(*whole, "--files", "*/basket.py", "-o", "2.db", cwd=home).status == 0
    assert {path for path, _ in told(home / "2.db").files} == {"src/shop/basket.py"}
    assert len(told(home / "2.db").tests) == 4
    assert whotests(*whole, "--contexts", "import", "-o", "3.db", cwd=home).status == 0
    assert {context for _, context, *_ in told(home / "3.db").facts} == {"import"}
    assert whotests("combine", "--run-name", "nightly", "shards/1", cwd=home).status == 0
    assert whotests("combine", "shards/2", cwd=home).status == 0
    assert whotests("subset", "--run", "nightly", "-o", "4.db", cwd=home).status == 0
    assert [name for name, *_ in told(home / "4.db").runs] == ["nightly"]


def test_subset_counts_a_file_of_several_versions_once(home: Path) -> None:
    """As combine does, and as reports list it."""
    source = home / "src" / "shop" / "basket.py"
    source.write_text("# another text\n" + source.read_text())
    record(home, "test_half", data="changed.db")
    words = ("--data", "whole", "--data", "changed.db", "--files", "*/basket.py")
    ended = whotests("subset", *words, "-o", "part.db", cwd=home)
    assert ended.status == 0, ended.err
    assert len(told(home / "part.db").files) == 2
    assert " 1 file, " in ended.out


def test_subset_by_other_settings(home: Path) -> None:
    """--config says where the data is, as for the other commands."""
    (home / "other.toml").write_text('[tool.whotests]\ndata = "whole/data.db"\n')
    words = ("--contexts", "import", "-o", "part.db")
    assert whotests("subset", *words, cwd=home).status == 2
    ended = whotests("subset", "--config", "other.toml", *words, cwd=home)
    assert ended.status == 0, ended.err


def test_subset_of_several_files(home: Path) -> None:
    """They count as one."""
    words = ("--data", "shards", "--contexts", "*test_half", "--contexts", "*test_large")
    ended = whotests("subset", *words, "-o", "part.db", cwd=home)
    assert ended.status == 0, ended.err
    assert len(told(home / "part.db").tests) == 2


def test_subset_of_nothing_is_refused(home: Path) -> None:
    """Nothing is written where nothing fits, nor over the data itself or another file."""
    whole = ("subset", "--data", "whole/data.db")
    ended = whotests(*whole, "--contexts", "nothing", "-o", "part.db", cwd=home)
    assert (ended.status, ended.out) == (2, "")
    assert "nothing of the data is chosen" in ended.err
    assert list(home.glob("*part.db*")) == []
    ended = whotests(*whole, "--force", "-o", "whole/data.db", cwd=home)
    assert ended.status == 2
    assert "is the data itself" in ended.err


def test_a_slice_and_the_whole_add_up(home: Path) -> None:
    """A part that is combined with what it was taken from changes nothing of what is said."""
    words = ("--data", "whole/data.db", "--contexts", "*test_large*", "-o", "part.db")
    assert whotests("subset", *words, cwd=home).status == 0
    assert whotests("combine", "part.db", "whole", cwd=home).status == 0
    assert told(home / DATA) == told(home / "whole" / "data.db")


def test_data_files_without_a_run(home: Path) -> None:
    """One that was begun and has nothing yet is passed over, and never removed; alone it is said
    that there is nothing."""
    empty = home / "shards" / "empty.db"
    refused = whotests("combine", "missing.db", "--data", str(empty), cwd=home)
    assert refused.status == 2
    shutil.copy(home / "shards" / "1" / "data.db", empty)
    assert whotests("erase", "--data", str(empty), cwd=home).status == 0
    asked = whotests("status", "--data", "shards", cwd=home)
    assert "4 tests" in asked.out, asked.err
    ended = whotests("combine", "shards", "--remove", cwd=home)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("combined 2 data files into ")
    assert [path.name for path in (home / "shards").rglob("*.db")] == ["empty.db"]
    alone = whotests("combine", "shards", cwd=home)
    assert alone.status == 2
    assert "empty.db has no run in it" in alone.err
