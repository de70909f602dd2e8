"""Small programs that meet a defect of testtools; `testing` is what they would import.

Each is run with testtools 2.9.1 and with ours, and gives what an author would get to see.
"""

import asyncio
import threading
import unittest
import warnings
from collections.abc import Callable, Iterator
from typing import Any

__all__ = [
    "async_clean_up",
    "async_test",
    "chunk_after_the_end",
    "concurrent_broken_import",
    "concurrent_exit",
    "concurrent_sub_test",
    "concurrent_suites",
    "coroutine_result",
    "deferred_result",
    "empty_attachment",
    "failure_then_skip",
    "fixture_that_fails",
    "future_result",
    "generator_test",
    "listed_broken_import",
    "multi_sub_test",
    "router_rule_while_running",
    "router_sink_of_two_rules",
    "sorted_empty_suites",
    "summary_of_unexpected_success",
    "tagger_and_its_caller",
    "threadsafe_sub_test",
    "unknown_ids",
]


def verdict(test: Any, ran: list[str]) -> str:
    """How a run of one test or suite ends, and what of it ran."""
    result = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test.run(result)
        del test
    return f"{in_words(result)}, ran: {' '.join(ran) or 'nothing'}"


def in_words(result: unittest.TestResult) -> str:
    counts = {
        "failed": len(result.failures) + len(result.errors),
        "skipped": len(result.skipped),
        "unexpected": len(result.unexpectedSuccesses),
    }
    words = [f"{count} {word}" for word, count in counts.items() if count]
    return ", ".join(words) or ("passed" if result.testsRun else "no test")


def async_test(testing: Any) -> str:
    """An `async def` test that would fail."""
    ran: list[str] = []

    class Case(testing.TestCase):  # type: ignore[misc]
        async def test_it(self) -> None:
            ran.append("body")
            await asyncio.sleep(0)
            self.fail("it ran")

    return verdict(Case("test_it"), ran)


def coroutine_result(testing: Any) -> str:
    """A plain test that returns a coroutine, as a decorator may make it."""
    ran: list[str] = []

    class Case(testing.TestCase):  # type: ignore[misc]
        def test_it(self) -> Any:
            async def steps() -> None:
                ran.append("body")
                self.fail("it ran")

            return steps()

    return verdict(Case("test_it"), ran)


def async_clean_up(testing: Any) -> str:
    """An `async def` clean-up that would fail."""
    ran: list[str] = []

    class Case(testing.TestCase):  # type: ignore[misc]
        def test_it(self) -> None:
            self.addCleanup(self.clean)

        async def clean(self) -> None:
            ran.append("clean-up")
            self.fail("it ran")

    return verdict(Case("test_it"), ran)


def generator_test(testing: Any) -> str:
    """A test with a `yield` in it, which nobody iterates over."""
    ran: list[str] = []

    class Case(testing.TestCase):  # type: ignore[misc]
        def test_it(self) -> Iterator[None]:
            ran.append("body")
            yield
            self.fail("it ran")

    return verdict(Case("test_it"), ran)


def future_result(testing: Any) -> str:
    """A test that returns an asyncio future which holds a failure."""
    ran: list[str] = []

    class Case(testing.TestCase):  # type: ignore[misc]
        def test_it(self) -> Any:
            ran.append("body")
            loop = asyncio.new_event_loop()
            self.addCleanup(loop.close)
            future = loop.create_future()
            future.set_exception(AssertionError("in the future"))
            future.exception()
            return future

    return verdict(Case("test_it"), ran)


def deferred_result(testing: Any) -> str:
    """A test that returns a Deferred which holds a failure."""
    from twisted.internet import defer

    ran: list[str] = []

    class Case(testing.TestCase):  # type: ignore[misc]
        def test_it(self) -> Any:
            ran.append("body")
            deferred = defer.fail(AssertionError("in the Deferred"))
            self.addCleanup(deferred.addErrback, lambda failure: None)
            return deferred

    return verdict(Case("test_it"), ran)


