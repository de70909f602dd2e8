"""The host of pytest's tests: its own collection, fixtures, plugins and configuration."""

import sys
from typing import Any

import pytest

from whotests.hosts.orders import RUN, Orders
from whotests.hosts.reporter import Reporter
from whotests.hosts.task import Task
from whotests.stream.event import Chunk, Event, Status
from whotests.stream.timestamps import now

__all__ = ["PytestHost"]


class PytestHost:
    """One pytest session, whose loop over its tests goes by orders."""

    def __init__(self, task: Task, reporter: Reporter, orders: Orders) -> None:
        self._task = task
        self._reporter = reporter
        self._orders = orders
        self._failed = False
        self._skipped = False

    def run(self) -> None:
        suite = self._task.suite
        words = [*suite.options, *suite.targets]
        sys.argv[:] = ["pytest", *words]
        pytest.main(words, plugins=[self])
        self._reporter.ended()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        self._reporter.found([(nodeid, nodeid.partition("::")[0]) for nodeid in items])
        held: list[str] = []
        while True:
            order = self._orders.wait_next()
            more = order[0] == RUN
            waiting = [*held, *(order[1] if more else ())]
            # The last one waits for the next order: which fixtures go depends on what follows.
            while len(waiting) > more:
                item = items[waiting.pop(0)]
                after = items[waiting[0]] if waiting else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            held = waiting
            if not more:
                return True
            self._reporter.idle(held)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._failed = self._skipped = False
        self._reporter.handle(Event(nodeid, Status.INPROGRESS, timestamp=now()))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._failed = True
            text = str(report.longreprtext).encode("utf-8", "backslashreplace")
            chunk = Chunk(f"traceback {report.when}", text, "text/plain; charset=utf-8", eof=True)
            self._reporter.handle(Event(report.nodeid, attachment=chunk))
        self._skipped = self._skipped or report.skipped

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        status = Status.FAIL if self._failed else Status.SKIP if self._skipped else Status.SUCCESS
        self._reporter.handle(Event(nodeid, status, timestamp=now()))
