"""Limits of time: whatever a test does, it ends, its clean-ups run, and others are spared."""

import asyncio
import signal
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from case_runs import Ran, ran
from whotests.testing import TestCase
from whotests.testing.supervision.timeouts import Deadline, TimedOut

LIMIT = 0.05
FOREVER = 20.0
"""Seconds: a test that is not ended fails after them."""

needs_alarms = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="the system has no SIGALRM"
)


def in_main_thread(function: Callable[[], Any]) -> Any:
    return function()


def in_another_thread(function: Callable[[], Any]) -> Any:
    """What the function returns in a thread of its own."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


WHERE = pytest.mark.parametrize("within", [in_main_thread, in_another_thread])


def spin(seconds: float = FOREVER) -> None:
    """Work in Python for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def took_too_long(found: Ran, *, at: str) -> bool:
    """Whether the test was ended while it was in this function, and the message says so."""
    return (
        found.outcome == "error"
        and f"took longer than {LIMIT:g} s and was stopped" in found.text
        and f" in {at}" in found.text
    )


class Limited(TestCase):
    """All tests of these have a limit, and note what ran."""

    timeout = LIMIT

    def setUp(self) -> None:
        super().setUp()
        self.steps: list[str] = STEPS
        del self.steps[:]
        self.addCleanup(self.steps.append, "cleaned")

    def tearDown(self) -> None:
        self.steps.append("torn down")
        super().tearDown()


STEPS: list[str] = []
ENDED = ["torn down", "cleaned"]


@WHERE
def test_blocking_code_is_stopped(within: Callable[[Any], Any]) -> None:
    """A test that computes for ever is ended; the message names its id, limit and line."""

    class Case(Limited):
        def test_it(self) -> None:
            spin()

    began = time.monotonic()
    found = within(lambda: ran(Case))
    assert took_too_long(found, at="spin")
    assert "test_blocking_code_is_stopped.<locals>.Case.test_it took" in found.text
    assert time.monotonic() - began < FOREVER / 2
    assert STEPS == ENDED


@WHERE
def test_stopped_time_stops_no_limit(
    within: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test is ended, too, where it has put clocks in the place of the system's that stand still,
    as freezegun does."""

    class Case(Limited):
        def test_it(self) -> None:
            passes = time.monotonic
            self.enterContext(monkeypatch.context()).setattr(time, "monotonic", lambda: 0.0)
            until = passes() + FOREVER
            while passes() < until:
                pass

    found = within(lambda: ran(Case))
    assert took_too_long(found, at="test_it")
    assert STEPS == ENDED


@needs_alarms
def test_waiting_in_the_system_is_stopped() -> None:
    """In the main thread, what sleeps or waits for a lock is ended, too."""

    class Sleeps(Limited):
        def test_it(self) -> None:
            time.sleep(FOREVER)

    class Locks(Limited):
        def test_it(self) -> None:
            threading.Event().wait(FOREVER)

    class InCleanUp(Limited):
        def test_it(self) -> None:
            self.addCleanup(time.sleep, FOREVER)

    assert took_too_long(ran(Sleeps), at="test_it")
    assert took_too_long(ran(Locks), at="test_it")
    assert STEPS == ENDED
    assert ran(InCleanUp).outcome == "error"
    assert STEPS == ENDED


@WHERE
def test_a_coroutine_is_cancelled(within: Callable[[Any], Any]) -> None:
    """A test that awaits is cancelled: its `finally` may await, and nothing else is reported."""

    class Case(Limited):
        async def test_it(self) -> None:
            await self.inner()

        async def inner(self) -> None:
            try:
                await asyncio.sleep(FOREVER)
            finally:
                await asyncio.sleep(0.01)
                self.steps.append("finally")

    found = within(lambda: ran(Case))
    assert took_too_long(found, at="inner")
    assert ["finally", *ENDED] == STEPS
    assert "CancelledError" not in found.text
    assert "left behind" not in found.text


@WHERE
def test_a_blocked_loop_is_stopped(within: Callable[[Any], Any]) -> None:
    """A coroutine that computes and does not await is ended as well."""

    class Case(Limited):
        async def test_it(self) -> None:
            await asyncio.sleep(0)
            spin()

    assert took_too_long(within(lambda: ran(Case)), at="spin")
    assert STEPS == ENDED


@WHERE
def test_what_swallows_the_interruption_gets_it_again(within: Callable[[Any], Any]) -> None:
    """`except BaseException` saves a test for a second; what it catches later ends it."""

    class Case(Limited):
        def test_it(self) -> None:
            try:
                spin()
            except BaseException:
                self.steps.append("swallowed")
            spin()

    began = time.monotonic()
    assert within(lambda: ran(Case)).outcome == "error"
    assert time.monotonic() - began < FOREVER / 2
    assert ["swallowed", *ENDED] == STEPS


def test_a_task_that_refuses_is_interrupted() -> None:
    """A coroutine that goes on after it was cancelled is ended, though not at once."""

    class Case(Limited):
        async def test_it(self) -> None:
            while True:
                try:
                    await asyncio.sleep(FOREVER)
                except asyncio.CancelledError:
                    self.steps.append("refused")

    began = time.monotonic()
    assert ran(Case).outcome == "error"
    assert time.monotonic() - began < FOREVER / 2
    assert STEPS[0] == "refused"
    assert [step for step in STEPS if step != "refused"] == ENDED


def test_except_exception_does_not_take_it() -> None:
    """What is tested may catch all its own exceptions, and is ended nevertheless."""

    class Case(Limited):
        def test_it(self) -> None:
            while True:
                try:
                    spin()
                except Exception:
                    self.steps.append("swallowed")

    assert took_too_long(ran(Case), at="spin")
    assert STEPS == ENDED


def test_a_test_that_ends_too_late_failed() -> None:
    """That it swallowed the interruption and returned does not make it pass."""

    class Case(Limited):
        def test_it(self) -> None:
            try:
                spin()
            except BaseException:
                return

    assert took_too_long(ran(Case), at="spin")


def test_an_error_of_its_own_is_shown_too() -> None:
    """What a test raises when it is interrupted is reported with the time that it took."""

    class Case(Limited):
        def test_it(self) -> None:
            try:
                spin()
            finally:
                raise KeyError("while it was interrupted")

    found = ran(Case)
    assert took_too_long(found, at="spin")
    assert "while it was interrupted" in found.text


def test_everything_s_place_is_shown() -> None:
    """The report shows what each thread and task was doing."""
    release = threading.Event()

    def helper() -> None:
        release.wait(FOREVER)

    class Case(Limited):
        async def test_it(self) -> None:
            thread = threading.Thread(target=helper, name="helping hand", daemon=True)
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(release.set)
            other = asyncio.create_task(self.poll(), name="other task")
            await other

        async def poll(self) -> None:
            await asyncio.sleep(FOREVER)

    text = ran(Case).text
    assert "thread 'helping hand'" in text
    assert "in helper" in text
    assert "task 'other task'" in text
    assert "in poll" in text
    assert "unittest/case.py" not in text


def test_a_method_may_have_its_own_limit() -> None:
    """`timeout` on a method counts for it; None on the class is no limit."""

    class Case(TestCase):
        def test_it(self) -> None:
            spin()

        test_it.timeout = LIMIT  # type: ignore[attr-defined]

        def test_unlimited(self) -> None:
            assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

    assert took_too_long(ran(Case), at="spin")
    assert ran(Case, "test_unlimited").outcome == "passed"


def test_an_expected_failure_is_none_when_it_takes_too_long() -> None:
    """Running out of time is an error, whatever is expected."""

    class Case(Limited):
        @unittest.expectedFailure
        def test_it(self) -> None:
            spin()

    assert took_too_long(ran(Case), at="spin")


def test_a_part_that_takes_too_long() -> None:
    """Within a subTest, the time of the whole test is what is up: no other part begins."""

    class Case(Limited):
        def test_it(self) -> None:
            for part in range(2):
                with self.subTest(part=part):
                    self.steps.append("part")
                    spin()

    result = unittest.TestResult()
    Case("test_it").run(result)
    assert result.failures == []
    ((_, text),) = result.errors
    assert "took longer" in text
    assert STEPS.pop(0) == "part"
    assert STEPS == ENDED


@pytest.fixture
def alarm() -> Iterator[list[str]]:
    """The user's own alarm: what it notes when it rings."""
    rung: list[str] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append("rung"))
    try:
        yield rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@needs_alarms
