"""Several sinks of one run: one that fails costs nothing but itself."""

import errno
import io
import json

import pytest

from whotests.errors import MachineError
from whotests.reports.run_json import RunJson
from whotests.reports.run_reports import RunReports
from whotests.stream import Event, EventLog, Sink, Status, read_json_lines

EVENTS = [Event(f"a.test_{place}", Status.SUCCESS) for place in range(4)]


class Failing(EventLog):
    """Fails at one of its calls."""

    def __init__(self, error: Exception, *, at: int | str) -> None:
        super().__init__()
        self._error = error
        self._at = at
        self.stopped = 0

    def start_run(self) -> None:
        if self._at == "start":
            raise self._error
        super().start_run()

    def handle(self, event: Event, /) -> None:
        if len(self.events) == self._at:
            raise self._error
        super().handle(event)

    def stop_run(self) -> None:
        self.stopped += 1
        if self._at == "stop":
            raise self._error


def told(sinks: dict[str, Sink]) -> RunReports:
    """A whole run that these are told of."""
    gone: list[bool] = []
    reports = RunReports(sinks, on_gone=lambda: gone.append(True))
    reports.start_run()
    for event in EVENTS:
        reports.handle(event)
    reports.stop_run()
    assert gone == [True] * len(gone)
    assert bool(gone) is reports.gone
    return reports


def test_a_sink_that_fails_is_left() -> None:
    """It is told nothing more, what went wrong is kept, and the others hear of every event."""
    first, last = EventLog(), EventLog()
    failing = Failing(OSError(errno.ENOSPC, "No space left on device"), at=2)
    reports = told({"one": first, "the file": failing, "another": last})
    assert first.events == last.events == EVENTS
    assert failing.events == EVENTS[:2]
    assert failing.stopped == 0
    assert reports.problems == ["the file is not whole: No space left on device"]
    assert not reports.gone


def test_several_fail() -> None:
    """At the same event, in whatever way: each is named, with its own words if they are ours."""
    good = EventLog()
    reports = told(
        {
            "a": Failing(MachineError("cannot write x; make room"), at=1),
            "b": Failing(ValueError("odd"), at=1),
            "c": Failing(MachineError("cannot close y"), at="stop"),
            "d": good,
        }
    )
    assert good.events == EVENTS
    assert reports.problems == [
        "a is not whole: cannot write x; make room",
        "b is not whole: ValueError: odd",
        "c is not whole: cannot close y",
    ]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO])
def test_nobody_reads(number: int) -> None:
    """That a reader is gone, as that of a pipe or a terminal, is no problem, and is told once."""
    good = EventLog()
    reports = told({"shown": Failing(OSError(number, "gone"), at=0), "good": good})
    assert reports.gone
    assert reports.problems == []
    assert good.events == EVENTS


def test_one_that_cannot_begin() -> None:
    """Its error is raised, nothing has run, and those that had begun are stopped."""
    begun = Failing(ValueError(), at=-1)
    reports = RunReports(
        {"a": begun, "b": Failing(MachineError("no folder"), at="start")}, on_gone=lambda: None
    )
    with pytest.raises(MachineError, match="no folder"):
        reports.start_run()
    assert begun.stopped == 1
    reports.stop_run()
    assert begun.stopped == 1


def test_the_summary_is_the_last_line() -> None:
    """Lines of JSON end with an event of no test that has the summary, made when the run stops."""
    stream, summary = io.StringIO(), {"exit_status": 0}
    sink = RunJson(stream, summary=lambda: summary)
    sink.start_run()
    sink.handle(EVENTS[0])
    summary["exit_status"] = 5
    sink.stop_run()
    *events, last = read_json_lines(stream.getvalue().splitlines())
    assert events == EVENTS[:1]
    assert last.test_id is None
    assert last.attachment is not None
    assert (last.attachment.name, last.attachment.mime_type) == ("summary", "application/json")
    assert json.loads(last.attachment.content) == {"exit_status": 5}
