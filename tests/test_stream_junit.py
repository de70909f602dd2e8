"""A run as JUnit XML: well formed whatever tests say, and complete or not there at all."""

import errno
import io
import os
import sys
from datetime import timedelta
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_events import EVENTS, RANDOMS, RUNS, START, Told, interleaved, send
from whotests.errors import MachineError
from whotests.stream import Chunk, Event, JUnitXml, Status
from whotests.stream.junit import split_id

PLAIN = 'text/plain; charset="utf8"'


def suite_of(*events: Event) -> ElementTree.Element:
    """The test suite that is written of a run, read by a parser of XML."""
    stream = io.StringIO()
    send(JUnitXml(stream), events)
    root = ElementTree.fromstring(stream.getvalue())
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.tag == "testsuite"
    return suite


def attached(test_id: str, name: str, content: bytes) -> Event:
    return Event(test_id, attachment=Chunk(name, content, PLAIN, eof=True))


def test_each_status_has_its_element() -> None:
    """Failures, skips and successes are what services take them for, with their texts."""
    later = START + timedelta(seconds=1.5)
    suite = suite_of(
        Event("m.C.test_good", Status.INPROGRESS, timestamp=START),
        Event("m.C.test_good", Status.SUCCESS, timestamp=later),
        attached("m.C.test_bad", "traceback", b"Traceback:\n  here\nKeyError: 'x'\n"),
        attached("m.C.test_bad", "log", b"what it said"),
        attached("m.C.test_bad", "stderr", b"what it cried"),
        Event("m.C.test_bad", Status.FAIL, frozenset({"slow"}), route_code=None),
        attached("m.C.test_skipped", "reason", b"no network"),
        Event("m.C.test_skipped", Status.SKIP),
        Event("m.C.test_known", Status.XFAIL),
        Event("m.C.test_surprise", Status.UXSUCCESS),
        Event("m.C.test_listed", Status.EXISTS),
        Event("m.C.test_hangs", Status.INPROGRESS, route_code="0/1"),
    )
    assert suite.attrib == {
        "name": "whotests",
        "tests": "6",
        "failures": "3",
        "errors": "0",
        "skipped": "2",
        "time": "1.500",
        "timestamp": START.isoformat(),
    }
    cases = {case.attrib["name"]: case for case in suite}
    assert list(cases) == [
        "test_good",
        "test_bad",
        "test_skipped",
        "test_known",
        "test_surprise",
        "test_hangs",
    ]
    assert {case.attrib["classname"] for case in suite} == {"m.C"}
    assert cases["test_good"].attrib["time"] == "1.500"
    assert list(cases["test_good"]) == []
    failure, out, err = cases["test_bad"]
    assert (failure.tag, failure.attrib["message"]) == ("failure", "KeyError: 'x'")
    assert failure.text == "traceback:\n    Traceback:\n      here\n    KeyError: 'x'"
    assert (out.tag, out.text) == ("system-out", "tags: slow\nlog: what it said")
    assert (err.tag, err.text) == ("system-err", "stderr: what it cried")
    assert cases["test_skipped"][0].attrib == {"type": "skip", "message": "no network"}
    assert cases["test_known"][0].tag == "skipped"
    assert cases["test_surprise"][0].attrib["type"] == "uxsuccess"
    assert cases["test_hangs"][0].attrib == {"type": "unknown", "message": "no end was seen"}
    assert cases["test_hangs"][1].text == "route code: 0/1"


@given(run=RUNS, random=RANDOMS)
def test_the_counts_are_those_of_the_cases(run: list[Told], random: Random) -> None:
    """However a run goes, the suite's counts are how many cases have each element."""
    suite = suite_of(*interleaved([told.events(random) for told in run], random))
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.attrib["tests"])
    for attribute, tag in (("failures", "failure"), ("skipped", "skipped")):
        assert int(suite.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)


ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=12)


@given(events=st.lists(EVENTS, max_size=12), text=ANY_TEXT)
def test_whatever_is_said_is_well_formed(events: list[Event], text: str) -> None:
    """Control characters, surrogates and markup in any place still make XML that can be read."""
    content = text.encode("utf-8", "surrogatepass")
    sent = list(events)
    sent.append(Event(text or "x", attachment=Chunk(text, content, PLAIN), route_code=text))
    sent.append(Event(attachment=Chunk(text, content, PLAIN), route_code=text))
    sent.append(Event(text or "x", Status.FAIL, frozenset([text]), route_code=text))
    assert suite_of(*sent).attrib["errors"] == "0"


def test_what_xml_allows_arrives_as_it_was() -> None:
    """Markup, quotes, white space and letters of all kinds are there when the file is read."""
    text = "<a href=\"x\">&amp; 'q'\ttab ä \U0001f600 ]]>\r\nend"
    suite = suite_of(attached(text, "log", text.encode()), Event(text, Status.FAIL))
    case = suite[0]
    name = case.attrib["name"]
    place = case.attrib["classname"]
    assert f"{place}.{name}" if place else name == text
    failure, out = case
    assert failure.attrib["message"] == "it failed, and attached no traceback"
    assert out.text is not None
    assert "<a href=\"x\">&amp; 'q'\ttab ä \U0001f600 ]]>" in out.text


