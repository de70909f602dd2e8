"""From the stream to unittest's results."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from whotests.stream.attached_text import TEXT, encoded
from whotests.stream.attachment import Attachment, unused_name
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.control import Control
from whotests.stream.event import Event, Status
from whotests.stream.readable import attachments_as_text, reason_of

__all__ = ["ReportedFailure", "ReportedTest", "StreamToResult"]

_METHODS = {
    Status.SUCCESS: "addSuccess",
    Status.FAIL: "addFailure",
    Status.UNKNOWN: "addError",
    Status.SKIP: "addSkip",
    Status.XFAIL: "addExpectedFailure",
    Status.UXSUCCESS: "addUnexpectedSuccess",
}


class Result(Protocol):
    """What every result has, besides a method for each outcome."""

    def startTest(self, test: Any, /) -> object:
        """The test begins."""

    def stopTest(self, test: Any, /) -> object:
        """All has been said of the test."""


class StreamToResult:
    """Tells a `unittest.TestResult`, or whatever is like one, of each test when it is complete.

    What the result can do is found out by looking: `startTestRun`, `tags`, `time`, `addDuration`
    and `details` are used where it has them. Otherwise attachments become the message of the
    failure, and the reason of the skip. Tests that only exist are not reported; those that did
    not end are errors. What belongs to no test goes to `on_other`: results have no place for it.
    A result that wants to stop, as with `failfast`, stops the control.
    """

    def __init__(
        self,
        result: Result,
        *,
        control: Control | None = None,
        on_other: Callable[[Event], object] | None = None,
    ) -> None:
        self.result = result
        self._control = control
        self._collector = Collector(self._report, on_other=on_other)

    def start_run(self) -> None:
        call_if_there(self.result, "startTestRun")
        self._collector.start_run()

    def handle(self, event: Event, /) -> None:
        self._collector.handle(event)

    def stop_run(self) -> None:
        self._collector.stop_run()
        call_if_there(self.result, "stopTestRun")

    def _report(self, record: TestRecord) -> None:
        if record.status is not Status.EXISTS:
            ReportedTest(record).run(self.result)
        if self._control is not None and getattr(self.result, "shouldStop", False):
            self._control.stop()


class ReportedFailure(Exception):
    """What went wrong with a test elsewhere, as text."""


ReportedFailure.__module__ = "builtins"  # so that results print the bare name before the text


class ReportedTest:
    """Stands for a test that ran elsewhere: `run` tells a result what came of it."""

    failureException = None
    """As results ask for it."""

    def __init__(self, record: TestRecord) -> None:
        self.record = record

    def id(self) -> str:
        return self.record.test_id

    def __str__(self) -> str:
        return self.record.test_id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.record.test_id!r}: {self.record.status}>"

    def shortDescription(self) -> str | None:
        """None: a stream tells of no descriptions."""
        return None

    def countTestCases(self) -> int:
        """1; 0 for what is no test that can be run, such as a class's fixture."""
        return int(self.record.runnable)

    def __call__(self, result: Result) -> None:
        self.run(result)

    def run(self, result: Result) -> None:
        """Tell the result; only of its end, if it is no test that can be run."""
        record = self.record
        if record.started is not None:
            call_if_there(result, "time", record.started)
        if record.runnable:
            result.startTest(self)
        tags = record.tags.difference(getattr(result, "current_tags", ()))
        if tags:
            call_if_there(result, "tags", tags, frozenset())
        if record.stopped is not None:
            call_if_there(result, "time", record.stopped)
        if record.duration is not None:
            call_if_there(result, "addDuration", self, record.duration.total_seconds())
        self._tell_end(result)
        if record.runnable:
            result.stopTest(self)
        elif tags:  # they were the run's, as there is no test to which they belong
            call_if_there(result, "tags", frozenset(), tags)

    def _tell_end(self, result: Result) -> None:
        record = self.record
        method = getattr(result, _METHODS[record.status])
        if takes_details(method):
            method(self, details=self._details())
        elif record.status is Status.SKIP:
            method(self, reason_of(record))
        elif record.status in (Status.FAIL, Status.UNKNOWN, Status.XFAIL):
            failure = ReportedFailure(attachments_as_text(self._details()))
            method(self, (ReportedFailure, failure, None))
        else:
            method(self)

    def _details(self) -> dict[str, Attachment]:
        record = self.record
        details = dict(record.attachments)
        said = list(record.notes)
        if record.status is Status.UNKNOWN:
            said.append("it began and no end was seen" if record.begun else "no end was seen")
        if said:
            text = encoded("\n".join(said))
            details[unused_name("notes", details)] = Attachment(TEXT, (text,))
        return details


def call_if_there(result: Result, name: str, *arguments: object) -> None:
    """Call the method if the result has it."""
    method = getattr(result, name, None)
    if method is not None:
        method(*arguments)


def takes_details(method: Callable[..., object]) -> bool:
    """Whether a method of a result speaks the extended protocol."""
    return function_takes_details(getattr(method, "__func__", method))


@lru_cache(maxsize=64)
def function_takes_details(function: Callable[..., object]) -> bool:
    from inspect import Parameter, signature

    try:
        parameters = signature(function).parameters
    except (TypeError, ValueError):
        return False
    needed = [each for each in parameters.values() if each.default is Parameter.empty]
    if len([each for each in needed if each.kind is Parameter.POSITIONAL_OR_KEYWORD]) > 2:
        return False  # the result, the test, and an exception as well
    return "details" in parameters or any(
        parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()
    )
