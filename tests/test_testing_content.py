"""Details: bytes with a type, read when somebody wants them, and tracebacks as such."""

import io
import sys
from pathlib import Path

import pytest
import testtools
import testtools.content
import testtools.content_type
from testtools.matchers import Equals, MatchesStructure

from whotests.stream.attachment import Attachment, MediaType
from whotests.testing import (
    JSON,
    UTF8_TEXT,
    Content,
    ContentType,
    StacktraceContent,
    TracebackContent,
    attach_file,
    content_from_file,
    content_from_stream,
    json_content,
    text_content,
)
from whotests.testing.details.detail_text import details_text
from whotests.testing.details.traceback_content import OptExcInfo, StackLinesContent


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        UTF8_TEXT,
        ContentType("text", "x-traceback", {"language": "python", "charset": "utf8"}),
    ],
    ids=str,
)
def test_a_type_is_read_as_it_is_written(content_type: ContentType) -> None:
    """What a type's text says is the same type again."""
    assert ContentType.parse(str(content_type)) == content_type


def test_types_are_the_same_whatever_their_class() -> None:
    """Ours, the stream's and testtools' types are equal if they say the same, and only then."""
    ours = ContentType("text", "plain", {"charset": "utf8"})
    assert ours == MediaType("text", "plain", {"charset": "utf8"})
    assert ours == testtools.content_type.UTF8_TEXT
    assert ours != testtools.content_type.JSON
    assert ours != ContentType("text", "plain")
    assert ours != "text/plain"
    assert len({ours, ContentType("text", "plain", {"charset": "utf8"})}) == 1


def test_contents_are_the_same_whatever_their_class() -> None:
    """Ours, the stream's and testtools' contents are equal if type and bytes are."""
    ours = text_content("käse")
    assert ours == text_content("käse")
    assert ours == testtools.content.text_content("käse")
    assert testtools.content.text_content("käse") == ours
    assert ours == Attachment('text/plain; charset="utf8"', ("kä".encode(), b"se"))
    assert ours != text_content("kase")
    assert ours != "käse"


def test_testtools_matchers_look_into_contents() -> None:
    """Matchers work by what an object has: they match what is in a content of ours."""
    matcher: MatchesStructure[Content] = MatchesStructure(content_type=Equals(UTF8_TEXT))
    assert matcher.match(text_content("a")) is None
    assert matcher.match(json_content({})) is not None


def test_text_may_be_cut_within_a_letter() -> None:
    """Pieces that end within a letter of several bytes are read as one text."""
    letter = "ü".encode()
    content = Content(UTF8_TEXT, lambda: [letter[:1], letter[1:] + b"ber"])
    assert "".join(content.iter_text()) == "über"
    assert content.as_text() == "über"


def test_only_text_is_read_as_text() -> None:
    """JSON and the like have bytes; asking for their text is an error at once."""
    content = json_content({"a": [1, None]})
    assert b"".join(content.iter_bytes()) == b'{"a": [1, null]}'
    with pytest.raises(ValueError, match="application/json"):
        content.iter_text()


def test_a_file_is_read_when_somebody_wants_it(tmp_path: Path) -> None:
    """Without `buffer_now` what the file has then counts, with it what it has now."""
    file = tmp_path / "log.txt"
    file.write_text("first")
    later, now = content_from_file(file), content_from_file(file, buffer_now=True)
    file.write_text("second")
    assert (later.as_text(), now.as_text()) == ("second", "first")
    assert later.as_text() == "second"
    assert content_from_file(str(file), chunk_size=2, seek_offset=-4, seek_whence=2) == (
        text_content("cond")
    )


def test_an_open_file_is_read_from_where_it_is() -> None:
    """A stream is not closed, and begins anew only where `seek_offset` says."""
    stream = io.BytesIO(b"0123456789")
    stream.seek(5)
    content = content_from_stream(stream, JSON)
    assert b"".join(content.iter_bytes()) == b"56789"
    assert b"".join(content.iter_bytes()) == b""
    again = content_from_stream(stream, seek_offset=8, chunk_size=1)
    assert [list(again.iter_bytes()) for _ in range(2)] == [[b"8", b"9"]] * 2
    assert not stream.closed


def test_a_file_is_attached_under_its_name(tmp_path: Path) -> None:
    """`attach_file` reads the file at once, and takes its name unless another one is given."""

    class Detailed:
        def __init__(self) -> None:
            self.details: dict[str, Content] = {}

        def addDetail(self, name: str, content_object: Content, /) -> None:
            self.details[name] = content_object

    file = tmp_path / "log.txt"
    file.write_text("said")
    test = Detailed()
    attach_file(test, file)
    attach_file(test, str(file), name="other")
    file.unlink()
    assert {name: content.as_text() for name, content in test.details.items()} == {
        "log.txt": "said",
        "other": "said",
    }


def test_what_is_no_text_is_not_taken_for_it() -> None:
    """Bytes, and None instead of a type or of bytes, are errors where they are given."""
    with pytest.raises(TypeError, match="must be given text, not 'bytes'"):
        text_content(b"x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="None not permitted"):
        Content(None, list)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="None not permitted"):
        ContentType("text", None)  # type: ignore[arg-type]


def failure() -> OptExcInfo:
    try:
        raise ValueError("\udcff")
    except ValueError:
        return sys.exc_info()


def test_a_traceback_is_a_detail() -> None:
    """It has the frames that are not a test framework's, and the exception, whatever is in it."""
    content = TracebackContent(failure())
    assert str(content.content_type) == 'text/x-traceback; charset="utf8"; language="python"'
    text = content.as_text()
    assert text.startswith("Traceback (most recent call last):\n")
    assert "in failure" in text
    assert text.endswith("ValueError: \\udcff\n")
    with pytest.raises(ValueError, match="err may not be None"):
        TracebackContent((None, None, None))


def test_frames_of_frameworks_are_left_out() -> None:
    """Frames of modules with `__unittest` are not shown before the first that has none."""
    names = {"failure": failure, "__unittest": True}
    exec("def inner(): raise failure()[1]", names)
    shown = {}
    for hidden in (True, False):
        StackLinesContent.HIDE_INTERNAL_STACK = hidden
        try:
            names["inner"]()  # type: ignore[operator]
        except ValueError as error:
            above = error.__traceback__
            assert above is not None
            shown[hidden] = TracebackContent((ValueError, error, above.tb_next)).as_text()
        finally:
            StackLinesContent.HIDE_INTERNAL_STACK = True
    assert "in inner" in shown[False]
    assert "in inner" not in shown[True]


def test_the_stack_of_the_caller() -> None:
    """`StacktraceContent` ends with the line that called it, between the given texts."""
    text = StacktraceContent("before\n", "after\n").as_text()
    assert text.startswith("before\n")
    assert text.endswith('StacktraceContent("before\\n", "after\\n").as_text()\nafter\n')


def test_all_details_as_one_text() -> None:
    """What is no text is named with its type, what is empty by its name, the special one last."""
    details = {
        "b": text_content("1\n2"),
        "traceback": text_content("Traceback"),
        "a": text_content("one"),
        "empty": text_content(" \n"),
        "image": Content(ContentType("image", "png"), lambda: [b"\x89"]),
    }
    assert details_text(details, special="traceback") == (
        "Binary content:\n  image (image/png)\nEmpty attachments:\n  empty\n\n"
        "a: {{{one}}}\nb: {{{\n1\n2\n}}}\n\nTraceback\n"
    )
