"""Errors that are logged during a test: they fail it unless they are expected."""

import asyncio
import gc
import logging
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from case_runs import Ran, ran, ran_all
from whotests.testing import TestCase

logger = logging.getLogger("poets")


def log_an_error(text: str = "no rhyme") -> None:
    try:
        raise KeyError("deliberate")
    except KeyError:
        logger.exception(text)


def test_an_exception_that_is_logged_fails_the_test() -> None:
    """`logger.exception` and `exc_info` count; the report has logger, text and traceback."""

    class Case(TestCase):
        def test_exception(self) -> None:
            log_an_error()

        def test_exc_info(self) -> None:
            logger.error("no %s", "rhyme", exc_info=KeyError("deliberate"))

        def test_quiet_logger(self) -> None:
            logger.propagate = False
            self.addCleanup(setattr, logger, "propagate", True)
            log_an_error()

    for found in ran_all(Case).values():
        assert found.outcome == "failed"
        assert "an error was logged during the test:\n" in found.text
        assert "logger 'poets': no rhyme" in found.text
        assert "KeyError: 'deliberate'" in found.text
        assert "self.flush_logged_errors(KeyError)" in found.text
    assert "in log_an_error" in ran(Case, "test_exception").text


def test_what_is_no_error_passes() -> None:
    """Warnings with an exception, and errors without one, are none; nor what is disabled."""

    class Case(TestCase):
        def test_it(self) -> None:
            logger.warning("soon", exc_info=KeyError())
            logger.error("no rhyme")
            logger.error("no rhyme", exc_info=True)
            logging.disable(logging.CRITICAL)
            self.addCleanup(logging.disable, logging.NOTSET)
            log_an_error()

    assert ran(Case).outcome == "passed"


def test_expected_errors_are_flushed() -> None:
    """`flush_logged_errors` takes out errors by type and gives them; the others remain."""

    class Case(TestCase):
        def test_it(self) -> None:
            log_an_error()
            logger.error("odd", exc_info=ValueError("metre"))
            taken = self.flush_logged_errors(ValueError, OSError)
            self.assertEqual(["metre"], [str(each.value) for each in taken])
            self.assertEqual("odd", taken[0].message)
            self.assertIs(ValueError, taken[0].type)
            self.assertIs(ValueError, taken[0].check(OSError, ValueError))
            self.assertIsNone(taken[0].check(OSError))
            self.assertEqual([], self.flush_logged_errors(ValueError))
            self.assertEqual(1, len(self.flushLoggedErrors()))
            self.assertEqual([], self.flushLoggedErrors())

        def test_another(self) -> None:
            log_an_error()
            self.flush_logged_errors(ValueError)

    found = ran_all(Case)
    assert (found["it"].outcome, found["another"].outcome) == ("passed", "failed")


def test_errors_under_assert_logs_are_expected() -> None:
    """What `assertLogs` takes is no error of the test; what comes before or after is."""

    class Case(TestCase):
        def test_it(self) -> None:
            with self.assertLogs("poets", "ERROR"):
                log_an_error()
            with self.assertLogs():
                log_an_error()

        def test_after(self) -> None:
            with self.assertLogs("poets", "ERROR"):
                log_an_error()
            log_an_error("after")

    found = ran_all(Case)
    assert found["it"].outcome == "passed"
    assert "an error was logged" in found["after"].text
    assert "'poets': after" in found["after"].text


def test_it_can_be_turned_off() -> None:
    """A class with `fail_on_logged_errors = False` may log what it likes."""

    class Case(TestCase):
        fail_on_logged_errors = False

        def test_it(self) -> None:
            log_an_error()

    assert ran(Case).outcome == "passed"


def test_logging_is_as_it_was() -> None:
    """Records go where they went; factories that a test puts in place are kept and heard."""
    before = logging.getLogRecordFactory()
    made = []

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made.append(args[0])
        return before(*args, **kwargs)

    class Case(TestCase):
        def test_factory(self) -> None:
            inner = logging.getLogRecordFactory()
            logging.setLogRecordFactory(factory)
            self.addCleanup(logging.setLogRecordFactory, inner)
            log_an_error()

        def test_left(self) -> None:
            logging.setLogRecordFactory(factory)

        def test_zzz_heard(self) -> None:
            log_an_error()

    handlers = list(logging.getLogger().handlers)
    try:
        found = ran_all(Case)
        assert logging.getLogRecordFactory() is factory
        assert found["zzz_heard"].outcome == "failed"
        assert made == ["poets", "poets"]
    finally:
        logging.setLogRecordFactory(before)
    assert logging.getLogger().handlers == handlers


def fail_in_a_callback() -> None:
    raise KeyError("deliberate")


async def fails() -> None:
    raise KeyError("deliberate")