def test_an_alarm_of_the_user_rings_meanwhile(alarm: list[str]) -> None:
    """An alarm that was set before rings when it is due, while a limit is watched."""
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    with pytest.raises(TimedOut):
        Deadline(0.1, of="it").run(spin)
    assert alarm == ["rung"]


@needs_alarms
def test_an_alarm_of_the_user_rings_afterwards(alarm: list[str]) -> None:
    """What is left of an alarm's time is left afterwards, and its handler and interval are back."""
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 10, 3)
    assert Deadline(FOREVER, of="it").run(lambda: 5) == 5
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    assert 9 < left <= 10
    assert interval == 3
    assert signal.getsignal(signal.SIGALRM) is handler


@needs_alarms
def test_limits_may_be_nested() -> None:
    """The inner limit ends the inner call, the outer one the outer, each by its own name."""

    def inner() -> str:
        with pytest.raises(TimedOut, match=r"^inner took"):
            Deadline(0.03, of="inner").run(spin)
        spin()
        return "not reached"

    with pytest.raises(TimedOut, match=r"^outer took"):
        Deadline(0.1, of="outer").run(inner)

    with pytest.raises(TimedOut, match=r"^outer took"):
        Deadline(0.03, of="outer").run(lambda: Deadline(FOREVER, of="inner").run(spin))


@WHERE
def test_nothing_is_interrupted_late(within: Callable[[Any], Any]) -> None:
    """Calls that end just when their time is up are over: nothing hits what follows."""

    def many() -> tuple[int, int]:
        late = on_time = 0
        for _ in range(60):
            try:
                Deadline(0.002, of="it").run(lambda: spin(0.00195))
                on_time += 1
            except TimedOut:
                late += 1
            spin(0.0005)  # an interruption that came late would be raised here
        return late, on_time

    assert sum(within(many)) == 60


def test_threads_are_stopped_one_by_one() -> None:
    """Limits in several threads at once end each its own."""
    found: dict[str, str] = {}

    def limited(name: str, seconds: float) -> None:
        try:
            Deadline(seconds, of=name).run(lambda: spin(0.5))
            found[name] = "done"
        except TimedOut as error:
            found[name] = str(error)

    threads = [
        threading.Thread(target=limited, args=(str(number), 0.1 if number % 2 else FOREVER))
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: text.split()[0] for name, text in found.items()} == {
        "0": "done", "2": "done", "4": "done", "1": "1", "3": "3", "5": "5",
    }  # fmt: skip


def test_no_watching_thread_is_left() -> None:
    """A limit in another thread leaves no thread behind."""
    in_another_thread(lambda: Deadline(FOREVER, of="it").run(lambda: None))
    assert [each.name for each in threading.enumerate() if "timeout" in each.name] == []


def test_without_a_limit_nothing_is_loaded() -> None:
    """ctypes, which puts exceptions into threads, is imported only when that is needed."""
    import subprocess

    code = "import sys, whotests.testing; print('ctypes' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "False"
