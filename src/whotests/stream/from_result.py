"""From unittest's results to the stream."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol
from unittest import TestCase, TestResult

from whotests.stream.attached_text import TEXT, TRACEBACK, encoded
from whotests.stream.control import Control, RunControl
from whotests.stream.event import FAILED, Chunk, Event, Status
from whotests.stream.open_report import OpenReport
from whotests.stream.sink import Sink
from whotests.stream.timestamps import now

__all__ = [
    "Detail",
    "ExcInfo",
    "ResultToStream",
    "described",
    "read_through",
]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Detail(Protocol):
    """What the extended protocol gives as a detail: testtools' `Content`, an `Attachment`."""

    @property
    def content_type(self) -> object:
        """A value whose text is the mime type."""

    def iter_bytes(self) -> Iterable[bytes]:
        """The content."""


class ResultToStream(TestResult):
    """A `unittest.TestResult` that makes events of all it is told.

    It takes the protocol of the standard library and testtools' extended one: `details`, `tags`,
    `time`. Each test gets one final event, when it stops, with the worst of what was reported
    of it; everything that was reported is attached. A subtest that fails or is skipped counts
    for its test, and what was said of it is attached under its description. A test that stops
    and said nothing of its end is `unknown`. One of which a detail cannot be read has failed.

    What fails outside of tests (a class's or a module's fixtures) is an event that is not
    runnable. The lists of `TestResult` stay empty: a `Summary` has them. Asking the result to
    stop asks the control, and the other way round. `startTestRun` is called by itself if nobody
    did; somebody has to call `stopTestRun`.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        control: Control | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._control = RunControl() if control is None else control
        super().__init__()
        self.sink = sink
        self._clock = clock
        self._time: datetime | None = None
        self._started = False
        self._successful = True
        self._tags: list[frozenset[str]] = [frozenset()]
        """Those of the run, and of each test that is in progress."""
        self._open: dict[str, OpenReport] = {}

    # --- the run

    def startTestRun(self) -> None:
        self._started = True
        self._successful = True
        self._time = None
        self._tags = [frozenset()]
        self._open = {}
        self.sink.start_run()

    def stopTestRun(self) -> None:
        self._started = False
        self.sink.stop_run()

    @property
    def shouldStop(self) -> bool:
        """Whether the control was asked to stop. It can be set to True, and stays so."""
        return self._control.should_stop

    @shouldStop.setter
    def shouldStop(self, value: bool) -> None:
        if value:
            self._control.stop()

    def stop(self) -> None:
        self._control.stop()

    def wasSuccessful(self) -> bool:
        """Whether nothing that was reported is a failure."""
        return self._successful

    def time(self, a_datetime: datetime | None) -> None:
        """Let it be this time from now on; with None, that of the clock."""
        self._time = a_datetime

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        """Change the tags: within a test those of the test, else those of all that follow."""
        self._tags[-1] = self._tags[-1].union(new_tags).difference(gone_tags)

    @property
    def current_tags(self) -> set[str]:
        """What a test that ended now would be tagged with."""
        return set(self._tags[-1])

    # --- a test

    def startTest(self, test: TestCase) -> None:
        self._ensure_started()
        super().startTest(test)
        test_id = test.id()
        if test_id in self._open:
            self._end(test_id)
        self._open[test_id] = OpenReport(self._now())
        self.sink.handle(
            Event(
                test_id,
                Status.INPROGRESS,
                tags=self._tags[-1] or None,
                timestamp=self._open[test_id].started,
            )
        )
        self._tags.append(self._tags[-1])

    def stopTest(self, test: TestCase) -> None:
        super().stopTest(test)
        if test.id() in self._open:
            self._end(test.id())
        if len(self._tags) > 1:
            self._tags.pop()

    def addSuccess(self, test: TestCase, details: Mapping[str, Detail] | None = None) -> None:
        self._report(test, Status.SUCCESS, details=details)

    def addFailure(
        self,
        test: TestCase,
        err: ExcInfo | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        self._report(test, Status.FAIL, err=err, details=details)

    def addError(
        self,
        test: TestCase,
        err: ExcInfo | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        self._report(test, Status.FAIL, err=err, details=details)

    def addSkip(
        self,
        test: TestCase,
        reason: str | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        self._report(test, Status.SKIP, reason=reason, details=details)

    def addExpectedFailure(
        self,
        test: TestCase,
        err: ExcInfo | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        self._report(test, Status.XFAIL, err=err, details=details)

    def addUnexpectedSuccess(
        self, test: TestCase, details: Mapping[str, Detail] | None = None
    ) -> None:
        self._report(test, Status.UXSUCCESS, details=details)

    def addSubTest(self, test: TestCase, subtest: TestCase, err: ExcInfo | None) -> None:
        if err is not None:
            self._report(test, Status.FAIL, err=err, part=described(subtest, of=test))

    def addDuration(self, test: TestCase, elapsed: float) -> None:
        """Let the test end so many seconds after it began, unless `time` says when it ends."""
        report = self._open.get(test.id())
        if report is not None:
            report.elapsed = elapsed

    # --- events

    def _report(
        self,
        test: TestCase,
        status: Status,
        *,
        err: ExcInfo | None = None,
        reason: str | None = None,
        details: Mapping[str, Detail] | None = None,
        part: str = "",
    ) -> None:
        self._ensure_started()
        whole = getattr(test, "test_case", None)
        if isinstance(whole, TestCase):  # a subtest that was skipped
            test, part = whole, described(test, of=whole)
        test_id = test.id()
        runnable = test.countTestCases() > 0
        open_report = self._open.get(test_id)
        report = open_report or OpenReport(self._now())
        suffix = f" {part}" if part else ""
        errors = [] if err is None else [err]
        for name, detail in (details or {}).items():
            content = read_through(detail, errors)
            mime_type = str(detail.content_type)
            self._attach(test_id, report.unused(name + suffix), mime_type, content, runnable)
        for error in errors:
            text = self._exc_info_to_string(error, test)  # type: ignore[attr-defined]
            name = report.unused("traceback" + suffix)
            self._attach(test_id, name, TRACEBACK, [encoded(text)], runnable)
        if reason is not None:
            name = report.unused("reason" + suffix)
            self._attach(test_id, name, TEXT, [encoded(reason)], runnable)
        if len(errors) > (err is not None):
            status = Status.FAIL
        report.statuses.add(status)
        if status in FAILED:
            self._successful = False
            if self.failfast:
                self.stop()
        if open_report is None:
            self._emit_end(test_id, report, runnable)

    def _attach(
        self, test_id: str, name: str, mime_type: str, chunks: Iterable[bytes], runnable: bool
    ) -> None:
        timestamp = self._now()
        last = b""
        for chunk in chunks:
            if last:
                self.sink.handle(
                    Event(
                        test_id,
                        runnable=runnable,
                        attachment=Chunk(name, last, mime_type),
                        timestamp=timestamp,
                    )
                )
            last = chunk
        self.sink.handle(
            Event(
                test_id,
                runnable=runnable,
                attachment=Chunk(name, last, mime_type, eof=True),
                timestamp=timestamp,
            )
        )

    def _end(self, test_id: str) -> None:
        report = self._open.pop(test_id)
        if not report.statuses:
            self._successful = False
        self._emit_end(test_id, report, runnable=True)

    def _emit_end(self, test_id: str, report: OpenReport, runnable: bool) -> None:
        self.sink.handle(
            Event(
                test_id,
                report.worst,
                tags=self._tags[-1],
                runnable=runnable,
                timestamp=self._end_time(report),
            )
        )

    def _end_time(self, report: OpenReport) -> datetime:
        if self._time is None and report.elapsed is not None:
            return report.started + timedelta(seconds=report.elapsed)
        return self._now()

    def _now(self) -> datetime:
        return self._clock() if self._time is None else self._time

    def _ensure_started(self) -> None:
        if not self._started:
            time, tags = self._time, self._tags  # told already, of the run that begins now
            self.startTestRun()
            self._time, self._tags = time, tags


def read_through(detail: Detail, errors: list[ExcInfo]) -> Iterator[bytes]:
    """The content of a detail, as far as it can be read; what that raised is among the errors."""
    try:
        yield from detail.iter_bytes()
    except Exception as error:
        errors.append((type(error), error, error.__traceback__))


def described(subtest: TestCase, *, of: TestCase) -> str:
    """What tells a subtest from the others of its test: '[message] (i=1)'."""
    return subtest.id().removeprefix(of.id()).strip()