@pytest.mark.parametrize("kept", [True, False])
def test_a_task_s_error_that_nobody_retrieves(kept: bool) -> None:
    """A task that fails unseen fails its test, whether or not the test still holds it."""

    class Case(TestCase):
        async def test_it(self) -> None:
            task = asyncio.create_task(fails())
            if kept:
                self.task = task
            del task
            await asyncio.sleep(0.001)

        async def test_flushed(self) -> None:
            task = asyncio.create_task(fails())
            await asyncio.sleep(0.001)
            del task
            gc.collect()
            self.assertEqual(1, len(self.flush_logged_errors(KeyError)))

    found = ran(Case)
    assert found.outcome == "failed"
    assert found.text.count("Task exception was never retrieved") == 1
    assert "in fails" in found.text
    assert ran(Case, "test_flushed").outcome == "passed"


def test_an_error_in_a_callback_of_the_loop() -> None:
    """What a callback raises fails the test; a handler of the test's own takes it."""
    seen = []

    class Case(TestCase):
        async def test_it(self) -> None:
            asyncio.get_running_loop().call_soon(fail_in_a_callback)
            await asyncio.sleep(0.001)

        async def test_handled(self) -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: seen.append(context["exception"]))
            loop.call_soon(fail_in_a_callback)
            await asyncio.sleep(0.001)

    found = ran_all(Case)
    assert found["it"].outcome == "failed"
    assert found["it"].text.count("KeyError: 'deliberate'") == 1
    assert found["handled"].outcome == "passed"
    assert [str(error) for error in seen] == ["'deliberate'"]


@pytest.mark.filterwarnings("ignore:coroutine")
def test_a_coroutine_that_is_never_awaited_fails_the_test() -> None:
    """A forgotten `await` is no pass, whatever the filters of warnings are."""

    class Case(TestCase):
        async def test_it(self) -> None:
            fails()  # type: ignore[unused-coroutine]

        def test_plain(self) -> None:
            fails()  # type: ignore[unused-coroutine]

        def test_ignored(self) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fails()  # type: ignore[unused-coroutine]

        def test_flushed(self) -> None:
            fails()  # type: ignore[unused-coroutine]
            self.assertEqual(1, len(self.flush_logged_errors(RuntimeWarning)))

    found = ran_all(Case)
    assert found.pop("flushed").outcome == "passed"
    for each in found.values():
        assert each.outcome == "failed"
        assert "coroutine 'fails' was never awaited" in each.text
        assert f"dropped at {__file__}:" in each.text


def test_python_s_own_warning_is_the_same() -> None:
    """The RuntimeWarning of a forgotten `await` still comes, and of the line that forgot it."""

    class Case(TestCase):
        def test_it(self) -> None:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                fails()  # type: ignore[unused-coroutine]
            self.assertEqual([__file__], [each.filename for each in caught])
            self.assertEqual("coroutine 'fails' was never awaited", str(caught[0].message))
            self.flush_logged_errors()

    telling = warnings._warn_unawaited_coroutine  # type: ignore[attr-defined]
    assert ran(Case).outcome == "passed"
    assert warnings._warn_unawaited_coroutine is telling  # type: ignore[attr-defined]


def in_thread(function: Callable[[], Any]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_errors_of_threads_that_a_test_started() -> None:
    """What a test's own thread logs fails that test."""

    class Case(TestCase):
        def test_it(self) -> None:
            in_thread(log_an_error)

    assert ran(Case).outcome == "failed"


def test_tests_in_several_threads_have_their_own_errors() -> None:
    """Of two tests that run at once, the one fails that logged the error."""
    logged = threading.Event()
    found: dict[str, Ran] = {}

    class Logs(TestCase):
        def test_it(self) -> None:
            log_an_error()
            logged.set()

    class Waits(TestCase):
        def test_it(self) -> None:
            in_thread(lambda: found.update(Logs=ran(Logs)))
            self.assertTrue(logged.wait(10))

    assert ran(Waits).outcome == "passed"
    assert found["Logs"].outcome == "failed"


def test_several_errors_are_all_told() -> None:
    """The report has each error once, in order."""

    class Case(TestCase):
        def test_it(self) -> None:
            log_an_error("first")
            error = ValueError("metre")
            logger.error("second", exc_info=error)
            logger.error("again", exc_info=error)

    text = ran(Case).text
    assert "2 errors were logged" in text
    assert text.index("'poets': first") < text.index("'poets': second")
    assert "again" not in text


def test_errors_outside_of_tests_are_nobody_s() -> None:
    """What is logged between tests, or after the loop was closed, is charged to none."""

    class Case(TestCase):
        def test_it(self) -> None:
            pass

    log_an_error()
    assert ran(Case).outcome == "passed"
    log_an_error()
    assert ran(Case).outcome == "passed"
