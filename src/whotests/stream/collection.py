"""From events to whole tests."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from whotests.stream.attachment import Attachment
from whotests.stream.event import FAILED, FINAL, Chunk, Event, Status

__all__ = ["Collector", "TestRecord"]


class TestRecord(NamedTuple):
    """All that a run said of one test, from its first event to the one with a final status."""

    test_id: str
    route_code: str | None
    status: Status
    """`unknown` where the run stopped before an end was seen."""
    tags: frozenset[str]
    runnable: bool
    attachments: Mapping[str, Attachment]
    """In the order in which they began; empty ones are kept."""
    started: datetime | None
    """The time of the first event, if that had one."""
    stopped: datetime | None
    """The time of the event with the final status; None where there was none."""
    begun: bool
    """Whether it was said to be in progress."""
    notes: tuple[str, ...] = ()
    """What is wrong with the events, a sentence each, such as bytes after an attachment's end."""

    @property
    def duration(self) -> timedelta | None:
        """From its first event to its end; None where one has no time, or only one has a zone."""
        if self.started is None or self.stopped is None:
            return None
        try:
            return self.stopped - self.started
        except TypeError:
            return None

    @property
    def failed(self) -> bool:
        """Whether a run with this test is not successful."""
        return self.status in FAILED


TestRecord.__test__ = False  # type: ignore[attr-defined]
"""For pytest, which takes it for a test where it is imported."""

_INPROGRESS = Status.INPROGRESS  # CPython 3.11 looks members of enumerations up slowly
_NO_TAGS: frozenset[str] = frozenset()
_make_tuple = tuple.__new__  # takes a fifth of the time of TestRecord(...)


class Collector:
    """Hands out one record per test, when its final status has come, or the run stops.

    Held meanwhile: what belongs to tests that began and did not end. Events that belong to no
    test go to `on_other`, if there is one.
    """

    def __init__(
        self,
        on_test: Callable[[TestRecord], object],
        *,
        on_other: Callable[[Event], object] | None = None,
    ) -> None:
        self._on_test = on_test
        self._on_other = on_other
        self._open: dict[str | tuple[str, str], _OpenTest | Event] = {}
        """Of most tests nothing is known between the first event and the last, but the first."""

    def start_run(self) -> None:
        self._open = {}

    def handle(self, event: Event, /) -> None:
        test_id, status, tags, runnable, chunk, route_code, timestamp = event
        if test_id is None:
            if self._on_other is not None:
                self._on_other(event)
            return
        key = test_id if route_code is None else (test_id, route_code)
        test = self._open.get(key)
        if test is None:
            if status is _INPROGRESS and tags is None and chunk is None:
                self._open[key] = event
                return
            test = self._open[key] = _OpenTest(test_id, route_code, timestamp)
        elif isinstance(test, Event):
            if status in FINAL and tags is None and chunk is None:
                del self._open[key]
                self._on_test(_record_of(test, status, runnable, timestamp))
                return
            test = self._open[key] = _opened(test)
        if tags is not None:
            test.tags = tags
        test.runnable = runnable
        if chunk is not None:
            test.attach(chunk)
        if status is None:
            return
        if status in FINAL:
            del self._open[key]
            self._on_test(test.record(status, timestamp))
        else:
            test.begun = True

    def stop_run(self) -> None:
        while self._open:
            test = self._open.pop(next(iter(self._open)))
            test = _opened(test) if isinstance(test, Event) else test
            self._on_test(test.record(Status.UNKNOWN, None))


def _record_of(
    began: Event, status: Status, runnable: bool, stopped: datetime | None
) -> TestRecord:
    """The record of a test of which only its beginning and its end were told."""
    test_id, _, _, _, _, route_code, started = began
    return _make_tuple(
        TestRecord,
        (test_id, route_code, status, _NO_TAGS, runnable, {}, started, stopped, True, ()),
    )


def _opened(began: Event) -> "_OpenTest":
    """A test that has begun."""
    assert began.test_id is not None
    test = _OpenTest(began.test_id, began.route_code, began.timestamp)
    test.runnable = began.runnable
    test.begun = True
    return test


class _OpenTest:
    """What is known of a test whose end was not seen yet."""

    __slots__ = (
        "attachments",
        "begun",
        "late",
        "route_code",
        "runnable",
        "started",
        "tags",
        "test_id",
    )

    def __init__(self, test_id: str, route_code: str | None, started: datetime | None) -> None:
        self.test_id = test_id
        self.route_code = route_code
        self.started = started
        self.tags = _NO_TAGS
        self.runnable = True
        self.begun = False
        self.attachments: dict[str, _OpenAttachment] | None = None
        self.late: dict[str, int] | None = None
        """How many bytes came for an attachment after its end."""

    def attach(self, chunk: Chunk) -> None:
        name, content, mime_type, eof = chunk
        if not (name or content or "" in (self.attachments or ())):
            return  # an end, or a type, of no attachment: some writers of subunit have these
        if self.attachments is None:
            self.attachments = {}
        attachment = self.attachments.get(name)
        if attachment is None:
            attachment = self.attachments[name] = _OpenAttachment()
        if attachment.complete:
            if self.late is None:
                self.late = {}
            self.late[name] = self.late.get(name, 0) + len(content)
            return
        if content:
            attachment.chunks.append(content)
        attachment.complete = eof
        if attachment.mime_type is None:
            attachment.mime_type = mime_type

    def record(self, status: Status, stopped: datetime | None) -> TestRecord:
        return _make_tuple(
            TestRecord,
            (
                self.test_id,
                self.route_code,
                status,
                self.tags,
                self.runnable,
                {name: each.whole() for name, each in self.attachments.items()}
                if self.attachments
                else {},
                self.started,
                stopped,
                self.begun,
                self.notes() if self.late else (),
            ),
        )

    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"{size} bytes for the attachment {name!r} came after its end and were left out"
            for name, size in (self.late or {}).items()
        )


class _OpenAttachment:
    """An attachment of which more chunks may come."""

    __slots__ = ("chunks", "complete", "mime_type")

    def __init__(self) -> None:
        self.mime_type: str | None = None
        self.chunks: list[bytes] = []
        self.complete = False

    def whole(self) -> Attachment:
        return Attachment(self.mime_type, tuple(self.chunks), self.complete)
