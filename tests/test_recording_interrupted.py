"""Something comes up in the middle of a write: what was found out is in the file, once.

A profile function comes where a signal's handler, or another thread, might: where our code calls
code of ours, and where what it calls has returned.
"""

import gc
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import pytest

from facts import Facts, whotests_facts
from measured_commands import Ended, recorded_lines, run_measured, write_files
from store_rows import rows_in
from whotests import recording, records, store
from whotests.probes.cache import Cache
from whotests.probes.collecting import collect
from whotests.probes.load import Loading
from whotests.recording.contexts import Contexts
from whotests.recording.flusher import Flusher
from whotests.recording.ledger import Ledger
from whotests.records import RunRecord
from whotests.source.rules import Rules
from whotests.store.writer import Writer
from whotests.types import Outcome, Phase, Runner, RunStatus, TestName

T = TypeVar("T")
Found = tuple[Facts, tuple[int, ...]]

OURS = tuple(str(Path(each.__file__ or "").parent) for each in (recording, store))
FUNCTIONS = """
def one(n):
    return 1 + sum(two(each) for each in range(n))

def two(n):
    if n:
        return 2
    return 3

def three():
    return 4
"""


class GaveUpError(Exception):
    """What the handler raises."""


def give_up() -> None:
    """What a handler for a time limit does."""
    raise GaveUpError


@pytest.fixture(autouse=True)
def no_callbacks_of_others() -> Iterator[None]:
    """What a handler raises while the garbage collector calls somebody back goes nowhere."""
    callbacks = gc.callbacks[:]
    del gc.callbacks[:]
    yield
    gc.callbacks[:] = callbacks


class Moment:
    """Does something at the n-th call in or out of our code, once."""

    def __init__(self, number: int, act: Callable[[], None] = give_up) -> None:
        self.left = number
        self.act = act

    @property
    def came(self) -> bool:
        """Whether it has."""
        return self.left <= 0

    def __enter__(self) -> "Moment":
        if not self.came:
            sys.setprofile(self._look)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, argument: Any) -> None:
        # Where we are called from outside, nothing has begun.
        where = frame if event == "c_return" else frame.f_back if event == "call" else None
        if where is not None and where.f_code.co_filename.startswith(OURS):
            self.left -= 1
            if not self.left:
                sys.setprofile(None)
                self.act()


class Run:
    """A run of the functions, with a data file in the folder."""

    def __init__(self, folder: Path, loading: Loading, moment: Moment) -> None:
        folder.mkdir()
        self.moment = moment
        self.data = folder / "data.db"
        self.contexts = Contexts()
        self.ledger = Ledger(self.contexts, lambda: loading.files, str)
        record = RunRecord(
            started=1.0,
            command=("program",),
            root=str(folder),
            label="",
            python="CPython",
            platform="linux",
            host="here",
            pid=1,
        )
        # It begins with the first write, as in a process that records for another one's run.
        self.writer = Writer.later(self.data, record)
        self.flusher = Flusher(self.ledger, self.writer)

    def test(self, name: str, function: Callable[..., object], *values: int) -> None:
        """A test that calls the function with each of the values."""
        start = partial(self.contexts.start_test, TestName(name), Runner.OTHER)
        assert again(self.moment, start)
        for value in values:
            function(value)
        again(self.moment, lambda: self.contexts.enter_phase(Phase.CALL))
        function(1)
        ended = records.TestRecord(TestName(name), Runner.OTHER, Outcome.PASSED, 0.5)
        self.contexts.tests.append(ended)
        attempt(self.moment, self.contexts.stop_test)

    def finish(self) -> None:
        """Writes the rest, once more where that was interrupted."""
        if not self.writer.has_finished:
            self.contexts.finish()
            self.ledger.end(complete=False)
            self.flusher.write()
            assert self.writer.run_id
        self.writer.finish_run(
            ended=2.0, status=RunStatus.FINISHED, exit_status=0, note="", append=False
        )
        self.writer.close()

    def write_and_go_on(self) -> None:
        """As before an `exec` that fails."""
        self.flusher.write_and_hold()
        self.flusher.let_go()

    def write_in_a_thread(self) -> None:
        """As the flusher's own does."""
        thread = threading.Thread(target=self.flusher.write)
        thread.start()
        thread.join()

    def found(self) -> Found:
        """The facts in the file, and how many rows tables have."""
        tables = ("run", "test", "context", "footprint", "pattern", "unit", "file")
        return whotests_facts(self.data, Path("/")), tuple(rows_in(self.data, x) for x in tables)


