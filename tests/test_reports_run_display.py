"""What a run of tests shows: in a stream of lines, and on a terminal."""

import io
import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stream_events import EVENTS, START
from whotests.reports.run_display import RunDisplay
from whotests.reports.run_progress import Expected
from whotests.reports.run_summary import Ending, Slowest
from whotests.reports.run_words import clock_time, ended_so, rough_time
from whotests.stream.event import Chunk, Event, Status

PLAIN = 'text/plain; charset="utf8"'


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Shown:
    """A run and what was shown of it."""

    def __init__(self, *, chosen: int = 3, workers: int = 1, **options: bool | int) -> None:
        self.stream = io.StringIO()
        self.clock = Clock()
        self.display = RunDisplay(
            self.stream,
            workers=workers,
            clock=self.clock,
            **options,  # type: ignore[arg-type]
        )
        self.display.start_run()
        self.display.choose(Expected(f"a.test_{place}") for place in range(chosen))

    def test(
        self, test_id: str, status: Status, seconds: float = 0.0, *chunks: Chunk, worker: str = "w0"
    ) -> None:
        """A test from its beginning to its end."""
        tell = self.display.handle
        tell(Event(test_id, Status.INPROGRESS, timestamp=START, route_code=worker))
        for chunk in chunks:
            tell(Event(test_id, attachment=chunk, route_code=worker))
        stopped = START + timedelta(seconds=seconds)
        tell(Event(test_id, status, timestamp=stopped, route_code=worker))

    def text(self) -> str:
        """All that was shown until now."""
        return self.stream.getvalue()

    def end(self, *, good: bool = True, why: str = "", again: str = "", logs: str = "") -> str:
        """All that was shown, the run being over."""
        self.display.stop_run()
        verdict = "passed" if good else "FAILED"
        self.display.summarize(Ending(verdict=verdict, good=good, why=why, again=again, logs=logs))
        return self.text()


def test_a_good_run_is_short() -> None:
    """Nothing but the counts."""
    shown = Shown()
    for name in ("a.test_0", "a.test_1"):
        shown.test(name, Status.SUCCESS)
    shown.test("a.test_2", Status.SKIP, 0, Chunk("reason", b"no network", PLAIN, True))
    shown.clock.now = 61.0
    assert shown.end() == "passed: 2 passed, 1 skipped in 1 min 01 s\n"


def test_a_failure_is_shown_as_it_comes() -> None:
    """With its output first and its traceback last, before the run goes on; at the end, by name."""
    shown = Shown(workers=2)
    shown.test("a.test_0", Status.SUCCESS, worker="w1")
    shown.test(
        "a.test_1",
        Status.FAIL,
        0.5,
        Chunk(
            "traceback", b"Traceback:\n  File x\nValueError: 1\n  more\n", "text/x-traceback", True
        ),
        Chunk("stdout", b"one\ntwo\n", PLAIN, True),
        Chunk("log", b"alone", PLAIN, True),
        Chunk("nothing", b"", PLAIN, True),
        Chunk("core", b"\0" * 2000, "application/x-core", True),
    )
    failure = (
        "failed  a.test_1  0.500 s, w0\n"
        "  stdout:\n    one\n    two\n"
        "  log: alone\n"
        "  core (application/x-core): 2 kB\n"
        "  traceback:\n    Traceback:\n      File x\n    ValueError: 1\n      more\n"
        "\n"
    )
    assert shown.text() == failure
    shown.clock.now = 2.0
    assert shown.end(good=False, again="whotests test --failed", logs="logs/1") == failure + (
        "\n1 failure\n  failed a.test_1\n\n"
        "FAILED: 1 passed, 1 failed, 1 not run in 2.00 s by 2 workers\n"
        "again: whotests test --failed\n"
        "logs: logs/1\n"
    )


def test_passed_though() -> None:
    """Tests that passed unexpectedly, or when they were run again, are counted besides."""
    shown = Shown(chosen=2)
    for name, tag in (("a.test_0", "xpassed"), ("a.test_1", "rerun")):
        shown.display.handle(Event(name, Status.SUCCESS, frozenset({tag})))
    assert shown.end() == (
        "passed: 2 passed, 1 of them though a failure was expected, 1 of them run again in 0.0 ms\n"
    )


