"""Real unittest suites, told as events: every outcome once, nothing lost."""

import os
import queue
import sys
import textwrap
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from testtools import ErrorHolder, PlaceHolder
from testtools.content import Content, text_content
from testtools.content_type import UTF8_TEXT

from stream_events import START
from whotests.stream import (
    Attachment,
    Collector,
    Event,
    EventLog,
    FailFast,
    FanOut,
    ResultToStream,
    RunControl,
    RunStopped,
    Status,
    Summary,
    TestRecord,
    ToQueue,
)


def run_suite(*cases: type[unittest.TestCase]) -> dict[str, TestRecord]:
    """Run all tests of these classes, and give the record of each by its last name."""
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    records: list[TestRecord] = []
    result = ResultToStream(Collector(records.append), clock=lambda: START)
    result.startTestRun()
    unittest.TestSuite(load(case) for case in cases).run(result)
    result.stopTestRun()
    by_name = {record.test_id.rpartition(".")[2]: record for record in records}
    assert len(by_name) == len(records), "a test was reported more than once"
    return by_name


def statuses(records: dict[str, TestRecord]) -> dict[str, Status]:
    return {name: record.status for name, record in records.items()}


def text(record: TestRecord, name: str) -> str:
    return record.attachments[name].as_text()


def test_each_outcome_of_unittest() -> None:
    """What unittest says of a test is its one final status."""

    class Case(unittest.TestCase):
        def test_passes(self) -> None:
            pass

        def test_fails(self) -> None:
            self.fail("no good")

        def test_errs(self) -> None:
            raise KeyError("missing")

        def test_skips(self) -> None:
            self.skipTest("no network")

        @unittest.skip("never")
        def test_never(self) -> None:
            raise AssertionError

        @unittest.expectedFailure
        def test_fails_as_expected(self) -> None:
            self.fail("known")

        @unittest.expectedFailure
        def test_passes_unexpectedly(self) -> None:
            pass

    records = run_suite(Case)
    assert statuses(records) == {
        "test_passes": Status.SUCCESS,
        "test_fails": Status.FAIL,
        "test_errs": Status.FAIL,
        "test_skips": Status.SKIP,
        "test_never": Status.SKIP,
        "test_fails_as_expected": Status.XFAIL,
        "test_passes_unexpectedly": Status.UXSUCCESS,
    }
    assert text(records["test_skips"], "reason") == "no network"
    assert text(records["test_never"], "reason") == "never"
    assert text(records["test_fails"], "traceback").endswith("AssertionError: no good\n")
    assert text(records["test_errs"], "traceback").endswith("KeyError: 'missing'\n")
    assert text(records["test_fails_as_expected"], "traceback").endswith("known\n")
    assert all(record.runnable for record in records.values())
    # CPython 3.12.1 does not start what is skipped before it begins.
    assert all(record.begun for name, record in records.items() if name != "test_never")


def test_a_failing_subtest_fails_its_test() -> None:
    """Each failure of a subtest is attached to its test, which fails, once."""

    class Case(unittest.TestCase):
        def test_some(self) -> None:
            for number in range(4):
                with self.subTest("parity", number=number):
                    if number % 2:
                        self.fail("odd")

        def test_all_pass(self) -> None:
            with self.subTest(number=1):
                pass

    records = run_suite(Case)
    assert statuses(records) == {"test_some": Status.FAIL, "test_all_pass": Status.SUCCESS}
    assert list(records["test_some"].attachments) == [
        "traceback [parity] (number=1)",
        "traceback [parity] (number=3)",
    ]
    assert text(records["test_some"], "traceback [parity] (number=3)").endswith("odd\n")


def test_a_skipped_subtest_is_a_skip_unless_something_failed() -> None:
    """A test of which a part was skipped is no success; where another part failed, it failed."""

    class Case(unittest.TestCase):
        def test_part_skipped(self) -> None:
            with self.subTest(part=1):
                self.skipTest("not here")
            with self.subTest(part=2):
                pass

        def test_part_failed(self) -> None:
            with self.subTest(part=1):
                self.fail("broken")
            with self.subTest(part=2):
                self.skipTest("not here")

    records = run_suite(Case)
    assert statuses(records) == {"test_part_skipped": Status.SKIP, "test_part_failed": Status.FAIL}
    assert text(records["test_part_skipped"], "reason (part=1)") == "not here"
    assert text(records["test_part_failed"], "reason (part=2)") == "not here"


