"""The host of test cases that `unittest` loads: its own, testtools', and others made from them."""

import sys
import traceback
import warnings
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Any
from unittest import TestCase

from whotests.garbage import uncollected
from whotests.hosts.class_fixtures import ClassFixtures
from whotests.hosts.keyword import keyword_match
from whotests.hosts.limit import Limit
from whotests.hosts.loading import Broken, Entry, Unittest, entries
from whotests.hosts.logs import LogWatch
from whotests.hosts.lost_parts import HeardRun
from whotests.hosts.never_ran import Returned
from whotests.hosts.orders import RUN, Orders
from whotests.hosts.output import process_output
from whotests.hosts.reporter import Reporter
from whotests.hosts.result import HostResult, Watch
from whotests.hosts.scenarios import stands_for_several
from whotests.hosts.task import Task
from whotests.hosts.twins import again, kept, suite_of
from whotests.stream.attached_text import TEXT, encoded
from whotests.stream.event import Chunk, Status

__all__ = ["UnittestHost", "text_of"]

_CALLERS = (
    # unittest, IsolatedAsyncioTestCase
    "_callSetUp",
    "_callTestMethod",
    "_callTearDown",
    "_callCleanup",
    # testtools
    "_run_setup",
    "_run_test_method",
    "_run_teardown",
)
"""Methods of test cases that call the user's own: below them a test may be interrupted."""

_OURS = ("whotests.", "unittest.")