def test_what_is_outside_of_tests() -> None:
    """What fails or is skipped that is no test, a module, say, is counted apart; it took no time
    that one could tell."""
    shown = Shown()
    for name, status in (("a.py", Status.FAIL), ("b.py", Status.SKIP)):
        shown.display.handle(Event(name, status, runnable=False, timestamp=START))
    assert shown.end(good=False) == (
        "failed  a.py\n\n1 failure\n  failed a.py\n\n"
        "FAILED: 1 failure outside of tests, 1 skip outside of tests, 3 not run in 0.0 ms\n"
    )


def test_verbose() -> None:
    """A line for each test, with why one was skipped."""
    shown = Shown(verbose=True)
    shown.test("a.test_0", Status.SUCCESS, 0.25)
    shown.test("a.test_1", Status.SKIP, 0, Chunk("reason", b"no\nnetwork", PLAIN, True))
    shown.test("a.test_2", Status.XFAIL, 0, Chunk("traceback", b"not shown", PLAIN, True))
    assert shown.text() == (
        "passed  a.test_0  0.250 s\n"
        "skipped a.test_1: no\\nnetwork  0.000 s\n"
        "expected failure a.test_2  0.000 s\n"
    )
    shown.end()


def test_quiet() -> None:
    """Failures and the counts alone."""
    shown = Shown(quiet=True, verbose=True)
    shown.display.handle(Event(attachment=Chunk("stdout", b"hello\n", None, True)))
    shown.test("a.test_0", Status.SUCCESS)
    shown.test("a.test_1", Status.FAIL)
    text = shown.end(good=False, again="whotests test --failed", logs="logs/1")
    assert text == "failed  a.test_1  0.000 s\nFAILED: 1 passed, 1 failed, 1 not run in 0.0 ms\n"


def test_what_is_no_test() -> None:
    """A fixture that fails is a failure outside of tests; what a worker notes is shown."""
    shown = Shown(chosen=0)
    note = Chunk("note", b"the host died\nof nothing", PLAIN, True)
    shown.display.handle(Event(attachment=note, route_code="w1"))
    shown.display.handle(Event(attachment=Chunk("stdout", b"said\n", None, True), route_code="w1"))
    shown.display.handle(Event("setUpClass (a.B)", Status.FAIL, runnable=False))
    text = shown.end(good=False, why="why")
    assert text == (
        "w1: the host died\n  of nothing\n"
        "[w1] stdout: said\n"
        "failed  setUpClass (a.B)\n"
        "\n1 failure\n  failed setUpClass (a.B)\n\n"
        "FAILED: 1 failure outside of tests in 0.0 ms\nwhy\n"
    )


def test_without_end() -> None:
    """A test that was in progress when the run stopped is shown, and was not run."""
    shown = Shown(chosen=2)
    shown.test("a.test_0", Status.SUCCESS)
    for event in (
        Event("a.test_1", Status.INPROGRESS, timestamp=START, route_code="w0"),
        Event("a.test_1", attachment=Chunk("stdout", b"far\n", PLAIN), route_code="w0"),
    ):
        shown.display.handle(event)
    shown.display.handle(Event("never.began", attachment=Chunk("stdout", b"odd\n", PLAIN)))
    assert shown.end(good=False) == (
        "cut off a.test_1\n  stdout: far\n\nFAILED: 1 passed, 1 not run in 0.0 ms\n"
    )
    assert shown.display.progress.failed == 0


def test_more_workers_than_were_spoken_of() -> None:
    """As on a cluster: those that ran a test are counted."""
    shown = Shown(chosen=2)
    shown.test("a.test_0", Status.SUCCESS, worker="w7")
    shown.test("a.test_1", Status.SUCCESS, worker="w9/1")
    assert shown.end() == "passed: 2 passed in 0.0 ms by 2 workers\n"


@pytest.mark.parametrize("heard", [True, False])
def test_nothing_can_be_shown(heard: bool) -> None:
    """That is told once, or raised where nobody hears it; tests are counted all the same."""
    shown = Shown()
    errors: list[Exception] = []
    if heard:
        shown.display.on_lost = errors.append
    shown.stream.close()
    if not heard:
        with pytest.raises(ValueError, match="closed"):
            shown.test("a.test_0", Status.FAIL)
        shown.display.stop_run()
        return
    shown.test("a.test_0", Status.FAIL)
    shown.test("a.test_1", Status.FAIL)
    shown.display.stop_run()
    assert [str(error) for error in errors] == ["I/O operation on closed file"]
    assert shown.display.progress.counts == {Status.FAIL: 2}


