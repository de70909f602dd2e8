"""Something comes up in the middle of a write: what was found out is in the file, once.

A profile function comes where a signal's handler, or another thread, might: where our code is
called, and where what it calls has returned.
"""

import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

from facts import Facts, whotests_facts
from measured_commands import recorded_lines, run_measured, write_files
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
from whotests.store.reader import Reader
from whotests.store.writer import Writer
from whotests.types import Outcome, Phase, Runner, RunStatus, TestName

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
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(OURS):
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
        self.contexts.start_test(TestName(name), Runner.OTHER)
        for value in values:
            function(value)
        again(self.moment, lambda: self.contexts.enter_phase(Phase.CALL))
        function(1)
        ended = records.TestRecord(TestName(name), Runner.OTHER, Outcome.PASSED, 0.5)
        self.contexts.tests.append(ended)
        again(self.moment, self.contexts.stop_test)

    def finish(self) -> None:
        """Writes the rest."""
        self.contexts.finish()
        self.ledger.end(complete=False)
        self.flusher.write()
        assert self.writer.run_id
        self.writer.finish_run(
            ended=2.0, status=RunStatus.FINISHED, exit_status=0, note="", append=False
        )
        self.writer.close()

    def write_in_a_thread(self) -> None:
        """As the flusher's own does."""
        thread = threading.Thread(target=self.flusher.write)
        thread.start()
        thread.join()

    def found(self) -> tuple[Facts, tuple[int, ...]]:
        """The facts in the file, and how many rows tables have."""
        tables = ("run", "test", "context", "footprint", "pattern", "unit", "file")
        return whotests_facts(self.data, Path("/")), tuple(rows_in(self.data, x) for x in tables)


def attempt(moment: Moment, act: Callable[[], None]) -> bool:
    """Acts, and tells whether nothing was raised in the middle; that goes its way."""
    before = moment.came
    try:
        with moment:
            act()
    except GaveUpError:
        assert moment.came
        assert not before
        return False
    assert moment.came == before or moment.act is not give_up
    return True


def again(moment: Moment, act: Callable[[], None]) -> None:
    """Acts, once more where something was raised."""
    if not attempt(moment, act):
        act()


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


def test_what_was_to_be_written_is_written_once(tmp_path: Path) -> None:
    """Wherever it comes up: files, tests and contexts are in the file with the next write."""
    loading, functions = loaded(tmp_path)
    one, two, three = (functions[name] for name in ("one", "two", "three"))

    def record(moment: Moment, name: str) -> tuple[Facts, tuple[int, ...]]:
        collect()
        run = Run(tmp_path / name, loading, moment)
        run.test("a", one, 2)
        run.test("b", two, 0)
        attempt(moment, run.flusher.write)
        label = run.contexts.open_label("label")
        run.test("c", two, 0)
        three()
        attempt(moment, run.flusher.write)
        run.test("b", two, 0, 1)
        attempt(moment, run.flusher.write)
        again(moment, lambda: run.contexts.close_label(label))
        run.contexts.open_label("open in the end")
        one(0)
        attempt(moment, run.finish)
        if run.writer.run_id:  # else it was over before
            run.finish()
        assert not run.flusher.problem
        return run.found()

    expected = record(Moment(0), "undisturbed")
    assert len(expected[0]) == 9
    assert expected[1][:2] == (1, 3)
    number = 0
    moment = Moment(0)
    while moment.came:
        number += 1
        moment = Moment(number)
        assert record(moment, str(number)) == expected, number
    assert number > 1000


def test_a_thread_that_writes_in_the_middle_of_a_switch(tmp_path: Path) -> None:
    """Wherever it comes: each context is complete when it is over, with all that it ran."""
    loading, functions = loaded(tmp_path)

    def record(moment: Moment, name: str) -> tuple[Facts, tuple[int, ...]]:
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

    expected = record(Moment(0), "undisturbed")
    number = 0
    moment = Moment(0)
    while moment.came:
        number += 1
        moment = Moment(number)
        assert record(moment, str(number)) == expected, number
    assert number > 20


ENDING = """
    import sys
    import whotests

    left = int(sys.argv[1])
    ends = False

    def give_up(frame, event, argument):
        global ends, left
        code = frame.f_code
        if "whotests" in code.co_filename and event in ("call", "c_return"):
            ends = ends or (code.co_name == "_end" and code.co_filename.endswith("session.py"))
            left -= ends
            if not left:
                sys.setprofile(None)
                raise KeyboardInterrupt

    with whotests.context("label"):
        ran = 1
    sys.setprofile(give_up)
"""


def test_the_end_of_a_run_goes_on(tmp_path: Path) -> None:
    """Whatever comes up in the middle of it: all is written, and the run has ended."""
    write_files(tmp_path, {"prog.py": ENDING})
    done = run_measured("python", "prog.py", "1000000", cwd=tmp_path)
    assert (done.status, done.err) == (0, "")
    data = tmp_path / ".whotests" / "data.db"
    expected = recorded_lines(tmp_path, "prog.py")
    assert "label" in expected
    number, came = 1, True
    while came:
        data.unlink()
        done = run_measured("python", "prog.py", str(number), cwd=tmp_path)
        came = "KeyboardInterrupt" in done.err
        assert done.status == 0, done.err
        assert "bug" not in done.err
        found = recorded_lines(tmp_path, "prog.py")
        assert found["label"] == expected["label"], number
        assert found[""] >= expected[""], number  # the handler itself has run
        with Reader.open(data) as reader:
            assert [run.status for run in reader.runs] == [RunStatus.FINISHED], number
        number = number * 3 // 2 + 1
    assert number > 1000
