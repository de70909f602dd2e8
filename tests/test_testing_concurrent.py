"""Suites that run their tests in several threads at once."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

import whotests.testing
from suite_cases import Case, Ids
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.control import RunControl
from whotests.stream.event import Status
from whotests.testing import ConcurrentStreamTestSuite, ConcurrentTestSuite, iterate_tests


class Broken:
    """No test: its run raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def run(self, result: Any) -> None:
        raise self.error


def parts(*tests: Any) -> Callable[[Any], list[Any]]:
    """A `make_tests` that gives these."""
    return lambda suite: list(tests)


def concurrent(*tests: Any, workers: int = 8) -> ConcurrentTestSuite:
    return ConcurrentTestSuite(unittest.TestSuite(), parts(*tests), workers=workers)


def records_of(suite: ConcurrentStreamTestSuite) -> dict[str, TestRecord]:
    """What comes of a suite's tests, by route code and id."""
    found: list[TestRecord] = []
    sink = Collector(found.append)
    sink.start_run()
    suite.run(sink)
    sink.stop_run()
    return {f"{record.route_code}/{record.test_id}": record for record in found}


def test_parts_run_at_the_same_time() -> None:
    """Tests that wait for each other end."""
    barrier = threading.Barrier(3, timeout=10)
    result = Ids()
    assert concurrent(*(Case(name, barrier.wait) for name in "abc")).run(result) is result
    assert sorted(result.passed) == ["a", "b", "c"]


def test_never_more_threads_than_workers() -> None:
    """20,000 parts of a generator run in four threads, and are taken as workers are free."""
    taken = 0
    most_ahead = 0
    threads: set[int] = set()
    result = Ids()

    def note() -> None:
        threads.add(threading.get_ident())

    def make(suite: Any) -> Iterator[Any]:
        nonlocal taken, most_ahead
        for number in range(20_000):
            taken += 1
            most_ahead = max(most_ahead, taken - len(result.passed))
            yield Case(str(number), note)

    ConcurrentTestSuite(unittest.TestSuite(), make, workers=4).run(result)
    assert len(result.passed) == 20_000
    assert len(threads) <= 4
    assert most_ahead <= 6
    assert not [thread for thread in threading.enumerate() if "Concurrent" in thread.name]


def test_there_must_be_a_worker() -> None:
    """No workers would run no tests and say that all is well."""
    with pytest.raises(ValueError, match="at least one worker, not 0"):
        concurrent(Case("a"), workers=0).run(Ids())


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(0), GeneratorExit()])
def test_a_part_that_raises_is_an_error_and_others_keep_their_verdicts(
    error: BaseException,
) -> None:
    """Whatever ends a part's run, it is reported, and nothing else is lost."""
    result = Ids()
    concurrent(Case("a"), Broken(error), Case("b"), workers=1).run(result)
    assert result.passed == ["a", "b"]
    assert result.erred == ["broken-runner"]
    assert type(error).__name__ in result.errors[0][1]


def test_a_failing_subtest_is_not_lost() -> None:
    """The result hears of each failing part of a test."""

    class Parts(unittest.TestCase):
        def test_it(self) -> None:
            for number in range(4):
                with self.subTest(number=number):
                    assert number % 2

    result = unittest.TestResult()
    concurrent(Parts("test_it"), Case("b")).run(result)
    assert len(result.failures) == 2
    assert result.testsRun == 2
    assert not result.wasSuccessful()


def test_the_result_hears_of_one_test_at_a_time() -> None:
    """Starts and stops of tests that run at once do not mix."""
    heard: list[str] = []

    class Heard(unittest.TestResult):
        def startTest(self, test: unittest.TestCase) -> None:
            heard.append(f"start {test.id()}")

        def stopTest(self, test: unittest.TestCase) -> None:
            heard.append(f"stop {test.id()}")

    barrier = threading.Barrier(4, timeout=10)
    concurrent(*(Case(name, barrier.wait) for name in "abcd")).run(Heard())
    assert [word.split()[0] for word in heard] == ["start", "stop"] * 4
    assert all(
        started.split()[1] == stopped.split()[1]
        for started, stopped in zip(heard[::2], heard[1::2], strict=True)
    )