def test_all_that_goes_wrong_is_kept_and_the_worst_counts() -> None:
    """A failure that is followed by a skip or an error in a clean-up stays a failure."""

    class Case(unittest.TestCase):
        def test_fails_then_skips(self) -> None:
            self.addCleanup(self.skipTest, "late")
            self.fail("early")

        def test_fails_twice(self) -> None:
            self.addCleanup(self.fail, "late")
            self.fail("early")

        def test_skips_then_fails(self) -> None:
            self.addCleanup(self.fail, "late")
            self.skipTest("early")

    records = run_suite(Case)
    assert records["test_fails_then_skips"].status is Status.FAIL
    assert text(records["test_fails_then_skips"], "reason") == "late"
    assert records["test_fails_twice"].status is Status.FAIL
    assert text(records["test_fails_twice"], "traceback").endswith("early\n")
    assert text(records["test_fails_twice"], "traceback-1").endswith("late\n")
    assert records["test_skips_then_fails"].status is Status.FAIL
    assert list(records["test_skips_then_fails"].attachments) == ["reason", "traceback"]


def test_fixtures_of_classes_are_not_runnable() -> None:
    """What fails or is skipped outside of tests is told, as something that cannot be selected."""

    class Broken(unittest.TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            raise OSError("no database")

        def test_never_runs(self) -> None:
            raise AssertionError

    class BrokenDown(Broken):
        @classmethod
        def setUpClass(cls) -> None:
            pass

        @classmethod
        def tearDownClass(cls) -> None:
            raise OSError("cannot close")

        def test_never_runs(self) -> None:
            pass

    class Skipped(Broken):
        @classmethod
        def setUpClass(cls) -> None:
            raise unittest.SkipTest("not on this machine")

    load = unittest.defaultTestLoader.loadTestsFromTestCase
    summary = Summary()
    result = ResultToStream(summary)
    unittest.TestSuite(load(case) for case in (Broken, BrokenDown, Skipped)).run(result)
    result.stopTestRun()
    failed, torn = summary.records[Status.FAIL]
    (skipped,) = summary.records[Status.SKIP]
    assert failed.test_id.startswith("setUpClass (")
    assert torn.test_id.startswith("tearDownClass (")
    assert not any(record.runnable for record in (failed, torn, skipped))
    assert text(failed, "traceback").endswith("OSError: no database\n")
    assert text(skipped, "reason") == "not on this machine"
    assert summary.counts[Status.SUCCESS] == 1
    assert not result.wasSuccessful()


def test_a_test_that_is_interrupted_is_unknown() -> None:
    """A test that stops without an outcome does not pass, nor does its run."""

    class Case(unittest.TestCase):
        def test_interrupted(self) -> None:
            raise KeyboardInterrupt

    log = EventLog()
    result = ResultToStream(log)
    with pytest.raises(KeyboardInterrupt):
        Case("test_interrupted").run(result)
    assert [event.status for event in log.events] == [Status.INPROGRESS, Status.UNKNOWN]
    assert not result.wasSuccessful()


def test_asynchronous_tests_are_told_as_others() -> None:
    """unittest's own asynchronous test case reports through the same protocol."""

    class Case(unittest.IsolatedAsyncioTestCase):
        async def test_fails(self) -> None:
            with self.subTest(part=1):
                self.fail("async")

    assert statuses(run_suite(Case)) == {"test_fails": Status.FAIL}


def test_the_extended_protocol() -> None:
    """Details, tags and times of testtools' protocol are in the events."""
    log = EventLog()
    result = ResultToStream(log)
    test = PlaceHolder(
        "a.test",
        outcome="addError",
        details={"log": text_content("hello"), "empty": text_content("")},
        tags=frozenset({"slow"}),
        timestamps=(START, START + timedelta(seconds=3)),
    )
    result.startTestRun()
    result.tags({"all"}, set())
    test.run(result)
    result.stopTestRun()
    records: list[TestRecord] = []
    collector = Collector(records.append)
    for event in log.events:
        collector.handle(event)
    (record,) = records
    assert record.status is Status.FAIL
    assert record.tags == {"slow", "all"}
    assert (record.started, record.stopped) == (START, START + timedelta(seconds=3))
    plain = 'text/plain; charset="utf8"'
    assert record.attachments == {
        "log": Attachment(plain, (b"hello",)),
        "empty": Attachment(plain, ()),
    }


def test_tags_within_a_test_end_with_it() -> None:
    """Tags that are set between start and stop are that test's alone."""
    log = EventLog()
    result = ResultToStream(log)
    result.tags({"run", "gone"}, set())
    for name in ("a", "b"):
        test = PlaceHolder(name)
        result.startTest(test)
        if name == "a":
            result.tags({"own"}, {"gone"})
            assert result.current_tags == {"run", "own"}
        result.addSuccess(test)
        result.stopTest(test)
    assert log.started == 1, "whoever does not start the run has it started"
    ends = [event for event in log.events if event.status is Status.SUCCESS]
    assert [event.tags for event in ends] == [frozenset({"run", "own"}), frozenset({"run", "gone"})]


def test_an_error_holder_is_told_without_a_start() -> None:
    """An outcome for what never started is told at once, by one final event."""
    log = EventLog()
    result = ResultToStream(log)
    try:
        raise ImportError("no module named x")
    except ImportError:
        error = sys.exc_info()
    holder = ErrorHolder("import.of.x", error=error)
    result.addError(holder, details=holder._details)
    assert {event.test_id for event in log.events} == {"import.of.x"}
    *attached, end = log.events
    assert all(event.attachment and event.status is None for event in attached)
    assert end.status is Status.FAIL


def test_a_duration_sets_the_end() -> None:
    """Where the time is not told but the duration is, the test ends so much after it began."""
    log = EventLog()
    result = ResultToStream(log, clock=lambda: START)
    test = PlaceHolder("a")
    result.startTest(test)
    result.addDuration(test, 1.5)
    result.addSuccess(test)
    result.stopTest(test)
    assert log.events[-1].timestamp == START + timedelta(seconds=1.5)


def test_the_clock_has_a_time_zone() -> None:
    """Without a time of the caller's, events have the time at which they were told."""
    log = EventLog()
    before = datetime.now(UTC)
    unittest.FunctionTestCase(lambda: None).run(ResultToStream(log))
    times = [event.timestamp for event in log.events]
    assert all(moment is not None and before <= moment <= datetime.now(UTC) for moment in times)


@pytest.mark.parametrize("how", ["failfast", "FailFast", "stop"])
def test_a_run_is_stopped_from_anywhere(how: str) -> None:
    """The result's own failfast, a watcher of the stream and `stop` end a suite alike."""
    control = RunControl()
    summary = Summary()
    result = ResultToStream(
        FanOut(summary, FailFast(control.stop if how == "FailFast" else lambda: None)),
        control=control,
    )
    result.failfast = how == "failfast"

    def fail() -> None:
        if how == "stop":
            result.stop()
        raise AssertionError

    unittest.TestSuite(unittest.FunctionTestCase(fail) for _ in range(3)).run(result)
    assert control.should_stop
    assert result.shouldStop
    assert summary.counts == {Status.FAIL: 1}


def test_should_stop_can_be_set() -> None:
    """Code that sets the attribute, as some runners do, asks the control."""
    control = RunControl()
    result = ResultToStream(EventLog(), control=control)
    result.shouldStop = False
    assert not control.should_stop
    result.shouldStop = True
    assert control.should_stop


def test_a_test_that_starts_again_without_a_stop_ends_first() -> None:
    """Each round of a test that is run again has an end of its own."""
    log = EventLog()
    result = ResultToStream(log)
    test = PlaceHolder("a")
    result.startTest(test)
    result.addFailure(test, details={})
    result.startTest(test)
    result.addSuccess(test)
    result.stopTest(test)
    assert [event.status for event in log.events] == [
        Status.INPROGRESS,
        Status.FAIL,
        Status.INPROGRESS,
        Status.SUCCESS,
    ]
    assert not result.wasSuccessful()


def test_unittests_own_runner_takes_it() -> None:
    """`TextTestRunner` with this as its result class runs, counts and tells success."""
    log = EventLog()

    class Case(unittest.TestCase):
        def test_one(self) -> None:
            pass

    class Result(ResultToStream):
        separator2 = ""

        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(log)

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        runner = unittest.TextTestRunner(nowhere, resultclass=Result)  # type: ignore[arg-type]
        result = runner.run(unittest.defaultTestLoader.loadTestsFromTestCase(Case))
    assert result.wasSuccessful()
    assert (log.started, log.stopped, result.testsRun) == (1, 1, 1)


def test_text_that_is_not_unicode_does_not_lose_a_test() -> None:
    """A message with lone surrogates, as file names have them, is told with escapes."""

    class Case(unittest.TestCase):
        def test_surrogates(self) -> None:
            self.fail("file \udcff")

    (record,) = run_suite(Case).values()
    assert "file \\udcff" in text(record, "traceback")


def test_locals_in_tracebacks_on_request() -> None:
    """unittest's own switch for locals works here, too."""

    class Case(unittest.TestCase):
        def test_locals(self) -> None:
            the_answer = 42
            self.fail(f"no more than {the_answer - 1}")

    records: list[TestRecord] = []
    result = ResultToStream(Collector(records.append))
    result.tb_locals = True
    Case("test_locals").run(result)
    assert "the_answer = 42" in text(records[0], "traceback")


def test_a_second_run_begins_anew() -> None:
    """Tags, the time and the failures of one run are not those of the next."""
    log = EventLog()
    result = ResultToStream(log)
    result.startTestRun()
    result.tags({"first"}, set())
    result.time(START)
    result.startTest(PlaceHolder("cut short"))
    result.addFailure(PlaceHolder("a"), details={})
    result.stopTestRun()
    assert not result.wasSuccessful()
    result.startTestRun()
    PlaceHolder("cut short").run(result)
    assert result.wasSuccessful()
    assert [event.status for event in log.events] == [Status.INPROGRESS, Status.SUCCESS]
    assert not any(event.tags or event.timestamp == START for event in log.events)


def test_what_a_test_prints_is_in_its_traceback() -> None:
    """unittest's buffering works here, too: a failure is told with what was printed."""

    def shout() -> None:
        print("heard")
        raise AssertionError

    records: list[TestRecord] = []
    result = ResultToStream(Collector(records.append))
    result.buffer = True
    unittest.FunctionTestCase(shout).run(result)
    assert text(records[0], "traceback").endswith("Stdout:\nheard\n")


def test_a_detail_that_cannot_be_read_fails_its_test() -> None:
    """What could be read is kept, and why the rest could not is told; the run goes on."""

    def content() -> Iterator[bytes]:
        yield b"first"
        raise OSError("the log is gone")

    records: list[TestRecord] = []
    result = ResultToStream(Collector(records.append))
    test = PlaceHolder("a")
    result.startTest(test)
    result.addSuccess(test, details={"log": Content(UTF8_TEXT, content)})
    result.stopTest(test)
    assert records[0].status is Status.FAIL
    assert text(records[0], "log") == "first"
    assert text(records[0], "traceback").endswith("OSError: the log is gone\n")
    assert not result.wasSuccessful()


def test_workers_in_threads_meet_in_a_queue() -> None:
    """Suites in many threads, one result each, make one stream in which every test is whole."""
    items: queue.SimpleQueue[object] = queue.SimpleQueue()
    workers = 8

    def make(number: int) -> Callable[[], None]:
        def work() -> None:
            result = ResultToStream(ToQueue(items, str(number)))
            result.startTestRun()
            for _ in range(50):
                unittest.FunctionTestCase(lambda: time.sleep(0)).run(result)
            result.stopTestRun()

        return work

    threads = [threading.Thread(target=make(number)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    summary = Summary()
    summary.start_run()
    stopped = 0
    while stopped < workers:
        item = items.get(timeout=5)
        if isinstance(item, Event):
            summary.handle(item)
        stopped += isinstance(item, RunStopped)
    summary.stop_run()
    assert summary.counts == {Status.SUCCESS: workers * 50}


def test_what_ran_in_another_module_is_named_by_it() -> None:
    """The id of a test is unittest's, so that it can be selected again."""
    namespace: dict[str, object] = {"__name__": "elsewhere.test_it"}
    code = """
        import unittest
        class Case(unittest.TestCase):
            def test_it(self): pass
    """
    exec(textwrap.dedent(code), namespace)
    case = namespace["Case"]
    assert isinstance(case, type)
    assert issubclass(case, unittest.TestCase)
    log = EventLog()
    case("test_it").run(ResultToStream(log))
    assert log.events[0].test_id == "elsewhere.test_it.Case.test_it"
