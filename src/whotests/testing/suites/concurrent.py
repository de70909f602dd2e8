"""Suites that run their tests in several threads at once."""

import sys
import unittest
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Semaphore
from typing import Any

from whotests.stream.control import Control
from whotests.stream.event import Event
from whotests.stream.sink import Sink
from whotests.stream.timestamps import Timestamper
from whotests.stream.to_queue import ToQueue
from whotests.testing.results.placeholders import ErrorHolder
from whotests.testing.results.threadsafe import ThreadsafeForwardingResult
from whotests.testing.streams.result_to_stream import ExtendedToStreamDecorator
from whotests.testing.streams.stream_results import as_sink
from whotests.testing.suites.workers import DEFAULT_WORKERS, Job, Workers

__all__ = ["ConcurrentStreamTestSuite", "ConcurrentTestSuite"]


class ConcurrentTestSuite(unittest.TestSuite):
    """A suite of which parts run at the same time, for any `unittest.TestResult`.

    The result hears of one test at a time, whole: what comes of a test is kept until it ends.
    """

    def __init__(
        self,
        suite: Any,
        make_tests: Callable[[Any], Iterable[Any]],
        wrap_result: Callable[[Any, int], Any] | None = None,
        *,
        workers: int = DEFAULT_WORKERS,
    ) -> None:
        """`make_tests` gets this suite, in which `suite` is the only item, and gives its parts.

        Each part has `run(result)`: a test, a suite, or what runs tests in another process. At
        most `workers` run at once, each in a thread; a part is taken from `make_tests` when one
        is free, so that it may be a generator of any length. `wrap_result` gets the result for a
        part and the part's number, and gives what the part is run with.
        """
        super().__init__([suite])
        self.make_tests = make_tests
        self._custom_wrap_result = wrap_result
        self._workers = workers

    def _wrap_result(self, thread_safe_result: Any, thread_number: int) -> Any:
        """What a part runs with; subclasses of testtools' days override this."""
        if self._custom_wrap_result is None:
            return thread_safe_result
        return self._custom_wrap_result(thread_safe_result, thread_number)

    def run(self, result: Any, debug: bool = False) -> Any:
        """Run all parts, and return the result.

        An exception out of a part is an error of a test 'broken-runner', and the other parts
        are not touched. When `result.shouldStop`, no part begins any more, and those that run
        see it, too. Ctrl-C, or a result that raises, stops all parts and is raised when the
        tests in progress have ended; a second Ctrl-C does not wait for them.
        """
        workers = Workers(self._workers, name=type(self).__name__)
        workers.run(
            self._jobs(result),
            hear=_nothing,
            should_stop=lambda: bool(getattr(result, "shouldStop", False)),
        )
        return result

    def _jobs(self, result: Any) -> Iterator[Job]:
        gate = Semaphore(1)
        for number, test in enumerate(self.make_tests(self)):
            own = self._wrap_result(ThreadsafeForwardingResult(result, gate), number)
            yield Job(partial(_run_part, test, own, "broken-runner"), own.stop)


class ConcurrentStreamTestSuite:
    """A suite of which parts run at the same time, for a `StreamResult` or a sink."""

    def __init__(
        self,
        make_tests: Callable[[], Iterable[tuple[Any, str | None]]],
        *,
        workers: int = DEFAULT_WORKERS,
        control: Control | None = None,
    ) -> None:
        """`make_tests` gives pairs of a part, which has `run(result)`, and its route code.

        At most `workers` parts run at once, each in a thread; a pair is taken when one is free.
        When `control.should_stop`, no part begins any more and those that run see it as
        their `result.shouldStop`.
        """
        self.make_tests = make_tests
        self._workers = workers
        self._control = control

    def run(self, result: Any, debug: bool = False) -> None:
        """Run all parts, and pass on their events in the thread of the caller.

        A part gets a `unittest` result that makes events of what it hears; it may also call its
        `status(...)`. `result` is to be started before and stopped after by the caller. If it
        has a `shouldStop` or `should_stop`, it is heeded like the control.

        An exception out of a part is a failure of a test "broken-runner-'ROUTE'", and the other
        parts are not touched. Ctrl-C, or a result that raises, stops all parts and is raised
        when the tests in progress have ended; a second Ctrl-C does not wait for them.
        """
        workers = Workers(self._workers, name=type(self).__name__)
        should_stop = self._should_stop(result)
        take = as_sink(result).handle

        def hear(said: Any) -> None:
            if isinstance(said, Event):  # not the start and stop of a part
                take(said)

        workers.run(self._jobs(workers, should_stop), hear=hear, should_stop=should_stop)

    def _jobs(self, workers: Workers, should_stop: Callable[[], bool]) -> Iterator[Job]:
        for test, route_code in self.make_tests():
            own = _PartResult(Timestamper(ToQueue(workers.outbox, route_code)), should_stop)
            name = f"broken-runner-{route_code!r}"
            yield Job(partial(_run_between_start_and_stop, test, own, name), own.stop)

    def _should_stop(self, result: Any) -> Callable[[], bool]:
        control = self._control

        def asked() -> bool:
            return (
                (control is not None and control.should_stop)
                or bool(getattr(result, "shouldStop", False))
                or bool(getattr(result, "should_stop", False))
            )

        return asked


class _PartResult(ExtendedToStreamDecorator):
    """What a part of a stream suite runs with; it also sees when the whole suite is to stop."""

    def __init__(self, sink: Sink, asked: Callable[[], bool]) -> None:
        self._asked = asked
        self._stopped = False
        super().__init__(sink)

    @property
    def shouldStop(self) -> bool:
        return self._stopped or self._asked()

    @shouldStop.setter
    def shouldStop(self, value: bool) -> None:
        # Nobody un-stops: at its start a result says that it is not stopped yet.
        self._stopped = self._stopped or value


def _run_between_start_and_stop(test: Any, result: Any, name: str) -> None:
    result.startTestRun()
    try:
        _run_part(test, result, name)
    finally:
        result.stopTestRun()


def _run_part(test: Any, result: Any, name: str) -> None:
    """Run one part; what leaves it is an error of a test of this name."""
    try:
        test.run(result)
    except KeyboardInterrupt:
        raise
    except BaseException:
        ErrorHolder(name, error=sys.exc_info()).run(result)


def _nothing(said: object) -> None:
    """Parts of a plain suite talk to their results themselves."""
