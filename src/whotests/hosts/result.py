"""The result that a host's test cases tell how they went."""

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from traceback import format_exception
from types import TracebackType
from typing import Any, Protocol
from unittest import TestCase, TestResult

from whotests.hosts.limit import Limit
from whotests.hosts.reporter import Reporter
from whotests.stream.attached_text import TEXT, TRACEBACK, encoded
from whotests.stream.attachment import unused_name
from whotests.stream.event import Chunk, Status
from whotests.stream.from_result import Detail, described, read_through
from whotests.testing.supervision.awaiting import NeverRan

__all__ = ["HostResult", "Watch"]

_UNKNOWN = Status.UNKNOWN  # CPython 3.11 looks members of enumerations up slowly
_SUCCESS = Status.SUCCESS
_XFAIL = Status.XFAIL
_SKIP = Status.SKIP
_UXSUCCESS = Status.UXSUCCESS
_FAIL = Status.FAIL

_GOOD = (_SUCCESS, _UNKNOWN, _UXSUCCESS)
"""With one of these, it may be that none of the test ran."""

_SEVERITY = {
    _UNKNOWN: 0,
    _SUCCESS: 1,
    _XFAIL: 2,
    _SKIP: 3,
    _UXSUCCESS: 4,
    _FAIL: 5,
}
"""Of several that were reported of one test, the highest counts."""


class Watch(Protocol):
    """Something that may have noticed what a test wrote or logged."""

    def begin(self) -> None:
        """What comes from now on counts."""

    def noticed(self) -> bool:
        """Whether anything came since then."""

    def chunks(self, name: str, /) -> Iterable[Chunk]:
        """What came since then, as an attachment; nothing if nothing did."""


class _Open:
    """What was said of a test that has not stopped."""

    __slots__ = ("names", "status", "tags")

    def __init__(self, tags: frozenset[str]) -> None:
        self.status = _UNKNOWN
        self.names: set[str] = set()
        self.tags = tags