def failure_then_skip(testing: Any) -> str:
    """A test that fails, and whose clean-up skips."""
    ran: list[str] = []

    class Case(testing.TestCase):  # type: ignore[misc]
        def test_it(self) -> None:
            ran.append("body")
            self.addCleanup(self.skipTest, "no server to clean")
            self.fail("it ran")

    return verdict(Case("test_it"), ran)


class Parts(unittest.TestCase):
    """A test with one failing part."""

    def test_parts(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                if number == 1:
                    self.fail("part 1")


def multi_sub_test(testing: Any) -> str:
    """A failing subTest that several results are to hear of."""
    first, second = testing.TestResult(), testing.TestResult()
    Parts("test_parts").run(testing.MultiTestResult(first, second))
    return f"{in_words(first)}; {in_words(second)}"


def threadsafe_sub_test(testing: Any) -> str:
    """A failing subTest on the way to a result that threads share."""
    result = testing.TestResult()
    Parts("test_parts").run(testing.ThreadsafeForwardingResult(result, threading.Semaphore(1)))
    return in_words(result)


def concurrent_sub_test(testing: Any) -> str:
    """A failing subTest in a suite that runs its tests in threads."""
    result = unittest.TestResult()
    suite = testing.ConcurrentTestSuite(unittest.TestSuite([Parts("test_parts")]), each)
    suite.run(result)
    return in_words(result)


def each(suite: Any) -> list[Any]:
    """The tests of a concurrent suite, one for each thread."""
    return [test for plain in suite for test in plain]


def concurrent_suites(testing: Any) -> str:
    """Whole suites for each thread of a concurrent suite."""
    result = unittest.TestResult()
    plain = unittest.TestSuite([unittest.TestSuite([Parts("test_parts")]) for _ in range(2)])
    try:
        testing.ConcurrentTestSuite(plain, each).run(result)
    except TypeError as error:
        return type(error).__name__
    return in_words(result)


def concurrent_exit(testing: Any) -> str:
    """A part of a concurrent suite that ends its thread, beside one that passes."""

    class Exits:
        def __call__(self, result: Any) -> None:
            raise SystemExit(0)

        run = __call__

    class Case(unittest.TestCase):
        def test_it(self) -> None:
            pass

    result = unittest.TestResult()
    parts: list[Any] = [Exits(), Case("test_it")]
    suite = testing.ConcurrentTestSuite(unittest.TestSuite(parts), each)
    quietly(lambda: suite.run(result))
    return f"{in_words(result)} of {result.testsRun}"


def quietly(run: Callable[[], object]) -> None:
    """Run without the report of threads that die."""
    hook, threading.excepthook = threading.excepthook, lambda args: None
    try:
        run()
    finally:
        threading.excepthook = hook


def concurrent_broken_import(testing: Any) -> str:
    """Modules that cannot be imported, in a suite that is filtered by a test of theirs."""
    suite = unittest.defaultTestLoader.loadTestsFromNames(["no_such_module"])
    return outcome_of_selecting(testing, suite, {"no_such_module.Case.test_it"})


def unknown_ids(testing: Any) -> str:
    """A suite that is filtered by ids of which it has none."""
    return outcome_of_selecting(testing, unittest.TestSuite([Parts("test_parts")]), {"parts"})


def outcome_of_selecting(testing: Any, suite: unittest.TestSuite, test_ids: set[str]) -> str:
    result = unittest.TestResult()
    try:
        selected = suites_of(testing).filter_by_ids(suite, test_ids)
    except Exception as error:
        return f"refused: {type(error).__name__}"
    selected.run(result)
    return f"{in_words(result)}, successful: {result.wasSuccessful()}"


def suites_of(testing: Any) -> Any:
    """testtools has some names in modules of their own."""
    return testing.testsuite if hasattr(testing, "testsuite") else testing


def listed_broken_import(testing: Any) -> str:
    """What the list of tests says of a module that cannot be imported."""
    suite = unittest.defaultTestLoader.loadTestsFromNames(["no_such_module"])
    if hasattr(testing, "list_test"):
        ids, errors = testing.list_test(suite)
    else:
        from testtools.run import list_test

        ids, errors = list_test(suite)
    return f"{len(ids)} tests, {len(errors)} errors"


def sorted_empty_suites(testing: Any) -> str:
    """Suites of their own class without tests, put in order beside a test."""

    class Own(unittest.TestSuite):
        pass

    try:
        found = suites_of(testing).sorted_tests(unittest.TestSuite([Own(), Parts("test_parts")]))
    except TypeError as error:
        return type(error).__name__
    return f"{found.countTestCases()} test"


def fixture_that_fails(testing: Any) -> str:
    """A suite's fixture that cannot be set up."""

    class Fixture:
        def setUp(self) -> None:
            raise OSError("no server")

        def cleanUp(self) -> None:  # noqa: N802
            pass

    result = unittest.TestResult()
    try:
        suites_of(testing).FixtureSuite(Fixture(), [Parts("test_parts")]).run(result)
    except OSError:
        return f"the run ended: {in_words(result)}"
    return in_words(result)


def summary_of_unexpected_success(testing: Any) -> str:
    """A test that passes though it is expected to fail."""
    summary = testing.StreamSummary()
    summary.startTestRun()
    summary.status(test_id="a", test_status="inprogress")
    summary.status(test_id="a", test_status="uxsuccess")
    summary.stopTestRun()
    return f"successful: {summary.wasSuccessful()}"


def empty_attachment(testing: Any) -> str:
    """An attachment of no bytes: an empty log tells something, too."""
    return f"{sorted(attachments(testing, [(b'', True)]))}"


def chunk_after_the_end(testing: Any) -> str:
    """Bytes for an attachment that has ended."""
    details = attachments(testing, [(b"whole", True), (b" and more", True)])
    return details["log"].as_text()  # type: ignore[no-any-return]


def attachments(testing: Any, chunks: list[tuple[bytes, bool]]) -> dict[str, Any]:
    """What comes of an attachment 'log' of one test."""
    found: list[Any] = []
    stream = testing.StreamToDict(found.append)
    stream.startTestRun()
    stream.status(test_id="a", test_status="inprogress")
    for chunk, eof in chunks:
        stream.status(
            test_id="a",
            file_name="log",
            file_bytes=chunk,
            eof=eof,
            mime_type="text/plain; charset=utf8",
        )
    stream.status(test_id="a", test_status="success")
    stream.stopTestRun()
    return found[0]["details"]  # type: ignore[no-any-return]


def tagger_and_its_caller(testing: Any) -> str:
    """A set of tags that is given away and used on."""
    mine = {"slow"}
    tagger = testing.StreamTagger([testing.StreamResult()], add={"worker-1"})
    tagger.startTestRun()
    tagger.status(test_id="a", test_status="success", test_tags=mine)
    tagger.stopTestRun()
    return " ".join(sorted(mine))


def router_rule_while_running(testing: Any) -> str:
    """A sink that joins while the run is on, and is not to be started and stopped."""
    calls, sink = started_and_stopped(testing)
    router = testing.StreamResultRouter(testing.StreamResult())
    router.startTestRun()
    router.add_rule(sink, "test_id", test_id="a")
    router.stopTestRun()
    return " ".join(calls) or "left alone"


def router_sink_of_two_rules(testing: Any) -> str:
    """A sink to which two rules lead."""
    calls, sink = started_and_stopped(testing)
    router = testing.StreamResultRouter(testing.StreamResult())
    for test_id in "ab":
        router.add_rule(sink, "test_id", test_id=test_id, do_start_stop_run=True)
    router.startTestRun()
    router.stopTestRun()
    return " ".join(calls)


def started_and_stopped(testing: Any) -> tuple[list[str], Any]:
    """A sink that notes when it is started and stopped."""
    calls: list[str] = []

    class Sink(testing.StreamResult):  # type: ignore[misc]
        def startTestRun(self) -> None:  # noqa: N802
            calls.append("started")
            super().startTestRun()

        def stopTestRun(self) -> None:  # noqa: N802
            calls.append("stopped")
            super().stopTestRun()

    return calls, Sink()