def test_what_xml_forbids_is_replaced() -> None:
    """A colour code in a traceback becomes replacement characters, and nothing is lost besides."""
    suite = suite_of(attached("a", "traceback", b"\x1b[31mE\x00\n"), Event("a", Status.FAIL))
    assert suite[0][0].text == "traceback: \ufffd[31mE\ufffd"


def test_the_runs_own_output_is_the_suites() -> None:
    """What belongs to no test is in the suite, with where it came from."""
    suite = suite_of(
        Event(attachment=Chunk("stdout", b"one\ntwo", PLAIN), route_code="0"),
        Event("a", Status.SUCCESS),
    )
    assert suite.findtext("system-out") == "[0] stdout: one\n[0] stdout: two\n"


@pytest.mark.parametrize(
    ("test_id", "place", "name"),
    [
        ("package.module.Class.test", "package.module.Class", "test"),
        ("test", "", "test"),
        ("m.C.test[1.5-a.b]", "m.C", "test[1.5-a.b]"),
        ("m.C.test (x=1.5)", "m.C", "test (x=1.5)"),
        ("tests/test_a.py::test_b", "tests.test_a", "test_b"),
        ("tests/test_a.py::C::test_b[x::y]", "tests.test_a.C", "test_b[x::y]"),
        ("setUpClass (m.C)", "m.C", "setUpClass"),
        ("", "", ""),
    ],
)
def test_ids_are_split_into_place_and_name(test_id: str, place: str, name: str) -> None:
    """Services group by class name: that is what stands before a test's own name."""
    assert split_id(test_id) == (place, name)


def test_a_stream_in_another_encoding() -> None:
    """What is written to a stream in ASCII is XML that says the same."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    send(JUnitXml(stream, suite_name="süite"), [Event("tést", Status.SUCCESS)])
    (suite,) = ElementTree.fromstring(raw.getvalue())
    assert (suite.attrib["name"], suite[0].attrib["name"]) == ("süite", "tést")


# --- files


def test_a_path_is_written_whole_at_the_end(tmp_path: Path) -> None:
    """Until the run stops, what was there before is there; its folder is made; nothing is left."""
    path = tmp_path / "reports" / "junit.xml"
    send(JUnitXml(path), [Event("old", Status.SUCCESS)])
    sink = JUnitXml(str(path))
    sink.start_run()
    sink.handle(Event("new", Status.FAIL))
    assert "old" in path.read_text(encoding="utf-8")
    sink.stop_run()
    assert "new" in path.read_text(encoding="utf-8")
    assert [each.name for each in path.parent.iterdir()] == ["junit.xml"]


def test_a_folder_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    """Who cannot write hears of it before the tests run, with the path and what to do."""
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "junit.xml"
    with pytest.raises(MachineError, match=r"cannot be written to .*junit\.xml: .*; make room or"):
        JUnitXml(path).start_run()


def test_a_file_that_cannot_be_replaced_is_told(tmp_path: Path) -> None:
    """Where a folder took the file's place, the error names it and no part is left behind."""
    path = tmp_path / "junit.xml"
    sink = JUnitXml(path)
    sink.start_run()
    path.mkdir()
    (path / "inside").write_text("")
    with pytest.raises(MachineError, match=r"cannot be written to .*junit\.xml: "):
        sink.stop_run()
    assert os.listdir(tmp_path) == ["junit.xml"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names")
def test_what_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    """A pipe, as of a shell's `>(...)`, gets the XML; a link leads where it led."""
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "real.xml"
    os.mkfifo(pipe)
    link.symlink_to(file)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        send(JUnitXml(pipe), [Event("a", Status.SUCCESS)])
        assert os.read(reader, 1 << 16).startswith(b"<?xml ")
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    send(JUnitXml(link), [Event("a", Status.SUCCESS)])
    assert link.is_symlink()
    assert file.read_text().startswith("<?xml ")


class Full(io.StringIO):
    """A stream on a disk without room."""

    name = "report.xml"

    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told() -> None:
    """A stream that takes nothing more is named, with the reason and what to do."""
    with pytest.raises(MachineError, match=r"cannot be written to report\.xml: .*; make room or"):
        send(JUnitXml(Full()), [Event("a", Status.FAIL)])


def test_a_second_run_begins_anew() -> None:
    """A sink that is used twice writes each run by itself."""
    stream = io.StringIO()
    sink = JUnitXml(stream)
    send(sink, [Event("a", Status.FAIL)])
    stream.seek(0)
    stream.truncate()
    send(sink, [Event("b", Status.SUCCESS)])
    (suite,) = ElementTree.fromstring(stream.getvalue())
    assert [case.attrib["name"] for case in suite] == ["b"]
    assert suite.attrib["failures"] == "0"