class Threads(whotests.testing.TestCase):
    """Tests of ours, one of which leaves a thread behind."""

    __test__ = False

    barrier: threading.Barrier
    let_go: threading.Event

    async def test_waits(self) -> None:
        self.barrier.wait()
        self.barrier.wait()

    def test_leaves(self) -> None:
        self.barrier.wait()
        threading.Thread(target=self.let_go.wait, name="left", daemon=True).start()
        self.barrier.wait()


@pytest.mark.parametrize("both", [True, False])
def test_threads_of_other_tests_and_workers_are_no_leftovers(both: bool) -> None:
    """Whose a thread is cannot be told of tests that run at once; of one alone it can."""
    names = ["test_leaves", "test_waits"] if both else ["test_leaves"]
    Threads.barrier = threading.Barrier(len(names), timeout=10)
    Threads.let_go = threading.Event()
    result = Ids()
    concurrent(*(Threads(name) for name in names)).run(result)
    Threads.let_go.set()
    told = "".join(text for _test, text in result.failures)
    assert "whotests" not in told.replace("whotests.testing", "")
    assert [test.id().rpartition(".")[2] for test, _text in result.failures] == (
        [] if both else ["test_leaves"]
    )
    assert ("thread 'left'" in told) is not both


def test_stop_ends_all_parts() -> None:
    """After `stop()` no test begins any more, in parts that run or wait."""
    result = Ids()
    suites = [
        unittest.TestSuite([Case(f"{row}-0", result.stop), Case(f"{row}-1")]) for row in range(9)
    ]
    concurrent(*suites, workers=1).run(result)
    assert result.passed == ["0-0"]


def test_failfast_ends_all_parts() -> None:
    """A result that stops at the first failure stops the parts."""
    result = Ids()
    result.failfast = True
    concurrent(Case("a"), Broken(ValueError()), Case("b"), workers=1).run(result)
    assert result.passed == ["a"]


def test_each_part_may_have_a_result_of_its_own() -> None:
    """`wrap_result` gets the shared result and the part's number."""
    numbers: list[int] = []

    def wrap(shared: Any, number: int) -> Any:
        numbers.append(number)
        return shared

    result = Ids()
    ConcurrentTestSuite(
        unittest.TestSuite([Case("a"), Case("b")]), lambda suite: list(iterate_tests(suite)), wrap
    ).run(result)
    assert numbers == [0, 1]
    assert sorted(result.passed) == ["a", "b"]


def test_a_result_that_raises_ends_the_run_with_its_error() -> None:
    """A verdict that cannot be told is no silent loss."""

    class Full(unittest.TestResult):
        def addSuccess(self, test: unittest.TestCase) -> None:
            raise OSError("disk full")

        def addError(self, test: unittest.TestCase, err: Any) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        concurrent(Case("a"), Case("b"), workers=1).run(Full())


def test_an_error_while_parts_are_made_stops_those_that_run() -> None:
    """It is raised when they have ended, and what they said is heard."""
    begun, let_go = threading.Event(), threading.Event()
    result = Ids()

    def wait() -> None:
        begun.set()
        assert let_go.wait(10)

    def make(suite: Any) -> Iterator[Any]:
        yield unittest.TestSuite([Case("a", wait), Case("never")])
        assert begun.wait(10)
        threading.Timer(0.2, let_go.set).start()
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        ConcurrentTestSuite(unittest.TestSuite(), make).run(result)
    assert result.passed == ["a"]


INTERRUPTED = """
import os, signal, sys, threading, time, unittest
from whotests.testing import ConcurrentStreamTestSuite, ConcurrentTestSuite, StreamResult

signal.signal(signal.SIGINT, signal.default_int_handler)  # where the suite runs in the background

def tell(line):
    sys.stdout.write(line + "\\n")  # at once, unlike print
    sys.stdout.flush()

class Case(unittest.TestCase):
    def test_first(self):
        tell("begun")
        while not os.path.exists(sys.argv[2]):
            time.sleep(0.02)
    def test_second(self):
        tell("second")

class Result(unittest.TestResult):
    def addSuccess(self, test):
        tell(f"passed {test.id()}")

class Events(StreamResult):
    def status(self, test_id=None, test_status=None, **kwargs):
        tell(str(test_status))

suites = [unittest.TestSuite([Case("test_first"), Case("test_second")]) for _ in range(2)]
try:
    if sys.argv[1] == "stream":
        ConcurrentStreamTestSuite(lambda: [(suite, None) for suite in suites]).run(Events())
    else:
        ConcurrentTestSuite(unittest.TestSuite(), lambda suite: suites).run(Result())
except KeyboardInterrupt:
    tell(f"interrupted {sum('Concurrent' in each.name for each in threading.enumerate())}")
"""