class UnittestHost:
    """Runs each test as `unittest.TestSuite` does, class and module fixtures included.

    A suite that runs in a way of its own runs as itself, with those of its tests that are wanted;
    they are of one group.
    """

    tolerates_surprises = False
    """Whether a success that was not expected is one."""

    ordered = False
    """Whether tests fail where others come before than those of the order that was found."""

    def __init__(self, task: Task, reporter: Reporter, orders: Orders) -> None:
        self.task = task
        self.reporter = reporter
        self._orders = orders
        self._limit = Limit(task.timeout)
        self._returned = Returned()
        self._entries: dict[str, Entry] = {}
        self._within: dict[type, frozenset[CodeType]] = {}

    def run(self) -> None:
        try:
            self._collect()
            self._result = self._new_result()
            self._fixtures = ClassFixtures(self._result)
            self.begin_tests(self._result)
            reason = self._follow_orders()
        except KeyboardInterrupt:
            reason = "KeyboardInterrupt"
        self.reporter.ended(reason)

    # -- what differs between frameworks -------------------------------------------------------

    def load(self) -> tuple[list[Any], list[Broken]]:
        """Suites and cases, and what could not be loaded."""
        suite = self.task.suite
        sys.argv[:] = ["python -m unittest", *suite.targets]
        sys.path.insert(0, self.task.cwd)
        loader = Unittest(self.task.cwd, suite.options)
        return list(loader.load(suite.targets)), loader.broken

    def begin_tests(self, result: HostResult) -> None:
        """All is loaded; tests come."""
        if not sys.warnoptions:
            warnings.simplefilter("default")

    def end_tests(self, result: HostResult) -> None:
        """No more tests come."""

    def prepare(self, test: Any) -> None:
        """A test is about to run."""
        self._returned.begin(test)
        if self.task.debug and hasattr(test, "addOnException"):
            # testtools' cases tell their result no traceback, but what it looks like.
            test.addOnException(look_at_failure)

    def release(self, test: Any) -> None:
        """It has run."""
        self._returned.end(test)

    def run_test(self, test: Any, result: HostResult) -> None:
        """Run one test, which tells the result how it went."""
        test(result)

    def watches(self) -> dict[str, Watch]:
        """What looks at the things that a test leaves behind, by the names to attach them under."""
        found: dict[str, Watch] = {}
        if self.task.capture and not self.task.debug:
            output = process_output(self.task.output)
            if output is not None:
                found["output"] = output
            logs = LogWatch()
            logs.install()
            found["log"] = logs
        return found

    def callers(self, kind: type) -> Iterable[Any]:
        """The functions that call what the user has written in this class of cases."""
        return (getattr(kind, name, None) for name in _CALLERS)

    # -- the same for all ----------------------------------------------------------------------

    def _collect(self) -> None:
        try:
            loaded, broken = self.load()
        except ValueError as error:  # of words on the command line
            loaded, broken = [], [Broken(f"{self.task.suite.host}:", str(error))]
        with uncollected():
            found = entries(loaded)
        if self.task.suite.keyword:
            matches = keyword_match(self.task.suite.keyword)
            found = {test_id: entry for test_id, entry in found.items() if matches(test_id)}
        for each in broken:
            self._tell_broken(each)
        self._entries = found
        tests = ((entry.test_id, entry.group) for entry in found.values())
        self.reporter.found(tests, ordered=self.ordered)

    def _tell_broken(self, broken: Broken) -> None:
        chunk = Chunk("traceback", encoded(broken.text), TEXT, eof=True)
        self.reporter.attached(broken.name, chunk, runnable=False)
        self.reporter.over(broken.name, Status.FAIL, runnable=False)

    def _new_result(self) -> HostResult:
        result = HostResult(
            self.reporter,
            limit=self._limit,
            stopped=lambda: self._orders.stopped,
            watches=self.watches(),
            never_ran=self._returned.wrong,
            debug=post_mortem if self.task.debug else None,
            tolerates_surprises=self.tolerates_surprises,
        )
        if "twisted.trial.itrial" in sys.modules:
            meet_trial()
        for test_id, entry in self._entries.items():
            if entry.suite is not None and " #" in test_id:
                result.aliases[id(entry.test)] = test_id
        return result

    def _follow_orders(self) -> str:
        """Do what is ordered until the end; why there are no more orders to be done, or ''."""
        result = self._result
        try:
            while (order := self._orders.wait_next())[0] == RUN:
                left = self._run_all(order[1])
                if result.told_to_stop:
                    return "a test asked it to stop"
                self.reporter.idle(left)
        finally:
            self._fixtures.end()
            self.end_tests(result)
        return ""

    def _run_all(self, test_ids: Sequence[str]) -> Sequence[str]:
        """Run these; those that were not begun, since somebody asked to stop."""
        result = self._result
        done: set[str] = set()
        for place, test_id in enumerate(test_ids):
            if test_id in done:
                continue
            if self._orders.stopped or result.told_to_stop:
                return [each for each in test_ids[place:] if each not in done]
            entry = self._entries.get(test_id)
            if entry is None:
                result.fail(test_id, f"no test is called {test_id!r}")
            elif entry.suite is not None:
                done |= self._run_suite(entry.suite, test_ids[place:])
            else:
                self._run_one(entry)
        return ()

    def _run_one(self, entry: Entry) -> None:
        result, test, test_id = self._result, again(entry.test), entry.test_id
        result.closed.clear()
        try:
            why = self._fixtures.ready_for(test)
        except KeyboardInterrupt as error:
            self._interrupted((test_id,), error)
            return
        if why is not None:
            status, text = why
            if status is Status.SKIP:
                result.skip(test_id, text)
            else:
                result.fail(test_id, text)
            return
        # What a test keeps goes with it, as with unittest's own suites.
        entry.test = kept(test)
        result.alias = (test, test_id)
        self.prepare(test)
        try:
            if self.task.timeout:
                late = self._limit.run(
                    lambda: self.run_test(test, result), of=test_id, within=self._codes(type(test))
                )
                if late is not None and test_id not in result.closed:
                    result.fail(test_id, str(late))
            else:
                self.run_test(test, result)
        except KeyboardInterrupt as error:
            self._interrupted((test_id,), error)
        except BaseException as error:
            if test_id in result.closed:
                self._tell_broken(Broken(f"after {test_id}", text_of(error)))
            else:
                result.fail(test_id, text_of(error), name="traceback")
        finally:
            self.release(test)
        if test_id not in result.closed:
            result.end_as_others(
                test_id, "it ran, and its test case has told nothing of how it ended"
            )

    def _run_suite(self, suite: Any, test_ids: Sequence[str]) -> set[str]:
        """Run those tests of the suite that are among these; which ones these are."""
        result = self._result
        mine = {
            test_id: entry.test
            for test_id in test_ids
            if (entry := self._entries.get(test_id)) is not None and entry.suite is suite
        }
        self._fixtures.end()
        result.closed.clear()
        for test in mine.values():
            self.prepare(test)
            if stands_for_several(test):
                continue  # its copies would have what stands in for a method of it, too
            if isinstance(test, TestCase) and "run" not in vars(test):
                test.run = HeardRun(test, result)  # type: ignore[method-assign]
        try:
            suite_of(suite, mine.values()).run(result)
        except KeyboardInterrupt as error:
            self._interrupted(mine, error)
        except BaseException as error:
            reason = text_of(error)
        else:
            reason = "its suite ran, and has told nothing of how this test ended"
        finally:
            result.look_away()
            for test in mine.values():
                self.release(test)
                getattr(test, "__dict__", {}).pop("run", None)
        result.end_all(reason)
        for test_id in mine:
            if test_id not in result.closed:
                result.fail(test_id, reason)
        return set(mine)

    def _interrupted(self, test_ids: Iterable[str], error: KeyboardInterrupt) -> None:
        """It is Ctrl-C, which goes on, if all was asked to stop; else it is the test's own, as
        any other exception is."""
        if self._orders.stopped:
            raise error
        for test_id in test_ids:
            if test_id not in self._result.closed:
                self._result.fail(test_id, text_of(error), name="traceback")

    def _codes(self, kind: type) -> frozenset[CodeType]:
        """Below which functions a test of this class may be interrupted."""
        if (codes := self._within.get(kind)) is None:
            found = (getattr(function, "__code__", None) for function in self.callers(kind))
            codes = self._within[kind] = frozenset(code for code in found if code is not None)
        return codes


def meet_trial() -> None:
    """Let trial's cases tell our result what they tell trial's own: they would put one of theirs
    between, which knows no todo."""
    from twisted.python.components import registerAdapter
    from twisted.trial.itrial import IReporter

    registerAdapter(lambda result: result, HostResult, IReporter)


def text_of(error: BaseException) -> str:
    """An exception as text, from the first frame on that is the user's."""
    tb = error.__traceback__
    while tb is not None and str(tb.tb_frame.f_globals.get("__name__")).startswith(_OURS):
        tb = tb.tb_next
    return "".join(traceback.format_exception(type(error), error, tb or error.__traceback__))


def look_at_failure(exc_info: Any) -> None:
    """Look around where an exception comes from, if it is a failure."""
    kind = exc_info[0]
    expected = ("SkipTest", "_ExpectedFailure", "_UnexpectedSuccess")
    if not any(base.__name__ in expected for base in kind.__mro__):
        post_mortem(exc_info[2])


def post_mortem(tb: Any) -> None:
    """Look around where a test failed."""
    import pdb

    if tb is not None:
        pdb.post_mortem(tb)