class HostResult(TestResult):
    """Tells the runner what test cases of `unittest`, testtools and trial tell their result.

    It takes the protocol of the standard library, testtools' extended one, and trial's failures.
    A test gets one verdict, when it stops: the worst of what was reported of it, its subtests
    included; UNKNOWN where nothing was. What fails outside of tests is told as not runnable, as
    it happens. The lists of `TestResult` stay empty.
    """

    def __init__(
        self,
        reporter: Reporter,
        *,
        limit: Limit,
        stopped: Callable[[], bool],
        watches: Mapping[str, Watch],
        never_ran: Callable[[object], NeverRan | None],
        debug: Callable[[Any], None] | None = None,
        tolerates_surprises: bool = False,
    ) -> None:
        """`watches` are asked at the end of each test, and what they saw is attached under their
        names. `never_ran` gives what is wrong with what a test returned. `debug` is called with
        each traceback of a failure. With `tolerates_surprises`, a success that was not expected
        is one, and tagged 'xpassed'."""
        self._told_to_stop = False
        self._interrupted = False
        super().__init__()
        self._reporter = reporter
        self._limit = limit
        self._stopped = stopped
        self._watches = list(watches.items())
        self._never_ran = never_ran
        self._debug = debug
        self._tolerates = tolerates_surprises
        self.alias: tuple[object, str] | None = None
        """A test, and what it is called here, where that is not its id."""
        self.aliases: dict[int, str] = {}
        """The same for tests that run within suites, by their identity."""
        self.closed: dict[str, Status] = {}
        """Verdicts, by ids, since somebody cleared this."""
        self.outside: tuple[str, Status, str] | None = None
        """What was last told of something that is no test: its name, how it went, and why."""
        self._open: dict[str, _Open] = {}
        self._time: float | None = None
        self._tags: frozenset[str] = frozenset()
        self._testRunEntered = True  # suites leave the last fixtures to the host

    # -- the run -----------------------------------------------------------------------------

    @property
    def shouldStop(self) -> bool:
        """Whether no test is to be begun any more."""
        return self._told_to_stop or self._stopped()

    @shouldStop.setter
    def shouldStop(self, value: bool) -> None:
        # trial's cases say so at each KeyboardInterrupt, which may be the test's own.
        self._told_to_stop = value and not self._interrupted

    @property
    def told_to_stop(self) -> bool:
        """Whether a test itself has asked to stop, as trial's do at Ctrl-C."""
        return self._told_to_stop

    def time(self, a_datetime: datetime | None) -> None:
        """Let it be this time from now on; with None, that of the clock."""
        self._time = None if a_datetime is None else a_datetime.timestamp()

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        """Change the tags: within a test those of the test, else those of all that follow."""
        if self._open:
            last = next(reversed(self._open.values()))
            last.tags = last.tags.union(new_tags).difference(gone_tags)
        else:
            self._tags = self._tags.union(new_tags).difference(gone_tags)

    @property
    def current_tags(self) -> set[str]:
        """What a test that ended now would be tagged with."""
        return set(next(reversed(self._open.values())).tags if self._open else self._tags)

    def wasSuccessful(self) -> bool:
        """Whether nobody asked to stop: what failed is known where verdicts are."""
        return not self._told_to_stop

    def done(self) -> None:
        """Nothing more comes, as trial says."""

    # -- a test ------------------------------------------------------------------------------

    def startTest(self, test: TestCase) -> None:
        self.testsRun += 1
        self._interrupted = False
        test_id = self._id_of(test)
        if test_id in self._open:
            self._end(test_id, test)
        self._open[test_id] = _Open(self._tags)
        self._reporter.began(test_id, at=self._time)

    def stopTest(self, test: TestCase) -> None:
        test_id = self._id_of(test)
        opened = self._open.get(test_id)
        if opened is None:
            return
        if opened.status is _UNKNOWN and isinstance(sys.exc_info()[1], KeyboardInterrupt):
            return  # it goes through unittest's cases, and the host decides what it is
        self._end(test_id, test)

    def addSuccess(self, test: TestCase, details: Mapping[str, Detail] | None = None) -> None:
        if not details and (opened := self._open.get(self._id_of(test))) is not None:
            # As `_report` does, which takes longer, and most tests come this way.
            self._interrupted = False
            if self._limit.expired() is None:
                if opened.status is _UNKNOWN:
                    opened.status = _SUCCESS
                return
        self._report(test, _SUCCESS, details=details)

    def addFailure(
        self, test: TestCase, err: Any = None, details: Mapping[str, Detail] | None = None
    ) -> None:
        self._report(test, _FAIL, err=err, details=details)

    def addError(
        self, test: TestCase, err: Any = None, details: Mapping[str, Detail] | None = None
    ) -> None:
        self._report(test, _FAIL, err=err, details=details)

    def addSkip(
        self, test: TestCase, reason: Any = None, details: Mapping[str, Detail] | None = None
    ) -> None:
        self._report(test, _SKIP, reason=reason, details=details)

    def addExpectedFailure(
        self,
        test: TestCase,
        err: Any = None,
        todo: Any = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        self._report(test, _XFAIL, err=err, reason=_of_todo(todo), details=details)

    def addUnexpectedSuccess(
        self, test: TestCase, todo: Any = None, details: Mapping[str, Detail] | None = None
    ) -> None:
        if not self._tolerates:
            self._report(test, _UXSUCCESS, reason=_of_todo(todo), details=details)
            return
        self._report(test, _SUCCESS, reason=_of_todo(todo), details=details)
        if (opened := self._open.get(self._id_of(test))) is not None:
            opened.tags = opened.tags.union(("xpassed",))

    def addSubTest(self, test: TestCase, subtest: TestCase, err: Any) -> None:
        if err is not None:
            self._report(test, _FAIL, err=err, part=described(subtest, of=test))

    def addDuration(self, test: TestCase, elapsed: float) -> None:
        """Nothing: the times of the events say so."""

    # -- what is told ------------------------------------------------------------------------

    def look_away(self) -> None:
        """What was written and logged until now is no test's."""
        for _, watch in self._watches:
            watch.begin()

    def fail(self, test_id: str, reason: str, *, name: str = "reason") -> None:
        """Give the test a failure: now if it is in progress, else as all there is of it."""
        opened = self._open.get(test_id)
        if opened is None:
            self._reporter.began(test_id)
        else:
            name = unused_name(name, opened.names)
        self._reporter.attached(test_id, Chunk(name, encoded(reason), TEXT, eof=True))
        if opened is not None:
            opened.status = _FAIL
            self._end(test_id, None)
        else:
            self._close(test_id, _FAIL, ())

    def skip(self, test_id: str, reason: str) -> None:
        """Give a test that does not run the verdict that it was skipped."""
        self._reporter.began(test_id)
        self._reporter.attached(test_id, Chunk("reason", encoded(reason), TEXT, eof=True))
        self._close(test_id, _SKIP, ())

    def end_as_others(self, test_id: str, reason: str) -> None:
        """Give a test that told only of others how it ended the worst verdict of these; where
        there are none, it has failed for this reason."""
        if not self.closed:
            self.fail(test_id, reason)
            return
        others = list(self.closed)
        worst = max(self.closed.values(), key=_SEVERITY.__getitem__)
        self._reporter.began(test_id)
        text = encoded(f"it ran as {', '.join(others)}")
        self._reporter.attached(test_id, Chunk("reason", text, TEXT, eof=True))
        self._close(test_id, worst, ())

    def end_all(self, reason: str) -> None:
        """Give what is in progress its verdict: it never stopped."""
        for test_id in list(self._open):
            self.fail(test_id, reason)

    def _id_of(self, test: Any) -> str:
        alias = self.alias
        if alias is not None and alias[0] is test:
            return alias[1]
        if self.aliases and (name := self.aliases.get(id(test))) is not None:
            return name
        return str(test.id())

    def _report(
        self,
        test: Any,
        status: Status,
        *,
        err: Any = None,
        reason: Any = None,
        details: Mapping[str, Detail] | None = None,
        part: str = "",
    ) -> None:
        whole = getattr(test, "test_case", None)
        if isinstance(whole, TestCase):  # a subtest that was skipped
            test, part = whole, described(test, of=whole)
        test_id = self._id_of(test)
        error = err[1] if isinstance(err, tuple) else getattr(err, "value", err)
        self._interrupted = isinstance(error, KeyboardInterrupt)
        late = self._limit.expired(error)
        if late is not None:
            err, status = (type(late), late, late.__traceback__), _FAIL
        opened = self._open.get(test_id)
        runnable = opened is not None or test.countTestCases() > 0
        if not runnable and status is _SKIP:
            self.outside = (test_id, status, str(reason))
            return  # the tests that it holds for say so
        said = opened or _Open(self._tags)
        status, text = self._attach_all(
            test, test_id, said, status, err, reason, details, f" {part}" if part else "", runnable
        )
        if _SEVERITY[status] > _SEVERITY[said.status]:
            said.status = status
        if not runnable:
            self.outside = (test_id, status, text)
            self._reporter.over(test_id, status, runnable=False)
        elif opened is None:
            self._close(test_id, status, said.tags)
        if self._debug is not None and status is _FAIL and err is not None:
            self._debug(err[2] if isinstance(err, tuple) else err.getTracebackObject())

    def _attach_all(
        self,
        test: Any,
        test_id: str,
        said: _Open,
        status: Status,
        err: Any,
        reason: Any,
        details: Mapping[str, Detail] | None,
        suffix: str,
        runnable: bool,
    ) -> tuple[Status, str]:
        """Attach what was reported; the status, and what it says first as text."""
        first = ""
        errors: list[Any] = [] if err is None else [err]
        for name, detail in (details or {}).items():
            chunks = read_through(detail, errors)
            mime = str(detail.content_type)
            self._attach(test_id, said, name + suffix, mime, chunks, runnable)
        if len(errors) > (err is not None):
            status = _FAIL  # a detail cannot be read
        for error in errors:
            text = self._text_of(error, test)
            first = first or text
            self._attach(test_id, said, "traceback" + suffix, TRACEBACK, [encoded(text)], runnable)
        if reason is not None:
            first = first or str(reason)
            octets = [encoded(str(reason))]
            self._attach(test_id, said, "reason" + suffix, TEXT, octets, runnable)
        return status, first

    def _attach(
        self,
        test_id: str,
        said: _Open,
        name: str,
        mime_type: str,
        chunks: Iterable[bytes],
        runnable: bool,
    ) -> None:
        name = unused_name(name, said.names)
        said.names.add(name)
        for octets in chunks:
            self._reporter.attached(test_id, Chunk(name, octets, mime_type), runnable=runnable)
        self._reporter.attached(test_id, Chunk(name, b"", mime_type, eof=True), runnable=runnable)

    def _text_of(self, error: Any, test: Any) -> str:
        if not isinstance(error, tuple):  # one of Twisted's failures
            tb = error.getTracebackObject()
            while isinstance(tb, TracebackType) and _is_machinery(tb):
                tb = tb.tb_next
            if not isinstance(tb, TracebackType):
                return str(error.getTraceback())
            return "".join(format_exception(error.type, error.value, tb))
        try:
            return str(self._exc_info_to_string(error, test))  # type: ignore[attr-defined]
        except AttributeError:  # something that is like a test case, but for what this asks
            return "".join(format_exception(*error))

    def _end(self, test_id: str, test: object) -> None:
        opened = self._open[test_id]
        if opened.status in _GOOD:
            wrong = self._never_ran(test)
            if wrong is not None:
                opened.status = _FAIL
                text = [encoded(f"{type(wrong).__name__}: {wrong}\n")]
                self._attach(test_id, opened, "traceback", TRACEBACK, text, True)
        if len(self._open) == 1:
            for name, watch in self._watches:
                if watch.noticed():
                    for chunk in watch.chunks(unused_name(name, opened.names)):
                        self._reporter.attached(test_id, chunk)
        del self._open[test_id]
        self._close(test_id, opened.status, opened.tags)

    def _close(self, test_id: str, status: Status, tags: Iterable[str]) -> None:
        self.closed[test_id] = status
        self._reporter.over(test_id, status, tags=tags, at=self._time)


def _is_machinery(tb: TracebackType) -> bool:
    """Whether it is a frame of what runs tests, above all that the user has written."""
    name = str(tb.tb_frame.f_globals.get("__name__", ""))
    return name.startswith(("twisted.trial._", "twisted.internet.", "twisted.python.", "whotests."))


def _of_todo(todo: Any) -> str | None:
    """Why trial's cases expect a failure."""
    return getattr(todo, "reason", None)