def interrupted(folder: Path, *arguments: str, times: int) -> list[str]:
    """What the program tells that gets Ctrl-C so many times once both workers have begun.

    Its tests may end after that, if they wait for 'go on'.
    """
    (folder / "interrupted.py").write_text(INTERRUPTED)
    command = [sys.executable, "interrupted.py", *arguments]
    lines: list[str] = []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while lines.count("begun") < 2:
            lines.append(process.stdout.readline().strip())
            assert process.poll() is None, lines
        for _ in range(times):
            os.kill(process.pid, signal.SIGINT)
            time.sleep(0.5)
        (folder / "go on").touch()
        lines += process.stdout.read().split("\n")
    assert process.returncode == 0
    return lines


@pytest.mark.parametrize(("kind", "told"), [("plain", "passed __main__.Case"), ("stream", "succ")])
def test_ctrl_c_stops_all_workers_and_is_raised(kind: str, told: str, tmp_path: Path) -> None:
    """The tests in progress end and are told of, no other begins, no thread is left."""
    lines = interrupted(tmp_path, kind, "go on", times=1)
    assert "interrupted 0" in lines
    assert "second" not in lines
    assert sum(line.startswith(told) for line in lines) == 2


@pytest.mark.parametrize("kind", ["plain", "stream"])
def test_a_second_ctrl_c_does_not_wait(kind: str, tmp_path: Path) -> None:
    """The program goes on, and can end, though tests of an hour are in progress."""
    assert "interrupted 2" in interrupted(tmp_path, kind, "never", times=2)


def test_an_interrupt_out_of_a_test_ends_the_run() -> None:
    """A KeyboardInterrupt that reaches a worker is one of the whole run."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    result = Ids()
    with pytest.raises(KeyboardInterrupt):
        concurrent(Case("a", interrupt), Case("b"), workers=1).run(result)
    assert result.passed == []


def test_events_of_parts_have_their_route_codes() -> None:
    """One id in two parts is two tests."""
    suite = ConcurrentStreamTestSuite(lambda: [(Case("a"), "0"), (Case("a"), "1")])
    assert {key: record.status for key, record in records_of(suite).items()} == {
        "0/a": Status.SUCCESS,
        "1/a": Status.SUCCESS,
    }


def test_a_failing_subtest_is_an_event() -> None:
    """In a stream it fails its test, and its traceback is attached."""

    class Parts(unittest.TestCase):
        def test_it(self) -> None:
            with self.subTest(part="first"):
                self.fail("no")

    (record,) = records_of(ConcurrentStreamTestSuite(lambda: [(Parts("test_it"), "0")])).values()
    assert record.status is Status.FAIL
    assert any("first" in name for name in record.attachments)


def test_a_part_that_raises_is_a_failure_in_the_stream() -> None:
    """It is named by its route code, with a traceback, and other parts are not touched."""
    found = records_of(
        ConcurrentStreamTestSuite(
            lambda: [(Case("a"), "0"), (Broken(SystemExit(3)), "1"), (Case("b"), "2")]
        )
    )
    assert found["0/a"].status is found["2/b"].status is Status.SUCCESS
    broken = found["1/broken-runner-'1'"]
    assert broken.status is Status.FAIL
    (traceback,) = broken.attachments.values()
    assert b"SystemExit: 3" in b"".join(traceback.iter_bytes())


def test_many_parts_of_a_stream_need_few_threads() -> None:
    """5,000 parts run in three threads, and every verdict comes."""
    threads: set[int] = set()
    suite = ConcurrentStreamTestSuite(
        lambda: (
            (Case(str(number), lambda: threads.add(threading.get_ident())), None)
            for number in range(5_000)
        ),
        workers=3,
    )
    found = records_of(suite)
    assert len(found) == 5_000
    assert {record.status for record in found.values()} == {Status.SUCCESS}
    assert len(threads) <= 3


def test_a_slow_sink_slows_the_parts_down() -> None:
    """What is not yet taken by the sink is bounded: a part waits until there is room."""
    most_waiting = 0
    made = heard = 0

    class Floods:
        def run(self, result: Any) -> None:
            nonlocal made
            for number in range(20_000):
                made += 1
                result.status(test_id=str(number), test_status="exists")

    class Slow:
        def handle(self, event: Any) -> None:
            nonlocal heard, most_waiting
            heard += 1
            if heard == 1:
                time.sleep(0.2)
            most_waiting = max(most_waiting, made - heard)

    ConcurrentStreamTestSuite(lambda: [(Floods(), None)]).run(Slow())
    assert heard == 20_000
    assert most_waiting < 1_100


def test_a_control_stops_all_parts_of_a_stream() -> None:
    """Parts that run see it as `shouldStop`, and those that wait do not begin."""
    control = RunControl()
    suites = [
        (unittest.TestSuite([Case(f"{row}-0", control.stop), Case(f"{row}-1")]), str(row))
        for row in range(9)
    ]
    suite = ConcurrentStreamTestSuite(lambda: suites, workers=1, control=control)
    assert list(records_of(suite)) == ["0/0-0"]


def test_a_result_that_asks_to_stop_stops_all_parts_of_a_stream() -> None:
    """The `shouldStop` of what takes the events is heeded like a control."""

    class Asks:
        shouldStop = False
        ids: list[str]

        def __init__(self) -> None:
            self.ids = []

        def handle(self, event: Any) -> None:
            if event.status is Status.SUCCESS:
                self.ids.append(event.test_id)
                self.shouldStop = True

    asks = Asks()
    cases = [(Case(str(number), lambda: time.sleep(0.01)), None) for number in range(500)]
    ConcurrentStreamTestSuite(lambda: cases, workers=1).run(asks)
    assert 1 <= len(asks.ids) < 10


def test_a_sink_that_raises_ends_the_run_with_its_error() -> None:
    """No worker is left behind that waits for room in the queue."""

    class Floods:
        def run(self, result: Any) -> None:
            for number in range(5_000):
                result.status(test_id=str(number), test_status="exists")

    class Full:
        def handle(self, event: Any) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        ConcurrentStreamTestSuite(lambda: [(Floods(), None)] * 3).run(Full())
    assert not [thread for thread in threading.enumerate() if "Concurrent" in thread.name]


class Endings:
    """Each method ends in the way of its name."""

    __test__ = False

    fail: Any
    skipTest: Any
    subTest: Any

    def success(self) -> None:
        pass

    def fail_(self) -> None:
        self.fail("no")

    def error(self) -> None:
        raise LookupError("no")

    def skip(self) -> None:
        self.skipTest("not now")

    def parts(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                if number == 1:
                    self.fail("part")
                if number == 2:
                    self.skipTest("part")

    @unittest.expectedFailure
    def expected(self) -> None:
        self.fail("no")

    @unittest.expectedFailure
    def unexpected(self) -> None:
        pass


class Ending(Endings, unittest.TestCase):
    """A test of unittest's that ends in some way."""


