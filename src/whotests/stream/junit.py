"""A run as a JUnit XML file, for the services that read those."""

import codecs
import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from stat import S_ISREG
from typing import IO, TextIO

from whotests.errors import MachineError
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.event import Event, Status
from whotests.stream.readable import attachments_as_text, reason_of
from whotests.stream.run_output import RunOutput
from whotests.stream.summary import Summary
from whotests.stream.time_span import TimeSpan

__all__ = ["JUnitXml"]


class JUnitXml:
    """Writes one test suite when the run stops, as Jenkins and its like read it.

    A test case has its time, and a failure with the tracebacks of the test, or the reason for
    which it was skipped; an expected failure counts as skipped. What else it attached, its tags
    and its route code are its output. Characters that XML forbids are replaced. Tests that only
    exist are left out.

    A file is written in one piece: there is the whole one, or what was there before. Its folder
    is made if need be. What is no file (a device, a pipe, a link) stays what it is, and is written
    to. Held in memory are tests in progress only: the counts stand in front, so
    the tests that ended wait in a temporary file. MachineError where a file cannot be written.
    """

    def __init__(
        self, target: TextIO | str | os.PathLike[str], *, suite_name: str = "whotests"
    ) -> None:
        self._target = Path(target) if isinstance(target, str | os.PathLike) else target
        self._suite_name = suite_name
        self._temporary = ExitStack()
        self._output = RunOutput(self._write_line)
        self._collector = Collector(self._write_case, on_other=self._output.handle)

    def start_run(self) -> None:
        self._summary = Summary(keep=frozenset())
        self._span = TimeSpan()
        try:
            if isinstance(self._target, Path):
                self._target.parent.mkdir(parents=True, exist_ok=True)
            self._temporary.close()
            self._cases = self._temporary.enter_context(temporary_file(self._target))
            self._lines = self._temporary.enter_context(temporary_file(self._target))
        except OSError as error:
            raise cannot_write(self._target, error) from error
        self._output.start()
        self._collector.start_run()

    def handle(self, event: Event, /) -> None:
        try:
            self._collector.handle(event)
        except OSError as error:
            raise cannot_write(self._target, error) from error

    def stop_run(self) -> None:
        try:
            with self._temporary:
                self._collector.stop_run()
                self._output.stop()
                self._write_file()
        except OSError as error:
            raise cannot_write(self._target, error) from error

    def _write_file(self) -> None:
        if not isinstance(self._target, Path):
            self._write_suite(self._target)
            self._target.flush()
            return
        if is_special(self._target):
            with self._target.open("w", encoding="utf-8", newline="\n") as file:
                self._write_suite(file)
            return
        unfinished = self._target.with_name(f".{self._target.name}.{os.getpid()}")
        try:
            with unfinished.open("w", encoding="utf-8", newline="\n") as file:
                self._write_suite(file)
            os.replace(unfinished, self._target)
        finally:
            unfinished.unlink(missing_ok=True)

    def _write_suite(self, file: IO[str]) -> None:
        write = writer_to(file)
        counts = self._summary.counts
        failed = counts[Status.FAIL] + counts[Status.UXSUCCESS] + counts[Status.UNKNOWN]
        attributes = {
            "name": self._suite_name,
            "tests": str(self._summary.tests_run),
            "failures": str(failed),
            "errors": "0",  # the stream does not tell them from failures
            "skipped": str(counts[Status.SKIP] + counts[Status.XFAIL]),
        }
        if self._span.first is not None:
            attributes["time"] = as_seconds(self._span.length)
            attributes["timestamp"] = self._span.first.isoformat()
        write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')
        write(f"<testsuite{as_attributes(attributes)}>\n")
        for line in rewound(self._cases):
            write(line)
        if self._lines.tell():
            write("<system-out>")
            for line in rewound(self._lines):
                write(line)
            write("</system-out>\n")
        write("</testsuite>\n</testsuites>\n")

    def _write_case(self, record: TestRecord) -> None:
        if record.status is Status.EXISTS:
            return
        self._summary.add(record)
        self._span.add(record)
        self._cases.write(as_case(record))

    def _write_line(self, line: str) -> None:
        self._lines.write(escaped(line) + "\n")


