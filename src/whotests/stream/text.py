"""A run, to be read while it runs."""

from textwrap import indent
from typing import TextIO

from whotests.stream.collection import Collector, TestRecord
from whotests.stream.event import Event, Status
from whotests.stream.readable import attachments_as_text, label_of, one_line, reason_of
from whotests.stream.run_output import RunOutput
from whotests.stream.summary import Summary
from whotests.stream.time_span import TimeSpan

__all__ = ["TextSink"]

_WIDTH = max(len(status) for status in Status)


class TextSink:
    """Writes a line for each test when it ends, and the counts when the run stops.

    Below a test that failed stands what it attached, at once, so that a run that is killed has
    shown its failures; at the end they are listed again, by name. Lines of the run's own output
    stand between. What the stream's encoding lacks is escaped.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._output = RunOutput(self._write_line)
        self._collector = Collector(self._write_test, on_other=self._output.handle)

    def start_run(self) -> None:
        self._summary = Summary(keep=frozenset())
        self._failed: list[str] = []
        self._span = TimeSpan()
        self._output.start()
        self._collector.start_run()

    def handle(self, event: Event, /) -> None:
        self._collector.handle(event)

    def stop_run(self) -> None:
        self._output.stop()
        self._collector.stop_run()
        self._write_line("")
        for line in self._failed:
            self._write_line(line)
        self._write_line(self._counts())
        self._stream.flush()

    def _write_test(self, record: TestRecord) -> None:
        self._summary.add(record)
        self._span.add(record)
        line = f"{record.status:{_WIDTH}} {label_of(record)}"
        if record.status is Status.SKIP and (reason := reason_of(record)):
            line += f": {one_line(reason)}"
        if record.duration is not None and record.status is not Status.EXISTS:
            line += f"  {record.duration.total_seconds():.3f} s"
        self._write_line(line)
        if record.failed:
            self._failed.append(f"{record.status:{_WIDTH}} {label_of(record)}")
            self._write_block(attachments_as_text(record.attachments))
        self._write_block("\n".join(record.notes))
        self._stream.flush()

    def _counts(self) -> str:
        counts = self._summary.counts
        verdict = "passed" if self._summary.successful else "FAILED"
        length = self._span.length
        time = "" if length is None else f" in {length.total_seconds():.3f} s"
        each = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
        ran = self._summary.tests_run
        return f"{verdict}: {ran} test{'s' * (ran != 1)}{time}" + (f" ({each})" if each else "")

    def _write_block(self, text: str) -> None:
        if text:
            self._write_line(indent(text, "    "))

    def _write_line(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        self._stream.write(text + "\n")