def test_long_output_is_cut() -> None:
    """The end of it is shown, and how much is before that; so is the begin of a long line."""
    shown = Shown()
    text = "".join(f"line {number}\n" for number in range(1000)) + "x" * 100_000
    shown.test("a.test_0", Status.FAIL, 0, Chunk("stdout", text.encode(), PLAIN, True))
    lines = shown.text().splitlines()
    assert lines[1:4] == [
        "  stdout:",
        "    (601 lines before these: --json has them)",
        "    line 601",
    ]
    assert lines[-2].startswith("    xxx")
    assert lines[-2].endswith("x… (98,000 characters more)")
    assert len(lines) < 410
    shown.end()


def test_the_slowest() -> None:
    """As many as asked for, the slowest first."""
    shown = Shown(chosen=5, slowest=2)
    for place, seconds in enumerate((0.5, 3.0, 0.1, 2.0, 0.2)):
        shown.test(f"a.test_{place}", Status.SUCCESS, seconds)
    assert shown.end().splitlines()[:4] == [
        "",
        "slowest",
        "  3.00 s  a.test_1",
        "  2.00 s  a.test_3",
    ]
    none = Slowest(0)
    none.add(1.0, "a")
    assert none.most() == []


def test_names_cannot_steer_the_terminal() -> None:
    """Whatever an id has in it stands on its line, escaped."""
    shown = Shown(verbose=True)
    shown.test("a\x1b[2Jb\nc", Status.SUCCESS)
    assert shown.text() == "passed  a\\x1b[2Jb\\nc  0.000 s\n"
    shown.end()


def test_a_line_now_and_then_where_there_is_no_terminal() -> None:
    """It says how far the run is, and which tests run for more than a minute."""
    written = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str, /) -> int:
            if "of 3 tests" in text:
                written.set()
            return super().write(text)

    stream, clock = Stream(), Clock()
    display = RunDisplay(stream, workers=1, clock=clock, pulse=0.01)
    display.progress.choose([Expected(f"a.test_{place}", 90.0) for place in range(3)], workers=1)
    display.progress.began("a.test_0", worker="w0", now=0.0)
    clock.now = 75.0
    display.start_run()
    try:
        assert written.wait(10)
    finally:
        display.stop_run()
    line = stream.getvalue().splitlines()[0]
    assert line == "0:00  0 of 3 tests, about 3 min left; running: a.test_0 (75 s)"


@pytest.mark.parametrize(
    ("seconds", "rough", "clock"),
    [
        (0.2, "1 s", "0:00"),
        (8.6, "9 s", "0:08"),
        (33.0, "35 s", "0:33"),
        (150.0, "2 min", "2:30"),
        (3725.0, "62 min", "1:02:05"),
        (9000.0, "2 h 30 min", "2:30:00"),
    ],
)
def test_times(seconds: float, rough: str, clock: str) -> None:
    """As one says how long something takes, and as a clock shows it."""
    assert rough_time(seconds) == rough
    assert clock_time(seconds) == clock


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=12))
def test_any_events_can_be_shown(events: list[Event]) -> None:
    """Whatever comes, in lines or on a terminal, it is shown, and each test has one verdict."""
    for live in (False, True):
        display = RunDisplay(io.StringIO(), workers=2, verbose=True, slowest=3, live=live)
        display.start_run()
        for event in events:
            display.handle(event)
        display.stop_run()
        display.summarize(
            Ending(verdict="FAILED", good=False, why="why", again="again", logs="logs")
        )


@pytest.mark.parametrize(
    ("number", "status", "text"),
    [
        (1, Status.XFAIL, "1 expected failure"),
        (2, Status.XFAIL, "2 expected failures"),
        (2, Status.UXSUCCESS, "2 unexpected successes"),
        (1204, Status.SUCCESS, "1,204 passed"),
    ],
)
def test_counts_of_tests(number: int, status: Status, text: str) -> None:
    """How many tests ended so, with a plural where the words have one."""
    assert ended_so(number, status) == text
