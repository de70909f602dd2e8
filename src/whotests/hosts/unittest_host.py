"""The host of test cases that `unittest` loads: its own, testtools', trial's."""

import sys
import unittest
from collections.abc import Iterator

from whotests.hosts.orders import RUN, Orders
from whotests.hosts.reporter import Reporter
from whotests.hosts.task import Task
from whotests.stream.event import Event, Status
from whotests.stream.from_result import ResultToStream

__all__ = ["UnittestHost"]


class UnittestHost:
    """Runs each test as `unittest.TestSuite` does, class and module fixtures included."""

    def __init__(self, task: Task, reporter: Reporter, orders: Orders) -> None:
        self._task = task
        self._reporter = reporter
        self._orders = orders

    def run(self) -> None:
        sys.argv[:] = ["python -m unittest", *self._task.suite.targets]
        sys.path.insert(0, self._task.cwd)
        loader = unittest.TestLoader()
        suite = (
            loader.loadTestsFromNames(self._task.suite.targets)
            if self._task.suite.targets
            else loader.discover(self._task.cwd)
        )
        tests = {test.id(): test for test in _each(suite)}
        self._reporter.found([(test_id, "") for test_id in tests])
        result = ResultToStream(self._reporter)
        result.startTestRun()
        while True:
            order = self._orders.wait_next()
            if order[0] != RUN:
                break
            for test_id in order[1]:
                test = tests.get(test_id)
                if test is None:
                    self._reporter.handle(Event(test_id, Status.FAIL))
                    continue
                result._testRunEntered = True  # type: ignore[attr-defined]
                unittest.TestSuite([test]).run(result)
            self._reporter.idle()
        last = unittest.TestSuite()
        last._tearDownPreviousClass(None, result)  # type: ignore[attr-defined]
        last._handleModuleTearDown(result)  # type: ignore[attr-defined]
        result.stopTestRun()
        self._reporter.ended()


def _each(suite: unittest.TestSuite | unittest.TestCase) -> Iterator[unittest.TestCase]:
    if isinstance(suite, unittest.TestSuite):
        for part in suite:
            yield from _each(part)
    else:
        yield suite
