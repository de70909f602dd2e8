"""Decoding source as the compiler does."""

import pytest

from whotests.source.analysis import analyse
from whotests.source.logical_lines import continuations
from whotests.source.text import decode, digest_of

ACCEPTED = {
    b"a = '\xc3\xa9'\n": "a = '\u00e9'\n",
    b"\xef\xbb\xbfa = 1\n": "a = 1\n",
    b"# coding=latin-1\na = '\xe9'": "# coding=latin-1\na = '\u00e9'\n",
    b"\r# coding: cp1252\ra = '\x80'\r": "\n# coding: cp1252\na = '\u20ac'\n",
    b"a\r\nb\rc\n": "a\nb\nc\n",
    b"\x0ca = 1\n": "\x0ca = 1\n",
    b"": "",
}
REFUSED = {
    b"a = '\xe9'\n": UnicodeDecodeError,
    b"# coding: no-such-encoding\n": SyntaxError,
    b"\xef\xbb\xbf# coding: latin-1\n": SyntaxError,
    b"\n\n# coding: latin-1\na = '\xe9'\n": UnicodeDecodeError,
    b"# coding: ascii\na = '\xe9'\n": UnicodeDecodeError,
}


@pytest.mark.parametrize("source", ACCEPTED)
def test_decode(source: bytes) -> None:
    """Cookies and byte order marks are obeyed, line ends become line feeds, form feeds stay."""
    assert decode(source) == ACCEPTED[source]


@pytest.mark.parametrize("source", REFUSED)
def test_decode_refuses_what_the_compiler_refuses(source: bytes) -> None:
    """Bytes that are not in the file's encoding raise, here and in the compiler."""
    with pytest.raises(REFUSED[source]):
        decode(source)
    with pytest.raises(SyntaxError):
        compile(source, "program.py", "exec", dont_inherit=True)


@pytest.mark.parametrize("source", [b"a = (\n", b"a = '\n", b"if a:\n", b"a = 1\n  b = 2\n"])
def test_analyse_refuses_what_does_not_compile(source: bytes) -> None:
    """A file with a syntax error raises SyntaxError and names the file."""
    with pytest.raises(SyntaxError) as caught:
        analyse(source, "broken.py")
    assert caught.value.filename == "broken.py"


def test_analyse_refuses_a_late_syntax_error() -> None:
    """An error that only the compiler's later stages see raises SyntaxError, too."""
    with pytest.raises(SyntaxError):
        analyse(b"return 1\n", "broken.py")


@pytest.mark.filterwarnings("error")
def test_analyse_warns_of_nothing() -> None:
    """Warnings about the measured source are left to the program that imports it."""
    assert analyse(b"a = 1 is 1\nassert (a, 'b')\n", "odd.py").statements == 0b110
    assert analyse(rb"a = '\d'" + b"\n", "odd.py").statements == 0b10


def test_digest_names_the_bytes() -> None:
    """Digests are 16 bytes, and differ where the bytes do, line ends included."""
    assert len(digest_of(b"a\n")) == 16
    assert digest_of(b"a\n") != digest_of(b"a\r\n")


def test_continuations() -> None:
    """Lines after the first of a logical line point to it; comments and blank lines do not."""
    text = "\n# (\na = [\n\n  1, # ]\n]\nb = 1\nc = '''\n'''; d = (\n2)\n"
    assert continuations(text) == {4: 3, 5: 3, 6: 3, 9: 8, 10: 8}