class OwnEnding(Endings, whotests.testing.TestCase):
    """A test of ours that ends in some way."""


ENDINGS = {
    "success": Status.SUCCESS,
    "fail_": Status.FAIL,
    "error": Status.FAIL,
    "skip": Status.SKIP,
    "parts": Status.FAIL,
    "expected": Status.XFAIL,
    "unexpected": Status.UXSUCCESS,
}


def counts(result: unittest.TestResult) -> list[int]:
    kinds = (result.failures, result.errors, result.skipped)
    others = (result.expectedFailures, result.unexpectedSuccesses)
    return [result.testsRun, *(len(kind) for kind in (*kinds, *others))]


@settings(max_examples=50, deadline=None)
@given(
    endings=strategies.lists(strategies.sampled_from(sorted(ENDINGS)), max_size=25),
    workers=strategies.integers(1, 5),
    case=strategies.sampled_from([Ending, OwnEnding]),
)
def test_all_verdicts_are_those_of_a_serial_run(
    endings: list[str], workers: int, case: Any
) -> None:
    """However tests end and however many threads run them, nothing is lost or told twice."""
    serial, threads = unittest.TestResult(), unittest.TestResult()
    unittest.TestSuite(map(Ending, endings)).run(serial)
    concurrent(*map(case, endings), workers=workers).run(threads)
    assert counts(threads) == counts(serial)
    stream = ConcurrentStreamTestSuite(
        lambda: [(case(ending), str(number)) for number, ending in enumerate(endings)],
        workers=workers,
    )
    assert {key.partition("/")[0]: record.status for key, record in records_of(stream).items()} == {
        str(number): ENDINGS[ending] for number, ending in enumerate(endings)
    }