def attempt(moment: Moment, act: Callable[[], T]) -> T | None:
    """Acts; what is raised in the middle goes its way."""
    before = moment.came
    try:
        with moment:
            result = act()
    except GaveUpError:
        assert moment.came
        assert not before
        return None
    assert moment.came == before or moment.act is not give_up
    return result


def again(moment: Moment, act: Callable[[], T]) -> T:
    """Acts, once more where something was raised."""
    before = moment.came
    result = attempt(moment, act)
    if moment.came != before and moment.act is give_up:
        return act()
    return result  # type: ignore[return-value]


def everywhere(record: Callable[[Moment, str], Found]) -> int:
    """How many moments there are in what is recorded in a folder of this name; whichever comes,
    the same is found as when none does."""
    expected = record(Moment(0), "undisturbed")
    number = 0
    moment = Moment(0)
    while moment.came:
        number += 1
        moment = Moment(number)
        assert record(moment, str(number)) == expected, number
    return number


def loaded(folder: Path) -> tuple[Loading, dict[str, Any]]:
    """The functions, measured, and by their names."""
    loading = Loading(
        measures=lambda _: True,
        cache=Cache(folder / "nothing is cached"),
        rules=Rules(branch=True),
        began=lambda: None,
        ended=lambda: None,
    )
    functions: dict[str, Any] = {}
    path = folder / "functions.py"
    path.write_text(FUNCTIONS)
    code = loading.code_of(str(path), FUNCTIONS.encode())
    assert code is not None
    exec(code, functions)
    return loading, functions


# A connection that was made and that nobody has got is closed by Python, which says so.
@pytest.mark.filterwarnings("ignore:.*_Connection:pytest.PytestUnraisableExceptionWarning")
def test_what_was_to_be_written_is_written_once(tmp_path: Path) -> None:
    """Wherever it comes up: files, tests and contexts are in the file with the next write."""
    loading, functions = loaded(tmp_path)
    one, two, three = (functions[name] for name in ("one", "two", "three"))

    def record(moment: Moment, name: str) -> Found:
        collect()
        run = Run(tmp_path / name, loading, moment)
        run.test("a", one, 2)
        run.test("b", two, 0)
        attempt(moment, run.flusher.write)
        label = again(moment, lambda: run.contexts.open_label("label"))
        run.test("c", two, 0)
        again(moment, run.contexts.import_began)
        three()
        attempt(moment, run.contexts.import_ended)
        attempt(moment, run.flusher.write)
        run.test("b", two, 0, 1)
        attempt(moment, run.flusher.write)
        attempt(moment, lambda: run.contexts.close_label(label))
        run.contexts.open_label("open in the end")
        one(0)
        again(moment, run.finish)
        assert not run.flusher.problem
        return run.found()

    facts, (runs, tests, *_) = record(Moment(0), "at first")
    assert (len(facts), runs, tests) == (10, 1, 3)
    assert everywhere(record) > 1000
    gc.collect()  # what is left of the interrupted frames


def test_a_thread_that_writes_in_the_middle_of_a_switch(tmp_path: Path) -> None:
    """Wherever it comes: each context is complete when it is over, with all that it ran."""
    loading, functions = loaded(tmp_path)

    def record(moment: Moment, name: str) -> Found:
        collect()
        run = Run(tmp_path / name, loading, moment)
        moment.act = run.write_in_a_thread
        run.test("a", functions["one"], 2)
        label = run.contexts.open_label("label")
        run.test("b", functions["two"], 0)
        with moment:
            run.contexts.close_label(label)
        run.finish()
        with closing(sqlite3.connect(run.data)) as connection:
            names = (
                "SELECT test.name, phase, label FROM context LEFT JOIN test ON test.id = test_id"
            )
            assert connection.execute(f"{names} WHERE NOT complete").fetchall() == [], moment.left
        return run.found()

    assert everywhere(record) > 20


@pytest.mark.filterwarnings("ignore:.*_Connection:pytest.PytestUnraisableExceptionWarning")
def test_a_handler_that_writes_in_the_middle_of_a_write(tmp_path: Path) -> None:
    """As before it becomes another program, which it does not in the end: all is there, once."""
    loading, functions = loaded(tmp_path)

    def record(moment: Moment, name: str) -> Found:
        collect()
        run = Run(tmp_path / name, loading, Moment(0))
        moment.act = run.write_and_go_on
        run.test("a", functions["one"], 2)
        run.flusher.write()
        run.test("c", functions["two"], 1)
        with moment:
            run.flusher.write()
        run.test("b", functions["two"], 0)
        run.finish()
        assert not run.flusher.problem
        return run.found()

    assert everywhere(record) > 250


