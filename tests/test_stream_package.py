"""What `whotests.stream` gives, and what it loads for that."""

import subprocess
import sys

import pytest

import whotests.stream
from whotests.stream import Sink


def test_all_public_names_are_there() -> None:
    """Every name that is promised can be taken from the package, and is listed once."""
    names = whotests.stream.__all__
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(whotests.stream, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    """What is not there is told as Python does."""
    with pytest.raises(AttributeError, match="no attribute 'Sinc'"):
        whotests.stream.Sinc  # type: ignore[attr-defined]  # noqa: B018


def test_passing_events_on_loads_no_heavy_module() -> None:
    """A process that only passes events on does not pay for unittest, JSON or temporary files."""
    code = (
        "import sys, whotests.stream; "
        "print(*sorted({'unittest', 'json', 'tempfile', 'inspect', 'asyncio', 'xml'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == []


def test_every_sink_is_a_sink() -> None:
    """The sinks of the package have what the protocol asks for; a type checker agrees."""
    sinks: list[type[Sink]] = [
        whotests.stream.Collector,
        whotests.stream.EventLog,
        whotests.stream.FailFast,
        whotests.stream.FanOut,
        whotests.stream.JUnitXml,
        whotests.stream.JsonLines,
        whotests.stream.Router,
        whotests.stream.StreamToResult,
        whotests.stream.SubunitWriter,
        whotests.stream.Summary,
        whotests.stream.Tagger,
        whotests.stream.TextSink,
        whotests.stream.Timestamper,
        whotests.stream.ToQueue,
    ]
    for sink in sinks:
        assert all(hasattr(sink, name) for name in ("start_run", "handle", "stop_run"))