def as_case(record: TestRecord) -> str:
    """The element of one test."""
    class_name, name = split_id(record.test_id)
    attributes = {"classname": class_name, "name": name}
    if record.duration is not None:
        attributes["time"] = as_seconds(record.duration)
    attached = dict(record.attachments)
    stderr = attached.pop("stderr", None)
    tracebacks = {name: attached.pop(name) for name in record.attachments if is_traceback(name)}
    inner = []
    if record.status is not Status.SUCCESS:
        inner.append(as_outcome(record, attachments_as_text(tracebacks)))
    output = list(record.notes)
    if record.route_code is not None:
        output.append(f"route code: {record.route_code}")
    if record.tags:
        output.append(f"tags: {', '.join(sorted(record.tags))}")
    if attached:
        output.append(attachments_as_text(attached))
    if output:
        inner.append(as_element("system-out", {}, "\n".join(output)))
    if stderr is not None:
        inner.append(as_element("system-err", {}, attachments_as_text({"stderr": stderr})))
    if not inner:
        return f"<testcase{as_attributes(attributes)}/>\n"
    return f"<testcase{as_attributes(attributes)}>\n{''.join(inner)}</testcase>\n"


def as_outcome(record: TestRecord, text: str) -> str:
    """The element that says how a test ended, if it is no plain success."""
    if record.status is Status.SKIP:
        return as_element("skipped", {"type": "skip", "message": reason_of(record)}, "")
    tag = "skipped" if record.status is Status.XFAIL else "failure"
    message = {
        Status.XFAIL: "a failure, as was expected",
        Status.UXSUCCESS: "it passed, though a failure was expected",
        Status.UNKNOWN: "no end was seen",
    }.get(record.status) or text.rstrip().rpartition("\n")[2].strip()
    message = message or "it failed, and attached no traceback"
    return as_element(tag, {"type": record.status, "message": message}, text)


_FIXTURE = re.compile(r"(\w+) \(([\w.]+)\)")
_PARAMETERS = re.compile(r"[\[( ]")


def split_id(test_id: str) -> tuple[str, str]:
    """The class or module of a test, and its name in there.

    By the last '.', or '::' of pytest's ids, before any parameters: 'a/test_b.py::C::test_d[1.5]'
    is test_d[1.5] in a.test_b.C. unittest's 'setUpClass (a.B)' is setUpClass in a.B.
    """
    if fixture := _FIXTURE.fullmatch(test_id):
        return fixture[2], fixture[1]
    plain = _PARAMETERS.split(test_id, maxsplit=1)[0]
    if "::" in plain:
        place, _, name = plain.rpartition("::")
        path, _, classes = place.partition("::")
        parts = [path.removesuffix(".py").replace("/", "."), *classes.split("::")]
        place = ".".join(part for part in parts if part)
    else:
        place, _, name = plain.rpartition(".")
    return place, name + test_id[len(plain) :]


def is_traceback(name: str) -> bool:
    return name.startswith("traceback")


_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile('[&<>"]|[^\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def escaped(text: str) -> str:
    """The text as it stands in XML, U+FFFD for what may not."""
    if _SPECIAL.search(text) is None:  # as most of it: several times as fast
        return text
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text).translate(_ESCAPES)


def escaped_value(text: str) -> str:
    """The text as an attribute's value, where white space would become blanks."""
    return escaped(text).replace("\n", "&#10;").replace("\t", "&#9;")


def as_attributes(attributes: dict[str, str]) -> str:
    return "".join(f' {name}="{escaped_value(value)}"' for name, value in attributes.items())


def as_seconds(duration: timedelta | None) -> str:
    """With three digits behind the point; none below 0, as a clock that was set back gives."""
    return f"{max(duration or timedelta(0), timedelta(0)).total_seconds():.3f}"


def as_element(tag: str, attributes: dict[str, str], text: str) -> str:
    if not text:
        return f"<{tag}{as_attributes(attributes)}/>\n"
    return f"<{tag}{as_attributes(attributes)}>{escaped(text)}</{tag}>\n"


def temporary_file(target: TextIO | Path) -> IO[str]:
    """A file without a name, on the disk where the target will be."""
    from tempfile import TemporaryFile

    folder = target.parent if isinstance(target, Path) and not is_special(target) else None
    return TemporaryFile("w+", encoding="utf-8", newline="\n", dir=folder)


def is_special(path: Path) -> bool:
    """Whether there is something that is no file of its own."""
    try:
        return not S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def writer_to(file: IO[str]) -> Callable[[str], object]:
    """Writes so that UTF-8 is what arrives: characters by their numbers if the file is not."""
    encoding = getattr(file, "encoding", None) or "utf-8"
    if codecs.lookup(encoding).name == "utf-8":
        return file.write
    return lambda text: file.write(text.encode("ascii", "xmlcharrefreplace").decode("ascii"))


def rewound(file: IO[str]) -> IO[str]:
    file.seek(0)
    return file


def cannot_write(target: TextIO | Path, error: OSError) -> MachineError:
    """Says what could not be written, and what to do about it."""
    name = target if isinstance(target, Path) else getattr(target, "name", "the stream")
    return MachineError(
        f"the JUnit XML cannot be written to {name}: {error.strerror or error}; make room or "
        "give it another place"
    )