def test_an_import_near_the_recursion_limit(tmp_path: Path) -> None:
    """One that could not be told to begin ends, and the next one counts."""
    _, functions = loaded(tmp_path)
    collect()
    contexts = Contexts()

    def go_down(left: int) -> None:
        if left:
            go_down(left - 1)
        else:
            contexts.import_began()

    depth = 0
    while sys._getframe(depth).f_back is not None:
        depth += 1
    failed = 0
    for room in range(1, 30):
        contexts.closed.clear()
        try:
            go_down(sys.getrecursionlimit() - depth - room)
        except RecursionError:
            failed += 1
        contexts.import_ended()
        contexts.import_began()
        functions["three"]()
        contexts.import_ended()
        functions["three"]()
        assert [context.label for context in contexts.closed] == ["import"], room
    assert 3 < failed < 29


ENDING = """
    import os, sqlite3, sys
    import whotests

    since, left, damaged = sys.argv[1], int(sys.argv[2]), "damaged" in sys.argv
    began = False

    def give_up(frame, event, argument):
        global began, left
        code = frame.f_code
        if "whotests" in code.co_filename and event in ("call", "c_return"):
            began = began or code.co_name == since
            left -= began
            if not left:
                sys.setprofile(None)
                raise KeyboardInterrupt

    with whotests.context("label"):
        ran = 1
        if not os.fork():
            import part
            os._exit(0)
        os.wait()
    if damaged:
        with sqlite3.connect(".whotests/data.db") as connection:
            connection.execute("DELETE FROM run")
    sys.setprofile(give_up)
"""


class Ending:
    """Programs in the middle of whose run's end something comes up."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.words = words
        self.data = folder / ".whotests" / "data.db"
        write_files(folder, {"prog.py": ENDING, "part.py": "x = 1", "never.py": "x = 1"})

    def run(self, since: str, number: int) -> Ended:
        """At the n-th call since the function was called first."""
        self.data.unlink(missing_ok=True)
        words = ("prog.py", since, str(number), *self.words)
        return run_measured("python", *words, cwd=self.folder, options=("--source", "."))

    def found(self) -> list[list[tuple[object, ...]]]:
        """How runs and what of them are in the file, and what ran, but for the program's own code
        outside of labels: the handler is of that."""
        with closing(sqlite3.connect(self.data)) as connection:
            return [
                connection.execute(query).fetchall()
                for query in (
                    "SELECT status, note, exit_status, part_of FROM run",
                    "SELECT name, state FROM run_file JOIN file ON file.id = file_id ORDER BY name",
                    "SELECT label, complete FROM context ORDER BY label",
                )
            ]


@pytest.mark.parametrize(
    ("since", "numbers"),
    [
        pytest.param("_end", [*range(1, 100, 8), *range(100, 2500, 150)], id="end"),
        pytest.param("finish_run", range(1, 250, 4), id="writer's"),
    ],
)
def test_the_end_of_a_run_goes_on(tmp_path: Path, since: str, numbers: Sequence[int]) -> None:
    """Whatever comes up in the middle of it: all is written, and the run has ended."""
    ending = Ending(tmp_path)
    done = ending.run(since, 1_000_000)
    assert (done.status, done.err) == (0, "")
    expected, lines = ending.found(), recorded_lines(tmp_path, "prog.py")
    assert lines["label"]
    assert [status for status, *_ in expected[0]] == ["finished"]
    for number in numbers:
        done = ending.run(since, number)
        assert "KeyboardInterrupt" in done.err, number
        assert "bug" not in done.err, done.err
        assert done.status == 0, done.err
        assert ending.found() == expected, number
        found = recorded_lines(tmp_path, "prog.py")
        assert found["label"] == lines["label"], number
        assert found[""] >= lines[""], number
        assert recorded_lines(tmp_path, "part.py")["import"] == {1}


def test_a_problem_is_told_all_the_same(tmp_path: Path) -> None:
    """A run that could not be written says so, whatever comes up in its end."""
    ending = Ending(tmp_path, "damaged")
    expected = ending.run("_end", 1_000_000)
    assert expected.status == 3
    for number in range(1, 800, 60):
        done = ending.run("_end", number)
        assert (done.status, done.err) == (expected.status, expected.err), number
