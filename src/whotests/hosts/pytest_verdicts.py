"""One verdict per test from all the reports that pytest and its plugins make of it."""

import warnings
from io import StringIO
from typing import Any

from _pytest._io import TerminalWriter

from whotests.hosts.output import KEPT, PIECE
from whotests.hosts.reporter import Reporter
from whotests.stream.attached_text import TEXT, TRACEBACK, encoded
from whotests.stream.event import Chunk, Status

__all__ = ["PytestVerdicts", "text_of"]

_SUBTEST_REPORTS = ("SubtestReport", "SubTestReport")
"""Types of pytest's own reports of subtests, and of those of pytest-subtests."""

_SECTIONS = {"stdout": "stdout", "stderr": "stderr", "log": "log"}
"""The second word of pytest's titles, and what the attachment is called."""

_NO_OUTCOME = "pytest reported no outcome of this test"
_NOT_CALLED = "pytest set it up and did not call it"


def text_of(report: Any) -> str:
    """What pytest shows of a report. Its own `longreprtext` takes the first line's indent away."""
    file = StringIO()
    writer = TerminalWriter(file)
    writer.hasmarkup = False
    report.toterminal(writer)
    return file.getvalue().strip("\n")


class PytestVerdicts:
    """Tells of one test after the other what pytest reports of its phases and subtests.

    A failure of any phase or subtest is the test's. One that passed though a failure was
    expected is a success with the tag 'xpassed', as it is one for pytest, unless that is strict:
    then pytest reports a failure. Where a plugin runs a test again, its last run counts, and the
    tag 'rerun' says that there were others. What was captured is attached at the end.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.nodeid = ""
        """Pytest's name of the test in progress, or ''."""
        self._name = ""
        self.failures = 0
        """Failures that were told so far, of whatever."""
        self._clear()

    def _clear(self) -> None:
        self._reported = self._called = self._failed = False
        self._skipped = self._xfailed = False
        self._tags: list[str] = []
        self._sections: list[tuple[str, str]] = []
        self._subtests: list[tuple[str, list[tuple[str, str]]]] = []
        self._warnings: list[str] = []
        self._attached: set[str] = set()

    def begin(self, nodeid: str, *, name: str) -> None:
        """The test is in progress. `name` is what it is called here: where several have one node
        id, that tells them apart."""
        self.nodeid = nodeid
        self._name = name
        self._reporter.began(name)

    def take(self, report: Any) -> None:
        """Take a report of a phase, or of a subtest."""
        if report.nodeid != self.nodeid:
            if report.outcome == "failed":
                self.tell_failure(report.nodeid, text_of(report))
            return
        self._reported = True
        outcome = report.outcome
        if type(report).__name__ in _SUBTEST_REPORTS:
            self._take_subtest(report)
            return
        self._sections = report.sections
        when = report.when
        if outcome == "passed":
            if when == "call":
                self._called = True
                if hasattr(report, "wasxfail"):
                    self._tags.append("xpassed")
                    self._attach_reason(report.wasxfail)
        elif outcome == "failed":
            self._failed = True
            name = "traceback" if when == "call" else f"traceback {when}"
            self._attach(name, text_of(report), TRACEBACK)
        elif outcome == "skipped":
            if hasattr(report, "wasxfail"):
                self._xfailed = True
                self._attach_reason(report.wasxfail)
            else:
                self._skipped = True
                self._attach_reason(_reason_of(report))
        else:  # 'rerun', 'retried': it will run again, and that is what counts
            self._failed = self._skipped = self._xfailed = self._called = False
            self._tags = ["rerun"]
            if report.longrepr is not None:
                self._attach("rerun", text_of(report), TRACEBACK)

    def _take_subtest(self, report: Any) -> None:
        description = _description_of(report)
        if report.sections:
            self._subtests.append((description, report.sections))
        if report.outcome == "failed":
            self._failed = True
            self._attach(f"traceback {description}", text_of(report), TRACEBACK)
        elif report.outcome == "skipped" and not hasattr(report, "wasxfail"):
            self._attach(f"reason {description}", _reason_of(report), TEXT)

    def warn(self, message: warnings.WarningMessage) -> None:
        """A warning that the test in progress has caused."""
        self._warnings.append(
            warnings.formatwarning(
                str(message.message), message.category, message.filename, message.lineno
            )
        )

    def fail(self, text: str) -> None:
        """The test in progress fails for what no report tells."""
        self._reported = self._failed = True
        self._attach("traceback", text, TRACEBACK)

    def end(self) -> None:
        """The test is over: attach what is left, and give the verdict."""
        if not self._reported:
            self.fail(_NO_OUTCOME)
        if self._sections:
            self._attach_sections(self._sections, suffix="")
        for description, sections in self._subtests:
            self._attach_sections(sections, suffix=f" {description}")
        if self._warnings:
            self._attach("warnings", "".join(self._warnings), TEXT)
        status = Status.SUCCESS
        if self._failed:
            status = Status.FAIL
            self.failures += 1
        elif self._xfailed:
            status = Status.XFAIL
        elif self._skipped:
            status = Status.SKIP
        elif not self._called:
            status = Status.SKIP
            self._attach_reason(_NOT_CALLED)
        self._reporter.over(self._name, status, tags=self._tags)
        self.forget()

    def forget(self) -> None:
        """Nothing more is told of the test in progress: it has no verdict."""
        self.nodeid = self._name = ""
        self._clear()

    # -- what belongs to no test --------------------------------------------------------------

    def tell_failure(self, name: str, text: str) -> None:
        """Something failed that is no test."""
        self.failures += 1
        for chunk in _chunks("traceback", text, TRACEBACK):
            self._reporter.attached(name, chunk, runnable=False)
        self._reporter.over(name, Status.FAIL, runnable=False)

    def tell_skip(self, report: Any) -> None:
        """A module, say, was skipped as a whole."""
        name = report.nodeid
        for chunk in _chunks("reason", _reason_of(report), TEXT):
            self._reporter.attached(name, chunk, runnable=False)
        self._reporter.over(name, Status.SKIP, runnable=False)

    # -- attachments ---------------------------------------------------------------------------

    def _attach_reason(self, reason: str) -> None:
        if reason := reason.removeprefix("reason: "):
            self._attach("reason", reason, TEXT)

    def _attach_sections(self, sections: list[tuple[str, str]], *, suffix: str) -> None:
        texts: dict[str, list[str]] = {}
        for title, text in sections:
            words = title.split()
            known = len(words) > 1 and words[0] == "Captured" and _SECTIONS.get(words[1])
            texts.setdefault(known or title, []).append(text)
        for name, parts in texts.items():
            self._attach(name + suffix, _shortened("".join(parts)), TEXT)

    def _attach(self, name: str, text: str, mime_type: str) -> None:
        unused, number = name, 1
        while unused in self._attached:
            number += 1
            unused = f"{name}-{number}"
        self._attached.add(unused)
        for chunk in _chunks(unused, text, mime_type):
            self._reporter.attached(self._name, chunk)


def _chunks(name: str, text: str, mime_type: str) -> list[Chunk]:
    octets = encoded(text)
    ends = range(PIECE, len(octets), PIECE)
    chunks = [Chunk(name, octets[end - PIECE : end], mime_type) for end in ends]
    return [*chunks, Chunk(name, octets[len(chunks) * PIECE :], mime_type, eof=True)]


def _shortened(text: str) -> str:
    """Its beginning and its end, where it is longer than both."""
    left = len(text) - 2 * KEPT
    if left <= 0:
        return text
    return f"{text[:KEPT]}\n[{left} characters more]\n{text[-KEPT:]}"


def _reason_of(report: Any) -> str:
    """Why something was skipped."""
    told = report.longrepr
    text = str(told[2]) if isinstance(told, tuple) else str(told)
    return text.removeprefix("Skipped: ")


def _description_of(report: Any) -> str:
    """What tells a subtest from the others of its test: '[message] (i=1)'."""
    context = report.context
    values = ", ".join(f"{name}={value}" for name, value in context.kwargs.items())
    message = "" if context.msg is None else f"[{context.msg}]"
    return f"{message} ({values})".strip() if values else message or "(<subtest>)"
