"""testtools' sinks of whole tests: a dict per test, lists of what failed, another result."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict

from whotests.stream.attachment import Attachment
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.event import Event, Status
from whotests.testing.details.content import Content, Details
from whotests.testing.details.content_types import ContentType
from whotests.testing.details.detail_text import details_text, readable
from whotests.testing.results.any_result import ExtendedToOriginalDecorator
from whotests.testing.results.placeholders import PlaceHolder
from whotests.testing.streams.stream_results import StreamResult

__all__ = [
    "StreamSummary",
    "StreamToDict",
    "StreamToExtendedDecorator",
    "ToldTest",
    "test_dict_to_case",
]

OUTCOMES = {
    "inprogress": "addFailure",
    "unknown": "addFailure",
    "fail": "addFailure",
    "success": "addSuccess",
    "skip": "addSkip",
    "xfail": "addExpectedFailure",
    "uxsuccess": "addUnexpectedSuccess",
}
"""The methods of results, by a test's status."""


class ToldTest(TypedDict):
    """All that a stream told of one test."""

    id: str
    tags: set[str]
    """Those of the last event that had any."""
    details: Details
    status: str
    """That of an event, or 'unknown' where no event had one."""
    timestamps: list[datetime | None]
    """Of the first event and of the last; None instead of the last where the test did not end."""


class StreamToDict(StreamResult):
    """Calls `on_test` with a dict for each test that is complete, and at the end for the others.

    Details that are empty are there; bytes that came after a detail's end are not. What belongs
    to no test goes to `on_other`, if there is one.
    """

    def __init__(
        self,
        on_test: Callable[[ToldTest], object],
        *,
        on_other: Callable[[Event], object] | None = None,
    ) -> None:
        super().__init__()
        self.on_test = on_test
        self._collector = Collector(self._report, on_other=on_other)

    def startTestRun(self) -> None:
        super().startTestRun()
        self._collector.start_run()

    def stopTestRun(self) -> None:
        super().stopTestRun()
        self._collector.stop_run()

    def _take(self, event: Event) -> None:
        super()._take(event)
        self._collector.handle(event)

    def _report(self, record: TestRecord) -> None:
        self.on_test(_dict_of(record))


class StreamSummary(StreamResult):
    """Keeps what failed, was skipped and so on in the lists that unittest's results have.

    It was successful if nothing failed, passed unexpectedly or did not end, which is known when
    the run has stopped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._summary = Collector(self._gather)
        self._forget()

    def _forget(self) -> None:
        self.testsRun = 0
        self.failures: list[tuple[PlaceHolder, str]] = []
        self.errors: list[tuple[PlaceHolder, str]] = []
        self.skipped: list[tuple[PlaceHolder, str]] = []
        self.expectedFailures: list[tuple[PlaceHolder, str]] = []
        self.unexpectedSuccesses: list[PlaceHolder] = []

    def startTestRun(self) -> None:
        super().startTestRun()
        self._forget()
        self._summary.start_run()

    def stopTestRun(self) -> None:
        super().stopTestRun()
        self._summary.stop_run()

    def wasSuccessful(self) -> bool:
        return not (self.failures or self.errors or self.unexpectedSuccesses)

    def _take(self, event: Event) -> None:
        super()._take(event)
        self._summary.handle(event)

    def _gather(self, record: TestRecord) -> None:
        if record.status is Status.EXISTS:
            return
        self.testsRun += 1
        if record.status is Status.SUCCESS:
            return
        found = _dict_of(record)
        case, details = test_dict_to_case(found), found["details"]
        if record.status is Status.UNKNOWN:
            self.errors.append((case, "Test did not complete"))
        elif record.status is Status.SKIP:
            told = details.get("reason")
            self.skipped.append((case, "Unknown" if told is None else readable(told)))
        elif record.status is Status.UXSUCCESS:
            self.unexpectedSuccesses.append(case)
        else:
            text = details_text(details, special="traceback")
            failed = record.status is Status.FAIL
            (self.errors if failed else self.expectedFailures).append((case, text))


class StreamToExtendedDecorator(StreamResult):
    """Tells a result, of whatever protocol, of each test when it is complete.

    Tests that did not end are failures; those that only exist are left out. What belongs to no
    test goes to `on_other`, if there is one: results have no place for it.
    """

    def __init__(
        self, decorated: Any, *, on_other: Callable[[Event], object] | None = None
    ) -> None:
        super().__init__()
        self.decorated = ExtendedToOriginalDecorator(decorated)
        self._collector = Collector(self._report, on_other=on_other)

    def startTestRun(self) -> None:
        self.decorated.startTestRun()
        self._collector.start_run()

    def stopTestRun(self) -> None:
        self._collector.stop_run()
        self.decorated.stopTestRun()

    def wasSuccessful(self) -> bool:
        return self.decorated.wasSuccessful()

    def stop(self) -> None:
        self.decorated.stop()

    @property
    def shouldStop(self) -> bool:
        return self.decorated.shouldStop

    @property
    def testsRun(self) -> int:
        return int(self.decorated.testsRun)

    def _take(self, event: Event) -> None:
        if event.status is not Status.EXISTS:
            self._collector.handle(event)

    def _report(self, record: TestRecord) -> None:
        test_dict_to_case(_dict_of(record)).run(self.decorated)


def test_dict_to_case(test_dict: ToldTest) -> PlaceHolder:
    """A test that reports what a dict says of one."""
    first, last, *_ = (*test_dict["timestamps"], None, None)
    return PlaceHolder(
        test_dict["id"],
        outcome=OUTCOMES[test_dict["status"]],
        details=test_dict["details"],
        tags=test_dict["tags"],
        timestamps=(first, last),
    )


def _dict_of(record: TestRecord) -> ToldTest:
    hung = record.status is Status.UNKNOWN and record.begun
    return {
        "id": record.test_id,
        "tags": set(record.tags),
        "details": {name: _content(each) for name, each in record.attachments.items()},
        "status": Status.INPROGRESS.value if hung else record.status.value,
        "timestamps": [record.started, record.stopped],
    }


def _content(attachment: Attachment) -> Content:
    return Content(ContentType(*attachment.content_type), attachment.iter_bytes)
